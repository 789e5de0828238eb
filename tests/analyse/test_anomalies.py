"""Anomalies that were put in are found, and faultless runs are flagged no oftener than is said."""

import numpy as np
import pytest

from pipeline.analyse.anomalies import ALPHA, anomalies, outliers
from pipeline.analyse.reference import ALPHA as REFERENCE_ALPHA
from pipeline.analyse.reference import departure_from_references
from pipeline.files.history import History
from tests.helpers.simulated import ar_noise, published_like
from tests.helpers.synthetic import make_history

RECORDS = 400
CURVE = 0.5 - 0.4 * np.exp(-np.arange(RECORDS) / 60)


def kinds(history):
    return {(found.key, found.kind) for found in anomalies(history)}


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_faultless_runs_are_flagged_as_rarely_as_is_said(phi):
    generator = np.random.default_rng(1)
    runs, flagged = 500, 0
    for _ in range(runs):
        high, low = outliers(CURVE + ar_noise(generator, RECORDS, phi, 0.01), 1)
        flagged += bool(len(high) or len(low))
    assert flagged <= runs * ALPHA + 3 * np.sqrt(runs * ALPHA)


def test_spikes_and_drops_are_found_where_they_are():
    values = CURVE + ar_noise(np.random.default_rng(2), RECORDS, 0.5, 0.01)
    values[[100, 101]] += 0.12
    values[300] -= 0.12
    high, low = outliers(values, 5)
    assert high.tolist() == [100, 101]
    assert low.tolist() == [300]


def test_each_kind_is_named_with_its_steps():
    history = make_history()
    assert anomalies(history) == []
    records = history.records
    records["loss"][50] += 5
    records["eval_mlm_acc"][70] -= 0.2
    records["mlm_acc"][20:32] = [0.2] * 12
    records["seconds"][60:] = [value + 5000 for value in records["seconds"][60:]]
    records["lr"][80:] = [value / 3 for value in records["lr"][80:]]
    records["grad_norm"][5] = float("nan")
    found = {(entry.key, entry.kind): entry for entry in anomalies(history)}
    assert found[("loss", "spike")].steps == [2040]
    assert found[("eval_mlm_acc", "drop")].steps == [2840]
    assert found[("mlm_acc", "stall")].count == 12
    assert found[("seconds", "stall")].steps == [2440]
    assert found[("lr", "lr_break")].steps == [3240]
    assert found[("grad_norm", "nan")].first_step == 240


def test_warm_up_and_cosine_are_no_break():
    assert ("lr", "lr_break") not in kinds(published_like())
    assert ("lr", "lr_break") not in kinds(published_like(records=20))


def run_of(generator, level=0.0, phi=0.3):
    history = make_history()
    steps = np.array(history.records["steps"], dtype=float)
    values = 0.3 - 0.24 * np.exp(-steps / 1300) + level + ar_noise(generator, 100, phi, 0.004)
    return History({**history.records, "eval_mlm_acc": values.tolist()}, history.run)


def test_a_run_of_the_references_own_kind_is_rarely_flagged_and_another_is():
    generator = np.random.default_rng(4)
    seeds = 0.01  # how much runs differ by chance
    flagged = 0
    for _ in range(200):
        levels = generator.normal(0, seeds, 5)
        runs = [run_of(generator, level) for level in levels]
        flagged += bool(departure_from_references(runs[0], runs[1:]))
    assert flagged <= 200 * REFERENCE_ALPHA + 3 * np.sqrt(200 * REFERENCE_ALPHA)
    references = [run_of(generator, level) for level in (-0.01, 0.0, 0.003, 0.01)]
    found = departure_from_references(run_of(generator, -0.2), references)[0]
    assert (found.kind, found.key) == ("deviation", "eval_mlm_acc")
    assert "4 reference runs" in found.note


def test_one_reference_is_measured_by_the_noise_of_the_records():
    generator = np.random.default_rng(5)
    flagged = sum(bool(departure_from_references(run_of(generator), [run_of(generator)])) for _ in range(150))
    assert flagged <= 8
    found = departure_from_references(run_of(generator, 0.02), [run_of(generator)])[0]
    assert "other seeds may differ by more" in found.note
    assert departure_from_references(run_of(generator), []) == []
