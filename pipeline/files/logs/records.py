"""The rows of a log as the records of a history: one a step, in order, every column a list of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isnan
from typing import Any

from pipeline.files.columns import AccuracyColumns, Columns, LossColumns
from pipeline.files.history import History, check_shares, check_steps
from pipeline.files.logs.choices import Choices
from pipeline.files.logs.names import meaning_of, percent_as_a_rule, percent_at_times
from pipeline.files.logs.notes import Note
from pipeline.files.logs.roles import loss_unit, roles_of
from pipeline.files.logs.steps import Counter, counter_of
from pipeline.files.logs.table import Table, is_numeric, numbers
from pipeline.formatting import step_number
from pipeline.stage import InputError

RESUMED = 4  # the steps of a run that was resumed go back at most once in so many records; unsorted ones do more often
Values = list[float | None]


def history_of(table: Table, choices: Choices) -> History:
    """The history in ``table``; its ``notes`` say how it was read.

    Raises:
        InputError: it has no rows, or its columns are not known or hold what they cannot.
    """
    names = table.names()
    if not table.rows:
        raise InputError(f"{table.path}: the history is still empty; wait for its first record")
    ours = not choices.columns and any(name in names for name in Columns().shares())
    roles = _our_roles(names) if ours else roles_of(table, choices)
    measured = [name for role, name in roles.items() if role != "lr"]
    counter = counter_of(table, choices, measured)
    others = [name for name in table.names() if name not in (*counter.columns, "steps")]
    kept = [name for name in others if name in roles.values() or is_numeric(table, name)]
    records: dict[str, Any] = _by_step(table, counter, {name: numbers(table, name) for name in kept}, measured)
    _name_what_is_cumulative(records, kept)
    columns = Columns() if ours else _columns(roles, loss_unit(table, roles.get("loss")), counter.kind, records)
    run: dict[str, Any] = {"log": {"format": table.format}, "columns": columns.to_json()}
    if table.plan is not None:
        run["config"] = {"steps": table.plan}
    shown = {**roles, "step": "+".join(counter.columns)} if counter.columns else roles
    told = " ".join(f"{role}={name}" for role, name in shown.items())
    history = History(records, run, table.path)
    history.notes = [Note("read as {format}: {roles}", {"format": table.format, "roles": told}), *table.notes]
    often = [name for name in columns.shares() if percent_at_times(name) or name in table.in_percent]
    divide(history, choices, often)
    check_shares(history)
    return history


def choose(history: History, choices: Choices) -> History:
    """A history of our own form, with what the user says of its lists.

    Raises:
        InputError: another list than "steps" is named for the step.
    """
    columns, named = history.columns, dict(choices.columns)
    if named.pop("step", "steps") != "steps":
        raise InputError(f"{history.path}: a history of this form has its steps in 'steps'; leave --columns step= out")
    accuracy = replace(columns.accuracy, train=named.get("accuracy", columns.accuracy.train),
                       held_out=named.get("held_out", columns.accuracy.held_out))  # fmt: skip
    loss = replace(columns.loss, train=named.get("loss", columns.loss.train),
                   held_out=named.get("held_out_loss", columns.loss.held_out))  # fmt: skip
    chosen = replace(columns, accuracy=accuracy, loss=loss, rate=named.get("lr", columns.rate))
    if named:
        history.run = {**history.run, "columns": chosen.to_json()}
    divide(history, choices, [])
    check_shares(history)
    return history


def divide(history: History, choices: Choices, often: Iterable[str]) -> None:
    """Divide by 100 the accuracies that are in percent: those that were named, else those of ``often`` above 1."""
    lists = [name for name in dict.fromkeys(history.columns.shares()) if history.has(name)]
    above = {name for name in lists if any(value is not None and value > 1 for value in history.records[name])}
    often = [name for name in dict.fromkeys(often) if name in lists]
    divided = choices.percent or [name for name in (often if choices.percent is None else lists) if name in above]
    for name in divided:
        history.records[name] = [None if value is None else value / 100 for value in history.records[name]]
    if divided:
        history.notes.append(Note("{names}: in percent, divided by 100", {"names": ", ".join(divided)}))
    text = "{name}: often in percent, but never above 1 here, so taken as shares; --percent {name} divides"
    history.notes += [
        Note(text, {"name": name}) for name in often if percent_as_a_rule(name) and name not in {*divided, *above}
    ]


def _our_roles(names: list[str]) -> dict[str, str]:
    columns = Columns()
    known = {"accuracy": columns.accuracy.train, "held_out": columns.accuracy.held_out, "loss": columns.loss.train,
             "held_out_loss": columns.loss.held_out, "lr": columns.rate}  # fmt: skip
    return {role: name for role, name in known.items() if name and name in names}


def _by_step(table: Table, counter: Counter, columns: dict[str, Values], measured: Sequence[str]) -> dict[str, Values]:
    """The columns (values row by row) merged into one record a step. What that does to the columns that are
    ``measured`` is noted in ``table``."""
    at = [None if step is None or isnan(step) else step for step in counter.steps]
    if None in at:
        table.notes.append(Note("{count:,} rows have no step: left out", {"count": at.count(None)}))
    lists: dict[str, dict[float, float]] = {}
    replaced, unsorted = 0, False
    dropped: set[float] = set()  # steps of before a restart
    for name, values in columns.items():
        pairs = [(step, value) for step, value in zip(at, values, strict=True)
                 if step is not None and value is not None]  # fmt: skip
        falls = sum(after[0] < before[0] for before, after in pairwise(pairs))
        if name not in measured:
            lists[name] = _last_of_each(pairs)[0]
        elif falls * RESUMED > len(pairs):
            lists[name], unsorted = dict(pairs), True
        else:
            kept, lost = _without_lost_part(pairs) if falls else (pairs, [])
            lists[name], twice = _last_of_each(kept)
            replaced = max(replaced, twice + len(lost))
            dropped |= set(lost)
    dropped -= {step for name in measured for step in lists.get(name, {})}
    if unsorted:
        table.notes.append(Note("the rows are not in the order of their steps: sorted"))
    if replaced:
        text = "{count:,} records were written before a restart at an earlier step, or twice at one step: the last ones"
        table.notes.append(Note(f"{text} count", {"count": replaced}))
    steps = sorted({step for known in lists.values() for step in known} - dropped)
    check_steps(table.path, steps)
    merged: dict[str, Values] = {"steps": [step_number(step) for step in steps]}
    return merged | {name: [known.get(step) for step in steps] for name, known in lists.items()}


def _last_of_each(pairs: list[tuple[float, float]]) -> tuple[dict[float, float], int]:
    """The last value of each step, and how many others there were. A NaN gives way to a number: rows that lack a value
    are written with one by some programs."""
    found: dict[float, float] = {}
    lost = 0
    for step, value in pairs:
        before = found.get(step)
        if before is None or isnan(before):
            found[step] = value
        elif not isnan(value):
            lost += value != before
            found[step] = value
    return found, lost


def _without_lost_part(pairs: list[tuple[float, float]]) -> tuple[list[tuple[float, float]], list[float]]:
    """What counts of a run that was killed and resumed at an earlier step, and the steps of what was lost."""
    kept: list[tuple[float, float]] = []
    lost = []
    for step, value in pairs:
        while kept and kept[-1][0] > step:
            lost.append(kept.pop()[0])
        kept.append((step, value))
    return kept, lost


def _name_what_is_cumulative(records: dict[str, Any], names: list[str]) -> None:
    """Add seconds, tokens and the gradient norm by the names that the analysis knows them by."""
    for name in names:
        meaning = meaning_of(name)
        measure = meaning.measure if meaning else None
        if measure in ("seconds", "tokens", "grad_norm"):
            records.setdefault(measure, records[name])
        elif measure == "clock":
            begin = next((value for value in records[name] if value is not None), 0.0)
            records.setdefault("seconds", [None if value is None else value - begin for value in records[name]])


def _columns(roles: dict[str, str], unit: str, kind: str, records: dict[str, Any]) -> Columns:
    def named(role: str, otherwise: str) -> str:
        """The column of ``role``, else a name that no column has."""
        while role not in roles and otherwise in records:
            otherwise += "_"
        return roles.get(role, otherwise)

    return Columns(
        AccuracyColumns(named("accuracy", "accuracy"), roles.get("held_out"), None, None, "answers"),
        LossColumns(named("loss", "loss"), roles.get("held_out_loss"), unit),
        None,
        named("lr", "lr"),
        kind,
    )
