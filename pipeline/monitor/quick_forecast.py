"""A rough forecast of a running run's last accuracy, made in milliseconds with nothing but the standard library.

Two curves are fitted by least squares to at most 60 means of neighbouring records after the warm-up: the saturating
exponential ``a - b exp(-step / tau)`` (tau by a grid) and the logarithm ``a + b log(step)``. The one bends as early as
a learning curve may, the other never stops rising, so what they say of the last step is a range and not an interval:
it covers two families, no noise, and knows nothing of the learning rate still to come. ``analyze_100k.py`` forecasts
with more curves and an interval that was back-tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log

POINTS = 60
FEWEST = 12  # points; below this three parameters follow the noise
LEAST_SHARE = 0.1  # of the run; what is seen before it says little about the end
TAUS = 40


def forecast_end(points: Sequence[tuple[float, float]], warmup: int, last_step: int) -> tuple[float, float] | None:
    """(low, high) accuracy at ``last_step`` by the two curves, within 0 and 1; None where it is too early to say.

    ``points`` are (step, accuracy) of the records with a finite accuracy, by step.
    """
    later = [point for point in points if point[0] > warmup]
    if len(later) < FEWEST or later[-1][0] < LEAST_SHARE * last_step:
        return None
    means = _means(later)
    steps, values = [step for step, _ in means], [value for _, value in means]
    span = steps[-1] - steps[0]
    taus = [span / 20 * 200 ** (number / (TAUS - 1)) for number in range(TAUS)]  # to ten times what was seen
    shapes = [[-exp(-step / tau) for step in [*steps, last_step]] for tau in taus]
    exponential = min((_line(shape[:-1], values, shape[-1]) for shape in shapes), key=lambda fit: fit[1])[0]
    logarithm = _line([log(step) for step in steps], values, log(last_step))[0]
    low, high = sorted(min(1.0, max(0.0, end)) for end in (exponential, logarithm))
    return low, high


def _means(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most ``POINTS`` means of neighbours: (step, accuracy)."""
    count = min(POINTS, len(points))
    edges = [len(points) * place // count for place in range(count + 1)]
    groups = [points[start:end] for start, end in pairwise(edges)]
    return [(sum(step for step, _ in group) / len(group), sum(value for _, value in group) / len(group))
            for group in groups]  # fmt: skip


def _line(x: Sequence[float], y: Sequence[float], at: float) -> tuple[float, float]:
    """The value at ``at`` of the straight line through (x, y), and its sum of squares."""
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((value - mean_x) ** 2 for value in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread if spread else 0.0
    misfit = sum((b - mean_y - slope * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    return mean_y + slope * (at - mean_x), misfit
