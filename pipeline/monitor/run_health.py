"""What may be wrong with a run, read off its records by simple rules: one line a finding.

Each rule weighs a change of means over a few records against the noise of such means. That noise is taken from the
differences of neighbouring means by their median, so that neither autocorrelated records nor the very jump that is
looked for shrink or swell it, and no curve need be fitted. The margins are wide because a run is looked at again and
again: of 8,000 simulated runs of 200 records without faults, looked at 20 times each, none was said to diverge or to
overfit, whatever the autoregression of their noise, 0 to 0.9; at their end 0.4 % (autoregression 0.4) and 2.4 % (0.9)
were said to be off a reference run that differed by noise alone. ``analyze_100k.py`` judges with more care.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, sqrt
from statistics import median

from pipeline.files.history import History
from pipeline.formatting import Step, step_text

NSP_SHARE = 4  # NSP is judged over the last quarter of the records
NSP_RECORDS = 8
WINDOW = 8  # records to a mean
BLOCKS = 20  # the noise is that of the last means
FEWEST_BLOCKS = 5
MARGIN = 4.0  # standard errors of a difference of two such means
LOSS_MARGIN = 0.03  # a loss must also rise by this part of itself: a wiggle without noise is not a divergence
ACCURACY_MARGIN = 0.005  # an accuracy must also differ by half a point

NORMAL_MEDIAN = 0.6745  # of the size of a standard normal value

Points = list[tuple[Step, float]]


@dataclass(frozen=True)
class Deviation:
    """Mean difference of the last records from the reference run at the same steps, in shares of one."""

    of: str  # "held-out" or "training"
    difference: float
    error: float  # standard error from the noise of both runs' records
    up_to: Step  # the last step that both runs have

    @property
    def is_large(self) -> bool:
        return abs(self.difference) > max(MARGIN * self.error, ACCURACY_MARGIN)


def finite(history: History, key: str | None) -> Points:
    """(step, value) of the records whose ``key`` is a finite number; empty where the list is missing."""
    values = history.series(key).tolist()
    return [(step, value) for step, value in zip(history.steps, values, strict=True) if isfinite(value)]


def findings(history: History) -> list[str]:
    """Everything that the records alone show to be wrong."""
    return not_numbers(history) + divergence(history) + overfit(history) + nsp_at_chance(history)


def not_numbers(history: History) -> list[str]:
    found = []
    for key in history.records:
        bad = history.not_finite(key).nonzero()[0]
        if len(bad):
            found.append(f"{key}: {len(bad)} NaN or infinite, the last at step {step_text(history.steps[bad[-1]])}")
    return found


def divergence(history: History) -> list[str]:
    """The mean of the last losses is clearly above the lowest such mean before."""
    points = finite(history, history.columns.loss.train)
    best = _extreme(points, -1)
    if best is None:
        return []
    step, lowest = best
    now, error = _mean(points[-WINDOW:]), _error([value for _, value in points])
    if now - lowest <= max(MARGIN * error, LOSS_MARGIN * abs(lowest)):
        return []
    return [f"diverging: loss {now:.3f} over the last {WINDOW} records, {lowest:.3f} around step {step_text(step)}"]


def overfit(history: History) -> list[str]:
    """Held-out accuracy is clearly below its best while training accuracy rose since."""
    held_out, training = finite(history, history.held_out), finite(history, history.accuracy)
    best = _extreme(held_out, 1)
    if best is None or len(training) < WINDOW:
        return []
    step, highest = best
    loss = highest - _mean(held_out[-WINDOW:])
    place = bisect_left(training, (step, 0.0))
    then = _mean(training[max(0, place - WINDOW // 2) : place + WINDOW // 2])
    rise = _mean(training[-WINDOW:]) - then
    if loss <= max(MARGIN * _error([value for _, value in held_out]), ACCURACY_MARGIN) or rise <= 0:
        return []
    fall = f"held-out {100 * loss:.1f} points below its best, around step {step_text(step)}"
    return [f"overfitting: {fall}; training still rises"]


def nsp_at_chance(history: History) -> list[str]:
    """A warning where the recent NSP accuracy is within three standard errors of a coin's.

    By Student's t a coin is taken for skill in 1.0 % of runs where eight records are judged, in 0.2 % for a hundred.

    The error comes from the scatter of the records, so that the published history, which does not say how many pairs
    each record counts, is judged the same way.
    """
    pairs = history.columns.pairs
    values = [value for _, value in finite(history, pairs.train if pairs else None)]
    recent = values[-max(NSP_RECORDS, len(values) // NSP_SHARE) :]
    if len(recent) < NSP_RECORDS:
        return []
    mean = sum(recent) / len(recent)
    error = sqrt(sum((value - mean) ** 2 for value in recent) / (len(recent) - 1) / len(recent))
    if mean - 0.5 > 3 * error:
        return []
    return [f"NSP at chance: {100 * mean:.1f} % over the last {len(recent)} records"]


def difference_from_reference(history: History, reference: History) -> Deviation | None:
    """How far the run is from a reference run over its last records; None where the two share too few steps.

    Held-out accuracy where both have it, training accuracy otherwise; the reference is interpolated between its
    records. Seeds differ by more than the noise of records, so a large deviation is a reason to look, not a verdict.
    """
    for key, name in ((history.held_out, "held-out"), (history.accuracy, "training")):
        ours, theirs = finite(history, key), finite(reference, key)
        if len(theirs) < 2:
            continue
        shared = [point for point in ours if theirs[0][0] <= point[0] <= theirs[-1][0]]
        if len(shared) < FEWEST_BLOCKS * WINDOW:
            continue
        apart = [value - _between(theirs, step) for step, value in shared]
        error = _error(apart) / sqrt(2)  # of one mean, for this is one mean and not a difference of two
        return Deviation(name, sum(apart[-WINDOW:]) / WINDOW, error, shared[-1][0])
    return None


def _extreme(points: Points, sign: int) -> tuple[Step, float] | None:
    """Middle step and value of the highest (sign 1) or lowest (-1) mean of ``WINDOW`` records before the last ones."""
    if len(points) < FEWEST_BLOCKS * WINDOW:
        return None
    total = sum(value for _, value in points[:WINDOW])
    best, place = total, WINDOW
    for end in range(WINDOW + 1, len(points) - WINDOW + 1):
        total += points[end - 1][1] - points[end - WINDOW - 1][1]
        if sign * total > sign * best:
            best, place = total, end
    return points[place - 1 - WINDOW // 2][0], best / WINDOW


def _mean(points: Points) -> float:
    return sum(value for _, value in points) / max(len(points), 1)


def _error(values: list[float]) -> float:
    """Standard error of a difference of two means over ``WINDOW`` neighbours, from the last ``BLOCKS`` such means."""
    blocks = min(BLOCKS, len(values) // WINDOW)
    recent = values[len(values) - blocks * WINDOW :]
    means = [sum(recent[start : start + WINDOW]) / WINDOW for start in range(0, len(recent), WINDOW)]
    return median(abs(after - before) for before, after in pairwise(means)) / NORMAL_MEDIAN


def _between(points: Points, step: Step) -> float:
    """The value at ``step``, between the records around it."""
    place = bisect_left(points, (step, float("-inf")))
    after_step, after = points[place]
    if after_step == step or place == 0:
        return after
    before_step, before = points[place - 1]
    return before + (after - before) * (step - before_step) / (after_step - before_step)
