"""Marks that several figures are made of: records, their running mean, held-out curves, reference lines."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from pipeline.figures import style
from pipeline.files.history import History
from pipeline.statistics.smoothing import proportional_mean, running_mean
from pipeline.words import Words

SMOOTHING = 40  # a running mean spans this part of the records
WINDOW = 0.1  # on a logarithmic axis it spans the records within this share of a step, in all runs alike
MOST_DOTS = 2_000  # more would be a blot, and a vector file of many megabytes
MOST_VERTICES = 1_500
LEGIBLE = 120  # records; a noisy line of more is a thicket
FEW, JUMP = 20, 0.1  # and one of more than a few that goes from record to record by this part of its range
LEAST = 6  # records that the running mean of a thicket is over
DASHES = (0, (4, 2))
DOTS = (0, (1, 1.6))
DASH_DOT = (0, (5, 1.6, 1, 1.6))
Label = tuple[float, float, str, str]  # x, y, text, colour


def smooth(axes: Axes, steps: np.ndarray, values: np.ndarray, least: int = 1) -> np.ndarray:
    """The running mean of records (float [N] each) that suits the horizontal axis, float [N].

    On a linear axis it is over a part of the records, and over ``least`` of them at least.
    """
    if axes.get_xscale() == "log":
        return proportional_mean(steps, values, WINDOW)
    return running_mean(values, max(len(values) // SMOOTHING, least))


def dots(axes: Axes, steps: np.ndarray, values: np.ndarray, colour: str = style.RECORDS, alpha: float = 0.6) -> int:
    """Single records (float [N] each), small and translucent, so that a thousand stay legible; of many more, every
    so many-th only.

    Returns that number: 1 where all are drawn.
    """
    every = -(-len(steps) // MOST_DOTS) if len(steps) else 1
    size = float(np.clip(2500 / max(len(steps), 1), 5, 22))
    axes.scatter(steps[::every], values[::every], s=size, color=colour, alpha=alpha, linewidths=0)
    return every


def training(axes: Axes, history: History, key: str, say: Words) -> list[Label]:
    """The training metric ``key``: its records, and their running mean as a line."""
    steps, values = history.points(key)
    if not len(steps):
        return []
    dots(axes, steps, values)
    mean = smooth(axes, steps, values)
    line(axes, steps, mean, color=style.TRAINING)
    return [(steps[-1], mean[-1], say("training"), style.TRAINING)]


def held_out(axes: Axes, history: History, key: str | None, name: str, colour: str, dash: style.Dash) -> list[Label]:
    """A held-out metric as a line; a long or noisy one as its running mean over the faint dots of its records."""
    if key is None:
        return []
    steps, values = history.points(key)
    if not len(steps):
        return []
    if is_thicket(values):
        kept = extremes(values)
        dots(axes, steps[kept], values[kept], colour, alpha=0.18)
        values = smooth(axes, steps, values, LEAST)
    line(axes, steps, values, color=colour, linestyle=dash, linewidth=1.6)
    return [(steps[-1], values[-1], name, colour)]


def is_thicket(values: np.ndarray) -> bool:
    """Whether a line through ``values`` (float [N]) would hide what they say: many, or some that jump about."""
    if len(values) <= FEW:
        return False
    return len(values) > LEGIBLE or float(np.median(np.abs(np.diff(values)))) > JUMP * float(np.ptp(values))


def line(axes: Axes, steps: np.ndarray, values: np.ndarray, **look: Any) -> None:
    """A line through points (float [N] each); a long one goes through the least and the greatest of each stretch.

    One point alone is a dot, for a line through it would not be seen.
    """
    if len(values) == 1:
        look["marker"] = "o"
    kept = extremes(values)
    axes.plot(steps[kept], values[kept], **look)


def extremes(values: np.ndarray) -> np.ndarray:
    """Which of ``values`` (float [N]) are drawn: all, of many the first, the last, and the extremes of each stretch."""
    if len(values) <= MOST_VERTICES:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), MOST_VERTICES // 2 + 1).astype(int)
    kept = {0, len(values) - 1}
    for start, end in pairwise(edges):
        kept |= {start + int(values[start:end].argmin()), start + int(values[start:end].argmax())}
    return np.array(sorted(kept))


def mark(axes: Axes, last: float, value: float, name: str) -> list[Label]:
    """A level that needs no training, such as chance."""
    axes.axhline(value, color=style.QUIET, linestyle=DOTS, linewidth=1.2)
    return [(last, value, name, style.QUIET)]


def smooth_end(values: np.ndarray) -> float:
    """Mean of the last twentieth of ``values`` (float [N], N at least 1): where a noisy curve ends."""
    return float(values[-max(1, len(values) // 20) :].mean())


def thinned(every: int, say: Words) -> list[str]:
    """The remark that not every record is drawn, where that is so."""
    return [say("every {number:,}th record drawn", number=every)] if every > 1 else []
