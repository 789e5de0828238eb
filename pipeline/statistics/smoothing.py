"""What noisy records smooth to: running means, and a spline whose residuals are taken for the noise.

No formula follows every run: a delayed start, a restart, or a falling learning rate leaves a fitted curve far from the
records for long stretches, and such a misfit looks like slow noise. So the noise of the records is what they leave of a
trend that any smooth run follows: a cubic spline whose knots are dense where runs are steep, at their start, and triple
where the learning rate changes its course, so that the trend may bend there at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_PARAMETERS = 20  # of a spline; what is slower than a twentieth of the run counts as trend
RECORDS_A_PARAMETER = 8
STEEPEST = 50.0  # knots are even in log(1 + STEEPEST x share of the records)
CUBIC = 3
APART = 4  # records: the least distance of two breaks, and of a break from an end
RECORDS_A_BREAK = 16
EXACT = 1e-12


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """Mean of ``values`` (float [N]) over about ``width`` records around each one, float [N].

    At the start, where a run is steep, the window shrinks and stays centred; at the end, where it is flat, it loses
    its right half only, so that the last value is a mean too.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    left = np.minimum(place, width // 2)
    right = np.minimum(place[::-1], left)
    return (sums[place + right + 1] - sums[place - left]) / (left + right + 1)


def proportional_mean(steps: np.ndarray, values: np.ndarray, share: float) -> np.ndarray:
    """Mean of ``values`` (float [N]) over the records within ``share`` of each one's step, float [N].

    For a logarithmic axis, on which such a window is equally wide everywhere: a window of so many records would reach
    over decades at the start. Two runs with the same ``share`` are smoothed alike, however long they are. ``steps``
    (float [N]) rise and are not negative.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.searchsorted(steps, steps * (1 - share), side="left")
    behind = np.searchsorted(steps, steps * (1 + share), side="right")
    return (sums[behind] - sums[first]) / (behind - first)


def average_down(steps: np.ndarray, values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Means over neighbouring records, at most ``most``; points (float [N] each) stay as they are where N is less.

    Returns:
        Steps and values, float [min(N, most)] each.
    """
    if len(steps) <= most:
        return steps, values
    edges = np.linspace(0, len(steps), most + 1).astype(int)
    counts = np.diff(edges)
    return np.add.reduceat(steps, edges[:-1]) / counts, np.add.reduceat(values, edges[:-1]) / counts


def is_constant(values: np.ndarray) -> bool:
    """Whether ``values`` (finite, float [N]) are one number but for rounding; so are none at all."""
    return not len(values) or float(np.ptp(values)) <= EXACT * float(np.abs(values).max())


@dataclass(frozen=True)
class Trend:
    """A spline through N records."""

    fitted: np.ndarray  # float [N]
    residuals: np.ndarray  # float [N]
    basis: np.ndarray  # how it moves with its parameters, orthonormal: float [N, P]

    @property
    def exact(self) -> bool:
        """Whether nothing is left that could be called noise."""
        size = float(np.abs(self.fitted + self.residuals).max())
        return float(np.abs(self.residuals).max()) <= EXACT * size


def spline_trend(values: np.ndarray, breaks: Sequence[int] = ()) -> Trend:
    """The least-squares spline through ``values`` (float [N], N >= 5, evenly recorded), which may bend at ``breaks``.

    ``breaks``: the records at which another phase of the learning rate begins.
    """
    n = len(values)
    scale = np.log1p(STEEPEST * np.arange(n) / n)
    parameters = int(np.clip(n // RECORDS_A_PARAMETER, CUBIC + 1, MOST_PARAMETERS))
    knots = np.linspace(scale[0], scale[-1], parameters - CUBIC + 1)
    bends = [scale[place] for place in _apart(breaks, n)]
    inner = np.sort([*(knot for knot in knots[1:-1] if knot not in bends), *bends * CUBIC])
    ends = np.full(CUBIC + 1, scale[0]), np.full(CUBIC + 1, scale[-1])
    design = _splines(scale, np.concatenate([ends[0], inner, ends[1]]))
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    basis = left[:, sizes > 1e-9 * sizes[0]]  # knots closer than the records give columns that say the same
    fitted = basis @ (basis.T @ values)
    return Trend(fitted, values - fitted, basis)


def _splines(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """The cubic B-splines over rising ``knots`` (float [P + 4]) at ``x`` (float [N]): float [N, P].

    By the recursion of de Boor (1972); the screen of a run has no time to load SciPy.
    """
    last = np.flatnonzero(knots < knots[-1])[-1]  # the last stretch holds its right end too
    stretch = np.minimum(np.searchsorted(knots, x, side="right") - 1, last)
    splines = (stretch[:, None] == np.arange(len(knots) - 1)).astype(float)
    for degree in range(1, CUBIC + 1):
        widths = knots[degree:] - knots[:-degree]
        per = np.divide(1.0, widths, out=np.zeros_like(widths), where=widths > 0)
        rising, falling = (x[:, None] - knots[: -degree - 1]) * per[:-1], (knots[degree + 1 :] - x[:, None]) * per[1:]
        splines = rising * splines[:, :-1] + falling * splines[:, 1:]
    return splines


def _apart(breaks: Sequence[int], records: int) -> list[int]:
    """The last of ``breaks`` that lie APART from the ends and from one another, as many as the records can bear."""
    kept: list[int] = []
    for place in sorted(breaks):
        if place - (kept[-1] if kept else 0) >= APART and records - place >= APART:
            kept.append(place)
    return kept[max(len(kept) - records // RECORDS_A_BREAK, 0) :]
