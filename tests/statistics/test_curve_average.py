"""The mixture of curves: exact where the answer is known in closed form, and how often its intervals hold the truth."""

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics import curve_average
from pipeline.statistics.curve_average import Expectation, average_curves
from pipeline.statistics.curves import bounds
from tests.helpers.simulated import CURVES, STEPS, ar_noise

LAST = STEPS[-1]


@pytest.fixture
def independent(monkeypatch):
    """Records taken for independent, so that what is computed is ordinary least squares."""
    monkeypatch.setattr(curve_average, "_likely_noise", lambda *_: [(0.0, 0.0)])


def regression(x, y):
    """Coefficients, their covariance and the squares left by ordinary least squares."""
    design = np.column_stack([np.ones(len(x)), x])
    coefficients, (left,), *_ = np.linalg.lstsq(design, y, rcond=None)
    return coefficients, np.linalg.inv(design.T @ design) * left / (len(y) - 2), left


@pytest.mark.usefixtures("independent")
@pytest.mark.parametrize("curve", ["linear", "log"])
@pytest.mark.parametrize("records", [12, 300])
def test_a_curve_without_a_shape_is_expected_as_in_ordinary_regression(curve, records):
    steps = STEPS[:records]
    accuracy = 0.3 + CURVES[curve][:records] + np.random.default_rng(records).normal(0, 0.02, records)
    x = np.log if curve == "log" else np.asarray
    (a, b), covariance, _ = regression(x(steps), accuracy)
    mixture = average_curves(steps, accuracy)
    later = np.array([0.5, 1.0, 1.7]) * steps[-1]
    place = np.column_stack([np.ones(3), x(later)])
    spread = np.sqrt(np.einsum("ij,jk,ik->i", place, covariance, place))
    t = stats.t(records - 2)
    expected = mixture.expect(later, curve)
    for share in (0.1, 0.5, 0.9):
        assert expected.quantile(share) == pytest.approx(a + b * x(later) + t.ppf(share) * spread, abs=1e-7)


def log_evidence(g, y):
    """Of one shape: the restricted likelihood with g scaled to 0 at the first record and 1 at the last."""
    g = (g - g[0]) / (g[-1] - g[0])
    *_, left = regression(g, y)
    return -(len(y) - 2) / 2 * np.log(left) - 0.5 * np.log(len(y) * (g @ g) - g.sum() ** 2)


@pytest.mark.usefixtures("independent")
@pytest.mark.parametrize("seed", [1, 2])
def test_curves_are_weighed_by_their_evidence_over_all_their_shapes(seed):
    """By quadrature: each curve has one share of the prior, spread evenly over the logarithm of its shapes."""
    steps, generator = STEPS[:40], np.random.default_rng(seed)
    accuracy = CURVES["exponential"][:40] + generator.normal(0, 0.03, 40)
    low, high = np.log(bounds("exponential", steps)[0])
    taus = np.exp(np.linspace(low, high, 4001))
    logs = {
        "linear": log_evidence(steps, accuracy),
        "log": log_evidence(np.log(steps), accuracy),
        "exponential": np.array([log_evidence(-np.exp(-steps / tau), accuracy) for tau in taus]),
    }
    top = max(np.max(value) for value in logs.values())
    evidence = {curve: float(np.mean(np.exp(value - top))) for curve, value in logs.items()}
    found = average_curves(steps, accuracy).curve_weights()
    assert sum(found.values()) == pytest.approx(1)
    for curve in ("log", "linear"):
        assert found[curve] / found["exponential"] == pytest.approx(evidence[curve] / evidence["exponential"], rel=0.05)


def test_slow_noise_widens_what_is_expected_by_its_long_run_variance():
    """The mean of many records with autoregression phi varies sqrt((1 + phi) / (1 - phi)) times as much."""
    generator, phi, widths = np.random.default_rng(8), 0.8, {}
    for memory in (0.0, phi):
        found = []
        for _ in range(12):
            accuracy = CURVES["linear"] + ar_noise(generator, len(STEPS), memory, 0.02)
            expected = average_curves(STEPS, accuracy).expect(np.array([LAST / 2]), "linear")
            found.append(expected.quantile(0.9)[0] - expected.quantile(0.1)[0])
        widths[memory] = np.median(found)
    assert widths[phi] / widths[0.0] == pytest.approx(np.sqrt((1 + phi) / (1 - phi)), rel=0.15)


def test_every_likely_memory_of_the_noise_has_its_say():
    accuracy = CURVES["linear"] + ar_noise(np.random.default_rng(9), len(STEPS), 0.8, 0.02)
    mixture = average_curves(STEPS, accuracy)
    assert mixture.components.times > 1
    by_memory = mixture.weights.reshape(mixture.components.times, -1).sum(axis=1)
    assert (by_memory > 0.02).sum() > 1


def test_quantiles_are_those_of_a_t_cut_to_accuracies():
    t = stats.t(20)
    expected = Expectation(np.ones(1), np.array([[0.95, 0.02]]), np.array([[0.1, 0.05]]), 20)
    low, high = t.cdf((0 - np.array([0.95, 0.02])) / [0.1, 0.05]), t.cdf((1 - np.array([0.95, 0.02])) / [0.1, 0.05])
    for share in (0.1, 0.5, 0.9):
        truth = np.array([0.95, 0.02]) + np.array([0.1, 0.05]) * t.ppf(low + share * (high - low))
        assert expected.quantile(share) == pytest.approx(truth, abs=1e-8)
        assert expected.chance_below(truth) == pytest.approx(np.full(2, share))
    nothing = Expectation(np.ones(1), np.array([[5.0]]), np.array([[1e-3]]), 20)
    assert nothing.chance_below(np.array([0.5])) == pytest.approx([0.5])


def test_quantiles_are_those_of_the_mixture():
    accuracy = CURVES["exponential"] + np.random.default_rng(6).normal(0, 0.02, len(STEPS))
    mixture = average_curves(STEPS, accuracy)
    expectation = mixture.expect(np.array([30_000.0, 60_000.0]))
    for share in (0.1, 0.5, 0.9):
        assert expectation.chance_below(expectation.quantile(share)) == pytest.approx(np.full(2, share), abs=1e-6)
    assert expectation.quantile(0.5)[0] == pytest.approx(0.569, abs=0.01)
