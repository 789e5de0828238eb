"""How far, how fast and how healthy a run is, read off its history while it grows.

Neither SciPy nor torch is imported: the answer must come in a blink, also on a busy machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

from pipeline.files.history import History
from pipeline.files.logs.notes import Note
from pipeline.files.run_record import LARGEST, Branch, Resume, newest_resume, recorded_changes, recorded_config
from pipeline.formatting import Step
from pipeline.monitor.disk_need import DiskNeed
from pipeline.monitor.quick_forecast import forecast_end
from pipeline.monitor.run_health import Deviation, Points, difference_from_reference, findings, finite, remarks
from pipeline.monitor.speed import speed_of
from pipeline.monitor.words import screen_words
from pipeline.statistics.schedule import Schedule, recorded_schedule
from pipeline.words import Sentence

RECENT = 10  # records that the usual time between two is taken over
STALL_FACTOR = 5  # times the usual time between records; an evaluation or a checkpoint may delay one
STALL_SECONDS = 60.0  # and never sooner than this
STARTING_SECONDS = 300.0  # nor than this before a process's first record: it reads its data and may compile first


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
    rate_is_earlier: bool  # the process at work has too few records to be timed by: the rate is that of before it
    rate_overall: float | None
    resumed: Resume | None  # where the process at work took the run up
    records_since_resume: int | None  # None of a run that was not resumed
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
    warnings: list[Sentence]
    remarks: list[Sentence]  # nothing wrong so far, but worth knowing
    notes: list[Note]  # how the log of another program was read, and what it lacks

    def to_json(self) -> dict[str, Any]:
        """All but the curve, which the history has; sentences in English, the schedule in the trainer's notation."""
        say = screen_words("en")
        value = {**asdict(self), "schedule": str(self.schedule) if self.schedule else None}
        value |= {name: [each.say(say) for each in getattr(self, name)] for name in ("warnings", "remarks")}
        value["notes"] = [note.say() for note in self.notes]
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
    speed, resumed = speed_of(history), newest_resume(history.run)
    since = None if resumed is None else sum(at > resumed.step for at in history.steps)
    state = _state(history, total, facts.text("finished") is not None, age, usual, starting=since == 0)
    eta, finish = None, None
    if state == "running" and speed.now and total is not None:
        # Before the first record of a process the file was last written when that took the run up.
        reached = resumed.step if resumed and since == 0 else step
        finishing = modified + max(0, total - reached) / speed.now
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
        rate_now=speed.now,
        rate_is_earlier=speed.is_earlier and state != "finished",
        rate_overall=speed.overall,
        resumed=resumed,
        records_since_resume=since,
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
        remarks=remarks(history),
        notes=history.notes,
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
) -> list[Sentence]:
    found = []
    if state == "stalled":
        text = "stalled: no record for {age:duration}, usually one every {usual:duration}"
        found.append(Sentence(text, {"age": age, "usual": usual or 0.0}))
    found += findings(history)
    if disk and disk.is_short and disk.needed is not None and state != "finished":
        text = "disk: checkpoints to come need {needed:bytes}, {free:bytes} are free"
        found.append(Sentence(text, {"needed": disk.needed, "free": disk.free}))
    if apart and apart.is_large:
        side = "above" if apart.difference > 0 else "below"
        text = f"off the reference: {{of}} accuracy {{points:.1f}} points {side} it around step {{step:,}}"
        points = abs(100 * apart.difference)
        found.append(Sentence(text, {"of": Sentence(apart.of), "points": points, "step": apart.up_to}))
    return found


def _state(
    history: History, total: int | None, finished: bool, age: float, usual: float | None, *, starting: bool
) -> str:
    if not len(history):
        return "waiting"
    of_others = "log" in history.run
    if not history.run or (of_others and not (total and history.last_step >= total)):
        return "unknown"
    if finished or of_others:
        return "finished"
    least = STARTING_SECONDS if starting else STALL_SECONDS
    return "stalled" if usual is not None and age > max(least, STALL_FACTOR * usual) else "running"


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
