"""The slope of a straight line through records that are not independent, with a test that respects it.

Heteroskedasticity- and autocorrelation-consistent (HAC): the variance of the slope is the long-run variance of the
scores x e, by Bartlett weights (Newey & West 1987) with the automatic bandwidth of Newey & West (1994), after a first
autoregression is taken out of the scores and put back (Andrews & Monahan 1992).

The level holds for many records only. Measured on 30,000 flat runs, a test at 5 % (1 %) rejects in 6 % (1.4 %) of 1,000
records, 8 % (2.5 %) of 300, 12 % (5 %) of 75 and 19 % (10 %) of 30 where neighbouring records hardly correlate, and
more often where they do: with an autoregression of 0.9, 11 % (5 %) of 300. tests/statistics/test_slope.py holds the
test to these rates. Intervals miss the truth as often as tests at 5 % reject.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST_RECORDS = 8
LARGEST_RHO = 0.97  # beyond it the variance that is put back would be mostly rounding


@dataclass(frozen=True)
class Slope:
    """The slope of a straight line, and its test."""

    slope: float  # share of one per step
    standard_error: float
    bandwidth: int  # records
    t: float | None  # None where the points lie on a line exactly
    p: float | None  # two-sided, against slope 0
    interval: tuple[float, float]  # 95 %


def slope_test(steps: np.ndarray, values: np.ndarray) -> Slope | None:
    """The slope through finite points (float [N] each); None for fewer than 8, or for steps that are all the same."""
    n = len(steps)
    if n < FEWEST_RECORDS or np.ptp(steps) == 0:
        return None
    x = steps - steps.mean()
    spread = float(x @ x)
    slope = float(x @ values) / spread
    scores = x * (values - values.mean() - slope * x)
    variance, bandwidth = _long_run_variance(scores)
    error = float(np.sqrt(n * n / (n - 2) * variance)) / spread
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, n - 2))
    t = slope / error if error > 0 else None
    p = None if t is None else float(2 * stats.t.sf(abs(t), n - 2))
    return Slope(slope, error, bandwidth, t, p, (slope - quantile * error, slope + quantile * error))


def _long_run_variance(scores: np.ndarray) -> tuple[float, int]:
    """The variance of sqrt(N) times the mean of ``scores`` (float [N], mean about zero), and the bandwidth."""
    power = float(scores[:-1] @ scores[:-1])
    rho = float(np.clip(scores[1:] @ scores[:-1] / power, -LARGEST_RHO, LARGEST_RHO)) if power > 0 else 0.0
    white = scores[1:] - rho * scores[:-1]
    n = len(white)
    reach = min(n - 1, int(4 * (n / 100) ** (2 / 9)))
    covariances = np.array([white[lag:] @ white[: n - lag] / n for lag in range(reach + 1)])
    level = covariances[0] + 2 * covariances[1:].sum()
    bend = 2 * (np.arange(1, reach + 1) @ covariances[1:])
    bandwidth = int(1.1447 * ((bend / level) ** 2 * n) ** (1 / 3)) if level > 0 else reach
    bandwidth = min(bandwidth, n - 1)
    lags = np.arange(1, bandwidth + 1)
    products = np.array([white[lag:] @ white[: n - lag] / n for lag in lags])
    variance = float(covariances[0] + 2 * (1 - lags / (bandwidth + 1)) @ products)
    return max(variance, 0.0) / (1 - rho) ** 2, bandwidth
