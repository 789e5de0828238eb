"""Whether the accuracy still rises at the end of the records, and since when it does not.

The last quarter of the run is taken for a straight line; its slope, by generalized least squares with the noise of
the whole run (slope.py), is given as the gain over a tenth of the run. A plateau is a gain whose whole interval lies
within WORTH, up or down; an interval that reaches beyond it on both sides is undecided, and ``records_needed`` says
how many records of this kind would decide: the width of the interval falls with the root of their number.

The question is asked within one phase of the learning rate (phases.py): where it changed its course in the last
quarter, only what came after that counts.

The interval is asked for 95 %. Measured on flat ends of simulated runs it holds the truth in 93 to 100 % of 100 and of
300 records where the autoregression of the noise is 0 to 0.7, and in 83 to 88 % of 100 and 95 % of 300 where it is 0.9.
benchmarks/error_rates.py measures it, with the noise of real runs too.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.analyse.schema.accuracy import LocalSlope, Plateau, PlateauState, Slopes
from pipeline.formatting import step_number
from pipeline.statistics.noise import Noise
from pipeline.statistics.slope import Slope, ordinary_slope, slope_test

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


def plateau(
    steps: np.ndarray,
    accuracy: np.ndarray,
    noise: Noise | None,
    phase_ends: list[float],
    *,
    still_falls: bool = False,
) -> Plateau:
    """Whether the accuracy is on a plateau.

    Args:
        steps: float [N].
        accuracy: finite shares of one, float [N].
        noise: that of these records; None for fewer than eight.
        phase_ends: the steps after which another phase of the learning rate begins, rising.
        still_falls: whether the learning rate has still to fall.
    """
    if len(steps) < FEWEST_RECORDS or noise is None:
        return _unknown(f"A plateau is judged from {FEWEST_RECORDS} records on.")
    last = float(steps[-1])
    begun = max((end for end in phase_ends if end < last), default=0.0)
    places = {share: int(np.searchsorted(steps, max(last * share, begun), side="right")) for share in STARTS}
    found = slope_test(steps[places[JUDGED] :], accuracy[places[JUDGED] :], noise)
    if found is None:
        return _unknown("The last quarter of the steps, or the last phase of the learning rate, has too few records.")
    low, high = _gains(found, last)
    state = _state(low, high)
    since = None
    if state == "plateau":
        for share in reversed(STARTS):
            test = slope_test(steps[places[share] :], accuracy[places[share] :], noise)
            if test is None or _state(*_gains(test, last)) != "plateau":
                break
            since = step_number(steps[places[share]])
    gain = found.slope * last / 10
    needed = None
    if state == "undecided":
        # With this gain the interval decides once it is narrow enough to leave out either WORTH or nothing.
        enough = max(WORTH - abs(gain), abs(gain))
        needed = math.ceil(len(steps) * ((high - low) / 2 / enough) ** 2)
    return Plateau(
        state=state,
        since_step=since,
        gain_per_tenth=gain,
        interval=(low, high),
        worth=WORTH,
        note=STILL_FALLS if still_falls else NOTE,
        records_needed=needed,
        judged_from=step_number(steps[places[JUDGED]]),
    )


def slopes_per_10k(steps: np.ndarray, accuracy: np.ndarray, noise: Noise | None, at_end: float | None) -> Slopes:
    """Slopes over the whole run and in tenths of it.

    Args:
        steps: float [N].
        accuracy: finite shares of one, float [N].
        noise: that of these records; None for fewer than eight.
        at_end: share of one per step, of the best curve at the last record.
    """
    scale = 10_000.0
    whole = None if noise is None else ordinary_slope(steps, accuracy, noise)
    overall, overall_interval = _slope(steps, accuracy, None, scale)
    if whole is not None:
        overall_interval = (whole[1][0] * scale, whole[1][1] * scale)
    local = []
    for number in range(10 if len(steps) else 0):
        after, until = float(steps[-1]) * number / 10, float(steps[-1]) * (number + 1) / 10
        inside = (steps > after) & (steps <= until)
        slope, interval = _slope(steps[inside], accuracy[inside], noise, scale)
        local.append(
            LocalSlope(after=after, until=until, records=int(inside.sum()), slope=slope, interval=interval),
        )
    return Slopes(
        overall=overall,
        overall_interval=overall_interval,
        local=local,
        at_end=None if at_end is None else at_end * scale,
    )


def _slope(
    steps: np.ndarray, accuracy: np.ndarray, noise: Noise | None, scale: float
) -> tuple[float | None, tuple[float, float] | None]:
    """Slope through points (float [N] each) per ``scale`` steps, and its interval; that of least squares and none for
    fewer than eight, None for fewer than two."""
    test = None if noise is None else slope_test(steps, accuracy, noise)
    if test is not None:
        return test.slope * scale, (test.interval[0] * scale, test.interval[1] * scale)
    if len(steps) < 2:
        return None, None
    x = steps - steps.mean()
    return float(x @ accuracy / (x @ x)) * scale, None


def _unknown(note: str) -> Plateau:
    return Plateau(None, None, None, None, WORTH, note, None, None)


def _gains(found: Slope, last: float) -> tuple[float, float]:
    """The interval of the gain over a tenth of a run up to step ``last``."""
    return found.interval[0] * last / 10, found.interval[1] * last / 10


def _state(low: float, high: float) -> PlateauState:
    if low > -WORTH and high < WORTH:
        return "plateau"
    if low > 0:
        return "rising"
    return "falling" if high < 0 else "undecided"
