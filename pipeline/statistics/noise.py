"""A model of the noise around a curve: slow drift plus the sampling noise of each record.

The sum of a first-order autoregression and white noise is an ARMA(1, 1) process (Granger & Morris 1976),

    e[t] = phi e[t-1] + u[t] - theta u[t-1],    0 <= theta <= phi < 1,

with phi for how slow the drift is and theta near phi where the white part is large. A fitted curve bends towards slow
noise, so residuals are less autocorrelated than the noise is. The restricted likelihood (Patterson & Thompson 1971;
Harville 1974) is the likelihood of what no curve near the fitted one can absorb, and is free of this bias. It is
computed on a grid of (phi, theta); its weights say how well the records determine the two, and draws from the weights
take that uncertainty along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np

from pipeline.statistics.smoothing import Trend, spline_trend

PHIS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99)
THETA_SHARES = (0.0, 0.3, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)  # theta = share x phi
NOISE_GRID = np.array(  # the (phi, theta) that are compared, float [K, 2]
    [(phi, phi * share) for phi in PHIS for share in (THETA_SHARES if phi else (0.0,))]
)
MOST_AT_ONCE = 1_500  # records; with more, one model after the other is the faster way, and takes SciPy
MOST_NUMBERS = 4_000_000  # held at once
MOST_RECORDS = 20_000  # phi and theta are estimated from the last so many
SLOWEST = 2.0  # parameters of a trend that the memory of a noise may span
FEWEST_RECORDS = 8  # with fewer, trend and noise look alike
ROUNDING = 1e-14
KEPT = 8  # lists of records whose noise is kept
ArrayOrFloat = TypeVar("ArrayOrFloat", float, np.ndarray)


@dataclass(frozen=True)
class Noise:
    """Plausible models of a noise: ``weights`` (float [K], sum 1) of the (phi, theta) in ``NOISE_GRID``."""

    weights: np.ndarray

    @property
    def best(self) -> tuple[float, float]:
        """The (phi, theta) of the largest restricted likelihood."""
        phi, theta = NOISE_GRID[int(np.argmax(self.weights))]
        return float(phi), float(theta)

    def likely(self, most: int) -> list[tuple[float, float]]:
        """At most ``most`` (phi, theta), the likeliest first, each of at least a twentieth of the first's weight."""
        order = np.argsort(-self.weights, kind="stable")[:most]
        kept = order[self.weights[order] >= self.weights.max() / 20]
        return [(float(phi), float(theta)) for phi, theta in NOISE_GRID[kept]]

    def weight(self, phi: float, theta: float) -> float:
        """The weight of a (phi, theta) of the grid."""
        return float(self.weights[np.equal(NOISE_GRID, (phi, theta)).all(axis=1)][0])


@dataclass(frozen=True)
class Scatter:
    """The noise of a run's records: what they leave of a trend, and the models of it."""

    trend: Trend
    noise: Noise


def scatter(values: np.ndarray, breaks: Sequence[int] = ()) -> Scatter | None:
    """The noise of ``values`` (finite, float [N], evenly recorded); None for fewer than 8.

    ``breaks``: the records at which another phase of the learning rate begins. Where the trend leaves nothing, the
    noise is taken for independent. A drift so slow that its memory, 1 / (1 - phi) records, spans more than SLOWEST
    parameters of the trend is the trend's: the records cannot tell the two apart, and a prior weight that they cannot
    reduce would drown every fall in doubt. Several questions are asked of the same records: the last answers are kept.
    """
    if len(values) < FEWEST_RECORDS:
        return None
    return _scatter(np.asarray(values, dtype=float).tobytes(), tuple(breaks))


@lru_cache(maxsize=KEPT)
def _scatter(values_as_bytes: bytes, breaks: tuple[int, ...]) -> Scatter:
    values = np.frombuffer(values_as_bytes)
    trend = spline_trend(values, breaks)
    if trend.exact:
        return Scatter(trend, Noise((NOISE_GRID == 0).all(axis=1).astype(float)))
    whole = len(values) <= MOST_RECORDS  # then the basis is orthonormal as it is
    noise = (_learned if whole else learn_noise)(trend.residuals, trend.basis)
    told_apart = SLOWEST * len(values) / trend.basis.shape[1] * (1 - NOISE_GRID[:, 0]) >= 1
    weights = np.where(told_apart, noise.weights, 0.0)
    return Scatter(trend, Noise(weights / weights.sum()))


def whiten(values: np.ndarray, phi: float, theta: float) -> np.ndarray:
    """The innovations u of ``values`` (float [..., N], by the last axis), the first scaled to the others' variance."""
    first = values[..., :1] / np.sqrt(first_variance(phi, theta))
    if phi == 0:
        return values
    # u[t] = e[t] - phi e[t-1] + theta u[t-1], begun at the scaled first value
    driven = values[..., 1:] - phi * values[..., :-1]
    state = theta * first
    rest = _recursive(driven, theta, state)
    return np.concatenate([first, rest], axis=-1)


def whiten_by_all(rows: np.ndarray, models: np.ndarray) -> np.ndarray:
    """``rows`` (float [R, N]) whitened by each of ``models`` (phi and theta, float [K, 2]): float [K, R, N].

    The same as ``whiten``, and faster for many models and few records.
    """
    if rows.shape[1] > MOST_AT_ONCE:
        return np.stack([whiten(rows, phi, theta) for phi, theta in models])
    phi, theta = models.T
    e = rows.T[:, :, None]
    u = np.empty((rows.shape[1], len(rows), len(models)))
    u[0] = e[0] / np.sqrt(first_variance(phi, theta))
    np.multiply(e[:-1], -phi, out=u[1:])
    u[1:] += e[1:]
    for before, now in pairwise(u):
        now += theta * before
    return np.ascontiguousarray(u.transpose(2, 1, 0))


def colour(innovations: np.ndarray, phi: float, theta: float) -> np.ndarray:
    """The process e that ``innovations`` (float [..., N]) drive: the inverse of ``whiten``."""
    if phi == 0:
        return innovations
    first = innovations[..., :1] * np.sqrt(first_variance(phi, theta))
    driven = innovations[..., 1:] - theta * innovations[..., :-1]
    driven[..., :1] = innovations[..., 1:2] - theta * innovations[..., :1]
    return np.concatenate([first, _recursive(driven, phi, phi * first)], axis=-1)


def _recursive(driven: np.ndarray, share: float, state: np.ndarray) -> np.ndarray:
    """y[t] = driven[t] + share y[t-1] along the last axis, float [..., N]; ``state``: share y[-1], float [..., 1]."""
    from scipy.signal import lfilter  # only here: a screen of few records must not wait for SciPy

    return np.asarray(lfilter([1.0], [1.0, -share], driven, axis=-1, zi=state)[0])


def learn_noise(residuals: np.ndarray, tangents: np.ndarray) -> Noise:
    """The noise behind ``residuals`` (share of one, float [N]) of a least-squares fit.

    ``tangents``: how the fitted curve moves with each of its P parameters, float [N, P].
    """
    y, x = residuals[-MOST_RECORDS:], tangents[-MOST_RECORDS:]
    x = x[:, np.any(x != 0, axis=0)]  # a curve of earlier records has no part in these
    return _learned(y, np.linalg.qr(x / np.linalg.norm(x, axis=0))[0])


def _learned(y: np.ndarray, basis: np.ndarray) -> Noise:
    """The same from residuals (float [N]) and an orthonormal basis (float [N, P]) of what the fit absorbs."""
    largest = float(np.abs(y).max())
    both = np.vstack([basis.T, y / largest if largest else y])  # squares of huge or tiny values leave what floats hold
    size, absorbed = len(y), basis.shape[1]
    log_likelihoods = np.empty(len(NOISE_GRID))
    at_once = max(1, MOST_NUMBERS // both.size)
    for start in range(0, len(NOISE_GRID), at_once):
        models = NOISE_GRID[start : start + at_once]
        white = whiten_by_all(both, models)
        products = white @ white.transpose(0, 2, 1)
        # Keeps the matrix definite where the curve absorbs everything, and where there is nothing to absorb.
        products[:, -1, -1] = products[:, -1, -1] * (1 + ROUNDING) + np.finfo(float).tiny
        # One factor gives both the determinant of the moments and what they leave of y, its last element squared.
        diagonals = np.diagonal(np.linalg.cholesky(products), axis1=1, axis2=2)
        log_likelihoods[start : start + at_once] = -0.5 * (
            2 * (size - absorbed) * np.log(diagonals[:, -1])
            + 2 * np.log(diagonals[:, :-1]).sum(axis=1)
            + np.log(first_variance(models[:, 0], models[:, 1]))
        )
    weights = np.exp(log_likelihoods - log_likelihoods.max()) * _prior()
    return Noise(weights / weights.sum())


def innovation_variance(residuals: np.ndarray, tangents: np.ndarray, phi: float, theta: float) -> float:
    """The variance of the innovations behind ``residuals`` (float [N]), what ``tangents`` (float [N, P]) absorb taken
    into account."""
    white = whiten(np.vstack([tangents.T, residuals]), phi, theta)
    absorbing, left = white[:-1].T, white[-1]
    unexplained = left - absorbing @ np.linalg.lstsq(absorbing, left, rcond=None)[0]
    return float(unexplained @ unexplained) / max(len(residuals) - tangents.shape[1], 1)


def first_variance(phi: ArrayOrFloat, theta: ArrayOrFloat) -> ArrayOrFloat:
    """The variance of the process divided by that of its innovations, for one model or elementwise for many."""
    return (1 - 2 * phi * theta + theta**2) / (1 - phi**2)


def _prior() -> np.ndarray:
    """Prior weights on NOISE_GRID (float [K], sum 1): even over phi and, for each phi, over its thetas."""
    phis, counts = np.unique(NOISE_GRID[:, 0], return_counts=True)
    widths = np.gradient(phis)
    of_phi = dict(zip(phis, widths / counts, strict=True))
    prior = np.array([of_phi[phi] for phi in NOISE_GRID[:, 0]])
    return prior / prior.sum()
