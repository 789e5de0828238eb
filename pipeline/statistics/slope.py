"""The slope of a straight line through records that are not independent, with a test that respects it.

Generalized least squares (Aitken 1936): records and line are whitened by a model of the noise (noise.py), and the
slope is that of ordinary least squares on what is left. The model is learned from the whole run, around a trend that
any smooth run follows (smoothing.py), since a short stretch tells little of how slowly its noise drifts. Every
plausible model gives a slope with Student's t around it; the test and the interval are of their mixture by weight, so
they are wider where the records do not determine the noise well (Harville 1974 has the weights). How large the noise
is comes from the stretch.

Measured on the flat last quarter of simulated runs that rise before, at 5 % (1 %) the test rejects in 3 to 6 % (at most
1.5 %) of runs of 100 and of 300 records whose noise has an autoregression of 0 to 0.7. With 0.9 it rejects in 7 % (1 %)
of 300 records, and in 15 % (4 %) of 100, where such noise looks like a trend.
benchmarks/error_rates.py measures them, with the noise of real curves too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pipeline.statistics.distributions.student import student_below
from pipeline.statistics.noise import NOISE_GRID, Noise, first_variance, whiten_by_all

LEVEL = 0.95
FEWEST_RECORDS = 8
NEGLIGIBLE = 1e-3  # weight of a noise model, against the largest
EXACT = 1e-12


@dataclass(frozen=True)
class Slope:
    """The slope of a straight line, and its test."""

    slope: float  # share of one per step
    standard_error: float
    t: float | None  # slope / standard_error; None where the points lie on a line exactly
    p: float | None  # two-sided, against slope 0
    interval: tuple[float, float]  # 95 %
    # One-sided: small where the values fall. It and the likeliest noise model (noise.py) are not in earlier files.
    p_fall: float | None = field(default=None, metadata={"omit_none": True})
    phi: float | None = field(default=None, metadata={"omit_none": True})
    theta: float | None = field(default=None, metadata={"omit_none": True})
    bandwidth: int | None = field(default=None, metadata={"omit_none": True})  # of earlier files


def slope_test(steps: np.ndarray, values: np.ndarray, noise: Noise) -> Slope | None:
    """The slope through finite points (float [N] each); None for fewer than 8, or for steps that are all the same.

    ``noise``: that of the run whose points these are.
    """
    from scipy import special  # only here: the screen of a run asks for a fall, and must not wait for SciPy

    mixture = _mixture(steps, values, noise)
    if mixture is None:
        return None
    n, weights, slopes, errors, slope = len(steps), mixture.weights, mixture.slopes, mixture.errors, mixture.slope
    phi, theta = noise.best
    if mixture.exact:
        return Slope(slope, 0.0, None, None, (slope, slope), None, phi, theta)
    error = float(np.sqrt(weights @ (errors**2 + (slopes - slope) ** 2)))

    def below(value: float) -> float:
        """The weight of slopes under ``value``."""
        return float(weights @ special.stdtr(n - 2, (value - slopes) / errors))

    rise = below(0.0)
    return Slope(
        slope=slope,
        standard_error=error,
        phi=phi,
        theta=theta,
        t=slope / error,
        p=2 * min(rise, 1 - rise),
        p_fall=mixture.p_fall(),
        interval=(_quantile(below, slope, error, (1 - LEVEL) / 2), _quantile(below, slope, error, (1 + LEVEL) / 2)),
    )


@dataclass(frozen=True)
class Mixture:
    """The slope under each plausible model of the noise, float [K] each, through N points."""

    records: int
    weights: np.ndarray  # sum 1
    slopes: np.ndarray
    errors: np.ndarray  # standard errors, above 0
    exact: bool  # the points lie on a line

    @property
    def slope(self) -> float:
        """The mean slope."""
        return float(self.weights @ self.slopes)

    def p_fall(self) -> float | None:
        """The one-sided p of slope 0 against a fall; None for points on a line."""
        if self.exact:
            return None
        return float(self.weights @ student_below(self.slopes / self.errors, self.records - 2))


def fall_test(steps: np.ndarray, values: np.ndarray, noise: Noise) -> tuple[float, float | None] | None:
    """Slope and one-sided p of a fall as ``slope_test`` has them, without SciPy; None where that gives None."""
    mixture = _mixture(steps, values, noise)
    return None if mixture is None else (mixture.slope, mixture.p_fall())


def _mixture(steps: np.ndarray, values: np.ndarray, noise: Noise) -> Mixture | None:
    """The slopes through finite points (float [N] each); None for fewer than 8, or for steps that are all the same."""
    n = len(steps)
    if n < FEWEST_RECORDS or np.ptp(steps) == 0:
        return None
    span = float(np.ptp(steps))
    rows = np.stack([np.ones(n), (steps - steps.mean()) / span, values - values.mean()])
    kept = np.flatnonzero(noise.weights >= NEGLIGIBLE * noise.weights.max())
    weights = noise.weights[kept] / noise.weights[kept].sum()
    slopes, errors = (found / span for found in _least_squares(whiten_by_all(rows, NOISE_GRID[kept])))
    exact = errors.max() * span <= EXACT * max(float(np.abs(values).max()), np.finfo(float).tiny)
    return Mixture(n, weights, slopes, np.maximum(errors, np.finfo(float).tiny), bool(exact))


def ordinary_slope(steps: np.ndarray, values: np.ndarray, noise: Noise) -> tuple[float, tuple[float, float]] | None:
    """The slope of ordinary least squares and its 95 % interval; None where ``slope_test`` gives none.

    Every record counts alike, as in a plain regression and in Pearson's r. The interval is of this very slope: its
    variance under each plausible model of the noise, averaged by weight.
    """
    from scipy import special

    n = len(steps)
    if n < FEWEST_RECORDS or np.ptp(steps) == 0:
        return None
    x = steps - steps.mean()
    weights_of_records = x / float(x @ x)
    slope = float(weights_of_records @ values)
    spectrum = np.abs(np.fft.rfft(weights_of_records, 2 * n)) ** 2
    products = np.fft.irfft(spectrum, 2 * n)[:n]  # of the weights with themselves, by lag
    rows = np.stack([np.ones(n), x / float(np.ptp(steps)), values - values.mean()])
    kept = np.flatnonzero(noise.weights >= NEGLIGIBLE * noise.weights.max())
    weights, models = noise.weights[kept] / noise.weights[kept].sum(), NOISE_GRID[kept]
    innovations = _left(whiten_by_all(rows, models)) / (n - 2)
    variances = [
        innovation * first_variance(phi, theta) * (products[0] + 2 * float(products[1:] @ _correlations(phi, theta, n)))
        for innovation, (phi, theta) in zip(innovations, models, strict=True)
    ]
    error = float(np.sqrt(max(float(weights @ np.array(variances)), 0.0)))
    half = float(special.stdtrit(n - 2, (1 + LEVEL) / 2)) * error
    return slope, (slope - half, slope + half)


def _correlations(phi: float, theta: float, n: int) -> np.ndarray:
    """Correlations of the noise at the lags 1 to n - 1, float [n - 1]."""
    first = (1 - phi * theta) * (phi - theta) / (1 - 2 * phi * theta + theta**2)
    return first * phi ** np.arange(n - 1)


def _left(white: np.ndarray) -> np.ndarray:
    """The sum of squares that a line leaves, for K models: float [K, 3, N] to [K]."""
    slope, level = _line(white)
    return (_rest(white, slope, level) ** 2).sum(axis=1)


def _least_squares(white: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and standard error of the last of three rows on the first two, for K models: float [K, 3, N] to [K]."""
    products = white @ white.transpose(0, 2, 1)
    (oo, ox, _), (_, xx, _) = (products[:, row].T for row in (0, 1))
    slope, level = _line(white)
    left = _rest(white, slope, level)
    return slope, np.sqrt((left**2).sum(axis=1) / (white.shape[2] - 2) * oo / (oo * xx - ox**2))


def _line(white: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and level of the line, for K models: float [K, 3, N] to [K] each."""
    products = white @ white.transpose(0, 2, 1)
    (oo, ox, oy), (_, xx, xy) = (products[:, row].T for row in (0, 1))
    determinant = oo * xx - ox**2
    return (oo * xy - ox * oy) / determinant, (xx * oy - ox * xy) / determinant


def _rest(white: np.ndarray, slope: np.ndarray, level: np.ndarray) -> np.ndarray:
    return white[:, 2] - level[:, None] * white[:, 0] - slope[:, None] * white[:, 1]


def _quantile(below: Callable[[float], float], middle: float, error: float, share: float) -> float:
    """Where ``below``, rising, passes ``share``; ``error`` gives the scale around ``middle``."""

    from scipy import optimize

    def apart(errors: float) -> float:
        return below(middle + errors * error) - share

    reach = 1.0
    while apart(-reach) > 0 or apart(reach) < 0:
        reach *= 4
    return middle + error * float(optimize.brentq(apart, -reach, reach, xtol=1e-10))
