"""Autocorrelation of the noise: each method against its published formula with plain loops, and against theory."""

import numpy as np
import pytest

from pipeline.statistics.autocorrelation import (
    Autocorrelation,
    autocorrelation,
    autocorrelations,
    effective_sample_sizes,
    lag_one,
)
from tests.helpers.simulated import ar_noise

SHIFT = 3.0  # residuals of some other curve need not have a mean of zero


def rho_by_the_book(values):
    """Sample autocorrelations at every lag: the sum over n - k products, over the sum over n squares."""
    centred = [value - sum(values) / len(values) for value in values]
    square = sum(value * value for value in centred)
    return [
        sum(before * after for before, after in zip(centred, centred[lag:], strict=False)) / square
        for lag in range(len(centred))
    ]


def sizes_by_the_book(values):
    n, rho = len(values), rho_by_the_book(values)
    positive = []
    for value in rho[1:]:
        if value <= 0:
            break
        positive.append(value)
    pairs = []  # Geyer (1992), the initial monotone sequence
    for lag in range(0, n - 1, 2):
        pair = rho[lag] + rho[lag + 1]
        if pair <= 0:
            break
        pairs.append(min([pair, *pairs[-1:]]))
    reach = int(4 * (n / 100) ** (2 / 9))
    bartlett = sum((1 - lag / (reach + 1)) * rho[lag] for lag in range(1, reach + 1))
    size = int(n**0.5)
    means = [np.mean(values[start : start + size]) for start in range(0, n - size + 1, size)]
    spreads = {
        "first_order": (1 + rho[1]) / (1 - rho[1]),
        "positive_sequence": 1 + 2 * sum(positive),
        "monotone_sequence": 2 * sum(pairs) - 1,
        "newey_west": 1 + 2 * bartlett,
        "batch_means": size * np.var(means, ddof=1) / np.var(values),
    }
    return {method: min(n, max(1, n / spread)) for method, spread in spreads.items()}


@pytest.mark.parametrize(("records", "phi"), [(60, 0.5), (150, 0.0), (301, 0.8), (400, 0.95)])
def test_every_size_is_that_of_its_formula(records, phi):
    for seed in range(4):
        noise = SHIFT + ar_noise(np.random.default_rng(seed), records, phi, 1.0)
        assert autocorrelations(noise) == pytest.approx(rho_by_the_book(noise), abs=1e-12)
        assert lag_one(noise) == pytest.approx(rho_by_the_book(noise)[1])
        assert vars(effective_sample_sizes(noise)) == pytest.approx(sizes_by_the_book(noise))
        positive = effective_sample_sizes(noise).positive_sequence
        assert autocorrelation(noise).effective_sample_size == pytest.approx(positive)


@pytest.mark.parametrize("phi", [0.5, 0.8])
def test_the_block_is_that_of_politis_and_white_for_a_first_order_autoregression(phi):
    """(n (G / g)^2)^(1/3) for the stationary bootstrap, with G = 2 sum k rho^k and g = 1 + 2 sum rho^k."""
    records, generator = 20_000, np.random.default_rng(9)
    found = [autocorrelation(ar_noise(generator, records, phi, 1.0)).block_length for _ in range(9)]
    assert np.median(found) == pytest.approx((records * (2 * phi / (1 - phi**2)) ** 2) ** (1 / 3), rel=0.07)


@pytest.mark.parametrize(("records", "limit"), [(300, 52), (1000, 95)])
def test_the_block_is_never_longer_than_three_roots_of_the_records(records, limit):
    assert autocorrelation(np.arange(float(records))).block_length == limit


@pytest.mark.parametrize("phi", [0.5, 0.9])
def test_effective_sample_size_is_that_of_the_theory(phi):
    records, generator = 20_000, np.random.default_rng(9)
    found = [effective_sample_sizes(ar_noise(generator, records, phi, 1.0)) for _ in range(5)]
    theory = records * (1 - phi) / (1 + phi)
    for method in ("first_order", "positive_sequence", "monotone_sequence"):
        assert np.median([getattr(sizes, method) for sizes in found]) == pytest.approx(theory, rel=0.1), method
    assert np.median([sizes.batch_means for sizes in found]) == pytest.approx(theory, rel=0.2)


def test_values_that_alternate_remember_nothing():
    alternating = np.tile([1.0, -1.0], 50)
    assert autocorrelation(alternating) == Autocorrelation(1.0, 100.0)
    assert set(vars(effective_sample_sizes(alternating)).values()) == {100.0}
    assert lag_one(alternating) == pytest.approx(-0.99)
    assert lag_one(np.zeros(5)) is None
    assert lag_one(np.array([1.0, 2.0])) is None
