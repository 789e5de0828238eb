"""How far, how fast and how healthy a run is, read off its history while it grows.

Nothing but the standard library is imported: the answer must come in a blink, also on a busy machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

from pipeline.analyse.facts import Facts
from pipeline.history import History

RECENT = 10  # records that "now" is taken over
STALL_FACTOR = 5  # times the usual time between records; an evaluation or a checkpoint may delay one
STALL_SECONDS = 60.0  # and never sooner than this
NSP_SHARE = 4  # NSP is judged over the last quarter of the records
NSP_RECORDS = 8
SPARK_WIDTH = 60
SPARKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Progress:
    """A run at one moment. Accuracies are shares of one, times seconds, rates steps a second; None is "not known"."""

    history: str
    state: str  # "running", "finished", "stalled"; "waiting" before the first record; "unknown" without a run object
    records: int
    step: int
    total_steps: int | None
    percent: float | None
    rate_now: float | None
    rate_overall: float | None
    seconds: float | None
    eta_seconds: float | None
    finish_time: str | None
    eval_mlm_acc: float | None
    eval_mlm_acc_best: float | None
    eval_mlm_acc_best_step: int | None
    mlm_acc: float | None
    nsp_acc: float | None
    loss: float | None
    lr: float | None
    last_record_age: float
    usual_interval: float | None
    sparkline_of: str
    sparkline: str
    warnings: list[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(path: Path, history: History, modified: float, now: float) -> Progress:
    """The progress of the history read from ``path``, last written at ``modified``, seen at ``now`` (seconds, Unix).

    Raises:
        InputError: the ``run`` object holds values of a wrong type.
    """
    facts = Facts(path, history.run)
    records = history.records
    steps = records["steps"]
    step, total = (steps[-1] if steps else 0), facts.count("config", "steps")
    age = max(0.0, now - modified)
    usual = _usual_interval(history)
    state = _state(history, facts.text("finished") is not None, age, usual)
    rate_now = _rate(history, RECENT)
    eta, finish = None, None
    if state == "running" and rate_now and total is not None:
        finishing = modified + max(0, total - step) / rate_now
        eta = max(0.0, finishing - now)
        finish = _local_time(finishing)
    held_out = [(value, at) for value, at in zip(records.get("eval_mlm_acc", []), steps, strict=False) if _good(value)]
    best = max(held_out, default=(None, None))
    shown = "held-out MLM accuracy" if held_out else "training MLM accuracy"
    warnings = _not_numbers(history) + _nsp_at_chance(history)
    if state == "stalled":
        warnings.insert(0, f"stalled: no record for {duration(age)}, usually one every {duration(usual or 0)}")
    return Progress(
        history=str(path),
        state=state,
        records=len(history),
        step=step,
        total_steps=total,
        percent=100 * step / total if total else None,
        rate_now=rate_now,
        rate_overall=_rate(history, len(history)),
        seconds=_last(records.get("seconds", [])),
        eta_seconds=eta,
        finish_time=finish,
        eval_mlm_acc=held_out[-1][0] if held_out else None,
        eval_mlm_acc_best=best[0],
        eval_mlm_acc_best_step=best[1],
        mlm_acc=_last(records["mlm_acc"]),
        nsp_acc=_last(records["nsp_acc"]),
        loss=_last(records["loss"]),
        lr=_last(records["lr"]),
        last_record_age=age,
        usual_interval=usual,
        sparkline_of=shown,
        sparkline=sparkline(
            [value for value, _ in held_out] or [value for value in records["mlm_acc"] if _good(value)]
        ),
        warnings=warnings,
    )


def screen(progress: Progress) -> str:
    """The progress as one screen of text."""
    p = progress
    of_total = f" of {p.total_steps:,} ({p.percent:.1f} %)" if p.total_steps and p.percent is not None else ""
    state = "whether it goes on is not recorded" if p.state == "unknown" else p.state
    lines = [f"{p.history}: {state}", f"  step      {p.step:,}{of_total}, {p.records:,} records"]
    if p.rate_now and p.rate_overall:
        lines.append(f"  rate      {p.rate_now:.2f} steps/s now, {p.rate_overall:.2f} overall")
    if p.seconds is not None:
        lines.append(f"  trained   {duration(p.seconds)}")
    if p.eta_seconds is not None:
        lines.append(f"  left      {duration(p.eta_seconds)}, done at {p.finish_time}")
    if p.eval_mlm_acc is not None and p.eval_mlm_acc_best is not None:
        lines.append(
            f"  held-out  MLM {100 * p.eval_mlm_acc:.2f} %, best {100 * p.eval_mlm_acc_best:.2f} % "
            f"at step {p.eval_mlm_acc_best_step:,}"
        )
    training = [
        f"{name} {scale * value:{form}}{unit}"
        for name, value, scale, form, unit in (
            ("MLM", p.mlm_acc, 100, ".2f", " %"),
            ("NSP", p.nsp_acc, 100, ".1f", " %"),
            ("loss", p.loss, 1, ".3f", ""),
            ("lr", p.lr, 1, ".3g", ""),
        )
        if value is not None
    ]
    if training:
        lines.append("  training  " + ", ".join(training))
    if p.sparkline:
        lines.append(f"  {p.sparkline}  {p.sparkline_of}")
    lines += [f"  ! {warning}" for warning in p.warnings]
    if p.records and not p.warnings:
        lines.append(
            "  healthy   every value a number" + (", records arriving on time" if p.state == "running" else "")
        )
    return "\n".join(lines)


def sparkline(values: list[float]) -> str:
    """``values`` as a line of blocks, from their least to their greatest; longer lists are averaged down."""
    if not values:
        return ""
    width = min(SPARK_WIDTH, len(values))
    edges = [len(values) * place // width for place in range(width + 1)]
    means = [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(SPARKS) - 1) / (high - low) if high > low else 0.0
    return "".join(SPARKS[round((mean - low) * scale)] for mean in means)


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 05 s``, ``22 h 31 min`` or ``3 d 4 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def _state(history: History, finished: bool, age: float, usual: float | None) -> str:
    if not len(history):
        return "waiting"
    if not history.run:
        return "unknown"
    if finished:
        return "finished"
    return "stalled" if usual is not None and age > max(STALL_SECONDS, STALL_FACTOR * usual) else "running"


def _usual_interval(history: History) -> float | None:
    """Median seconds between the recent records, or None where the history keeps no time."""
    seconds = [0.0, *(value for value in history.records.get("seconds", []) if _good(value))][-RECENT - 1 :]
    gaps = sorted(after - before for before, after in pairwise(seconds))
    return gaps[len(gaps) // 2] if gaps else None


def _rate(history: History, over: int) -> float | None:
    """Steps a second over the last ``over`` records."""
    seconds = history.records.get("seconds", [])
    points = [(0, 0.0), *(point for point in zip(history.records["steps"], seconds, strict=False) if _good(point[1]))]
    (first, begun), (last, ended) = points[-1 - min(over, len(points) - 1)], points[-1]
    return (last - first) / (ended - begun) if ended > begun else None


def _not_numbers(history: History) -> list[str]:
    found = []
    for key, values in history.records.items():
        bad = [step for step, value in zip(history.records["steps"], values, strict=True) if value is not None
               and not isfinite(value)]  # fmt: skip
        if bad:
            found.append(f"{key}: {len(bad)} NaN or infinite, the last at step {bad[-1]:,}")
    return found


def _nsp_at_chance(history: History) -> list[str]:
    """A warning where the recent NSP accuracy is within three standard errors of a coin's.

    The error comes from the scatter of the records, so that the published history, which does not say how many pairs
    each record counts, is judged the same way.
    """
    values = [value for value in history.records["nsp_acc"] if _good(value)]
    recent = values[-max(NSP_RECORDS, len(values) // NSP_SHARE) :]
    if len(recent) < NSP_RECORDS:
        return []
    mean = sum(recent) / len(recent)
    error = sqrt(sum((value - mean) ** 2 for value in recent) / (len(recent) - 1) / len(recent))
    if mean - 0.5 > 3 * error:
        return []
    return [f"NSP at chance: {100 * mean:.1f} % over the last {len(recent)} records"]


def _good(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _last(values: list[Any]) -> float | None:
    """The last value where it is a number."""
    return values[-1] if values and _good(values[-1]) else None


def _local_time(moment: float) -> str | None:
    try:
        return (
            (datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=moment))
            .astimezone()
            .isoformat(sep=" ", timespec="minutes")
        )
    except OverflowError:  # a rate so small that the year has five digits
        return None
