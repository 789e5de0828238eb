"""The redrawn noise: as large, as slow and as doubtful as it should be; the intervals read off the draws."""

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics.bootstrap import (
    NoiseDraws,
    block_places,
    correlations_with,
    interval_around,
    noise_draws,
    rank_correlations_with,
)
from pipeline.statistics.noise import NOISE_GRID, Noise, scatter
from tests.helpers.rates import rate_bounds
from tests.helpers.simulated import CURVES, STEPS, ar_noise

REPLICATES = 1500


def noise_of(*memories):
    """A noise that is certain to be one of ``memories`` (phi, theta), each as likely as the others."""
    places = [int(np.flatnonzero(np.isclose(NOISE_GRID, memory).all(axis=1))[0]) for memory in memories]
    weights = np.zeros(len(NOISE_GRID))
    weights[places] = 1 / len(places)
    return Noise(weights)


def rows_of(draws):
    """Every redrawn history less the curve: float [R, N]."""
    kept = []
    draws.each(lambda rows: (kept.append(rows - draws.fitted), rows[:, 0])[1])
    return np.vstack(kept)


def around_a_line(residuals, *memories, absorbed=2, block_length=1.0):
    return NoiseDraws(
        np.linspace(0, 1, len(residuals)), residuals, noise_of(*memories), absorbed, block_length, REPLICATES
    )


def test_white_noise_is_drawn_with_the_variance_that_the_fit_leaves():
    """Residuals are smaller than the noise: their squares over n - p, not over n, and around a mean of zero."""
    residuals = np.random.default_rng(1).normal(0.5, 1, 20)
    rows = rows_of(around_a_line(residuals, (0.0, 0.0), absorbed=8))
    expected = np.sqrt(residuals.var() * 20 / 12)
    assert rows.std() == pytest.approx(expected, rel=0.02)
    assert rows.mean() == pytest.approx(0, abs=4 * expected / np.sqrt(rows.size))


@pytest.mark.parametrize("phi", [0.5, 0.9])
def test_slow_noise_is_drawn_as_slow_and_as_large_as_it_is(phi):
    residuals = ar_noise(np.random.default_rng(2), 400, phi, 1.0)
    rows = rows_of(around_a_line(residuals, (phi, 0.0)))
    lagged = (rows[:, 1:] * rows[:, :-1]).mean() / (rows**2).mean()
    assert lagged == pytest.approx(phi, abs=0.02)
    assert rows.var(axis=0)[[0, 100, 399]] == pytest.approx(np.full(3, residuals.var()), rel=0.25)


def test_every_draw_takes_one_of_the_memories_by_their_weights():
    rows = rows_of(around_a_line(np.random.default_rng(3).normal(size=300), (0.0, 0.0), (0.9, 0.0)))
    lagged = (rows[:, 1:] * rows[:, :-1]).sum(axis=1) / (rows**2).sum(axis=1)
    low, high = rate_bounds(0.5, REPLICATES)
    assert low <= (lagged > 0.5).sum() <= high


@pytest.mark.parametrize("length", [1.0, 4.0, 25.0])
def test_blocks_have_the_mean_length_asked_for_and_start_anywhere(length):
    size, rows = 200, 400
    places = block_places(np.random.default_rng(4), rows, size, length)
    assert (places.min(), places.max()) == (0, size - 1)
    goes_on = (places[:, 1:] == (places[:, :-1] + 1) % size).sum()
    low, high = rate_bounds(1 - 1 / length + 1 / length / size, rows * (size - 1))
    assert low <= goes_on <= high
    assert stats.kstest(places[:, 0] / size, "uniform").pvalue > 0.01


def test_blocks_are_as_long_as_the_innovations_remember_and_not_the_noise():
    accuracy = CURVES["linear"] + ar_noise(np.random.default_rng(5), len(STEPS), 0.93, 0.05)
    found = scatter(accuracy)
    draws = noise_draws(found)
    assert draws.absorbed == found.trend.basis.shape[1] == 20
    assert draws.fitted + draws.residuals == pytest.approx(accuracy)
    assert draws.residuals == pytest.approx(found.trend.residuals)
    assert draws.block_length < 6


def test_records_that_a_trend_follows_exactly_have_no_noise_to_redraw():
    assert noise_draws(scatter(np.full(50, 0.3))) is None


def test_statistics_of_rows_are_those_of_scipy_on_fishers_scale():
    rows = np.random.default_rng(6).normal(size=(5, 60)) + np.linspace(0, 2, 60)
    x = np.sort(np.random.default_rng(7).random(60))
    plain = [np.arctanh(stats.pearsonr(x, row).statistic) for row in rows]
    assert correlations_with(x)(rows) == pytest.approx(plain)
    ranked = [np.arctanh(stats.spearmanr(x, row).statistic) for row in rows]
    assert rank_correlations_with(x)(rows) == pytest.approx(ranked)


def test_an_interval_has_its_place_from_what_was_observed_and_its_width_from_the_draws():
    draws = 0.4 + 0.1 * stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    expected = np.tanh(np.arctanh(0.9) + 0.1 * np.array([-1.959964, 1.959964]))
    assert interval_around(0.9, draws) == pytest.approx(tuple(expected), abs=1e-4)
    low, high = interval_around(1.0, draws)
    assert -1 <= low <= high <= 1


@pytest.mark.parametrize(("records", "most", "made"), [(100, 20_000, 200), (100, 50_000, 500), (100, 10**9, 2000)])
def test_a_long_history_is_drawn_less_often_but_never_too_seldom(records, most, made):
    draws = NoiseDraws(np.zeros(records), np.zeros(records), noise_of((0.0, 0.0)), 2, 1.0, 2000)
    assert draws.replicates_for(records, most) == made
