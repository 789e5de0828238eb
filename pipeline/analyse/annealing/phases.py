"""Where the learning rate changes its course: from one level to another, from a level to a decay, or back.

A curve bends there, so trends may bend there too, and what a stretch of records is asked is asked within one phase. A
rate that never rests, as a cosine, has one phase; warm-up is taken for a part of the first.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.analyse.annealing.coming import planned_schedule
from pipeline.files.history import History

LEVEL_RECORDS = 10  # a level is a rate kept over this part of the records,
FEWEST_RECORDS = 5  # and over so many
SAME = 1e-6  # share of the peak


def phase_ends(history: History) -> list[float]:
    """The steps after which another phase of the learning rate begins; empty where the rate is not known."""
    steps, rates = history.points(history.columns.rate)
    if len(steps) >= LEVEL_RECORDS and rates.max() > 0:
        return _ends(steps, rates / rates.max())
    schedule = planned_schedule(history)
    if schedule is None or schedule.shape != "wsd" or schedule.constant_until is None:
        return []
    return [float(schedule.constant_until)]


def breaks_among(ends: list[float], steps: np.ndarray) -> list[int]:
    """The first record after each of ``ends`` among records at ``steps`` (float [N])."""
    places = {int(np.searchsorted(steps, end, side="right")) for end in ends}
    return sorted(place for place in places if 0 < place < len(steps))


def _ends(steps: np.ndarray, rates: np.ndarray) -> list[float]:
    """The last step of each phase but the last; ``rates`` are shares of the peak, float [N]."""
    least = max(FEWEST_RECORDS, len(rates) // LEVEL_RECORDS)
    borders = [0, *(np.flatnonzero(np.abs(np.diff(rates)) > SAME) + 1).tolist(), len(rates)]
    levels = [(first, end) for first, end in pairwise(borders) if end - first >= least]
    places = {place for level in levels for place in level if 0 < place < len(rates)}
    if levels and rates[: levels[0][0]].size and np.all(np.diff(rates[: levels[0][0] + 1]) >= 0):
        places.discard(levels[0][0])  # a warm-up
    return [float(steps[place - 1]) for place in sorted(places)]
