"""Whether next sentence prediction ever left chance: exact binomial tests on the counts of pairs judged right.

Under pure guessing every pair is a fair coin, whatever the model does from record to record, so counts of different
records add up. A single record of 32 pairs proves nothing; 32,000 pairs together distinguish 50 % from 51 %.

A run is above chance where the whole is, or its last quarter, or one of its tenths, each tested at 1 % in all: a coin
is taken for skill in 2.6 % of runs (measured on 6,500).
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from scipy import stats

from pipeline.analyse.schema.run import CoinTest, Nsp, NspScore
from pipeline.files.history import History
from pipeline.formatting import Step, step_number
from pipeline.statistics.binomial import denominators

CHANCE = 0.5
ALPHA = 0.01  # one-sided, for being above chance
WINDOWS = 10  # parts of the run, each tested at ALPHA / WINDOWS


def nsp_against_chance(history: History) -> Nsp:
    """NSP of training and of the final scoring against chance."""
    return Nsp(_training(history), _held_out(history))


def _training(history: History) -> NspScore | None:
    columns = history.columns.pairs
    if columns is None:
        return None
    steps, shares = history.series("steps"), history.series(columns.train)
    pairs, known = denominators(history.series(columns.count), shares)
    kept = np.isfinite(shares) & np.isfinite(pairs) & (shares >= 0) & (shares <= 1)
    if not kept.any():
        mean = shares[np.isfinite(shares)]
        if not len(mean):
            return None
        note = "The history does not say how many pairs each accuracy counts, and its fractions do not tell."
        return NspScore(float(mean.mean()), None, None, None, None, None, None, None, None, note)
    steps, pairs = steps[kept], np.rint(pairs[kept]).astype(int)
    correct = np.rint(shares[kept] * pairs).astype(int)
    whole = _test(correct, pairs)
    quarter = slice(-max(1, len(pairs) // 4), None)
    last_quarter = _test(correct[quarter], pairs[quarter])
    above = _first_above(steps, correct, pairs)
    at_chance = bool(whole.at_chance and last_quarter.at_chance and above is None)
    note = "Every pair counts once; a record alone proves nothing."
    if known == "inferred":
        note += f" The history gives no counts: {int(pairs[0])} pairs a record are what its fractions are made of."
    whole = replace(whole, at_chance=at_chance)
    return NspScore(**vars(whole), last_quarter=last_quarter, first_step_above=above, denominators=known, note=note)


def _held_out(history: History) -> NspScore | None:
    """The scoring of all validation articles at the end; the records along the way are of the same few pairs."""
    facts = history.facts
    share, pairs = facts.number("validation", "nsp_acc"), facts.count("validation", "nsp_pairs")
    if share is None or not pairs or not 0 <= share <= 1:
        return None
    result = _test(np.array([round(share * pairs)]), np.array([pairs]))
    note = "The final model on all validation articles, each pair once."
    return NspScore(**vars(result), last_quarter=None, first_step_above=None, denominators="recorded", note=note)


def _test(right: np.ndarray, counted: np.ndarray) -> CoinTest:
    """Pairs judged ``right`` of those ``counted`` (int [N] each, one a record), all records together."""
    correct, pairs = int(right.sum()), int(counted.sum())
    both = stats.binomtest(correct, pairs, CHANCE)
    above = stats.binomtest(correct, pairs, CHANCE, alternative="greater")
    interval = both.proportion_ci(0.95, "exact")
    return CoinTest(
        accuracy=correct / pairs,
        pairs=pairs,
        correct=correct,
        p=float(both.pvalue),
        interval=(float(interval.low), float(interval.high)),
        at_chance=bool(above.pvalue >= ALPHA),
    )


def _first_above(steps: np.ndarray, correct: np.ndarray, pairs: np.ndarray) -> Step | None:
    """The last step of the first part of the run that is above chance by itself; None where none is.

    ``steps``, ``correct`` and ``pairs`` hold one value a record: [N] each.
    """
    edges = np.linspace(0, len(steps), min(WINDOWS, len(steps)) + 1).astype(int)
    for start, end in itertools.pairwise(edges):
        test = stats.binomtest(
            int(correct[start:end].sum()), int(pairs[start:end].sum()), CHANCE, alternative="greater"
        )
        if test.pvalue < ALPHA / WINDOWS:
            return step_number(steps[end - 1])
    return None
