"""The curves and the model average against known truth."""

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics.curve_average import average_curves
from pipeline.statistics.curves import FORMULAS, average_down, fit_curve, fit_curves
from pipeline.statistics.rolling_origin import rolling_errors
from tests.helpers.simulated import CURVES, STEPS


@pytest.mark.parametrize("name", CURVES)
def test_the_curve_that_made_the_data_is_found(name):
    noise = np.random.default_rng(3).normal(0, 0.01, len(STEPS))
    best = fit_curves(STEPS, CURVES[name] + noise)[0]
    # The power holds the log and the exponential as limits, and a very slow exponential is a straight line.
    kin = {
        "linear": ("linear", "exponential", "power"),
        "log": ("log", "power"),
        "exponential": ("exponential", "power"),
    }
    assert best.curve in kin.get(name, (name,))
    assert np.abs(best.at(STEPS) - CURVES[name]).max() < 0.006


def test_exponential_parameters_are_recovered():
    noise = np.random.default_rng(4).normal(0, 0.01, len(STEPS))
    fit = fit_curve("exponential", STEPS, CURVES["exponential"] + noise)
    assert fit.parameters["a"] == pytest.approx(0.57, abs=0.005)
    assert fit.parameters["b"] == pytest.approx(0.42, abs=0.01)
    assert fit.parameters["tau"] == pytest.approx(5000, rel=0.05)
    assert fit.slope_at(5000.0) == pytest.approx(0.42 / 5000 * np.exp(-1), rel=0.05)


def test_power_parameters_are_recovered_without_noise():
    fit = fit_curve("power", STEPS, CURVES["power"])
    expected = {"a": 0.65, "b": 0.6, "shift": 2000, "exponent": 0.8}
    assert fit.parameters == pytest.approx(expected, rel=0.01)
    assert fit.at_bound == ()


def test_a_parameter_at_the_edge_of_the_search_is_flagged():
    assert fit_curve("exponential", STEPS, CURVES["linear"]).at_bound == ("tau",)
    assert fit_curve("power", STEPS, CURVES["log"]).at_bound != ()
    assert fit_curve("exponential", STEPS, CURVES["exponential"]).at_bound == ()


def test_the_straight_line_is_that_of_scipy():
    accuracy = CURVES["exponential"]
    line = fit_curve("linear", STEPS, accuracy)
    expected = stats.linregress(STEPS, accuracy)
    assert (line.parameters["a"], line.parameters["b"]) == pytest.approx((expected.intercept, expected.slope))
    assert line.r_squared == pytest.approx(expected.rvalue**2)


def test_no_logarithm_from_step_zero():
    steps = STEPS - STEPS[0]
    assert {fit.curve for fit in fit_curves(steps, CURVES["exponential"])} == set(FORMULAS) - {"log"}


def test_averaging_down_keeps_the_mean_and_leaves_short_lists_alone():
    steps, values = average_down(STEPS, CURVES["log"], 50)
    assert len(steps) == 50
    assert values.mean() == pytest.approx(CURVES["log"].mean())
    assert average_down(STEPS, CURVES["log"], 300)[0] is STEPS


def test_rolling_errors_prefer_the_curve_that_made_the_data():
    for name, curve in CURVES.items():
        errors = rolling_errors(STEPS, curve + np.random.default_rng(5).normal(0, 0.003, len(STEPS)))
        if name == "exponential":
            assert min(errors, key=errors.get) in ("exponential", "power")
            assert errors["linear"] > 10 * errors["exponential"]
        if name == "log":
            assert min(errors, key=errors.get) == "log"
    assert rolling_errors(STEPS[:39], CURVES["log"][:39]) == {}


def test_parameter_intervals_hold_the_truth():
    held = {"a": [], "b": [], "tau": []}
    truth = {"a": 0.57, "b": 0.42, "tau": 5000}
    for seed in range(25):
        accuracy = CURVES["exponential"] + np.random.default_rng(seed).normal(0, 0.02, len(STEPS))
        intervals = average_curves(STEPS, accuracy).parameter_intervals("exponential", 0.95)
        for name, (low, high) in intervals.items():
            held[name].append(low <= truth[name] <= high)
    for name, inside in held.items():
        assert sum(inside) >= 20, name


def test_quantiles_are_those_of_the_mixture():
    accuracy = CURVES["exponential"] + np.random.default_rng(6).normal(0, 0.02, len(STEPS))
    mixture = average_curves(STEPS, accuracy)
    expectation = mixture.expect(np.array([30_000.0, 60_000.0]))
    for share in (0.1, 0.5, 0.9):
        assert expectation.chance_below(expectation.quantile(share)) == pytest.approx(np.full(2, share), abs=1e-6)
    assert sum(mixture.curve_weights().values()) == pytest.approx(1)
    assert expectation.quantile(0.5)[0] == pytest.approx(0.569, abs=0.01)
