"""How accurate a run is at its end, and two runs' difference, with the noise of their records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.analyse.schema.side_by_side import Metric, PartOfRun
from pipeline.files.history import History
from pipeline.statistics.bootstrap import LEVEL, NoiseDraws, correlations_with, interval_around
from pipeline.statistics.correlation import draws_around, plain_r
from pipeline.statistics.curves import fit_curves

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
        if metric == "r":
            drawn = np.tanh(self.draws.each(correlations_with(self.steps), MOST_NUMBERS))
        else:
            count = self.last_tenth if metric == "end_accuracy" else len(self.accuracy)
            drawn = self.draws.each(lambda rows: rows[:, -count:].mean(axis=1), MOST_NUMBERS)
        return drawn - drawn.mean()

    def value_of(self, metric: Metric) -> float | None:
        return {"r": self.r, "mean_accuracy": self.mean(), "end_accuracy": self.end()}[metric]

    def summary(self) -> PartOfRun:
        return PartOfRun(len(self.steps), self.r, self.r_interval(), self.mean(), self.end())


def part_of(history: History, key: str | None, until: float | None = None) -> Part:
    """The records of the accuracy list ``key`` up to step ``until``."""
    steps, accuracy = history.points(key)
    if until is not None:
        accuracy = accuracy[steps <= until]
        steps = steps[steps <= until]
    fits = fit_curves(steps, accuracy)
    return Part(steps, accuracy, draws_around(steps, accuracy, fits[0] if fits else None))


def difference(first: Part, second: Part, metric: Metric) -> tuple[float | None, tuple[float, float] | None]:
    """``metric`` of ``second`` - ``first``, and its 95 % interval over the noise of both runs' records."""
    values = first.value_of(metric), second.value_of(metric)
    if values[0] is None or values[1] is None:
        return None, None
    found = values[1] - values[0]
    spreads = first.spread_of(metric), second.spread_of(metric)
    if spreads[0] is None or spreads[1] is None:
        return found, None
    # Draws of both come from one seed and in one order; one is shuffled so that their noise does not cancel.
    count = min(len(spreads[0]), len(spreads[1]))
    order = np.random.default_rng(count).permutation(count)
    low, high = np.quantile(spreads[1][:count] - spreads[0][order], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return found, (found + float(low), found + float(high))
