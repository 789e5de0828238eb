"""The model of the noise: its likelihood against dense matrices, its variance against simulation."""

import numpy as np
import pytest
from scipy import linalg

from pipeline.statistics.curves import fit_curves
from pipeline.statistics.noise import (
    NOISE_GRID,
    PHIS,
    Noise,
    colour,
    first_variance,
    learn_noise,
    scatter,
    whiten,
    whiten_by_all,
)  # fmt: skip
from tests.helpers.simulated import CURVES, STEPS, ar_noise


def test_whitening_is_undone_by_colouring_and_gives_the_innovations():
    shocks = np.random.default_rng(2).normal(size=(3, 400))
    for phi, theta in NOISE_GRID[::7]:
        process = colour(shocks, phi, theta)
        assert whiten(process, phi, theta) == pytest.approx(shocks)


@pytest.mark.parametrize(("phi", "theta"), [(0.9, 0.45), (0.5, 0.0), (0.98, 0.93)])
def test_the_process_has_the_variance_and_the_recursion_of_its_definition(phi, theta):
    """e[t] = phi e[t-1] + u[t] - theta u[t-1], with the variance of an ARMA(1, 1) from the first record on."""
    shocks = np.random.default_rng(3).normal(size=(6000, 40))
    process = colour(shocks, phi, theta)
    driven = phi * process[:, :-1] + shocks[:, 1:] - theta * shocks[:, :-1]
    assert np.abs(process[:, 1:] - driven).max() < 1e-10
    variance = (1 - 2 * phi * theta + theta**2) / (1 - phi**2)
    assert first_variance(phi, theta) == pytest.approx(variance)
    assert process[:, 0].var() == pytest.approx(variance, rel=0.08)


def restricted_likelihood(y, x, phi, theta):
    """Log of the restricted likelihood (Harville 1974) up to a constant, from the whole covariance matrix."""
    size = len(y)
    covariances = np.empty(size)
    covariances[0] = (1 - 2 * phi * theta + theta**2) / (1 - phi**2)
    covariances[1:] = (1 - phi * theta) * (phi - theta) / (1 - phi**2) * phi ** np.arange(size - 1)
    v = linalg.toeplitz(covariances)
    inverse = np.linalg.inv(v)
    basis = np.linalg.qr(x)[0]
    moments = basis.T @ inverse @ basis
    projected = inverse - inverse @ basis @ np.linalg.solve(moments, basis.T @ inverse)
    determinants = np.linalg.slogdet(v)[1] + np.linalg.slogdet(moments)[1]
    return -0.5 * ((size - basis.shape[1]) * np.log(y @ projected @ y) + determinants)


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.95])
def test_the_weights_are_the_restricted_likelihood_and_an_even_prior_over_phi(phi):
    size = 80
    x = np.column_stack([np.ones(size), np.arange(size), np.exp(-np.arange(size) / 15)])
    y = ar_noise(np.random.default_rng(5), size, phi, 1.0)
    y = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    found = learn_noise(y, x)
    widths = np.gradient(PHIS)
    expected = np.array([restricted_likelihood(y, x, *pair) for pair in NOISE_GRID])
    thetas = np.array([8 if pair[0] else 1 for pair in NOISE_GRID])  # of each phi; they share its part of the prior
    expected += np.log([widths[PHIS.index(pair[0])] for pair in NOISE_GRID]) - np.log(thetas)
    apart = np.log(found.weights) - expected
    pure = NOISE_GRID[:, 1] == 0  # an autoregression alone is whitened exactly, the first record of a mixed one nearly
    assert apart[pure] == pytest.approx(apart[0], abs=1e-6)
    likely = found.weights > 1e-3 * found.weights.max()
    assert apart[likely] == pytest.approx(apart[0], abs=0.35)
    assert found.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.9])
def test_the_memory_of_the_noise_is_found_though_the_curve_has_bent_towards_it(phi):
    generator = np.random.default_rng(4)
    found = []
    for _ in range(40):
        accuracy = CURVES["exponential"] + ar_noise(generator, len(STEPS), phi, 0.1)
        fit = fit_curves(STEPS, accuracy)[0]
        memory, theta = learn_noise(accuracy - fit.at(STEPS), fit.tangents(STEPS)).best
        found.append((1 - theta) / (1 - memory))  # how much more a slow average of the noise varies
    assert np.median(found) == pytest.approx(1 / (1 - phi), rel=0.15)


def test_the_likely_memories_are_the_heaviest_and_none_has_less_than_a_twentieth():
    weights = np.full(len(NOISE_GRID), 1e-6)
    weights[[3, 40, 80, 90]] = 0.4, 0.5, 0.03, 0.02
    noise = Noise(weights / weights.sum())
    assert noise.best == tuple(NOISE_GRID[40])
    assert noise.likely(8) == [tuple(NOISE_GRID[place]) for place in (40, 3, 80)]
    assert noise.likely(2) == [tuple(NOISE_GRID[place]) for place in (40, 3)]


def test_a_parameter_that_moves_no_record_absorbs_none():
    y = ar_noise(np.random.default_rng(5), 200, 0.5, 0.1)
    x = np.column_stack([np.ones(200), np.arange(200.0)])
    found = learn_noise(y, np.column_stack([x[:, 0], np.zeros(200), x[:, 1]]))
    assert found.weights == pytest.approx(learn_noise(y, x).weights)


@pytest.mark.parametrize("records", [2, 40, 1_600])
def test_whitening_by_all_models_is_whitening_by_each(records):
    rows = np.random.default_rng(records).normal(size=(3, records))
    each = np.stack([whiten(rows, phi, theta) for phi, theta in NOISE_GRID])
    assert whiten_by_all(rows, NOISE_GRID) == pytest.approx(each, abs=1e-12)


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_the_noise_of_a_run_is_found_whatever_bent_its_trend(phi):
    """A rise, and a second one at record 200 where the learning rate begins to fall; none for fewer than eight."""
    places = np.arange(300)
    bent = 0.3 - 0.25 * np.exp(-places / 15) + 0.05 * (1 - np.exp(-np.maximum(places - 200, 0) / 20))
    generator, found = np.random.default_rng(8), []
    for _ in range(12):
        seen = scatter(bent + ar_noise(generator, 300, phi, 0.01), [200]).noise
        found.append(float(seen.weights @ NOISE_GRID[:, 0]) - float(seen.weights @ NOISE_GRID[:, 1]))
    assert np.median(found) == pytest.approx(phi, abs=0.12)
    assert scatter(bent[:7]) is None
    white = scatter(np.full(20, 0.4)).noise
    assert (white.best, white.weights.max()) == ((0.0, 0.0), 1.0)


@pytest.mark.parametrize("unit", [1e-200, 1e160])
def test_the_memory_of_a_noise_does_not_depend_on_the_unit(unit):
    noise = ar_noise(np.random.default_rng(7), 120, 0.6, 1.0)
    tangents = np.column_stack([np.ones(120), np.arange(120.0)])
    expected = learn_noise(noise, tangents).weights
    assert learn_noise(unit * noise, tangents).weights == pytest.approx(expected, abs=1e-9)
    assert learn_noise(np.zeros(120), tangents).weights.sum() == pytest.approx(1)
