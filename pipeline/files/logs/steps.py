"""At which step each row of a log was written."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from pipeline.files.logs.choices import Choices
from pipeline.files.logs.names import EPOCHS, STEPS, meaning_of
from pipeline.files.logs.notes import Note
from pipeline.files.logs.table import Table, is_numeric, number, numbers

COVERED = 0.9  # part of the rows that a counter must be in to be taken before a coarser one


@dataclass(frozen=True)
class Counter:
    """``steps`` row by row, None where a row has none; ``kind``: what they count; ``columns``: where they stand."""

    steps: list[float | None]
    kind: str
    columns: tuple[str, ...]


def counter_of(table: Table, choices: Choices, measured: list[str]) -> Counter:
    """The counter that the rows with a value in one of the columns ``measured`` have. Notes are added to ``table``."""
    named = choices.columns.get("step")
    if named:
        meaning = meaning_of(named)
        kind = "epoch" if meaning and meaning.measure == "epoch" else "step"
        found = Counter(numbers(table, named), kind, (named,))
    else:
        found = _best(table, measured)
    if not found.columns:
        table.notes.append(Note("no column counts steps: records are numbered from 1"))
        return found
    epochs = [each for each in _counters(table) if each.kind == "epoch"]
    if found.kind == "step" and epochs:
        found = _within_epochs(found, epochs[0]) or found
    if found.kind == "epoch":
        found = _from_one(table, found)
    return found


def _best(table: Table, measured: list[str]) -> Counter:
    rows = [place for place, row in enumerate(table.rows) if any(name in row for name in measured)]
    counters = _counters(table)
    covered = [sum(each.steps[place] is not None for place in rows) for each in counters]
    for counter, count in zip(counters, covered, strict=True):
        if count >= COVERED * len(rows):
            return counter
    if not any(covered):
        return Counter([float(place) for place in range(1, len(table.rows) + 1)], "step", ())
    return counters[covered.index(max(covered))]


def _counters(table: Table) -> list[Counter]:
    """All counters, the best first. Columns of one name but for the part, as train_num_updates and valid_num_updates,
    are one counter."""
    groups: dict[tuple[str, int], list[str]] = {}
    for name in table.names():
        meaning = meaning_of(name)
        if meaning and meaning.measure in ("step", "epoch") and is_numeric(table, name):
            groups.setdefault((meaning.measure, meaning.rank), []).append(name)
    ordered = [("step", rank) for rank in range(len(STEPS))] + [("epoch", rank) for rank in range(len(EPOCHS))]
    return [
        Counter([_first(row, groups[key]) for row in table.rows], key[0], tuple(groups[key]))
        for key in ordered
        if key in groups
    ]


def _first(row: dict[str, object], names: list[str]) -> float | None:
    return next((value for name in names if (value := number(row.get(name))) is not None), None)


def _within_epochs(counter: Counter, epochs: Counter) -> Counter | None:
    """Fractions of epochs, where ``counter`` begins again in every epoch; None where it does not."""
    known = [(step, epoch) for step, epoch in zip(counter.steps, epochs.steps, strict=True)
             if step is not None and epoch is not None]  # fmt: skip
    falls = [(before, after) for before, after in pairwise(known) if after[0] < before[0]]
    if not falls or not all(after[1] > before[1] for before, after in falls):
        return None
    begin = min(epoch for _, epoch in known)
    first = 1 if min(step for step, _ in known) == 0 else 0  # a step counted from 0 is over one later
    length = max(step for step, _ in known) + first
    steps = [
        None if epoch is None else epoch - begin + (1 if step is None else (step + first) / length)
        for step, epoch in zip(counter.steps, epochs.steps, strict=True)
    ]
    return Counter(steps, "epoch", (*counter.columns, *epochs.columns))


def _from_one(table: Table, counter: Counter) -> Counter:
    """Whole epochs counted from 0 are counted from 1, for the record of the first one is made at its end."""
    known = [step for step in counter.steps if step is not None]
    if min(known, default=1) != 0 or not all(float(step).is_integer() for step in known):
        table.notes.append(Note("steps are epochs"))
        return counter
    table.notes.append(Note("steps are epochs, counted from 1 where the log counts from 0"))
    return Counter([None if step is None else step + 1 for step in counter.steps], "epoch", counter.columns)
