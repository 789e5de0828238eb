"""The progress of a run as one calm screen of text, fitted to the terminal's width."""

from __future__ import annotations

from itertools import groupby
from textwrap import wrap

from pipeline.formatting import bytes_text, duration, percent, step_text
from pipeline.monitor.progress import Progress
from pipeline.terminal import NAME, bar, fitted, healthy, row, sparkline, title, warning


def screen(progress: Progress, columns: int = 80, *, styled: bool = False) -> str:
    """The progress in lines of at most ``columns``; ``styled`` sets off titles and warnings by terminal codes."""
    width = fitted(columns)
    blocks = [
        _head(progress, width, styled),
        _motion(progress),
        _accuracy(progress, width),
        _surroundings(progress),
        _health(progress, styled),
        _notes(progress, width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(p: Progress, width: int, styled: bool) -> list[str]:
    state = {"unknown": "whether it goes on is not recorded", "waiting": "waiting for the first record"}
    lines = [title(p.history, state.get(p.state, p.state), width, styled)]
    if p.percent is not None:
        number = f"  {p.percent:5.1f} %"
        lines.append(bar(p.percent / 100, width - len(number)) + number)
    return lines


def _motion(p: Progress) -> list[str]:
    of_total = f" of {p.total_steps:,}" if p.total_steps is not None else ""
    last = f", the last {duration(p.last_record_age)} ago" if p.state in ("running", "stalled") else ""
    lines = [
        row("step", f"{step_text(p.step)}{of_total}", f"{p.records:,} record{'' if p.records == 1 else 's'}{last}")
    ]
    if p.rate_now and p.rate_overall:
        lines.append(row("rate", f"{_rate(p.rate_now)} now", f"{_rate(p.rate_overall)} overall"))
    if p.seconds is not None:
        left = "" if p.eta_seconds is None else f"{duration(p.eta_seconds)} left{_done_at(p)}"
        lines.append(row("time", f"{duration(p.seconds)} so far" if left else duration(p.seconds), left))
    if p.schedule:
        falls = p.schedule.constant_until
        lines.append(row("schedule", str(p.schedule), "" if falls is None else f"the rate falls after step {falls:,}"))
    if p.branch:
        lines.append(row("branch", f"from step {p.branch.step:,}", f"of {p.branch.history}"))
    for step, changes in groupby(p.changes, lambda change: change["step"]):
        for number, each in enumerate(changes):
            names = ("", "") if number else ("changed", f"after step {step:,}")
            lines.append(row(*names, f"{each['setting']} {_short(each['from'])} to {_short(each['to'])}"))
    return lines


def _short(value: object) -> str:
    """A setting in at most 16 columns: versions and processors are long."""
    text = str(value)
    return text if len(text) <= 16 else f"{text[:15]}…"


def _done_at(p: Progress) -> str:
    return "" if p.finish_time is None else f", done at {p.finish_time[:16]}"  # local time, as a wall clock shows it


def _accuracy(p: Progress, width: int) -> list[str]:
    lines, name = [], _name(p)
    if p.eval_mlm_acc is not None and p.eval_mlm_acc_best_step is not None:
        best = f"best {percent(p.eval_mlm_acc_best, missing='')} at step {step_text(p.eval_mlm_acc_best_step)}"
        lines.append(row("held-out", f"{name} {percent(p.eval_mlm_acc, missing='')}", best))
    elif p.eval_loss is not None:
        lines.append(row("held-out", f"loss {p.eval_loss:.3f}"))
    training = [
        text
        for value, text in (
            (p.mlm_acc, f"{name} {percent(p.mlm_acc, missing='')}"),
            (p.nsp_acc, f"NSP {percent(p.nsp_acc, missing='')}"),
            (p.loss, f"loss {p.loss or 0:.3f}"),
            (p.lr, f"lr {p.lr:.2e}" if p.lr else "lr 0"),
        )
        if value is not None
    ]
    if training:
        lines.append(row("training", training[0], "   ".join(training[1:])))
    if p.forecast_end and p.total_steps is not None:
        low, high = p.forecast_end
        lines.append(row("at the end", f"{100 * low:.1f} to {100 * high:.1f} %", f"rough, {p.curve_of}; see --help"))
    if p.curve:
        drawn = sparkline(p.curve, width - NAME - 26)
        scale, unit = (1, "") if "loss" in p.curve_of else (100, "% ")
        lines.append(
            row("curve", f"{drawn}  {scale * min(p.curve):.1f} to {scale * max(p.curve):.1f} {unit}{p.curve_of}")
        )
    return lines


def _name(p: Progress) -> str:
    return "MLM" if p.accuracy_of == "masked characters" else "accuracy"


def _surroundings(p: Progress) -> list[str]:
    lines = []
    if p.disk:
        here = f"{p.disk.checkpoints:,}, with states {bytes_text(p.disk.used)}" if p.disk.checkpoints else "none yet"
        needed = "" if not p.disk.needed else f"{bytes_text(p.disk.needed)} to come, "
        lines.append(row("checkpoints", here, f"{needed}{bytes_text(p.disk.free)} free"))
    if p.deviation:
        difference = f"{100 * p.deviation.difference:+.2f} points"
        lines.append(
            row(
                "reference", difference, f"± {196 * p.deviation.error:.2f}, {p.deviation.of} {_name(p)}, last 8 records"
            )
        )
    return lines


def _health(p: Progress, styled: bool) -> list[str]:
    if p.warnings:
        return [warning(text, styled) for text in p.warnings]
    if not p.records:
        return []
    arriving = ", records arriving on time" if p.state == "running" else ""
    return [healthy(f"nothing wrong found{arriving}", styled)]


def _notes(p: Progress, width: int) -> list[str]:
    """What is to be said of how the log was read, broken to the width."""
    lines = []
    for note in p.notes:
        first, *rest = wrap(note, width - 2 - NAME, break_long_words=False, break_on_hyphens=False)
        lines += [row("log", first), *(row("", part) for part in rest)]
    return lines


def _rate(value: float) -> str:
    """Steps a second, or seconds a step for slow runs."""
    return f"{value:.2f} steps/s" if value >= 0.1 else f"{1 / value:.1f} s a step"
