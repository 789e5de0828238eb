"""Deviation from reference runs: where the limit lies, and how often runs of the references' own kind are flagged."""

import numpy as np
import pytest
from scipy import stats

from pipeline.analyse.reference import departure_from_references
from pipeline.files.history import History
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import ar_noise

RECORDS = 100
CURVE = 0.3 - 0.24 * np.exp(-np.arange(1, RECORDS + 1) / 32)


def run_of(values, key="eval_mlm_acc"):
    return History({"steps": list(range(40, 40 * len(values) + 1, 40)), key: np.asarray(values).tolist()}, {})


def noisy(generator, level=0.0, phi=0.3):
    return run_of(CURVE + level + ar_noise(generator, RECORDS, phi, 0.004))


@pytest.mark.parametrize("levels", [(-0.01, 0.0, 0.01), (-0.02, 0.0, 0.003, 0.01, 0.012)])
def test_the_limit_is_that_of_one_further_run_shared_among_ten_tenths(levels):
    """Student's t with one less than the references, their scatter and the run's own, alpha / 20 on either side."""
    references = [run_of(CURVE + level) for level in levels]
    count = len(levels)
    limit = stats.t.isf(0.01 / 20, count - 1) * np.std(levels, ddof=1) * np.sqrt(1 + 1 / count)
    for sign in (-1, 1):
        assert departure_from_references(run_of(CURVE + np.mean(levels) + sign * 0.999 * limit), references) == []
        [found] = departure_from_references(run_of(CURVE + np.mean(levels) + sign * 1.001 * limit), references)
        assert (found.count, found.first_step, found.last_step) == (10, 400, 4000)
        assert found.note.startswith(f"{100 * sign * 1.001 * limit:+.2f} points from the reference")
        assert f"{count} reference runs" in found.note


def test_the_tenths_that_leave_the_band_are_named():
    references = [run_of(CURVE + level) for level in (-0.01, 0.0, 0.01)]
    values = CURVE.copy()
    values[20:30] += 0.6
    values[70:80] -= 0.8
    [found] = departure_from_references(run_of(values), references)
    assert found.steps == [1200, 3200]
    assert found.note.startswith("-80.00 points from the reference around step 3,200")


def test_only_steps_that_all_have_are_compared_and_only_lists():
    references = [run_of(CURVE + level) for level in (-0.01, 0.0, 0.01)]
    late = CURVE.copy()
    late[60:] += 1
    short = [run_of((CURVE + level)[:60]) for level in (-0.01, 0.0, 0.01)]
    assert departure_from_references(run_of(late), references) != []
    assert departure_from_references(run_of(late), short) == []
    assert departure_from_references(run_of(late, "mlm_acc"), references) == []  # no list in common
    assert departure_from_references(run_of(late), []) == []


@pytest.mark.slow
def test_a_run_of_three_references_own_kind_is_flagged_far_less_often_than_the_level():
    """1 % is shared among tenths that move together where runs differ by a level: 3 of 7,500 runs were flagged."""
    generator, runs, flagged = np.random.default_rng(4), 1000, 0
    for levels in generator.normal(0, 0.01, (runs, 4)):
        first, *references = [noisy(generator, level) for level in levels]
        flagged += bool(departure_from_references(first, references))
    assert_rate(flagged, runs, 0.0004, notices=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("phi", "measured", "notices"), [(0.0, 0.005, 0.015), (0.3, 0.032, 0.06), (0.7, 0.17, 0.23)])
def test_one_reference_flags_runs_that_differ_by_noise_as_often_as_was_measured(phi, measured, notices):
    """1 % is asked for; ten records a tenth tell the memory of the noise too badly to hold it beyond 0.2 or so."""
    generator, runs = np.random.default_rng(5), 1800
    flagged = sum(
        bool(departure_from_references(noisy(generator, phi=phi), [noisy(generator, phi=phi)])) for _ in range(runs)
    )
    assert_rate(flagged, runs, measured, notices=notices)


def test_one_reference_is_measured_by_the_noise_of_the_records():
    generator = np.random.default_rng(5)
    for references in (1, 2):
        [found] = departure_from_references(noisy(generator, 0.02), [noisy(generator) for _ in range(references)])
        assert "other seeds may differ by more" in found.note


@pytest.mark.parametrize("references", [1, 2])
def test_the_noise_of_the_records_sets_the_limit_where_there_are_few_references(references):
    """White noise: sigma^2 / n for the run's mean of n records and as much over the references' number for theirs."""
    generator, sigma, seen = np.random.default_rng(6), 0.004, {0.8: 0, 1.25: 0}
    limit = stats.norm.isf(0.01 / 20) * sigma * np.sqrt((1 + 1 / references) / 10)
    for _ in range(60):
        others = [noisy(generator, phi=0.0) for _ in range(references)]
        for part in seen:
            shift = np.zeros(RECORDS)
            shift[50:60] = part * limit
            ours = run_of(CURVE + shift + ar_noise(generator, RECORDS, 0.0, sigma))
            seen[part] += any(2400 in entry.steps for entry in departure_from_references(ours, others))
    assert seen[0.8] <= 30 <= seen[1.25]  # the noise moves the mean to either side of the limit
