"""Anomalies that were put in are found, and faultless runs are flagged no oftener than is said."""

import numpy as np
import pytest
from scipy import stats

from pipeline.analyse.anomalies import anomalies, outliers
from pipeline.files.history import History
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import ar_noise, published_like
from tests.helpers.synthetic import make_history

RECORDS = 400
CURVE = 0.5 - 0.4 * np.exp(-np.arange(RECORDS) / 60)


def kinds(history):
    return {(found.key, found.kind) for found in anomalies(history)}


MEASURED = [  # records, autoregression, share of runs flagged at 1 %
    (60, 0.7, 0.017),
    (60, 0.95, 0.047),
    (100, 0.0, 0.010),
    (400, 0.0, 0.008),
    (400, 0.7, 0.006),
    (1000, 0.95, 0.009),
]


@pytest.mark.slow
@pytest.mark.parametrize(("records", "phi", "measured"), MEASURED)
def test_faultless_runs_are_flagged_as_often_as_was_measured(records, phi, measured):
    """The level is 1 %; a short run with slow noise is flagged more often, for its bends are as sharp as its spikes."""
    generator, runs, flagged = np.random.default_rng(records), 4500, 0
    curve = 0.5 - 0.4 * np.exp(-np.arange(records) / (0.15 * records))
    for _ in range(runs):
        high, low = outliers(curve + ar_noise(generator, records, phi, 0.01), 1)
        flagged += bool(len(high) or len(low))
    assert_rate(flagged, runs, measured, notices=2 * measured)


@pytest.mark.slow
def test_five_lists_together_are_flagged_as_often_as_was_measured():
    """The level of 1 % is of the run, shared among its lists; a steep start of 100 records makes it 2.3 %."""
    generator, runs, flagged = np.random.default_rng(7), 2700, 0
    steps = np.arange(1, 101) * 100
    rise = 1 - np.exp(-steps / 1500)
    shapes = {"mlm_acc": (0.1, 0.4, 0.01), "loss": (8, -4, 0.05), "eval_mlm_acc": (0.1, 0.4, 0.004),
              "eval_loss": (8, -4, 0.02), "grad_norm": (1, 0, 0.1)}  # fmt: skip
    for _ in range(runs):
        lists = {
            key: (first + change * rise + ar_noise(generator, 100, 0.4, sigma)).tolist()
            for key, (first, change, sigma) in shapes.items()
        }
        flagged += bool(anomalies(History({"steps": steps.tolist(), **lists}, {})))
    assert_rate(flagged, runs, 0.023, notices=0.046)


def test_a_record_is_far_from_its_neighbours_beyond_the_normal_quantile_shared_among_all():
    """The three on either side, 1.4826 times the median of such differences, alpha / 2 over records and lists."""
    records, place, lists = 400, 200, 5
    values = ar_noise(np.random.default_rng(3), records, 0.0, 0.01)
    kernel = np.array([-1, -1, -1, 6, -1, -1, -1]) / 6
    differences = np.convolve(values, kernel, mode="same")
    near = np.abs(differences[100:300])  # a window of 201 records around the place, in blocks of half its length
    limit = (1 + 16 / 201) * stats.norm.isf(0.01 / 2 / records / lists) * 1.4826 * np.median(near)
    for sign, found in ((1, 0), (-1, 1)):
        for part, expected in ((0.93, []), (1.07, [place])):
            moved = values.copy()
            moved[place] += sign * part * limit - differences[place]
            assert outliers(moved, lists)[found].tolist() == expected


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


def test_a_recorded_change_of_the_rate_is_not_an_anomaly():
    rates = np.linspace(1e-3, 0, 100)
    rates[50:] /= 10
    history = history_with(lr=rates)
    assert found_in(history, "lr", "lr_break") == [5100]
    for step, found in ((5000, []), (5050, []), (4999, [5100]), (5100, [5100])):  # it holds after that step
        history.run["changes"] = [{"step": step, "setting": "lr", "from": 1e-3, "to": 1e-4}]
        assert found_in(history, "lr", "lr_break") == found


def test_warm_up_and_cosine_are_no_break():
    assert ("lr", "lr_break") not in kinds(published_like())
    assert ("lr", "lr_break") not in kinds(published_like(records=20))


def history_with(**lists):
    """A hundred records, one every 100 steps; what is given takes the place of the faultless lists."""
    plain = {"steps": list(range(100, 10_001, 100)), "mlm_acc": np.linspace(0.1, 0.5, 100).tolist()}
    return History({**plain, **{key: list(values) for key, values in lists.items()}}, {})


def found_in(history, key, kind):
    return [step for entry in anomalies(history) if (entry.key, entry.kind) == (key, kind)
            for step in entry.steps]  # fmt: skip


def test_ten_equal_values_are_frozen_and_nine_are_not():
    for count in (9, 10, 11):
        accuracy = np.linspace(0.1, 0.5, 100)
        accuracy[40 : 40 + count] = accuracy[40]
        expected = list(range(4100, 4100 + 100 * count, 100)) if count >= 10 else []
        assert found_in(history_with(mlm_acc=accuracy), "mlm_acc", "stall") == expected
    assert found_in(history_with(mlm_acc=[0.3] * 100), "mlm_acc", "stall") == []


def test_a_pause_is_more_than_ten_usual_intervals_and_a_minute():
    for usual, pause, found in ((8.0, 79.0, False), (8.0, 81.0, True), (1.0, 59.0, False), (1.0, 61.0, True)):
        gaps = np.full(100, usual)
        gaps[[30, 60, 61]] = pause
        expected = [3100, 6100, 6200] if found else []
        assert found_in(history_with(seconds=np.cumsum(gaps)), "seconds", "stall") == expected


def test_a_break_of_the_rate_is_three_times_its_neighbours_and_two_per_cent_of_the_peak():
    falling = 1e-3 * (1 - np.arange(100) / 200)  # half a per cent of the peak a record
    for drop, found in ((1.9e-5, False), (2.6e-5, True)):
        rates = falling - np.where(np.arange(100) >= 50, drop - 5e-6, 0)
        assert found_in(history_with(lr=rates), "lr", "lr_break") == ([5100] if found else [])
    steep = 1e-3 * (1 - np.arange(100) / 120)  # neighbouring changes of 8e-6
    for drop, found in ((2.3e-5, False), (2.7e-5, True)):
        rates = steep - np.where(np.arange(100) >= 50, drop - 1e-3 / 120, 0)
        assert found_in(history_with(lr=rates), "lr", "lr_break") == ([5100] if found else [])


def test_every_spike_of_a_list_is_listed():
    values = 0.3 + ar_noise(np.random.default_rng(2), 100, 0.0, 0.01)
    values[[20, 50, 51, 80]] += 0.2
    assert found_in(history_with(mlm_acc=values), "mlm_acc", "spike") == [2100, 5100, 5200, 8100]
