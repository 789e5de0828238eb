"""Means over a few neighbouring records, and their noise from the differences of such means, with nothing else.

The noise is the median of those differences, so that neither autocorrelated records nor the very jump that is looked
for shrink or swell it, and no curve need be fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist, median

WINDOW = 8  # records to a mean
BLOCKS = 20  # the noise is that of the last means
FEWEST_BLOCKS = 5
NORMAL_MEDIAN = NormalDist().inv_cdf(0.75)  # of the size of a standard normal value


def extreme_mean(values: Sequence[float], sign: int) -> tuple[int, float] | None:
    """Middle place and value of the highest (sign 1) or lowest (-1) mean of ``WINDOW`` values before the last ones;
    None where there are too few."""
    if len(values) < FEWEST_BLOCKS * WINDOW:
        return None
    total = sum(values[:WINDOW])
    best, place = total, WINDOW
    for end in range(WINDOW + 1, len(values) - WINDOW + 1):
        total += values[end - 1] - values[end - WINDOW - 1]
        if sign * total > sign * best:
            best, place = total, end
    return place - 1 - WINDOW // 2, best / WINDOW


def last_mean(values: Sequence[float]) -> float:
    """The mean of the last ``WINDOW`` values."""
    recent = values[-WINDOW:]
    return sum(recent) / len(recent)


def difference_error(values: Sequence[float]) -> float:
    """Standard error of a difference of two means over ``WINDOW`` neighbours, from the last ``BLOCKS`` such means."""
    blocks = min(BLOCKS, len(values) // WINDOW)
    recent = values[len(values) - blocks * WINDOW :]
    means = [sum(recent[start : start + WINDOW]) / WINDOW for start in range(0, len(recent), WINDOW)]
    return median(abs(after - before) for before, after in pairwise(means)) / NORMAL_MEDIAN
