"""CSV: plain, with or without a header, and as TensorBoard, Weights & Biases, Lightning, Keras and timm write it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from pipeline.files.logs.table import EMPTY, Row, Table, by_part, number
from pipeline.stage import InputError

DELIMITERS = (",", ";", "\t", "|", " ")
TENSORBOARD = ["Wall time", "Step", "Value"]
FIGURES = re.compile(r"[-+0-9.eE,;|\s]+")
TAG = "-tag-"  # before the tag in the names that TensorBoard gives to the files it exports: run-NAME-tag-TAG.csv


def csv_table(path: Path, text: str) -> Table:
    """The rows of ``text``, which was read from ``path``.

    Raises:
        InputError: it has no columns, or a row has more cells than the first one.
    """
    written = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in written if not line.startswith("#")]
    if not lines:
        raise InputError(f"{path}: the history is still empty; wait for its first record")
    before = written[: written.index(lines[0])]
    if before and FIGURES.fullmatch(lines[0]):
        lines.insert(0, before[-1].lstrip("# "))  # a header as numpy.savetxt writes it
    delimiter = max(DELIMITERS, key=lambda each: (lines[0].count(each) > 0, -DELIMITERS.index(each)))
    if delimiter == " ":
        lines = [" ".join(line.split()) for line in lines]
    try:
        cells = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise InputError(f"{path}: the history is broken CSV ({error})") from None
    header = cells[0]
    if all(number(cell) is not None for cell in header):
        header = [str(place) for place in range(1, len(header) + 1)]
    else:
        cells = cells[1:]
    ragged = next((place for place, row in enumerate(cells, start=2) if any(row[len(header) :])), None)
    if len(header) < 2 or (ragged and delimiter == " "):
        raise InputError(
            f"{path}: the history is neither JSON, JSON lines nor CSV with two columns or more; its first line is "
            f"{lines[0][:60]!r}"
        )
    if ragged:
        raise InputError(f"{path}: line {ragged} has more cells than the first one, which names {len(header)} columns")
    if delimiter == ";":  # numbers may have a comma
        cells = [[cell.replace(",", ".") for cell in row] for row in cells]
    rows = [_row(header, row) for row in cells]
    if header == TENSORBOARD:
        return tensorboard_export(path, rows)
    return Table(path, "CSV", by_part(rows))


def tensorboard_export(path: Path, rows: list[Row]) -> Table:
    """One tag as TensorBoard exports it; the tag stands in the name of the file alone."""
    tag = path.stem.partition(TAG)[2]
    if tag:
        run = path.stem.partition(TAG)[0].removeprefix("run-")
        rows = [{**row, _with_part(run, tag): row.pop("Value", None)} for row in rows]
    return Table(path, "TensorBoard CSV export", rows)


def _with_part(run: str, tag: str) -> str:
    """``tag``, with the name of its run before it where that is the part of the data, as Keras names its runs."""
    part = run.replace(".", "/").split("/")[-1].lower()
    return f"{part}/{tag}" if part in ("train", "validation", "val", "eval", "test") else tag


def _row(header: list[str], cells: list[str]) -> Row:
    found: Row = {}
    for name, cell in zip(header, cells, strict=False):
        if name and cell.lower() not in EMPTY:
            value = number(cell)
            found[name] = cell if value is None else value
    return found
