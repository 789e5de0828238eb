"""Single values far from a curve: spikes and drops. Needs nothing but NumPy, for the progress screen asks it too.

Each value is compared with a parabola through its neighbours, three, five or seven on either side and without itself,
over 1.4826 times the median absolute deviation of such differences around it (Hampel 1974), against a normal quantile
at ALPHA shared among all values and lists of the run (Bonferroni). A difference of normal values is normal whatever
their autocorrelation. Real curves are rougher than that, so

- the limit is raised by TAIL, and where a list shows heavy tails, as losses of single batches do, to where
  a tail as heavy, a Weibull's through two of its quantiles, is left as seldom as ALPHA says; upper and lower apart;
- a value must also stand out of what its neighbours are off, each seen without the value: at a bend all of them are.
  At the steep start of a run this counts for more, and the first values, which have no neighbours before, are
  not judged;
- a difference is never taken for less than the resolution that the values are written with.

How often real runs are flagged, and how many spikes are found, is measured by ``benchmarks/anomalies.py``.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import log, sqrt
from statistics import NormalDist

import numpy as np

ALPHA = 0.01  # false-alarm rate per run of spikes and drops with normal noise, before TAIL
TAIL = 1.06  # times the normal limit: real noise is a little heavier than normal
HALF_WIDTHS = (3, 5, 7)  # neighbours on either side; the one with the smaller differences is taken
NOT_JUDGED = 3  # first values, beyond those without neighbours
START = 20  # values of a steep start
ROUGHNESS, START_ROUGHNESS = 0.3, 0.7  # share of what the neighbours are off that counts as scatter
SPREAD_WINDOW = 201  # values that the scatter is taken from
FEWEST_RECORDS = 60
SMALL_SAMPLE = 12.0  # the scatter is an estimate: the limit is raised by this over the values behind it
FEWEST_IN_TAIL = 8  # values beyond the farther quantile of a tail
FARTHER = 0.0025  # share of the values beyond it, at least
NEARER = 5.0  # times as many lie beyond the nearer one
LARGEST_TAIL = 0.12  # share of the values; with fewer of them the limit is that of normal noise
CAUTION = 2.0  # standard errors by which a tail must be heavier than it looks
ROUNDING = 1e-9  # of the size of the values; smaller differences are those of floating point

Kernel = dict[int, float]  # weight by offset from the value


def outliers(values: np.ndarray, lists: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of the spikes and of the drops (int [K] each) in finite ``values`` (float [N]).

    ``lists``: how many lists of the run are searched, which share ALPHA.
    """
    n = len(values)
    if n < FEWEST_RECORDS:
        return np.array([], dtype=int), np.array([], dtype=int)
    chance = ALPHA / (2 * n * lists)
    limit = TAIL * (1 + SMALL_SAMPLE / min(SPREAD_WINDOW, n)) * NormalDist().inv_cdf(1 - chance)
    width, scores = _scores(values)
    size = np.abs(scores[0])
    nearby = _largest_near(size, width)
    large = size > nearby / 2  # an outlier pulls the parabolas of its neighbours the other way
    limits = [max(limit, _heavy_tail(sign * scores[0][large | (nearby <= limit)], chance)) for sign in (1, -1)]
    pairs = [_pairs(sign * scores, beyond) for sign, beyond in zip((1, -1), limits, strict=True)]
    alone = large & ~_largest_near(pairs[0] | pairs[1], width)
    high, low = ((alone & (sign * scores[0] > beyond)) | pair
                 for sign, beyond, pair in zip((1, -1), limits, pairs, strict=True))  # fmt: skip
    return np.flatnonzero(high), np.flatnonzero(low)


def _pairs(scores: np.ndarray, limit: float) -> np.ndarray:
    """Marks two neighbours that are both beyond ``limit`` without each other, which they hide: bool [N].

    ``scores``: as ``_scores`` has them, float [3, N].
    """
    both = (scores[1, :-1] > limit) & (scores[2, 1:] > limit)
    return np.append(both, False) | np.append(False, both)


def _largest_near(values: np.ndarray, width: int) -> np.ndarray:
    """The largest of ``values`` ([N]) among each and ``width`` neighbours on either side: [N]."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, width), 2 * width + 1).max(axis=1)


def scatter_of_parabolas(values: np.ndarray) -> np.ndarray:
    """Robust standard deviation, around each of ``values`` (float [N]), of their distances from the parabola through
    the three neighbours on either side: float [N]."""
    width = HALF_WIDTHS[0]
    return _local_spread(_filtered(values, _kernel(width))) * _norm(_difference(width))


def _scores(values: np.ndarray) -> tuple[int, np.ndarray]:
    """The half width taken, and how many times the scatter each value is off its parabola, 0 where it is not judged:
    float [3, N], of parabolas through all neighbours, all but the next one and all but the last one."""
    apart = {width: _filtered(values, _kernel(width)) for width in HALF_WIDTHS}
    width = min(apart, key=lambda each: np.nanmedian(np.abs(apart[each])) * _norm(_difference(each)))
    places = np.arange(len(values))
    scatter = np.maximum(_local_spread(apart[width]), _smallest(values) / _norm(_difference(width)))
    rough = np.where(places < START, START_ROUGHNESS, ROUGHNESS) * _roughness(values, width)
    off = np.array([apart[width], *(_filtered(values, _kernel(width, besides=beside)) for beside in (1, -1))])
    scores = np.divide(off, np.fmax(scatter, rough), out=np.zeros(off.shape), where=scatter > 0)
    scores[:, : width + NOT_JUDGED] = 0
    return width, np.nan_to_num(scores)


@cache
def _difference(width: int, *, besides: int = 0, at: int = 0) -> Kernel:
    """Weights, by offset from a value, of the difference between the value ``at`` an offset and the parabola through
    its neighbours, without the value ``besides`` it (an offset from ``at``; 0 for none)."""
    offsets = np.array([offset for offset in range(-width, width + 1) if offset not in (0, besides)], dtype=float)
    weights = np.linalg.pinv(np.vander(offsets, 3, increasing=True))[0]
    return {at: 1.0, **{at + int(offset): -float(weight) for offset, weight in zip(offsets, weights, strict=True)}}


def _norm(kernel: Kernel) -> float:
    return sqrt(sum(weight**2 for weight in kernel.values()))


@cache
def _kernel(width: int, *, besides: int = 0, at: int = 0) -> Kernel:
    """``_difference``, so scaled that independent noise passes with its own standard deviation."""
    kernel = _difference(width, besides=besides, at=at)
    return {offset: weight / _norm(kernel) for offset, weight in kernel.items()}


def _filtered(values: np.ndarray, kernel: Kernel) -> np.ndarray:
    """The sum of the values at the offsets of ``kernel`` times its weights: float [N], NaN where one is missing."""
    before, after = max(0, -min(kernel)), max(0, *kernel)
    found = np.full(len(values), np.nan)
    inside = len(values) - before - after
    found[before : before + inside] = sum(
        weight * values[before + offset : before + offset + inside] for offset, weight in kernel.items()
    )
    return found


def _roughness(values: np.ndarray, width: int) -> np.ndarray:
    """Root mean square of what the neighbours of each value are off, seen without the value: float [N]."""
    offsets = [offset for offset in range(-width - 1, width + 2) if offset]
    kernels = [_kernel(width, besides=-offset, at=offset) for offset in offsets]
    squares = np.array([_filtered(values, kernel) ** 2 for kernel in kernels])
    known = np.isfinite(squares)
    return np.sqrt(np.where(known, squares, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _local_spread(differences: np.ndarray) -> np.ndarray:
    """Robust standard deviation of ``differences`` (float [N], NaN at the ends) around each value: float [N]."""
    n = len(differences)
    window = min(SPREAD_WINDOW, n // 2 * 2 - 1)
    blocks = max(1, n // (window // 2))
    edges = np.linspace(0, n, blocks + 1).astype(int)
    size = np.abs(differences)
    middles, spreads = [], []
    for start, end in pairwise(edges):  # each block with its half neighbours on both sides
        middles.append((start + end) / 2)
        spreads.append(1.4826 * float(np.nanmedian(size[max(0, start - window // 4) : end + window // 4])))
    return np.interp(np.arange(n), middles, spreads)


def _smallest(values: np.ndarray) -> float:
    """The smallest difference that says something: half the usual step from one value to the next larger one where
    values repeat, and never less than the rounding of floating point."""
    distinct = np.unique(values)
    rounding = ROUNDING * float(np.abs(values).max())
    if len(distinct) < 2 or len(distinct) > len(values) / 2:
        return rounding
    return max(rounding, float(np.median(np.diff(distinct))) / 2)


def _heavy_tail(scores: np.ndarray, chance: float) -> float:
    """The score (from ``scores``, float [N]) that one value exceeds with probability ``chance`` if the upper tail goes
    on as between two of its quantiles; 0 where there are too few values."""
    n = len(scores)
    farther = max(FARTHER, FEWEST_IN_TAIL / n)
    if NEARER * farther > LARGEST_TAIL:
        return 0.0
    far, near = np.quantile(scores, [1 - farther, 1 - NEARER * farther])
    normal = NormalDist().inv_cdf(1 - farther)
    growth = log(far / near) - CAUTION / (sqrt(farther * n) * normal**2) if far > near > 0 else 0.0
    if growth <= 0:
        return 0.0
    exponent = log(log(farther) / log(NEARER * farther)) / growth
    return float(far * (log(chance) / log(farther)) ** (1 / exponent))
