"""Anomalies of a history: values that are not numbers, spikes and drops, frozen values, long pauses, broken schedules.

A spike is a record far above its neighbours, a drop one far below: each value minus the mean of the three records on
either side, over 1.4826 times the median absolute deviation (Hampel 1974) of such differences in a wider window,
against a normal quantile at ALPHA shared among all records and lists of the run (Bonferroni). A difference of normal
values is normal whatever their autocorrelation, so ALPHA is the false-alarm rate of spikes and drops for a run with
normal noise; noise with heavier tails is flagged more often, and rightly. The curve itself is bent, though: measured
at 1 %, runs of 60 records with slow noise are flagged in 2 to 5 %, and runs of 100 records with five steep lists in
2.3 % (tests/analyse/test_anomalies.py). The other kinds are exact: a value that is not a number, the same value ten
times in a row, a pause of ten times the usual, a learning rate that jumps where no change of settings is recorded.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import ndimage, stats

from pipeline.analyse.schema.run import Anomaly, AnomalyKind
from pipeline.files.history import History
from pipeline.files.run_record import recorded_changes

ALPHA = 0.01  # false-alarm rate per run of spikes and drops
NEIGHBOURS = 3  # records on either side that a value is compared with
SPREAD_WINDOW = 201  # records that the scatter is taken from
FEWEST_RECORDS = 60
SMALL_SAMPLE = 16.0  # the scatter is an estimate: the limit is raised by this over the records behind it
FROZEN = 10  # equal values in a row
PAUSE, PAUSE_SECONDS = 10.0, 60.0  # times the usual time between records, and never less than this
LR_BREAK, LR_SHARE = 3.0, 0.02  # times its neighbouring changes, and share of the peak
LISTED = 20  # steps of an anomaly that are listed


def anomalies(history: History) -> list[Anomaly]:
    """All anomalies of a history except for deviations from a reference (reference.py)."""
    found: list[Anomaly] = []
    for key in history.records:
        values = history.series(key)
        kinds: dict[AnomalyKind, np.ndarray] = {
            "nan": np.isnan(values) & history.not_finite(key),
            "inf": values == np.inf,
            "-inf": values == -np.inf,
        }
        for kind, where in kinds.items():
            found += _entry(history, key, kind, where, "not a number; left out of the fits")
    for key in history.columns.shares():
        found += _entry(history, key, "negative", history.series(key) < 0, "below 0, where no accuracy can be")
    tested = tested_keys(history)
    for key in tested:
        values = history.series(key)
        finite = np.flatnonzero(np.isfinite(values))
        high, low = outliers(values[finite], len(tested))
        outlying: dict[AnomalyKind, np.ndarray] = {"spike": finite[high], "drop": finite[low]}
        for kind, places in outlying.items():
            found += _entry(history, key, kind, _marks(len(values), places), "far from the records around it")
    columns = history.columns
    for key in (columns.loss.train, columns.accuracy.train):
        found += _entry(history, key, "stall", _frozen(history.series(key)), f"the same value {FROZEN} times or more")
    note = f"a pause of more than {PAUSE:.0f} times the usual before it"
    found += _entry(history, "seconds", "stall", _pauses(history.known("seconds")), note)
    breaks = _lr_breaks(history.series(columns.rate)) & ~_changed(history)
    return found + _entry(history, columns.rate, "lr_break", breaks, "the schedule jumps here")


def tested_keys(history: History) -> list[str]:
    """The lists that are long enough to be searched for spikes and drops."""
    columns = history.columns
    of_accuracy, of_loss = columns.accuracy, columns.loss
    tested = (of_accuracy.train, of_loss.train, of_accuracy.held_out, of_loss.held_out, "grad_norm")
    return [key for key in tested if key and np.isfinite(history.series(key)).sum() >= FEWEST_RECORDS]


def outliers(values: np.ndarray, lists: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of the spikes and of the drops (int [K] each) in finite ``values`` (float [N]).

    ``lists``: how many lists of the run are searched, which share ALPHA.
    """
    n = len(values)
    weights = np.ones(2 * NEIGHBOURS + 1)
    weights[NEIGHBOURS] = 0
    residuals = values - ndimage.correlate1d(values, weights / weights.sum(), mode="nearest")
    residuals[:NEIGHBOURS] = residuals[-NEIGHBOURS:] = 0  # they have neighbours on one side only
    window = min(SPREAD_WINDOW, n // 2 * 2 - 1)
    blocks = max(1, n // (window // 2))
    edges = np.linspace(0, n, blocks + 1).astype(int)
    size = np.abs(residuals)
    middles, spreads = [], []
    for start, end in pairwise(edges):  # each block with its half neighbours on both sides
        around = slice(max(0, start - window // 4), end + window // 4)
        middles.append((start + end) / 2)
        spreads.append(float(np.median(size[around])))
    spread = 1.4826 * np.interp(np.arange(n), middles, spreads)
    limit = (1 + SMALL_SAMPLE / window) * float(stats.norm.isf(ALPHA / (2 * n * lists)))
    scores = np.divide(residuals, spread, out=np.zeros(n), where=spread > 0)
    # An outlier pulls the means of its neighbours the other way: of those near each other only the large ones count.
    size = np.abs(scores)
    beyond = (size > limit) & (size > ndimage.maximum_filter1d(size, 2 * NEIGHBOURS + 1) / 2)
    return np.flatnonzero(beyond & (scores > 0)), np.flatnonzero(beyond & (scores < 0))


def _frozen(values: np.ndarray) -> np.ndarray:
    """Marks FROZEN or more equal ``values`` (float [N]) in a row: bool [N]; nothing in a list that never changes."""
    marks = np.zeros(len(values), dtype=bool)
    if len(values) < FROZEN or (values == values[0]).all():
        return marks
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    for start, end in zip(begins, np.append(begins[1:], len(values)), strict=True):
        if end - start >= FROZEN:
            marks[start:end] = True
    return marks


def _pauses(seconds: np.ndarray) -> np.ndarray:
    """Marks the records after a long pause: bool [N]; ``seconds`` (float [N]) are cumulative, NaN where unknown."""
    marks = np.zeros(len(seconds), dtype=bool)
    gaps = np.diff(seconds)
    if np.isfinite(gaps).any():
        marks[1:] = gaps > max(PAUSE * float(np.nanmedian(gaps)), PAUSE_SECONDS)
    return marks


def _lr_breaks(rates: np.ndarray) -> np.ndarray:
    """Marks the records before which the rate (float [N]) changed much more than before and after: bool [N].

    A rise before the peak is warm-up.
    """
    marks = np.zeros(len(rates), dtype=bool)
    if len(rates) < 4 or not np.isfinite(rates).all() or rates.max() <= 0:
        return marks
    changes = np.diff(rates)
    size = np.abs(changes)
    beside = np.maximum(np.concatenate([[0], size[:-1]]), np.concatenate([size[1:], [0]]))
    warming = (np.arange(1, len(rates)) <= int(np.argmax(rates))) & (changes > 0)
    marks[1:] = (size > LR_BREAK * beside) & (size > LR_SHARE * rates.max()) & ~warming
    return marks


def _changed(history: History) -> np.ndarray:
    """Marks the first record after each change of settings that the run records: bool [N]."""
    steps = history.series("steps")
    places = np.searchsorted(steps, [change["step"] for change in recorded_changes(history.run)], side="right")
    return _marks(len(steps), places[places < len(steps)])


def _marks(size: int, places: np.ndarray) -> np.ndarray:
    """True at ``places`` (int [K]), else False: bool [size]."""
    marks = np.zeros(size, dtype=bool)
    marks[places] = True
    return marks


def _entry(history: History, key: str, kind: AnomalyKind, where: np.ndarray, note: str) -> list[Anomaly]:
    """The anomaly at the records marked in ``where`` (bool [N]); nothing where none is."""
    places = np.flatnonzero(where)
    if not len(places):
        return []
    steps = [history.records["steps"][place] for place in places]
    return [Anomaly(key, kind, len(places), steps[0], steps[-1], steps[:LISTED], note)]
