"""The accuracy at the end of a run under way, and on the way there, with the learning rate that is still to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.analyse.annealing.calibration import calibration
from pipeline.analyse.annealing.planned import kind_of, plan_of
from pipeline.analyse.schema.accuracy import Annealing, ForecastPoint
from pipeline.files.history import History
from pipeline.formatting import step_number
from pipeline.statistics.schedule_forecast import Fitted, Outcome, fit_schedule

LEVEL = 0.8
LAST = 0.05  # of the steps: the accuracy at the end is the mean over these
PLACES_OF_END = 20
FALLS = 0.05  # a rate that falls by less than this share of the peak to the end is taken for constant


@dataclass(frozen=True)
class Ahead:
    """The law fitted to a run under way that is still to be annealed."""

    fitted: Fitted
    kind: str | None
    last: float  # step of the last record
    end: float  # the planned last step

    def at_end(self) -> Outcome:
        """The mean accuracy over the last twentieth of the planned steps."""
        return self.fitted.expect(np.linspace((1 - LAST) * self.end, self.end, PLACES_OF_END + 1)[1:])

    def at(self, step: float) -> Outcome:
        """The accuracy at ``step``."""
        return self.fitted.expect(np.array([step]))

    def point(self, step: float, outcome: Outcome) -> ForecastPoint:
        """``outcome`` as it stands in the analysis."""
        low, middle, high = (outcome.quantile(share) for share in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
        return ForecastPoint(step_number(step), step > self.last, middle, (low, high), by_model={})

    def described(self) -> Annealing:
        """What the forecast rests on."""
        plan, gain = self.fitted.plan, self.fitted.gain
        done, whole = plan.progress(np.array([self.last, self.end]))
        return Annealing(
            kind=self.kind,
            calibrated=self.kind in calibration().kinds,
            progress=float(done / whole),
            rate_now=float(np.interp(self.last, plan.steps, plan.rates) / plan.rates.max()),
            rate_at_end=float(plan.rates[-1] / plan.rates.max()),
            gain=gain.mean,
            gain_spread=gain.spread,
        )


def ahead(history: History, key: str | None) -> Ahead | None:
    """The law fitted to the accuracy list ``key``.

    None where the coming rate is not known or hardly falls, where the run is at its end, or for fewer than 8 records.
    """
    plan = plan_of(history)
    steps, accuracy = history.points(key)
    if plan is None or not len(steps) or plan.steps[-1] <= history.last_step or np.ptp(accuracy) == 0:
        return None
    now = np.interp(steps[-1], plan.steps, plan.rates)
    if now - plan.rates[-1] < FALLS * plan.rates.max():
        return None
    kind, known = kind_of(history), calibration()
    fitted = fit_schedule(steps, accuracy, plan, known.gain(kind), known.law)
    return None if fitted is None else Ahead(fitted, kind, float(steps[-1]), float(plan.steps[-1]))
