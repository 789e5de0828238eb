"""Cost, early stopping and comparison, on runs made to have each, and not."""

import numpy as np
import pytest

from pipeline.analyse.accuracy_curve import accuracy_curve
from pipeline.analyse.cost import cost
from pipeline.analyse.early_stop_hindsight import early_stopping, held_out_targets
from pipeline.analyse.side_by_side.baseline_run import comparison
from pipeline.files.history import History
from pipeline.statistics.early_stop import EarlyStop
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import ar_noise, published_like
from tests.helpers.synthetic import make_history


def test_cost_per_point_is_what_was_spent_over_what_was_gained():
    history = make_history()
    history.run["flops_per_step"] = 1.5e9
    found = cost(history)
    training = found.training
    assert (found.seconds, found.tokens) == (300.0, 100 * 40 * 1900)
    assert training.seconds_per_point == pytest.approx(297 / training.points)
    assert (found.flops, found.flops_per_step) == (4000 * 1.5e9, 1.5e9)
    assert training.flops_per_point == pytest.approx(3960 * 1.5e9 / training.points)
    assert [part.until for part in training.quarters] == [1000, 2000, 3000, 4000]
    assert sum(part.points for part in training.quarters) == pytest.approx(training.points)
    assert cost(published_like()).flops is None


def test_points_are_of_a_running_mean_and_in_per_cent():
    history = make_history(200, 20)
    accuracy = np.array(history.records["mlm_acc"])
    # Over a fortieth of the records, five here; it shrinks at the beginning and loses its right half at the end.
    ends = [accuracy[0], *(accuracy[place - 3 : place + 2].mean() for place in (50, 100, 150)), accuracy[-3:].mean()]
    training = cost(history).training
    assert training.points == pytest.approx(100 * (ends[-1] - ends[0]))
    assert [part.points for part in training.quarters] == pytest.approx((100 * np.diff(ends)).tolist())
    second = training.quarters[1]
    assert second.seconds_per_point == pytest.approx(3.0 * 50 / second.points)
    assert second.tokens_per_point == pytest.approx(1000 * 1900 / second.points)
    history.records["mlm_acc"] = accuracy[::-1].tolist()
    assert cost(history).training.seconds_per_point is None


def test_early_stopping_tells_what_was_saved_and_lost():
    history = make_history(400, 10)
    history.records["lr"] = [4e-3] * 400
    found = early_stopping(history, EarlyStop(window=40, worth=0.02, patience=5))
    stop = found.stop_step
    assert found.key == "eval_mlm_acc"
    assert found.saved_steps == 4000 - stop
    assert found.saved_share == pytest.approx((4000 - stop) / 4000)
    assert found.saved_seconds == pytest.approx(3.0 * (4000 - stop) / 10)
    accuracy = np.array(history.records["eval_mlm_acc"])
    windows = [accuracy[stop // 10 - 40 : stop // 10], accuracy[-40:]]
    assert [found.accuracy_at_stop, found.accuracy_at_end] == pytest.approx([each.mean() for each in windows])
    assert found.lost == pytest.approx(found.accuracy_at_end - found.accuracy_at_stop)
    lines = [np.polyval(np.polyfit(range(40), each, 1), range(40)) for each in windows]
    variances = [((each - line) ** 2).sum() / 38 / 40 for each, line in zip(windows, lines, strict=True)]
    rho = [((each - line)[1:] @ (each - line)[:-1]) / ((each - line) @ (each - line)) for each, line in zip(
        windows, lines, strict=True)]  # fmt: skip
    rho = [min(max((value * 40 / 39 + 2 / 40) / (1 - 4 / 40), 0), 0.9) for value in rho]
    widened = [(1 + value) / (1 - value) for value in rho]
    half = 1.959964 * np.sqrt(np.dot(variances, widened))
    assert found.lost_interval == pytest.approx((found.lost - half, found.lost + half))
    assert (found.verdict, found.sure_up_to) == ("stops", 0.6)
    untouched = early_stopping(history, EarlyStop(window=40, worth=1e-4))
    assert (untouched.stop_step, untouched.lost, untouched.verdict) == (None, None, "too_few_records")
    assert "Too few" in untouched.note
    rising = History({"steps": list(range(1, 401)), "mlm_acc": np.linspace(0.1, 0.9, 400).tolist()}, {})
    assert early_stopping(rising, EarlyStop(window=40, worth=0.01)).verdict == "goes_on"
    assert untouched.accuracy_at_end == pytest.approx(found.accuracy_at_end)


def test_a_run_whose_rate_has_still_to_fall_is_not_called_finished():
    """With a rate that stays the rule ends the run; while the rate falls it waits; once it is down it may end it."""
    history = make_history(400, 10)
    rule = EarlyStop(window=40, worth=0.02, patience=5)
    assert early_stopping(history, rule).stop_step >= 0.95 * 4000
    short = History({key: values[:300] for key, values in history.records.items()}, history.run)
    assert early_stopping(short, rule).stop_step is None
    assert "still to fall" in early_stopping(short, rule).note
    history.records["lr"] = [4e-3] * 400
    stays = early_stopping(history, rule)
    assert 1000 < stays.stop_step < 3500
    history.records["lr"] = [4e-3] * 250 + [1e-4] * 150
    assert early_stopping(history, rule).stop_step == max(stays.stop_step, 2500 + 10)
    del history.records["lr"], history.run["config"]
    assert early_stopping(history, rule).stop_step == stays.stop_step


def test_a_plateau_of_a_run_under_way_says_what_lies_ahead():
    history = make_history(60, finished=False)
    assert "still to fall" in accuracy_curve(history, "mlm_acc", None).plateau.note
    assert "still to fall" not in accuracy_curve(make_history(), "mlm_acc", None).plateau.note


@pytest.mark.parametrize(("phi", "measured"), [(0.0, 0.955), (0.4, 0.935), (0.7, 0.89)])
def test_the_interval_of_what_was_lost_holds_the_truth_as_often_as_was_measured(phi, measured):
    """95 % is asked for; a window of 40 records tells a slow drift badly."""
    generator, rule, held = np.random.default_rng(1), EarlyStop(window=40, worth=0.01, patience=5), []
    curve = 0.3 + 0.2 * (1 - np.exp(-np.arange(1, 301) / 25))
    steps = list(range(100, 30_001, 100))
    while len(held) < 500:
        accuracy = curve + ar_noise(generator, 300, phi, 0.006)
        history = History({"steps": steps, "mlm_acc": accuracy.tolist(), "seconds": steps}, {})
        found = early_stopping(history, rule)
        if found.stop_step is None:
            continue
        place = found.stop_step // 100
        low, high = found.lost_interval
        held.append(low <= curve[-40:].mean() - curve[place - 40 : place].mean() <= high)
    assert_rate(sum(held), len(held), measured, notices=measured - 0.08)


def test_targets_behind_a_held_out_accuracy_are_those_that_the_run_states():
    history = make_history(10)
    assert held_out_targets(history, "eval_mlm_acc") is None
    history.run["eval_counts"] = {"mlm_targets": 2100}
    assert held_out_targets(history, "eval_mlm_acc") == [2100] * 10
    assert held_out_targets(history, "mlm_acc") == [11_000] * 10


def test_a_comparison_is_computed_from_both_runs():
    history, baseline = make_history(100), make_history(50)
    baseline.records["mlm_acc"] = [value - 0.05 for value in baseline.records["mlm_acc"]]
    found = comparison(history, baseline)
    assert found.common_horizon.until == 2000
    assert found.common_horizon.r_difference == pytest.approx(0, abs=1e-9)
    assert found.common_horizon.accuracy_difference == pytest.approx(0.05)
    low, high = found.common_horizon.accuracy_difference_interval
    assert 0.03 < low < 0.05 < high < 0.07
    assert found.whole.baseline.r == found.baseline_r
    before, now = (np.corrcoef(run.records["steps"], run.records["mlm_acc"])[0, 1] for run in (baseline, history))
    assert (found.baseline_r, found.this_r) == pytest.approx((before, now))
    assert found.improvement == found.whole.r_difference == pytest.approx(now - before)
    assert found.improvement_percentage == pytest.approx(100 * (now - before) / before)
    ends = [np.mean(baseline.records["mlm_acc"][-5:]), np.mean(history.records["mlm_acc"][-10:])]
    assert found.whole.accuracy_difference == pytest.approx(ends[1] - ends[0])
    assert found.whole.this_run.end_accuracy == pytest.approx(np.mean(history.records["mlm_acc"][-10:]))
    assert {value for name, value in vars(comparison(history, None)).items() if name != "note"} == {None}


def test_a_comparison_of_held_out_accuracy_where_both_have_it():
    history, baseline = make_history(100), make_history(50)
    baseline.records["eval_mlm_acc"] = [value - 0.03 for value in baseline.records["eval_mlm_acc"]]
    found = comparison(history, baseline)
    assert found.held_out.common_horizon.accuracy_difference == pytest.approx(0.03)
    assert found.common_horizon.accuracy_difference == pytest.approx(0, abs=1e-9)
    baseline.records["eval_mlm_acc"] = [None] * 50
    assert comparison(history, baseline).held_out is None
