"""How far, how fast and how healthy a run is, read off its history while it grows.

Nothing but the standard library is imported: the answer must come in a blink, also on a busy machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

from pipeline.files.history import History
from pipeline.files.run_record import LARGEST, Branch, recorded_changes, recorded_config
from pipeline.formatting import Step, bytes_text, duration, step_text
from pipeline.monitor.disk_need import DiskNeed
from pipeline.monitor.quick_forecast import forecast_end
from pipeline.monitor.run_health import Deviation, Points, difference_from_reference, findings, finite
from pipeline.statistics.schedule import Schedule, recorded_schedule

RECENT = 10  # records that "now" is taken over
STALL_FACTOR = 5  # times the usual time between records; an evaluation or a checkpoint may delay one
STALL_SECONDS = 60.0  # and never sooner than this


@dataclass(frozen=True)
class Progress:
    """A run at one moment. Accuracies are shares of one, times seconds, rates steps a second; None is "not known"."""

    history: str
    state: str  # "running", "finished", "stalled"; "waiting" before the first record; "unknown" without a run object
    records: int
    step: Step
    total_steps: int | None
    percent: float | None
    rate_now: float | None
    rate_overall: float | None
    seconds: float | None
    eta_seconds: float | None
    finish_time: str | None
    eval_mlm_acc: float | None
    eval_mlm_acc_best: float | None
    eval_mlm_acc_best_step: Step | None
    mlm_acc: float | None
    nsp_acc: float | None
    loss: float | None
    lr: float | None
    schedule: Schedule | None
    branch: Branch | None
    changes: list[dict[str, Any]]  # made when the run was resumed: {step, setting, from, to}
    last_record_age: float
    usual_interval: float | None
    accuracy_of: str  # what the accuracies count, such as "masked characters"
    eval_loss: float | None
    curve_of: str  # what curve and forecast are of: "held-out" where the history has it, else "training"; without any
    # accuracy "held-out loss" or "training loss", and there is no forecast
    curve: list[float]
    forecast_end: tuple[float, float] | None  # (low, high) at the last step; see quick_forecast.py
    deviation: Deviation | None
    disk: DiskNeed | None
    warnings: list[str]
    notes: list[str]  # how the log of another program was read, and what it lacks

    def to_json(self) -> dict[str, Any]:
        """All but the curve, which the history has; the schedule in the trainer's notation."""
        value = {**asdict(self), "schedule": str(self.schedule) if self.schedule else None}
        del value["curve"]
        return value


def measure(
    history: History,
    modified: float,
    now: float,
    disk: DiskNeed | None = None,
    reference: History | None = None,
) -> Progress:
    """The progress of ``history``, last written at ``modified``, seen at ``now`` (seconds, Unix).

    Raises:
        InputError: the ``run`` object holds values of a wrong type.
    """
    facts, pairs = history.facts, history.columns.pairs
    step, total = history.last_step, facts.count("config", "steps")
    age = max(0.0, now - modified)
    usual = _usual_interval(history)
    state = _state(history, total, facts.text("finished") is not None, age, usual)
    rate_now = _rate(history, RECENT)
    eta, finish = None, None
    if state == "running" and rate_now and total is not None:
        finishing = modified + max(0, total - step) / rate_now
        eta = max(0.0, finishing - now)
        finish = _local_time(finishing)
    held_out = finite(history, history.held_out)
    best = max(((value, at) for at, value in held_out), default=(None, None))
    curve_of, points = _shown(history)
    going_on = state in ("running", "stalled") and total is not None and step < total
    apart = difference_from_reference(history, reference) if reference else None
    return Progress(
        history=str(history.path),
        state=state,
        records=len(history),
        step=step,
        total_steps=total,
        percent=100 * step / total if total else None,
        rate_now=rate_now,
        rate_overall=_rate(history, len(history)),
        seconds=_last(history, "seconds"),
        eta_seconds=eta,
        finish_time=finish,
        eval_mlm_acc=held_out[-1][1] if held_out else None,
        eval_mlm_acc_best=best[0],
        eval_mlm_acc_best_step=best[1],
        mlm_acc=_last(history, history.accuracy),
        nsp_acc=_last(history, pairs.train if pairs else None),
        loss=_last(history, history.columns.loss.train),
        lr=_last(history, history.columns.rate),
        schedule=_schedule(history),
        branch=facts.branch(),
        changes=recorded_changes(history.run),
        last_record_age=age,
        usual_interval=usual,
        accuracy_of=history.columns.accuracy.of,
        eval_loss=losses[-1][1] if (losses := finite(history, history.held_out_loss)) else None,
        curve_of=curve_of,
        curve=[value for _, value in points],
        forecast_end=forecast_end(points, facts.count("config", "warmup") or 0, total)
        if going_on and total and history.best_accuracy
        else None,
        deviation=apart,
        disk=disk,
        warnings=_warnings(history, state, age, usual, disk, apart),
        notes=[note.say() for note in history.notes],
    )


def _shown(history: History) -> tuple[str, Points]:
    """The curve that tells most, and what it is of."""
    curves = {
        "held-out": history.held_out,
        "training": history.accuracy,
        "held-out loss": history.held_out_loss,
        "training loss": history.loss,
    }
    return next(((of, finite(history, key)) for of, key in curves.items() if key), ("training", []))


def _warnings(
    history: History, state: str, age: float, usual: float | None, disk: DiskNeed | None, apart: Deviation | None
) -> list[str]:
    found = []
    if state == "stalled":
        found.append(f"stalled: no record for {duration(age)}, usually one every {duration(usual or 0)}")
    found += findings(history)
    if disk and disk.is_short and disk.needed is not None and state != "finished":
        found.append(f"disk: checkpoints to come need {bytes_text(disk.needed)}, {bytes_text(disk.free)} are free")
    if apart and apart.is_large:
        where = f"{abs(100 * apart.difference):.1f} points {'above' if apart.difference > 0 else 'below'}"
        found.append(f"off the reference: {apart.of} accuracy {where} it around step {step_text(apart.up_to)}")
    return found


def _state(history: History, total: int | None, finished: bool, age: float, usual: float | None) -> str:
    if not len(history):
        return "waiting"
    of_others = "log" in history.run
    if not history.run or (of_others and not (total and history.last_step >= total)):
        return "unknown"
    if finished or of_others:
        return "finished"
    return "stalled" if usual is not None and age > max(STALL_SECONDS, STALL_FACTOR * usual) else "running"


def _usual_interval(history: History) -> float | None:
    """Median seconds between the recent records, or None where the history keeps no time."""
    seconds = [0.0, *(value for _, value in finite(history, "seconds"))][-RECENT - 1 :]
    gaps = sorted(after - before for before, after in pairwise(seconds))
    return gaps[len(gaps) // 2] if gaps else None


def _schedule(history: History) -> Schedule | None:
    """The schedule of the run's settings, None where they name none."""
    try:
        return recorded_schedule(recorded_config(history.run))
    except ValueError:
        return None


def _rate(history: History, over: int) -> float | None:
    """Steps a second over the last ``over`` records."""
    points = [(0, 0.0), *finite(history, "seconds")]
    (first, begun), (last, ended) = points[-1 - min(over, len(points) - 1)], points[-1]
    return (last - first) / (ended - begun) if ended > begun else None


def _last(history: History, key: str | None) -> float | None:
    """The newest value, where it is a finite number."""
    value = history.last(key)
    return value if value is not None and abs(value) <= LARGEST else None


def _local_time(moment: float) -> str | None:
    try:
        return (
            (datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=moment))
            .astimezone()
            .isoformat(sep=" ", timespec="minutes")
        )
    except OverflowError:  # a rate so small that the year has five digits
        return None
