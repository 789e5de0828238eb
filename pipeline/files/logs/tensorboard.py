"""TensorBoard's event files, and folders of them or of the tables that TensorBoard exports: one folder is one run."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.files.json_object import read_text
from pipeline.files.logs.csv_file import TAG, csv_table
from pipeline.files.logs.table import Row, Table
from pipeline.stage import InputError

EVENTS = "tfevents"  # is in the name of every event file
PACKAGE = "tensorboard"
ADVICE = "export it again"


def is_tensorboard(path: Path) -> bool:
    """Whether ``path`` is an event file, or a folder."""
    return path.is_dir() or (EVENTS in path.name and path.is_file())


def tensorboard_table(path: Path) -> Table:
    """The scalars of an event file, or of all files below a folder; a tag below a subfolder has its name before it.

    Raises:
        InputError: there are none, they are broken, or the package that reads them is not installed.
    """
    files = [path] if path.is_file() else sorted(file for file in path.rglob(f"*{EVENTS}*") if file.is_file())
    if files:
        return Table(path, "TensorBoard event files", _rows_of_events(path, files))
    exported = sorted(path.glob(f"*{TAG}*.csv"))
    if not exported:
        raise InputError(f"{path}: is a folder without TensorBoard's event files or exported tables; name a file")
    rows = [row for file in exported for row in csv_table(file, read_text(file, "the history", ADVICE)).rows]
    rows.sort(key=lambda row: row.get("Wall time", 0.0))
    return Table(path, "TensorBoard CSV exports", rows)


def _rows_of_events(path: Path, files: list[Path]) -> list[Row]:
    try:
        accumulator: Any = import_module(f"{PACKAGE}.backend.event_processing.event_accumulator")
        tensors: Any = import_module(f"{PACKAGE}.util.tensor_util")
    except ImportError:
        raise InputError(
            f"{path}: event files are read by a package that is not installed; pip install {PACKAGE}, or export the "
            "tags from TensorBoard as CSV"
        ) from None
    rows: list[Row] = []
    for folder in dict.fromkeys(file.parent for file in files):
        before = "" if path.is_file() or folder == path else f"{folder.relative_to(path).as_posix()}/"
        source = str(path if path.is_file() else folder)
        events = accumulator.EventAccumulator(source, {accumulator.SCALARS: 0, accumulator.TENSORS: 0})
        try:
            events.Reload()
            for tag in events.Tags()[accumulator.SCALARS]:
                rows += [_row(event, before + tag, event.value) for event in events.Scalars(tag)]
            for tag in events.Tags()[accumulator.TENSORS]:
                for event in events.Tensors(tag):
                    value = tensors.make_ndarray(event.tensor_proto)
                    if value.size == 1 and value.dtype.kind in "fiu":
                        rows.append(_row(event, before + tag, float(value.reshape(()))))
        except (ValueError, TypeError, OSError) as error:
            raise InputError(f"{source}: broken event file ({str(error)[:80]})") from None
    return sorted(rows, key=lambda row: row["wall_time"])


def _row(event: Any, tag: str, value: float) -> Row:
    return {"step": event.step, "wall_time": event.wall_time, tag: value}
