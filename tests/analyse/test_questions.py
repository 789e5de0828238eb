"""NSP against chance, plateaus, overfitting, cost, early stopping, comparison, on runs made to have each, and not."""

import numpy as np
import pytest

from pipeline.analyse.baseline_run import comparison
from pipeline.analyse.cost import cost
from pipeline.analyse.early_stop_hindsight import early_stopping
from pipeline.analyse.nsp import nsp_against_chance
from pipeline.analyse.overfitting import overfitting
from pipeline.analyse.plateau import plateau, slopes_per_10k
from pipeline.statistics.early_stop import EarlyStop
from tests.helpers.simulated import CURVES, STEPS, ar_noise, published_like
from tests.helpers.synthetic import make_history


def test_nsp_of_a_run_like_the_published_one_never_leaves_chance():
    history = published_like()
    found = nsp_against_chance(history).training
    assert found.at_chance is True
    assert (found.pairs, found.denominators, found.first_step_above) == (32_000, "inferred", None)
    assert found.interval[0] < 0.5 < found.interval[1]
    assert found.accuracy == pytest.approx(np.mean(history.records["nsp_acc"]))


def test_nsp_that_is_learned_late_is_seen_and_dated():
    history = published_like()
    generator = np.random.default_rng(2)
    share = np.where(np.arange(1000) < 600, 0.5, 0.55)
    history.records["nsp_acc"] = (generator.binomial(32, share) / 32).tolist()
    found = nsp_against_chance(history).training
    assert found.at_chance is False
    assert found.first_step_above == 70_000
    assert found.p < 1e-6


def test_nsp_is_at_chance_in_ninety_nine_of_a_hundred_coin_runs():
    generator = np.random.default_rng(3)
    history = published_like(records=200)
    false = 0
    for _ in range(150):
        history.records["nsp_acc"] = (generator.binomial(32, 0.5, 200) / 32).tolist()
        false += not nsp_against_chance(history).training.at_chance
    assert false <= 9  # three looks at one in a hundred each, and three standard errors


def test_nsp_without_counts_is_not_tested():
    history = published_like(records=100)
    history.records["nsp_acc"] = np.random.default_rng(4).random(100).tolist()
    found = nsp_against_chance(history).training
    assert (found.p, found.at_chance, found.denominators) == (None, None, None)
    assert nsp_against_chance(make_history()).held_out.pairs == 1_520


def test_a_plateau_is_found_and_dated_and_a_rise_is_not_one():
    generator = np.random.default_rng(5)
    flat = np.minimum(STEPS / 10_000, 1) * 0.3 + ar_noise(generator, len(STEPS), 0.3, 0.003)
    found = plateau(STEPS, flat)
    assert found.state == "plateau"
    assert 9_000 <= found.since_step <= 14_000
    assert plateau(STEPS, CURVES["linear"] + ar_noise(generator, len(STEPS), 0.3, 0.003)).state == "rising"
    assert plateau(STEPS, 0.5 - CURVES["linear"] + ar_noise(generator, len(STEPS), 0.3, 0.003)).state == "falling"
    assert plateau(STEPS, ar_noise(generator, len(STEPS), 0.3, 0.2)).state == "undecided"
    assert plateau(STEPS[:10], CURVES["log"][:10]).state is None


def test_slopes_are_in_accuracy_per_ten_thousand_steps():
    found = slopes_per_10k(STEPS, CURVES["linear"], 1e-5)
    assert found.overall == pytest.approx(0.1)
    assert found.at_end == pytest.approx(0.1)
    assert [part.slope for part in found.local] == pytest.approx([0.1] * 10)
    assert slopes_per_10k(np.array([]), np.array([]), None).overall is None


def test_overfitting_is_found_and_dated():
    history = make_history()
    steps = np.array(history.records["steps"], dtype=float)
    generator = np.random.default_rng(6)
    rise = np.minimum(steps, 2000) / 2000 * 0.2 - np.maximum(steps - 2000, 0) / 2000 * 0.05
    history.records["eval_mlm_acc"] = (0.1 + rise + generator.normal(0, 0.003, 100)).tolist()
    found = overfitting(history)
    assert found.found
    assert found.accuracy.found
    assert 1600 <= found.accuracy.since_step <= 2400
    assert found.accuracy.change < -0.03
    assert not found.loss.found


def test_runs_that_do_not_overfit_are_rarely_said_to():
    false = 0
    for seed in range(40):
        history = make_history()
        generator = np.random.default_rng(seed)
        steps = np.array(history.records["steps"], dtype=float)
        for key, curve, noise in (
            ("eval_mlm_acc", 0.3 - 0.24 * np.exp(-steps / 900), 0.004),
            ("eval_loss", 4.7 + 3 * np.exp(-steps / 900), 0.03),
        ):
            history.records[key] = (curve + ar_noise(generator, 100, 0.4, noise)).tolist()
        false += overfitting(history).found
    assert false <= 3
    assert overfitting(published_like()) is None


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


def test_early_stopping_tells_what_was_saved_and_lost():
    history = make_history(400, 10)
    found = early_stopping(history, EarlyStop(window=40, worth=0.02, patience=5))
    stop = found.stop_step
    assert found.key == "eval_mlm_acc"
    assert found.saved_steps == 4000 - stop
    assert found.saved_seconds == pytest.approx(3.0 * (4000 - stop) / 10)
    assert found.lost == pytest.approx(found.accuracy_at_end - found.accuracy_at_stop)
    assert found.lost_interval[0] < found.lost < found.lost_interval[1]
    untouched = early_stopping(history, EarlyStop(window=40, worth=1e-4))
    assert (untouched.stop_step, untouched.lost) == (None, None)
    assert untouched.accuracy_at_end == pytest.approx(found.accuracy_at_end)


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
