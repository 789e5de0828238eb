"""Whether next sentence prediction ever left chance: exact binomial tests on the counts of pairs judged right.

Under pure guessing every pair is a fair coin, whatever the model does from record to record, so counts of different
records add up. A single record of 32 pairs proves nothing; 32,000 pairs together distinguish 50 % from 51 %. The rule
is that of health/chance.py, which the progress screen asks too; here come the p and the interval.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from pipeline.analyse.health.chance import counted_pairs, is_at_chance
from pipeline.analyse.schema.run import CoinTest, Nsp, NspScore
from pipeline.files.history import History

CHANCE = 0.5


def nsp_against_chance(history: History) -> Nsp:
    """NSP of training and of the final scoring against chance."""
    return Nsp(_training(history), _held_out(history))


def _training(history: History) -> NspScore | None:
    columns = history.columns.pairs
    if columns is None:
        return None
    counted = counted_pairs(history)
    if counted is None:
        _, shares = history.points(columns.train)
        if not len(shares):
            return None
        note = "The history does not say how many pairs each accuracy counts, and its fractions do not tell."
        return NspScore(float(shares.mean()), None, None, None, None, None, None, None, None, note)
    correct, pairs, quarter = counted.correct, counted.pairs, counted.quarter()
    last_quarter = _test(correct[quarter], pairs[quarter])
    note = "Every pair counts once; a record alone proves nothing."
    if counted.known == "inferred":
        note += f" The history gives no counts: {int(pairs[0])} pairs a record are what its fractions are made of."
    whole = replace(_test(correct, pairs), at_chance=counted.at_chance())
    return NspScore(
        **vars(whole),
        last_quarter=last_quarter,
        first_step_above=counted.first_above(),
        denominators=counted.known,
        note=note,
    )


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
    interval = both.proportion_ci(0.95, "exact")
    return CoinTest(
        accuracy=correct / pairs,
        pairs=pairs,
        correct=correct,
        p=float(both.pvalue),
        interval=(float(interval.low), float(interval.high)),
        at_chance=is_at_chance(correct, pairs),
    )
