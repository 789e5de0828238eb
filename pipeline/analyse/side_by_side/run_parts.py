"""How accurate a run is at its end, and two runs' difference, with the noise of their records.

Two branches of one trunk, or a branch and its trunk, have the same records up to some step. The noise of those is drawn
once for both, so that it does not count as a reason for a difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.analyse.annealing.phases import breaks_among, phase_ends
from pipeline.analyse.schema.side_by_side import Metric, PartOfRun
from pipeline.files.history import History
from pipeline.statistics.bootstrap import LEVEL, NoiseDraws, correlations_with, interval_around, noise_draws
from pipeline.statistics.correlation import plain_r
from pipeline.statistics.noise import scatter

TENTH = 10
MOST_NUMBERS = 4_000_000  # records x replicates of each draw


@dataclass(frozen=True)
class Part:
    """The records of a run up to a step: ``steps`` and ``accuracy`` (finite shares of one), float [N] each, and how to
    redraw their noise."""

    steps: np.ndarray
    accuracy: np.ndarray
    draws: NoiseDraws | None

    @property
    def r(self) -> float | None:
        return plain_r(self.steps, self.accuracy)

    def mean(self) -> float | None:
        return float(self.accuracy.mean()) if len(self.accuracy) else None

    def end(self) -> float | None:
        """The mean of the last tenth of the records."""
        return float(self.accuracy[-self.last_tenth :].mean()) if len(self.accuracy) else None

    @property
    def last_tenth(self) -> int:
        return max(1, len(self.accuracy) // TENTH)

    def r_interval(self) -> tuple[float, float] | None:
        if self.r is None or self.draws is None:
            return None
        return interval_around(self.r, self.draws.each(correlations_with(self.steps), MOST_NUMBERS))

    def spread_of(self, metric: Metric) -> np.ndarray | None:
        """Redrawn values of ``metric`` minus their mean, float [R]; None where nothing was redrawn."""
        if self.draws is None:
            return None
        drawn = self.draws.each(self.statistic(metric), MOST_NUMBERS)
        return drawn - drawn.mean()

    def statistic(self, metric: Metric) -> Callable[[np.ndarray], np.ndarray]:
        """``metric`` of redrawn records: of float [R, N] it makes float [R]."""
        if metric == "r":
            z = correlations_with(self.steps)
            return lambda rows: np.tanh(z(rows))
        count = self.last_tenth if metric == "end_accuracy" else len(self.accuracy)
        return lambda rows: rows[:, -count:].mean(axis=1)

    def value_of(self, metric: Metric) -> float | None:
        return {"r": self.r, "mean_accuracy": self.mean(), "end_accuracy": self.end()}[metric]

    def summary(self) -> PartOfRun:
        return PartOfRun(len(self.steps), self.r, self.r_interval(), self.mean(), self.end())


def part_of(history: History, key: str | None, until: float | None = None) -> Part:
    """The records of the accuracy list ``key`` up to step ``until``.

    Their noise is what is left of a trend that may bend where the learning rate changes its course.
    """
    steps, accuracy = history.points(key)
    if until is not None:
        accuracy = accuracy[steps <= until]
        steps = steps[steps <= until]
    found = scatter(accuracy, breaks_among(phase_ends(history), steps))
    return Part(steps, accuracy, None if found is None else noise_draws(found))


def shared_until(first: History, second: History) -> int:
    """The last step up to which two runs have the same records because one of them, or both, branched; 0 for none."""
    if first.facts.branch() is None and second.facts.branch() is None:
        return 0
    last = 0
    for one, two in zip(_recorded(first), _recorded(second), strict=False):
        if one != two:
            break
        last = one[0]
    return last


def _recorded(history: History) -> list[tuple[int, str]]:
    """Step, and accuracy and loss to the last digit (NaN equals NaN), of each record."""
    columns = history.columns
    values = (history.records.get(key) or [None] * len(history) for key in (columns.accuracy.train, columns.loss.train))
    return [(step, repr(both)) for step, *both in zip(history.steps, *values, strict=True)]


def difference(
    first: Part, second: Part, metric: Metric, shared: int = 0
) -> tuple[float | None, tuple[float, float] | None]:
    """``metric`` of ``second`` - ``first``, and its 95 % interval over the noise of both runs' records.

    Up to step ``shared`` both have the same records, whose noise is drawn once for both.
    """
    values = first.value_of(metric), second.value_of(metric)
    if values[0] is None or values[1] is None:
        return None, None
    found = values[1] - values[0]
    if shared and first.draws and second.draws:
        # Noise of each, float [R, N]. The draws come from one seed and in one order; one is shuffled, so that what is
        # not shared does not cancel.
        mine, theirs = (
            draws.each(lambda rows: rows, MOST_NUMBERS) - draws.fitted for draws in (first.draws, second.draws)
        )
        count = min(len(mine), len(theirs))
        mine, theirs = mine[np.random.default_rng(count).permutation(count)], theirs[:count]
        records = int((first.steps <= shared).sum())
        theirs[:, :records] = mine[:, :records]
        apart = second.statistic(metric)(second.draws.fitted + theirs) - first.statistic(metric)(
            first.draws.fitted + mine
        )
        low, high = np.quantile(apart - apart.mean(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return found, (found + float(low), found + float(high))
    spreads = first.spread_of(metric), second.spread_of(metric)
    if spreads[0] is None or spreads[1] is None:
        return found, None
    # Draws of both come from one seed and in one order; one is shuffled so that their noise does not cancel.
    count = min(len(spreads[0]), len(spreads[1]))
    order = np.random.default_rng(count).permutation(count)
    low, high = np.quantile(spreads[1][:count] - spreads[0][order], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return found, (found + float(low), found + float(high))
