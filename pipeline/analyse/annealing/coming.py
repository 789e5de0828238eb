"""The learning rate of a run, recorded and still to come, and the futures that a question about a step may mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.analyse.schema.forecast import Schedule as State
from pipeline.files.history import LAST_STEP, History
from pipeline.files.run_record import recorded_config
from pipeline.statistics.annealing.rate_plan import Plan
from pipeline.statistics.schedule import Schedule, recorded_schedule
from pipeline.statistics.smoothing import average_down

PLACES = 400  # steps at which the coming rate is looked at; between them it is taken for a straight line
FEWEST_RATES = 8
ANNEALED = 0.05  # share of the peak rate below which a schedule counts as ended
CONSTANT = 0.05  # share of the peak rate by which a rate that is called constant may vary
TAIL_PARTS = 20  # of the run; the later half of them must hold one rate for it to be constant


@dataclass(frozen=True)
class Future:
    """One way in which a run goes on, or a longer one goes; the question is about ``steps`` (float [M])."""

    plan: Plan
    steps: np.ndarray
    another_run: bool


@dataclass(frozen=True)
class Coming:
    """What is known of the rate: ``plan`` up to the last record, and of a ``planned`` run to its end."""

    state: State
    plan: Plan
    last: float  # step of the last record
    end: float  # the planned last step; the last record's where no plan goes beyond it
    recorded: bool = True  # whether the rate up to the last record is known

    @property
    def planned(self) -> bool:
        """Whether the rate from the last record to ``end`` is known."""
        return self.state == "unfinished" and float(self.plan.steps[-1]) >= self.end

    def futures(self, step: float) -> list[Future]:
        """The futures to average over for the accuracy at ``step``.

        Beyond the end of a schedule another, longer run is meant, with a schedule of the same shape; where the coming
        rate is not known, it may stay, or be brought down to nothing at that step.
        """
        if step <= self.last:
            return [Future(self.plan, np.array([step]), False)]
        if self.planned and step <= self.end:
            return [Future(self.plan, ending(step) if step == self.end else np.array([step]), False)]
        if self.planned or self.state == "annealed":
            longer = Plan(self.plan.steps * step / self.end, self.plan.rates)
            return [Future(longer, ending(step), True)]
        stays = Future(continued(self.plan, self.last, step, falls=False), np.array([step]), False)
        if self.state == "constant":
            return [stays]
        falls = Future(continued(self.plan, self.last, step, falls=True), ending(step), False)
        return [stays, falls]


def ending(step: float) -> np.ndarray:
    """The last twentieth of the steps of a run that ends at ``step``: what counts as its end."""
    return np.linspace(0.95 * step, step, 21)[1:]


def continued(plan: Plan, last: float, end: float, *, falls: bool) -> Plan:
    """``plan`` to step ``last``, and from there to ``end`` with the rate that it has, or in a straight line to 0."""
    seen = plan.steps <= last
    now = float(np.interp(last, plan.steps, plan.rates))
    places = np.linspace(last, end, PLACES + 1)[1:]
    rates = now * (end - places) / (end - last) if falls else np.full(len(places), now)
    return Plan(np.concatenate([plan.steps[seen], places]), np.concatenate([plan.rates[seen], rates]))


def coming_rate(history: History, given: Schedule | None = None) -> Coming:
    """The rate of ``history``: of the schedule that was ``given``, else of its settings, else of its records."""
    steps, rates = history.points(history.columns.rate)
    last = float(history.last_step)
    schedule = given or planned_schedule(history)
    if schedule is not None and last < schedule.steps <= LAST_STEP:
        return Coming("unfinished", joined(steps, rates, schedule), last, float(schedule.steps))
    end = max(float(history.facts.count("config", "steps") or 0), last)
    if len(rates) >= FEWEST_RATES and rates.max() > 0:
        return Coming("unfinished" if end > last else state_of(rates), Plan(steps, rates), last, end)
    if schedule is not None:
        plan = joined(steps[:0], rates[:0], schedule)
        return Coming(state_of(plan.rates), plan, last, last)
    plan = Plan(np.array([0.0, last]), np.array([1.0, 1.0]))
    return Coming("unfinished" if end > last else "unknown", plan, last, end, recorded=False)


def state_of(rates: np.ndarray) -> State:
    """How a schedule stands, by its positive ``rates`` so far (float [N])."""
    if rates[-1] <= ANNEALED * rates.max():
        return "annealed"
    tail = average_down(rates, rates, TAIL_PARTS)[1][TAIL_PARTS // 2 :]
    return "constant" if np.ptp(tail) <= CONSTANT * rates.max() else "unknown"


def planned_schedule(history: History) -> Schedule | None:
    """The schedule in the run's settings; None where they name none."""
    try:
        return recorded_schedule(recorded_config(history.run))
    except ValueError:
        return None


def joined(steps: np.ndarray, rates: np.ndarray, schedule: Schedule) -> Plan:
    """The plan that begins with recorded ``rates`` at ``steps`` (float [N] each) and goes on as ``schedule`` says.

    A schedule that was given without its peak takes the scale of the records.
    """
    last = float(steps[-1]) if len(steps) else 0.0
    corners = [float(schedule.warmup), float(schedule.constant_until or 0)]
    places = np.linspace(last, schedule.steps, PLACES + 1)[1:]
    coming = np.unique([*places, *(each for each in corners if each > last)])
    planned = np.array([schedule.rate(max(round(step), 1)) for step in coming])
    if len(steps) and rates[-1] > 0 and schedule.rate(max(round(last), 1)) > 0:
        planned *= rates[-1] / schedule.rate(max(round(last), 1))
    return Plan(np.concatenate([steps, coming]), np.concatenate([rates, planned]))


def kind_of(history: History) -> str | None:
    """The kind of run, by the names of the calibration; None where the history does not say."""
    says = history.run.get("columns") is not None or history.facts.number("config", "mask_rate") is not None
    return "masked language model" if says and history.columns.accuracy.of == "masked characters" else None
