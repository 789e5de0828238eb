"""A log as its rows, whatever file they came from: the border between the readers and the meaning of the columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.files.logs.notes import Note
from pipeline.stage import InputError

PARTS = ("mode", "split", "phase", "stage", "subset", "partition")  # columns that say which data a row is about
NAMES_SHOWN = 30
EMPTY = {"", "none", "null", "n/a", "na", "-"}  # cells without a value; "nan" is one

Row = dict[str, Any]


@dataclass
class Table:
    """Rows in the order of the file; a row lacks the columns that it has no value for. Values are as they were read.

    ``format`` names the kind of file; ``plan`` is the number of steps that the whole run will have, where it is known;
    ``in_percent`` names columns that this kind of file has in percent as a rule.
    """

    path: Path
    format: str
    rows: list[Row]
    notes: list[Note] = field(default_factory=list)
    plan: int | None = None
    in_percent: frozenset[str] = frozenset()

    def names(self) -> list[str]:
        """All columns, in the order of their first value."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def cells(self, name: str) -> list[Any]:
        """Column ``name`` row by row, None where it has no value."""
        return [row.get(name) for row in self.rows]

    def named(self) -> str:
        """The columns in one line, for messages."""
        names = self.names()
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        return (", ".join(names[:NAMES_SHOWN]) + more) or "none"


def flat(entry: Row, before: str = "") -> Row:
    """``entry`` with the keys of objects inside it joined by "/", and without empty cells."""
    found: Row = {}
    for key, value in entry.items():
        if isinstance(value, dict):
            found |= flat(value, f"{before}{key}/")
        elif value is not None and not (isinstance(value, str) and value.strip().lower() in EMPTY):
            found[f"{before}{key}"] = value
    return found


def by_part(rows: Iterable[Row]) -> list[Row]:
    """``rows`` with the word of a column such as "split" put before the names of their other columns."""
    found = []
    for row in rows:
        part = next((key for key in PARTS if isinstance(row.get(key), str)), None)
        if part is None:
            found.append(row)
        else:
            found.append({f"{row[part]}/{key}": value for key, value in row.items() if key != part})
    return found


def number(value: Any) -> float | None:
    """``value``, or the text of one, as a number; None where it is something else."""
    if type(value) in (int, float):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip().replace("−", "-")
    if text.endswith("%"):
        share = number(text[:-1])
        return None if share is None else share / 100
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return None


def numbers(table: Table, name: str) -> list[float | None]:
    """Column ``name`` as numbers, row by row.

    Raises:
        InputError: a value is something else.
    """
    found: list[float | None] = []
    for place, cell in enumerate(table.cells(name), start=1):
        value = number(cell)
        if cell is not None and value is None:
            raise InputError(f"{table.path}: {name} in row {place} must be a number, not {str(cell)[:40]!r}")
        found.append(value)
    return found


def is_numeric(table: Table, name: str) -> bool:
    """Whether all values of column ``name`` are numbers."""
    return all(cell is None or number(cell) is not None for cell in table.cells(name))
