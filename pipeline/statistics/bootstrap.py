"""Noise drawn again and again around the trend of a run: the stationary block bootstrap, post-blackened.

Residuals of a trend are resampled in blocks (Politis & Romano 1994), but blocks cut slow noise and the fitted trend has
bent towards it, so intervals from the residuals themselves are too narrow. So a model of the autocorrelation takes the
slow part out first (noise.py), the innovations that are left are resampled in blocks, whose mean length follows Politis
& White (2004), and the slow part is put back: Davison & Hinkley 1997, section 8.2.3. Every draw takes the model's two
parameters from their restricted likelihood, so the interval is wider where the records do not determine them well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.statistics.autocorrelation import autocorrelation
from pipeline.statistics.noise import NOISE_GRID, Noise, Scatter, colour, whiten

LEVEL = 0.95
REPLICATES = 2_000
FEWEST_REPLICATES = 200
MOST_NUMBERS = 20_000_000  # records x replicates; a long history gets fewer replicates
SEED = 42
BATCH = 2_000_000  # numbers held at once


@dataclass(frozen=True)
class NoiseDraws:
    """How to redraw the noise around a trend."""

    fitted: np.ndarray  # the trend at the records, share of one, float [N]
    residuals: np.ndarray  # float [N]
    noise: Noise
    absorbed: int  # parameters of the trend
    block_length: float  # records: mean block of the innovations
    replicates: int

    def each(self, statistic: Callable[[np.ndarray], np.ndarray], most_numbers: int = MOST_NUMBERS) -> np.ndarray:
        """``statistic`` of redrawn histories: it takes float [R, N] and gives float [R]; all draws come from one seed.

        ``most_numbers`` limits records x replicates where the statistic is a slow one.
        """
        n = len(self.fitted)
        replicates = self.replicates_for(n, most_numbers)
        generator = np.random.default_rng(SEED)
        chosen = np.sort(generator.choice(len(NOISE_GRID), replicates, p=self.noise.weights))
        values = []
        for place in np.unique(chosen):
            phi, theta = NOISE_GRID[place]
            # The residuals are a little smaller than the noise, for the trend has bent towards it.
            innovations = whiten(self.residuals, phi, theta) * np.sqrt(n / (n - self.absorbed))
            innovations = innovations - innovations.mean()
            left = int((chosen == place).sum())
            while left:
                rows = min(left, max(1, BATCH // n))
                taken = block_places(generator, rows, n, self.block_length)
                values.append(statistic(self.fitted + colour(innovations[taken], phi, theta)))
                left -= rows
        return np.concatenate(values)

    def replicates_for(self, records: int, most_numbers: int = MOST_NUMBERS) -> int:
        """The number of draws from a history of so many records."""
        return int(np.clip(most_numbers // records, FEWEST_REPLICATES, self.replicates))


def noise_draws(found: Scatter) -> NoiseDraws | None:
    """How to redraw the noise of a run's records; None where the trend leaves none."""
    trend, noise = found.trend, found.noise
    if trend.exact:
        return None
    length = autocorrelation(whiten(trend.residuals, *noise.best)).block_length
    return NoiseDraws(trend.fitted, trend.residuals, noise, trend.basis.shape[1], length, REPLICATES)


def block_places(generator: np.random.Generator, rows: int, size: int, block_length: float) -> np.ndarray:
    """Places in a series of ``size``, drawn in blocks of geometric length: int [rows, size]. The series is a circle."""
    starts = generator.random((rows, size)) < 1 / block_length  # each record begins a block, or goes on with the last
    starts[:, 0] = True
    places = np.arange(size)
    begun_at = np.maximum.accumulate(np.where(starts, places, 0), axis=1)
    offsets = generator.integers(0, size, (rows, size))
    found = offsets.ravel()[begun_at + size * np.arange(rows)[:, None]] + places - begun_at
    found[found >= size] -= size
    return found


def correlations_with(x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """r of ``x`` (float [N]) with every row, on Fisher's scale z = artanh r."""
    unit = (x - x.mean()) / (x.std() * np.sqrt(len(x)))

    def z(rows: np.ndarray) -> np.ndarray:
        """Of each of ``rows`` (float [R, N]): float [R]."""
        centred = rows - rows.mean(axis=1, keepdims=True)
        r = centred @ unit / np.sqrt(np.einsum("ij,ij->i", centred, centred))
        return np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))

    return z


def rank_correlations_with(x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Spearman's rho of rising ``x`` (float [N]) with every row, on Fisher's scale."""
    of_pearson = correlations_with(np.arange(len(x), dtype=float))
    return lambda rows: of_pearson(np.argsort(np.argsort(rows, axis=1), axis=1).astype(float))


def interval_around(observed: float, draws: np.ndarray) -> tuple[float, float]:
    """A 95 % interval of a correlation ``observed``, from ``draws`` on Fisher's scale (float [R]).

    What the trend fails to follow is shuffled away in every draw, which moves all of them a little to one side; so the
    draws give the width of the interval, and the correlation observed its place.
    """
    place = np.arctanh(np.clip(observed, -1 + 1e-15, 1 - 1e-15))
    low, high = np.quantile(draws - draws.mean(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) + place
    return float(np.tanh(low)), float(np.tanh(high))
