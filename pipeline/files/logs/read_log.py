"""Whatever a trainer wrote, as a history: the kind of file is told by its content, the meaning of its columns by their
names or by the user."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.files.columns import Columns
from pipeline.files.history import History, parse_history
from pipeline.files.json_object import parse_json, read_text
from pipeline.files.logs.choices import Choices
from pipeline.files.logs.csv_file import csv_table
from pipeline.files.logs.json_rows import array_table, json_lines_table, lists_table
from pipeline.files.logs.notes import Note
from pipeline.files.logs.records import choose, history_of
from pipeline.files.logs.table import Table
from pipeline.files.logs.tensorboard import is_tensorboard, tensorboard_table
from pipeline.files.logs.trainer_state import trainer_state_table
from pipeline.files.run_record import recorded_config
from pipeline.stage import InputError

OBJECT = re.compile(r'\{\s*"[^"\n]*"\s*:')
ADVICE = "train_large_100k.py writes one"
NOTHING_SAID = Choices()


def read_log(path: Path, choices: Choices = NOTHING_SAID) -> History:
    """The history in ``path``, of our own form or of another program's; its ``notes`` say how it was read.

    Raises:
        InputError: the file is missing, broken, or of no kind that is known; a column is not what it is taken for, or
            is not there.
    """
    return read_logs([path], choices)[0]


def read_logs(paths: Sequence[Path], choices: Choices = NOTHING_SAID) -> list[History]:
    """The histories in ``paths``. What the user says of a column goes for those that have it; one of them must."""
    opened = [_open(path) for path in paths]
    for option, name in choices.named().items():
        if not any(name in _names(each) for each in opened):
            where = ", ".join(map(str, paths))
            raise InputError(
                f"{where}: no column {name!r} for {option}; there are {', '.join(_names(opened[0]))[:400]}"
            )
    return [_finished(each, choices.within(_names(each))) for each in opened]


def read_groups(choices: Choices, *groups: Sequence[Path]) -> list[list[History]]:
    """``read_logs`` of several groups of paths, each by itself; none of the histories may be empty."""
    paths = [path for group in groups for path in group]
    histories = dict(zip(paths, read_logs(paths, choices), strict=True))
    for path, history in histories.items():
        if not len(history):
            raise InputError(f"{path}: the history is still empty; wait for its first record")
    return [[histories[path] for path in group] for group in groups]


def modified(path: Path) -> float:
    """When the log in ``path``, a file or a folder, was last written: seconds, Unix."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else []
    return max(file.stat().st_mtime for file in files or [path])


def _open(path: Path) -> Table | History:
    """The content of ``path``: a history of our own form, or the rows of another log."""
    if is_tensorboard(path):
        return tensorboard_table(path)
    text = read_text(path, "the history", ADVICE)
    start = text.lstrip()[:1]
    if start not in ("{", "["):
        return json_lines_table(path, text) if OBJECT.search(text) else csv_table(path, text)
    first, *more = text.strip().split("\n", 1)
    if more and start == "{" and _is_object(first):
        return json_lines_table(path, text)
    value = parse_json(text, path, "the history", ADVICE)
    if isinstance(value, list):
        return array_table(path, value)
    if "log_history" in value:
        return trainer_state_table(path, value)
    if "run" in value or ("steps" in value and any(name in value for name in Columns().shares())):
        return parse_history(value, path)
    return lists_table(path, value)


def _names(opened: Table | History) -> list[str]:
    return opened.names() if isinstance(opened, Table) else [*opened.records]


def _finished(opened: Table | History, choices: Choices) -> History:
    history = history_of(opened, choices) if isinstance(opened, Table) else choose(opened, choices)
    missing = history.missing()
    if missing and len(history) and ("log" in history.run or not recorded_config(history.run)):
        history.notes.append(Note("not in this log: {names}; what needs them is left out", {"names": missing}))
    return history


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
