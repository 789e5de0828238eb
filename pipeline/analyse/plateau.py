"""Whether the accuracy still rises at the end of the records, and since when it does not.

The last quarter of the records is taken for a straight line; its slope, with errors that respect autocorrelation
(slope.py), is given as the gain over a tenth of the run. A plateau is a gain whose whole interval lies within WORTH, up
or down; an interval that reaches beyond it on both sides is undecided.

The intervals, here and of the slopes of tenths, are asked for 95 % and hold less. Measured on flat runs, that of the
last quarter holds the truth in 93 % of 1,000 records, 88 % of 300 and 80 % of 100 where neighbouring records hardly
correlate, in 77 % of 300 with an autoregression of 0.9; that of a tenth in 80 % of 300 records and 88 % of 1,000.
"""

from __future__ import annotations

import numpy as np

from pipeline.analyse.schema.accuracy import LocalSlope, Plateau, PlateauState, Slopes
from pipeline.formatting import step_number
from pipeline.statistics.slope import Slope, slope_test

NOTE = (
    "Slope of the last quarter of the run, as the gain over a tenth of it; a schedule that anneals the learning rate "
    "flattens every run at its end."
)
STILL_FALLS = (
    "Slope of the last quarter of the records, as the gain over a tenth of them. The learning rate has still to fall, "
    "and what that brings is not in them: a plateau does not say that the run is finished. forecast.choices says what "
    "bringing the rate down at once, or going on, would give."
)
WORTH = 0.002  # accuracy (share of one) gained over a tenth of the run that would count as rising
FEWEST_RECORDS = 40
STARTS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)  # of the run
JUDGED = STARTS[-1]


def plateau(steps: np.ndarray, accuracy: np.ndarray, *, still_falls: bool = False) -> Plateau:
    """Whether the accuracy is on a plateau; ``steps`` and ``accuracy`` (finite shares of one) are float [N] each."""
    if len(steps) < FEWEST_RECORDS:
        return _unknown(f"A plateau is judged from {FEWEST_RECORDS} records on.")
    tenth = float(steps[-1]) / 10
    tests = {share: slope_test(steps[place:], accuracy[place:]) for share, place in _places(steps).items()}
    found = tests[JUDGED]
    if found is None:
        return _unknown("The last quarter of the steps holds too few records.")
    low, high = (value * tenth for value in found.interval)
    state = _state(low, high)
    since = None
    if state == "plateau":
        for share in reversed(STARTS):
            test = tests[share]
            if test is None or _state(*(value * tenth for value in test.interval)) != "plateau":
                break
            since = step_number(steps[_places(steps)[share]])
    return Plateau(
        state=state,
        since_step=since,
        gain_per_tenth=found.slope * tenth,
        interval=(low, high),
        worth=WORTH,
        note=STILL_FALLS if still_falls else NOTE,
    )


def slopes_per_10k(steps: np.ndarray, accuracy: np.ndarray, at_end: float | None) -> Slopes:
    """Slopes over the whole run and in tenths of it.

    Args:
        steps: float [N].
        accuracy: finite shares of one, float [N].
        at_end: share of one per step, of the best curve at the last record.
    """
    scale = 10_000.0
    overall = _line(steps, accuracy)
    local = []
    for number in range(10 if len(steps) else 0):
        after, until = float(steps[-1]) * number / 10, float(steps[-1]) * (number + 1) / 10
        inside = (steps > after) & (steps <= until)
        part, test = _line(steps[inside], accuracy[inside]), slope_test(steps[inside], accuracy[inside])
        local.append(
            LocalSlope(
                after=after,
                until=until,
                records=int(inside.sum()),
                slope=None if part is None else part * scale,
                interval=_times(test, scale),
            )
        )
    return Slopes(
        overall=None if overall is None else overall * scale,
        overall_interval=_times(slope_test(steps, accuracy), scale),
        local=local,
        at_end=None if at_end is None else at_end * scale,
    )


def _unknown(note: str) -> Plateau:
    return Plateau(state=None, since_step=None, gain_per_tenth=None, interval=None, worth=WORTH, note=note)


def _state(low: float, high: float) -> PlateauState:
    if low > -WORTH and high < WORTH:
        return "plateau"
    if low > 0:
        return "rising"
    return "falling" if high < 0 else "undecided"


def _places(steps: np.ndarray) -> dict[float, int]:
    """The first record after each of STARTS, in ``steps`` (float [N])."""
    return {share: int(np.searchsorted(steps, steps[-1] * share, side="right")) for share in STARTS}


def _line(steps: np.ndarray, accuracy: np.ndarray) -> float | None:
    """The least-squares slope through points (float [N] each), share of one per step; None for fewer than two."""
    if len(steps) < 2:
        return None
    x = steps - steps.mean()
    return float(x @ accuracy / (x @ x))


def _times(test: Slope | None, scale: float) -> tuple[float, float] | None:
    return None if test is None else (test.interval[0] * scale, test.interval[1] * scale)
