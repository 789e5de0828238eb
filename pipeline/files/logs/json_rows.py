"""JSON in rows: JSON lines (DeiT, mmengine, mmcv, fairseq and the like), arrays of objects, objects of lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.files.logs.csv_file import TENSORBOARD, tensorboard_export
from pipeline.files.logs.names import words_of
from pipeline.files.logs.notes import Note
from pipeline.files.logs.table import Row, Table, by_part, flat, number
from pipeline.stage import InputError

TENSORBOARD_CELLS = 3  # wall time, step, value
OPENMMLAB = ({"iter", "epoch"}, {"iter", "data_time"})  # keys of its records of training, by epochs or by iterations


def json_lines_table(path: Path, text: str) -> Table:
    """One object a line, after whatever stands before it on the line, as a time; other lines are passed over.

    Raises:
        InputError: no line holds an object.
    """
    rows: list[Row] = []
    notes = []
    lines = text.splitlines()
    for place, line in enumerate(lines, start=1):
        begin = line.find("{")
        if begin < 0:
            continue
        try:
            value = json.loads(line[begin:])
        except (ValueError, RecursionError):
            if place == len(lines):
                notes.append(Note("the last line is cut off: left out"))
                continue
            if begin == 0:
                raise InputError(f"{path}: line {place} is broken JSON") from None
            continue  # a line of prose
        if isinstance(value, dict):
            rows.append(_with_word_before(flat(value), line[:begin]))
    if not rows:
        raise InputError(f"{path}: the history is neither JSON, JSON lines nor CSV")
    rows, in_percent, name = _of_openmmlab(rows)
    return Table(path, name, by_part(rows), notes, in_percent=in_percent)


def array_table(path: Path, value: list[Any]) -> Table:
    """An array of objects, or of [wall time, step, value] as TensorBoard exports one tag.

    Raises:
        InputError: its entries are something else.
    """
    if all(isinstance(entry, dict) for entry in value):
        return Table(path, "JSON rows", by_part(flat(entry) for entry in value))
    if all(isinstance(entry, list) and len(entry) == TENSORBOARD_CELLS for entry in value):
        return tensorboard_export(path, [dict(zip(TENSORBOARD, entry, strict=True)) for entry in value])
    raise InputError(f"{path}: the history must be a JSON object, or an array of objects")


def lists_table(path: Path, value: dict[str, Any]) -> Table:
    """An object of lists of one length, as Keras' ``history.history``; what is not a list is passed over. An object
    without lists is the first line of JSON lines.

    Raises:
        InputError: the lengths differ.
    """
    lists = {key: values for key, values in flat(value).items() if isinstance(values, list)}
    lengths = {key: len(values) for key, values in lists.items()}
    if not lists:
        return Table(path, "JSON lines", [flat(value)])
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise InputError(f"{path}: all lists of a history must be equally long; theirs are {shown[:200]}")
    rows = [flat(dict(zip(lists, entry, strict=True))) for entry in zip(*lists.values(), strict=True)]
    return Table(path, "JSON lists", rows)


def _with_word_before(row: Row, before: str) -> Row:
    """The part of the data that the line names before the object, as fairseq's ``| train |``, put before the names."""
    words = words_of(before)
    part = next((word for word in reversed(words) if word in ("train", "valid", "val", "test")), None)
    return {f"{part}/{key}": value for key, value in row.items()} if part else row


def _of_openmmlab(rows: list[Row]) -> tuple[list[Row], frozenset[str], str]:
    """Rows as mmengine and mmcv write them, their records of validation at the step of training before them.

    A record of validation has no counter that goes with that of training: mmengine gives it the epoch as its step, mmcv
    the number of batches validated. Training accuracies are in percent there.
    """
    if not any(keys <= row.keys() for row in rows for keys in OPENMMLAB):
        return rows, frozenset(), "JSON lines"
    found: list[Row] = []
    at: Row = {}
    for row in rows:
        if "iter" in row and row.get("mode", "train") == "train":
            at = {key: row[key] for key in ("iter", "epoch", "step") if key in row}
            found.append(row)
        elif at:
            scores = {key: value for key, value in row.items() if key not in ("iter", "epoch", "step", "mode", "lr")}
            found.append({**at, **{f"val/{key}": value for key, value in scores.items()}})
    names = dict.fromkeys(name for row in found for name in row)
    percent = frozenset(
        name for name in names if not name.startswith("val/") and "acc" in words_of(name)
        and any((number(row.get(name)) or 0) > 1 for row in found)
    )  # fmt: skip
    return (
        [{key: value for key, value in row.items() if key != "mode"} for row in found],
        percent,
        "OpenMMLab JSON lines",
    )
