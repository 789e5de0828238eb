"""The slope, its error and its test: against the published formulas, against theory, and how often the test rejects."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import linalg, stats

from pipeline.statistics.slope import slope_test
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import CURVES, STEPS, ar_noise


def error_by_the_book(x, y):
    """Standard error of the slope: Bartlett weights, Newey & West's (1994) bandwidth, prewhitened; with plain loops."""
    records = len(x)
    x = x - np.mean(x)
    slope, level = np.polyfit(x, y, 1)
    scores = [a * (b - level - slope * a) for a, b in zip(x, y, strict=True)]
    rho = sum(a * b for a, b in pairwise(scores)) / sum(a * a for a in scores[:-1])
    rho = min(max(rho, -0.97), 0.97)
    white = [now - rho * before for before, now in pairwise(scores)]
    size = len(white)

    def covariance(lag):
        return sum(white[t] * white[t - lag] for t in range(lag, size)) / size

    reach = min(size - 1, int(4 * (size / 100) ** (2 / 9)))
    s_0 = covariance(0) + 2 * sum(covariance(lag) for lag in range(1, reach + 1))
    s_1 = 2 * sum(lag * covariance(lag) for lag in range(1, reach + 1))
    bandwidth = min(size - 1, int(1.1447 * ((s_1 / s_0) ** 2 * size) ** (1 / 3))) if s_0 > 0 else reach
    long_run = covariance(0)
    for lag in range(1, bandwidth + 1):
        long_run += 2 * (1 - lag / (bandwidth + 1)) * covariance(lag)
    variance = records * max(long_run, 0) / (1 - rho) ** 2 / sum(a * a for a in x) ** 2
    return np.sqrt(variance * records / (records - 2)), bandwidth


@pytest.mark.parametrize(("records", "phi"), [(8, 0.0), (30, 0.4), (75, 0.9), (300, 0.7), (400, -0.5), (1000, 0.99)])
def test_the_error_is_that_of_newey_and_west(records, phi):
    generator = np.random.default_rng(records)
    steps = np.cumsum(generator.integers(50, 150, records)).astype(float)
    for _ in range(5):
        values = 0.2 + 1e-5 * steps + ar_noise(generator, records, phi, 0.02)
        found = slope_test(steps, values)
        error, bandwidth = error_by_the_book(steps, values)
        assert found.bandwidth == bandwidth
        assert found.standard_error == pytest.approx(error, rel=1e-9)
        assert found.slope == pytest.approx(stats.linregress(steps, values).slope)
        t = stats.t(records - 2)
        assert found.t == pytest.approx(found.slope / error)
        assert found.p == pytest.approx(2 * t.cdf(-abs(found.slope / error)))
        half = t.ppf(0.975) * error
        assert found.interval == pytest.approx((found.slope - half, found.slope + half))


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_the_error_of_many_records_is_the_scatter_of_slopes_that_the_noise_has(phi):
    """The variance of a least-squares slope under a known covariance of the noise, x' V x / (x'x)^2."""
    records, generator = 3000, np.random.default_rng(13)
    x = np.arange(records) - (records - 1) / 2
    truth = np.sqrt(x @ linalg.matmul_toeplitz(phi ** np.arange(records), x)) / (x @ x)
    found = [slope_test(x, ar_noise(generator, records, phi, 1.0)).standard_error for _ in range(60)]
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(truth, rel=0.05)


MEASURED = [
    # records, autoregression, share rejected at 5 % and at 1 %, of 30,000 flat runs
    (30, 0.0, 0.191, 0.100),
    (30, 0.7, 0.246, 0.151),
    (75, 0.4, 0.118, 0.051),
    (300, 0.0, 0.075, 0.022),
    (300, 0.7, 0.078, 0.025),
    (300, 0.9, 0.115, 0.048),
    (1000, 0.7, 0.060, 0.014),
]


@pytest.mark.slow
@pytest.mark.parametrize(("records", "phi", "at_five", "at_one"), MEASURED)
def test_flat_runs_are_said_to_slope_as_often_as_was_measured(records, phi, at_five, at_one):
    """More often than the level asked for, above all in short stretches: the docstring of slope.py gives the rates."""
    generator, runs = np.random.default_rng(records), 2500
    steps = np.arange(1.0, records + 1)
    p = np.array([slope_test(steps, ar_noise(generator, records, phi, 1.0)).p for _ in range(runs)])
    assert_rate((p < 0.05).sum(), runs, at_five, notices=1.4 * at_five)
    assert_rate((p < 0.01).sum(), runs, at_one, notices=1.9 * at_one)


def test_records_taken_for_independent_would_see_slopes_everywhere():
    """What the test above is measured against: ordinary least squares at 5 % on the same noise."""
    generator, runs = np.random.default_rng(10), 400
    p = [stats.linregress(STEPS, ar_noise(generator, len(STEPS), 0.7, 1.0)).pvalue for _ in range(runs)]
    assert np.mean(np.array(p) < 0.05) > 0.3


def test_a_line_without_noise_has_its_slope_and_no_error():
    found = slope_test(STEPS, CURVES["linear"])
    assert found.slope == pytest.approx(0.3 / STEPS[-1])
    assert found.standard_error == pytest.approx(0, abs=1e-18)


@pytest.mark.parametrize("steps", [np.arange(7.0), np.full(20, 3.0)])
def test_a_slope_that_cannot_be_told_is_none(steps):
    assert slope_test(steps, np.arange(float(len(steps)))) is None
