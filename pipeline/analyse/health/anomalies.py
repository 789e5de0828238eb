"""Anomalies of a history: no numbers, spikes and drops, frozen values, pauses, divergence, a broken learning rate.

One set of rules for the analysis and the progress screen, which must answer at once: nothing but NumPy is needed.
Spikes and drops are told in ``statistics/robust/outliers.py``; near a jump of the learning rate none is, for the curve
bends there. The other kinds:

- "nan", "inf", "-inf", and "negative" for a share below 0, are exact;
- "constant": an accuracy or a loss of ten records or more that never changes;
- "stall": the same value ten times or more in a row; where values repeat by rounding, so many times that it happens
  once in a thousand runs. Where the rate has all but reached zero a model stays as it is, and so may what it scores on
  held-out data. Also a pause of more than ten times the usual time between records, unless pauses are usual;
- "lr_break": a jump of the learning rate that no schedule makes on purpose (rate_breaks.py) and no recorded change of
  settings explains;
- "divergence": the last losses are clearly above the lowest before.

How often runs without events are flagged, all kinds together, is measured on real runs by ``benchmarks/anomalies.py``:
none of 106 runs that the limits were chosen on, 4 of 24 of them thinned to some 200 records, two of which are losses of
single batches, and 1.5 % of simulated runs of 100 records with five lists and a steep start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, log

import numpy as np

from pipeline.analyse.health.divergence import diverged
from pipeline.analyse.health.rate_breaks import breaks, jumps
from pipeline.analyse.schema.anomalies import Anomaly, AnomalyKind
from pipeline.files.history import History
from pipeline.files.run_record import recorded_changes
from pipeline.statistics.robust.outliers import FEWEST_RECORDS, outliers
from pipeline.statistics.smoothing import is_constant

FALSE_ALARMS = 0.05  # at most, of real runs without events that are flagged at all, by any kind
FROZEN = 10  # equal values in a row
FROZEN_BY_CHANCE = 0.001  # of runs whose values repeat by rounding
RATE_AT_REST = 0.01  # of the peak
PAUSE, PAUSE_SECONDS = 10.0, 60.0  # times the usual time between records, and never less than this
USUAL_PAUSE = 2.0  # times the 95th percentile of the times between records
NEAR_A_JUMP = 5  # records on either side of a jump of the rate
LISTED = 20  # steps of an anomaly that are listed


def anomalies(history: History) -> list[Anomaly]:
    """All anomalies of a history except for deviations from a reference (reference.py)."""
    return [entry for found in (_not_numbers, _outlying, _unchanging, _of_rate_and_time) for entry in found(history)]


def tested_keys(history: History) -> list[str]:
    """The lists that are long enough to be searched for spikes and drops."""
    columns = history.columns
    of_accuracy, of_loss = columns.accuracy, columns.loss
    tested = (of_accuracy.train, of_loss.train, of_accuracy.held_out, of_loss.held_out, "grad_norm")
    return [key for key in tested if key and np.isfinite(history.series(key)).sum() >= FEWEST_RECORDS]


def _not_numbers(history: History) -> Iterator[Anomaly]:
    for key in history.records:
        values = history.series(key)
        kinds: dict[AnomalyKind, np.ndarray] = {
            "nan": np.isnan(values) & history.not_finite(key),
            "inf": values == np.inf,
            "-inf": values == -np.inf,
        }
        for kind, where in kinds.items():
            yield from _entry(history, key, kind, where, "not a number; left out of the fits")
    for key in history.columns.shares():
        yield from _entry(history, key, "negative", history.series(key) < 0, "below 0, where no accuracy can be")


def _outlying(history: History) -> Iterator[Anomaly]:
    tested = tested_keys(history)
    bent = _at(jumps, history, NEAR_A_JUMP)
    for key in tested:
        values = history.series(key)
        finite = np.flatnonzero(np.isfinite(values))
        high, low = outliers(values[finite], len(tested))
        outlying: dict[AnomalyKind, np.ndarray] = {"spike": finite[high], "drop": finite[low]}
        for kind, places in outlying.items():
            yield from _entry(history, key, kind, _marks(len(values), places) & ~bent, "far from the records around it")


def _unchanging(history: History) -> Iterator[Anomaly]:
    columns = history.columns
    of_accuracy, of_loss = columns.accuracy, columns.loss
    rates = history.known(columns.rate)
    at_rest = np.nan_to_num(rates, nan=np.inf) < RATE_AT_REST * np.nan_to_num(rates).max(initial=0)
    for key in (of_loss.train, of_accuracy.train, of_loss.held_out, of_accuracy.held_out):
        values = history.series(key)
        known = np.flatnonzero(np.isfinite(values))
        if key is None or len(known) < FROZEN:
            continue
        if is_constant(values[known]):
            yield from _entry(history, key, "constant", _marks(len(values), known), "the same value in all records")
            continue
        still = at_rest & (key in (of_loss.held_out, of_accuracy.held_out))
        where = _marks(len(values), known[_frozen(values[known], still[known])])
        yield from _entry(history, key, "stall", where, f"the same value {FROZEN} times or more")


def _of_rate_and_time(history: History) -> Iterator[Anomaly]:
    columns = history.columns
    note = f"a pause of more than {PAUSE:.0f} times the usual before it"
    yield from _entry(history, "seconds", "stall", _pauses(history.known("seconds")), note)
    broken = _at(breaks, history) & ~_changed(history)
    yield from _entry(history, columns.rate, "lr_break", broken, "the schedule jumps here")
    found = diverged(history)
    if found:
        note = f"loss {found.now:.3f} over the last {found.records} records, {found.lowest:.3f} around step {found.at}"
        where = history.series("steps") > found.at
        yield from _entry(history, columns.loss.train, "divergence", where, note)


def _frozen(values: np.ndarray, at_rest: np.ndarray) -> np.ndarray:
    """Marks FROZEN or more equal ``values`` (float [N], finite) in a row, not all of them ``at_rest`` (bool [N]).

    Where values repeat by rounding a row must be so long that as many repeats by chance are rarer than
    FROZEN_BY_CHANCE; the longest row itself does not count for that.
    """
    n = len(values)
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    lengths = np.diff(np.append(begins, n))
    longest = int(lengths.max())
    repeats = (n - len(begins) - (longest - 1)) / max(1, n - longest)
    least = FROZEN if repeats == 0 else max(FROZEN, 1 + ceil(log(FROZEN_BY_CHANCE / n) / log(repeats)))
    moving = np.add.reduceat(~at_rest, begins) > 0
    return np.repeat((lengths >= least) & moving, lengths)


def _pauses(seconds: np.ndarray) -> np.ndarray:
    """Marks the records after a long pause: bool [N]; ``seconds`` (float [N]) are cumulative, NaN where unknown."""
    marks = np.zeros(len(seconds), dtype=bool)
    gaps = np.diff(seconds)
    known = gaps[np.isfinite(gaps)]
    if len(known):
        usual = USUAL_PAUSE * float(np.quantile(known, 0.95))
        marks[1:] = gaps > max(PAUSE * float(np.median(known)), usual, PAUSE_SECONDS)
    return marks


def _at(told: Callable[[np.ndarray], np.ndarray], history: History, reach: int = 0) -> np.ndarray:
    """Marks the records that ``told`` finds in the learning rate, and ``reach`` records on either side: bool [N]."""
    rates = history.series(history.columns.rate)
    known = np.flatnonzero(np.isfinite(rates))
    places = known[told(rates[known])]
    around = (places[:, None] + np.arange(-reach, reach + 1)).ravel()
    return _marks(len(rates), around[(around >= 0) & (around < len(rates))])


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


def _entry(history: History, key: str, kind: AnomalyKind, where: np.ndarray, note: str) -> Iterator[Anomaly]:
    """The anomaly at the records marked in ``where`` (bool [N]); nothing where none is."""
    places = np.flatnonzero(where)
    if len(places):
        steps = [history.records["steps"][place] for place in places]
        yield Anomaly(key, kind, len(places), steps[0], steps[-1], steps[:LISTED], note)
