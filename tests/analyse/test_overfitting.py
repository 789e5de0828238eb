"""Overfitting: found where it was put in, by the test that is stated, and how often it is found where it is not."""

import numpy as np
import pytest
from scipy import stats

from pipeline.analyse.overfitting import overfitting
from pipeline.files.history import History
from pipeline.statistics.slope import slope_test
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import ar_noise, published_like
from tests.helpers.synthetic import make_history


def run_of(held_out, training=None, loss=None, training_loss=None):
    """A history whose held-out lists are given; training goes on getting better unless it is given too."""
    steps = np.arange(1, len(held_out) + 1) * 100
    rise = steps / steps[-1]
    lists = {
        "mlm_acc": 0.3 + 0.1 * rise if training is None else training,
        "loss": 5 - 0.5 * rise if training_loss is None else training_loss,
        "eval_mlm_acc": held_out,
        "eval_loss": 6 - rise if loss is None else loss,
    }
    return History({"steps": steps.tolist(), **{key: np.asarray(values).tolist() for key, values in lists.items()}}, {})


def peak(records=200, at=100, fall=0.05, noise=0.003, seed=6):
    places = np.arange(records)
    curve = 0.1 + 0.2 * np.minimum(places, at) / at - fall * np.maximum(places - at, 0) / (records - at)
    return curve + np.random.default_rng(seed).normal(0, noise, records)


def test_overfitting_is_found_and_dated():
    found = overfitting(run_of(peak()))
    assert found.found
    assert found.accuracy.found
    assert 8_000 <= found.since_step == found.accuracy.since_step <= 12_000
    assert found.accuracy.change == pytest.approx(-0.05, abs=0.006)
    assert found.accuracy.change == pytest.approx(found.accuracy.last - found.accuracy.best)
    assert not found.loss.found


def test_a_held_out_loss_that_rises_is_overfitting_and_one_that_falls_is_not():
    found = overfitting(run_of(0.3 + 0.1 * np.linspace(0, 1, 200), loss=5 - peak()))
    assert (found.accuracy.found, found.loss.found) == (False, True)
    assert found.loss.change == pytest.approx(0.05, abs=0.006)
    assert found.since_step == found.loss.since_step
    assert not overfitting(run_of(-peak(), loss=peak())).loss.found  # it falls from its peak on


def test_a_fall_of_training_and_held_out_together_is_none():
    together = overfitting(run_of(peak(), training=peak(seed=7)))
    assert not together.accuracy.found
    apart = overfitting(run_of(peak(), training=0.3 + 0.1 * np.linspace(0, 1, 200)))
    assert apart.accuracy.found


def test_the_best_value_is_that_of_a_running_mean():
    """Over about a twentieth of the records: one lucky record is no peak."""
    values = peak(noise=0.0)
    values[30] += 0.15
    found = overfitting(run_of(values)).accuracy
    assert found.since_step == pytest.approx(10_000, abs=600)
    assert found.best == pytest.approx(max(np.convolve(values, np.ones(11) / 11, "valid")), abs=1e-3)


def test_p_is_the_least_one_sided_p_of_nine_starts_times_nine():
    values = peak(fall=0.004)
    history = run_of(values)
    steps = np.array(history.records["steps"], dtype=float)
    p = []
    for tenth in range(1, 10):
        later = steps > steps[-1] * tenth / 10
        p.append(stats.t.cdf(slope_test(steps[later], values[later]).t, later.sum() - 2))
    assert overfitting(history).accuracy.p == pytest.approx(9 * min(p))


@pytest.mark.parametrize(("fall", "found"), [(0.0028, False), (0.0045, True)])
def test_a_p_of_one_in_a_hundred_decides(fall, found):
    accuracy = overfitting(run_of(peak(fall=fall, seed=3))).accuracy
    assert (accuracy.p < 0.01) == found == accuracy.found
    assert 1e-4 < accuracy.p < 0.2


MEASURED = [  # records, autoregression, is the held-out curve flat (or still rising), share of runs found
    (100, 0.4, True, 0.335),
    (300, 0.0, True, 0.1675),
    (300, 0.7, True, 0.225),
    (100, 0.4, False, 0.064),
]


@pytest.mark.slow
@pytest.mark.parametrize(("records", "phi", "is_flat", "measured"), MEASURED)
def test_runs_that_do_not_overfit_are_said_to_as_often_as_was_measured(records, phi, is_flat, measured):
    """The level is 1 % for each of the two lists and does not hold where the held-out curve has gone flat."""
    generator, runs, found = np.random.default_rng(records), 700, 0
    rise = np.zeros(records) if is_flat else 0.24 * (1 - np.exp(-4 * np.arange(1, records + 1) / records))
    for _ in range(runs):
        accuracy = 0.06 + rise + ar_noise(generator, records, phi, 0.004)
        loss = 8 - 10 * rise + ar_noise(generator, records, phi, 0.03)
        found += overfitting(run_of(accuracy, loss=loss)).found
    assert_rate(found, runs, measured, notices=measured + 0.08)


def test_nothing_is_said_of_runs_without_held_out_values_or_with_few():
    assert overfitting(published_like()) is None
    assert overfitting(make_history(30)).accuracy.p is None
