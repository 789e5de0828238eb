"""The autocorrelation of the noise, and how many independent records the records are worth.

The effective sample size n / (1 + 2 sum of the autocorrelations) is the number of independent records that would fix
the noise's mean as well as these do. The sum never converges on its own over sample autocorrelations, and every method
cuts it elsewhere; where the autocorrelation is long, or what is called noise is the bend of a curve that was not
fitted, they differ widely. So all are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy


@dataclass(frozen=True)
class Autocorrelation:
    """How far the autocorrelation of a noise reaches."""

    block_length: float  # records: the mean block of the bootstrap
    effective_sample_size: float  # independent records that would fix the noise's mean as well as these do


@dataclass(frozen=True)
class EffectiveSampleSizes:
    """The effective sample size (records) by each method."""

    first_order: float  # n (1 - rho) / (1 + rho): as though the noise were a first-order autoregression
    positive_sequence: float  # autocorrelations summed up to the first that is not positive
    monotone_sequence: float  # sums of pairs of them, up to the first not positive and never rising (Geyer 1992)
    newey_west: float  # Bartlett weights, bandwidth of 4 (n / 100)^(2/9) lags (Newey & West 1987, 1994)
    batch_means: float  # from the scatter of the means of about sqrt(n) batches (Flegal & Jones 2010)

    def range(self) -> tuple[float, float]:
        """The least and the greatest of them."""
        sizes = vars(self).values()
        return min(sizes), max(sizes)


def autocorrelations(residuals: np.ndarray) -> np.ndarray:
    """Sample autocorrelations of ``residuals`` (float [N], not all the same) at lags 0 to N - 1."""
    centred = residuals - residuals.mean()
    covariances = scipy.signal.correlate(centred, centred, method="fft")[len(residuals) - 1 :]
    return covariances / covariances[0]


def autocorrelation(residuals: np.ndarray) -> Autocorrelation:
    """Block length and effective sample size of ``residuals`` (float [N], not all the same).

    The block is that of Politis & White (2004), as corrected by Patton, Politis & White (2009). Autocorrelations are
    summed up to the first one that is not positive. A cut at the first insignificant one would be too early here: small
    but lasting correlations, the usual case in a training run, add up to much.
    """
    n = len(residuals)
    correlations = autocorrelations(residuals)
    reach = int(np.argmax(correlations <= 0)) or n  # summing over all lags gives less than zero, so one is not positive
    lags, positive = np.arange(1, reach), correlations[1:reach]
    spread = 1 + 2 * float(positive.sum())
    block = (n * (2 * float(lags @ positive) / spread) ** 2) ** (1 / 3)
    block_limit = np.ceil(min(3 * np.sqrt(n), n / 3))
    return Autocorrelation(float(np.clip(block, 1, block_limit)), max(1.0, n / spread))


def lag_one(residuals: np.ndarray) -> float | None:
    """The lag-1 autocorrelation of ``residuals`` (float [N]); None for fewer than three or without scatter."""
    if len(residuals) < 3 or np.ptp(residuals) <= 1e-300:
        return None
    return float(autocorrelations(residuals)[1])


def effective_sample_sizes(residuals: np.ndarray) -> EffectiveSampleSizes:
    """The effective sample size by each method, from 1 to N; ``residuals``: float [N], not all the same."""
    n = len(residuals)
    rho = autocorrelations(residuals)
    pairs = rho[0 : n - 1 : 2] + rho[1:n:2]
    end = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else len(pairs)
    monotone = 2 * float(np.minimum.accumulate(pairs[:end]).sum()) - 1 if end else 1.0
    lags = np.arange(1, min(n, int(4 * (n / 100) ** (2 / 9)) + 1))
    bartlett = 1 + 2 * float((1 - lags / (len(lags) + 1)) @ rho[lags])
    size = max(1, int(np.sqrt(n)))
    batches = residuals[: n // size * size].reshape(-1, size).mean(axis=1)
    batch_spread = size * float(batches.var(ddof=1)) / float(residuals.var()) if len(batches) > 1 else 1.0
    first = float(np.clip(rho[1], -1 + 1e-9, 1 - 1e-9))
    spreads = {
        "first_order": (1 + first) / (1 - first),
        "positive_sequence": n / autocorrelation(residuals).effective_sample_size,
        "monotone_sequence": monotone,
        "newey_west": bartlett,
        "batch_means": batch_spread,
    }
    return EffectiveSampleSizes(
        **{method: float(np.clip(n / max(spread, 1e-12), 1, n)) for method, spread in spreads.items()}
    )
