"""The records of histories as CSV, for other programs: ``--csv FILE``."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pipeline.files import atomic
from pipeline.files.history import History


def add_csv_option(group: argparse._ArgumentGroup) -> None:
    """The option of every script that reads histories."""
    group.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="also write the records as CSV: a line a record, the steps first, an empty cell for a null (default: not "
        "written)",
    )


def write_csv(path: Path, histories: Sequence[History]) -> None:
    """Replace ``path`` by one line a record: the lists of ``histories`` by name, a null as an empty cell.

    Of several histories the first column says which one a record is of.
    """
    names = list(dict.fromkeys(name for history in histories for name in history.records))
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    several = len(histories) > 1
    lines.writerow([*(["history"] if several else []), *names])
    for history in histories:
        columns = [history.records.get(name) or [None] * len(history) for name in names]
        for record in zip(*columns, strict=True):
            lines.writerow([*([history.path] if several else []), *record])
    atomic.write_text(path, text.getvalue())
