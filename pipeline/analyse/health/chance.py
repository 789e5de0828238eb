"""Whether next sentence prediction is at chance, judged by exact binomial tails of the counts of pairs judged right.

A run is above chance where the whole is, or its last quarter, or one of its tenths, each tested at 1 % in all: a coin
is taken for skill in 2.6 % of runs (measured on 6,500).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.files.history import History
from pipeline.formatting import Step, step_number
from pipeline.statistics.distributions.binomial import Denominators, coin_tail, denominators

ALPHA = 0.01  # one-sided, for being above chance
WINDOWS = 10  # parts of the run, each tested at ALPHA / WINDOWS
QUARTER = 4


@dataclass(frozen=True)
class CountedPairs:
    """Records whose pairs can be counted: steps (float [N]), pairs and those judged right (int [N])."""

    steps: np.ndarray
    pairs: np.ndarray
    correct: np.ndarray
    known: Denominators | None

    def quarter(self) -> slice:
        """The last quarter of the records."""
        return slice(-max(1, len(self.pairs) // QUARTER), None)

    def at_chance(self) -> bool:
        """Whether neither the whole, nor its last quarter, nor a tenth of it is above chance."""
        parts = (slice(None), self.quarter())
        return self.first_above() is None and all(
            is_at_chance(int(self.correct[part].sum()), int(self.pairs[part].sum())) for part in parts
        )

    def first_above(self) -> Step | None:
        """The last step of the first part of the run that is above chance by itself; None where none is."""
        edges = np.linspace(0, len(self.steps), min(WINDOWS, len(self.steps)) + 1).astype(int)
        for start, end in pairwise(edges):
            tail = coin_tail(int(self.correct[start:end].sum()), int(self.pairs[start:end].sum()))
            if tail < ALPHA / WINDOWS:
                return step_number(self.steps[end - 1])
        return None


def counted_pairs(history: History) -> CountedPairs | None:
    """The pairs of training, counted; None where the history has none, or does not say how many there were."""
    columns = history.columns.pairs
    if columns is None:
        return None
    shares = history.series(columns.train)
    pairs, known = denominators(history.series(columns.count), shares)
    kept = np.isfinite(shares) & np.isfinite(pairs) & (shares >= 0) & (shares <= 1)
    if not kept.any():
        return None
    counts = np.rint(pairs[kept]).astype(int)
    return CountedPairs(history.series("steps")[kept], counts, np.rint(shares[kept] * counts).astype(int), known)


def is_at_chance(correct: int, pairs: int) -> bool:
    """Whether a coin judges at least ``correct`` of ``pairs`` right with a probability of ``ALPHA`` or more."""
    return coin_tail(correct, pairs) >= ALPHA
