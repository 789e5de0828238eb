"""The learning rate of a run over its whole length: the recorded rates, and the planned ones after the last record."""

from __future__ import annotations

import numpy as np

from pipeline.files.history import LAST_STEP, History
from pipeline.files.run_record import recorded_config
from pipeline.statistics.schedule import Schedule, recorded_schedule
from pipeline.statistics.schedule_forecast import Plan

PLACES = 400  # steps at which the coming rate is looked at; between them it is taken for a straight line


def kind_of(history: History) -> str | None:
    """The kind of run, by the names of the calibration; None where the history does not say."""
    says = history.run.get("columns") is not None or history.facts.number("config", "mask_rate") is not None
    return "masked language model" if says and history.columns.accuracy.of == "masked characters" else None


def planned_schedule(history: History) -> Schedule | None:
    """The schedule in the run's settings; None where they name none."""
    try:
        return recorded_schedule(recorded_config(history.run))
    except ValueError:
        return None


def plan_of(history: History) -> Plan | None:
    """The rates of the records and, after them, of the run's settings; None where the settings name no schedule."""
    schedule = planned_schedule(history)
    if schedule is None or not history.last_step <= schedule.steps <= LAST_STEP:
        return None
    return joined(*history.points(history.columns.rate), schedule)


def joined(steps: np.ndarray, rates: np.ndarray, schedule: Schedule) -> Plan:
    """The plan that begins with recorded ``rates`` at ``steps`` (float [N] each) and goes on as ``schedule`` says."""
    last = float(steps[-1]) if len(steps) else 0.0
    corners = [float(schedule.warmup), float(schedule.constant_until or 0)]
    coming = np.unique([*np.linspace(last, schedule.steps, PLACES + 1)[1:], *(each for each in corners if each > last)])
    planned = [schedule.rate(max(round(step), 1)) for step in coming]
    return Plan(np.concatenate([steps, coming]), np.concatenate([rates, planned]))
