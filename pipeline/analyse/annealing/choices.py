"""What may be done with a run whose rate has still to fall: bring it down now, or go on.

Whether such a run is finished cannot be read from its records: what the decay brings is not in them yet. So both are
forecast, with what they cost. The decay is ``1 - sqrt`` of its share done, over a fifth of the steps that the run then
has: Hägele et al. (2024, Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations) found this enough.
"""

from __future__ import annotations

import numpy as np

from pipeline.analyse.annealing.ahead import Ahead
from pipeline.analyse.annealing.coming import PLACES, Future, continued, ending
from pipeline.analyse.schema.forecast import Choices, ForecastPoint
from pipeline.statistics.annealing.rate_plan import Plan

DECAY = 0.2  # of the steps that the run then has
STILL_HIGH = 0.1  # share of the peak: below it there is nothing left to choose


def choices(law: Ahead) -> Choices | None:
    """Both choices; None where the rate is down already, or is not known."""
    coming = law.coming
    if law.law.rate_now is None or law.law.rate_now < STILL_HIGH or coming.state == "annealed":
        return None
    falls = coming.planned and coming.plan.rates[-1] < coming.plan.rates.max() * law.law.rate_now / 2
    later = coming.end if falls else 2 * coming.last
    go_on = None
    if law.supports(later):
        go_on = law.point(later) if falls else _decayed(law, later)
    return Choices(decay_now=_decayed(law, coming.last), go_on=go_on)


def _decayed(law: Ahead, start: float) -> ForecastPoint:
    """The end of a decay that begins at ``start``, up to which the rate stays as it is."""
    coming = law.coming
    end = start / (1 - DECAY)
    before = coming.plan if start <= coming.last else continued(coming.plan, coming.last, start, falls=False)
    seen = before.steps <= start
    now = float(np.interp(start, before.steps, before.rates))
    shares = np.linspace(0, 1, PLACES + 1)[1:]
    plan = Plan(
        np.concatenate([before.steps[seen], start + (end - start) * shares]),
        np.concatenate([before.rates[seen], now * (1 - np.sqrt(shares))]),
    )
    return law.point_of(float(round(end)), [Future(plan, ending(end), False)])
