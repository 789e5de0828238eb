"""The numbers of one accuracy in the analysis file, against what they are said to be."""

import numpy as np
import pytest

from pipeline.analyse.accuracy_curve import accuracy_curve
from pipeline.analyse.whole_analysis import analyse
from pipeline.files.history import History
from pipeline.statistics.autocorrelation import autocorrelation, lag_one
from pipeline.statistics.curves import fit_curves
from tests.helpers.simulated import CURVES, STEPS, ar_noise
from tests.helpers.synthetic import make_history

ACCURACY = CURVES["exponential"] + ar_noise(np.random.default_rng(1), len(STEPS), 0.4, 0.01)


def sections(accuracy=ACCURACY, key_of_counts=None, **lists):
    history = History({"steps": STEPS.tolist(), "mlm_acc": list(accuracy), **lists}, {})
    return accuracy_curve(history, "mlm_acc", key_of_counts)


def test_each_fit_is_described_by_its_own_residuals():
    found = sections().fits
    for fit in fit_curves(STEPS, ACCURACY):
        residuals = ACCURACY - fit.at(STEPS)
        assert found[fit.curve].residual_autocorrelation == pytest.approx(lag_one(residuals))
        size = autocorrelation(residuals).effective_sample_size
        assert found[fit.curve].effective_sample_size == pytest.approx(size)
        undetermined = bool(fit.at_bound) or not 0 <= fit.parameters["a"] <= 1
        assert (found[fit.curve].asymptote is None) == (fit.curve in ("linear", "log") or undetermined)
        for name, (low, high) in (found[fit.curve].intervals or {}).items():
            assert low < fit.parameters[name] < high


@pytest.mark.parametrize("name", ["linear", "log"])
def test_a_run_that_does_not_saturate_is_given_no_asymptote_at_a_bound_or_beyond_one(name):
    """A saturating curve through it ends where the search does, or above 100 %."""
    accuracy = 0.2 + 0.8 * CURVES[name] + np.random.default_rng(5).normal(0, 0.01, len(STEPS))
    for fit in sections(accuracy).fits.values():
        assert fit.asymptote is None or (not fit.at_bound and 0 <= fit.asymptote.value <= 1)
        assert fit.intervals is None or not fit.at_bound


def test_an_end_between_0_and_1_that_the_search_made_is_no_asymptote():
    """A fifth of a logarithmic curve: its power law is at the bound of the exponent, and ends at a share of one."""
    fit = sections(0.2 * CURVES["log"] + np.random.default_rng(5).normal(0, 1e-4, len(STEPS))).fits["power"]
    assert fit.at_bound == ["exponent"]
    assert 0 < fit.parameters["a"] < 1
    assert fit.asymptote is None


def test_the_curves_come_in_the_order_of_their_weight_in_the_forecast():
    found = sections(CURVES["power"] + ar_noise(np.random.default_rng(3), len(STEPS), 0.9, 0.02))
    weights = [found.forecast.models[curve].weight for curve in found.fits]
    assert weights == sorted(weights, reverse=True)
    assert found.pearson.curve == next(iter(found.fits))


@pytest.mark.parametrize("shift", [-0.02, 0.02])
def test_an_asymptote_is_passed_by_the_mean_of_the_last_tenth(shift):
    accuracy = ACCURACY.copy()
    accuracy[-30:] += shift
    accuracy[-1] = 0.57 - 3 * shift  # the last record alone says the opposite
    found = sections(accuracy).fits["exponential"]
    assert found.asymptote.value == found.parameters["a"]
    assert found.asymptote.passed is (shift > 0)
    assert found.asymptote.passed == (accuracy[-30:].mean() > found.parameters["a"])


def test_the_slope_at_the_end_is_that_of_the_best_curve():
    found = sections(CURVES["exponential"] + np.random.default_rng(2).normal(0, 0.002, len(STEPS)))
    slope = 1e4 * 0.42 / 5000 * np.exp(-STEPS[-1] / 5000)
    assert found.slope_per_10k_steps.at_end == pytest.approx(slope, rel=0.35)


def test_counting_noise_is_that_of_the_records_which_have_an_accuracy():
    accuracy, targets = ACCURACY.tolist(), np.linspace(100, 399, 300).tolist()
    accuracy[::3] = [None] * 100
    targets[::3] = [1.0] * 100
    found = sections(accuracy, "mlm_targets", mlm_targets=targets).pearson.disattenuated
    kept = np.arange(300) % 3 > 0
    expected = np.mean(ACCURACY[kept] * (1 - ACCURACY[kept]) / np.array(targets)[kept])
    assert found.sampling_variance == pytest.approx(expected)
    assert found.denominators == "recorded"


@pytest.mark.parametrize(("r", "goal"), [(0.84, False), (0.86, True)])
def test_the_published_numbers_are_what_they_were(r, goal):
    """r, its square, the spread of the accuracies (dividing by their number), the loss first, last and lost."""
    history = make_history(50)
    x = np.arange(50) - 24.5
    across = np.cos(np.pi * np.arange(50) / 12.5) * 2  # four whole waves: their mean and their product with x are small
    across = across - across.mean() - x * (across @ x) / (x @ x)
    accuracy = 0.3 + 0.01 * (r * x / np.linalg.norm(x) + np.sqrt(1 - r**2) * across / np.linalg.norm(across))
    history.records["mlm_acc"] = accuracy.tolist()
    found = analyse(history, None, "now")
    assert found.pearson_correlation == pytest.approx(r)
    assert found.r_squared == pytest.approx(r**2)
    assert found.goal_achieved is goal
    mean = sum(accuracy) / 50
    assert vars(found.mlm_stats) == pytest.approx(
        {"mean": mean, "max": max(accuracy), "min": min(accuracy), "std": (sum((accuracy - mean) ** 2) / 50) ** 0.5}
    )
    loss = history.records["loss"]
    assert vars(found.loss_stats) == {"initial": loss[0], "final": loss[-1], "decrease": loss[0] - loss[-1]}
