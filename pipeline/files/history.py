"""The training history between the stages: parallel lists, one entry a record, and one object about the run.

JSON::

    steps                                    of each record, rising; the only list without nulls
    mlm_acc, nsp_acc, loss, lr               training metrics, each the mean over all masked positions (pairs) since the
                                             last record; null where there were none
    mlm_targets, nsp_pairs                   the denominators of those means
    eval_mlm_acc, eval_mlm_acc_han, eval_nsp_acc, eval_loss
                                             a fixed validation subset, dropout off; null where not evaluated
    sample_mlm_acc, sample_mlm_acc_published, sample_nsp_acc
                                             what the published run logged: one training micro-batch of 32 sequences,
                                             dropout on; ``_published`` takes all that is not Han for one class
    grad_norm                                mean norm of the gradient before clipping
    tokens, seconds                          cumulative, across resumes
    run                                      config, seed, counts, versions, times, ``columns`` (the roles of the lists,
                                             see columns.py); ``test`` once the run has ended

The published file has the first five lists only and is read too. A list that is not known here is kept as it is. The
file is replaced whole at every record, so a reader never sees half of one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import lt
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files import atomic
from pipeline.files.columns import Columns, read_columns
from pipeline.files.json_object import read_json_object
from pipeline.files.run_record import Facts
from pipeline.stage import InputError

FORMAT = 1
DEFAULT_HISTORY = Path("results/training_history_100k.json")
PUBLISHED_KEYS = ("steps", "mlm_acc", "nsp_acc", "loss", "lr")
FURTHER_KEYS = (
    "mlm_targets",
    "nsp_pairs",
    "eval_mlm_acc",
    "eval_mlm_acc_han",
    "eval_nsp_acc",
    "eval_loss",
    "sample_mlm_acc",
    "sample_mlm_acc_published",
    "sample_nsp_acc",
    "grad_norm",
    "tokens",
    "seconds",
)


@dataclass
class History:
    """Records by key, and the ``run`` object. ``records["steps"]`` is strictly increasing.

    ``path`` is where the history was read from, for messages; ``other`` holds what the file has beside number lists.
    """

    records: dict[str, list[Any]] = field(default_factory=lambda: {key: [] for key in PUBLISHED_KEYS + FURTHER_KEYS})
    run: dict[str, Any] = field(default_factory=dict)
    path: Path = field(default=Path("history"), compare=False)
    other: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.records["steps"])

    @property
    def columns(self) -> Columns:
        """What each list is."""
        return read_columns(self.path, self.run)

    @property
    def accuracy(self) -> str:
        """The name of the training accuracy's list."""
        return self.columns.accuracy.train

    @property
    def held_out(self) -> str | None:
        """The name of the held-out accuracy's list; None where no record has a value of it."""
        return self._with_values(self.columns.accuracy.held_out)

    @property
    def held_out_loss(self) -> str | None:
        """The name of the held-out loss's list; None where no record has a value of it."""
        return self._with_values(self.columns.loss.held_out)

    @property
    def best_accuracy(self) -> str:
        """The name of the held-out accuracy's list where there is one, else of the training accuracy's."""
        return self.held_out or self.accuracy

    @property
    def steps(self) -> list[int]:
        return self.records["steps"]

    @property
    def last_step(self) -> int:
        """The step of the last record, 0 before the first."""
        return self.steps[-1] if self.steps else 0

    @property
    def facts(self) -> Facts:
        """What the ``run`` object says, checked."""
        return Facts(self.path, self.run)

    def has(self, key: str) -> bool:
        """Whether any record holds a value for ``key``."""
        return any(value is not None for value in self.records.get(key, []))

    def last(self, key: str | None) -> float | None:
        """The value of ``key`` in the last record; None where it is null or the list is missing."""
        values = self.records.get(key) if key else None
        return values[-1] if values else None

    def series(self, key: str | None) -> np.ndarray:
        """The list ``key`` as float64 [N]: NaN where it is null, all NaN where the list is missing."""
        values = (self.records.get(key) if key else None) or [None] * len(self)
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    def points(self, key: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values (float64 [M] each) of the records whose ``key`` is a finite number."""
        values = self.series(key)
        finite = np.isfinite(values)
        return self.series("steps")[finite], values[finite]

    def append(self, record: dict[str, float | int | None]) -> None:
        """Add one record; it must hold exactly the keys of this history."""
        if record.keys() != self.records.keys():
            raise ValueError(f"record keys {sorted(record)} differ from {sorted(self.records)}")
        for key, value in record.items():
            self.records[key].append(value)

    def to_json(self) -> str:
        """This history as JSON, one list a line."""
        lines = [f"{json.dumps(key)}: {json.dumps(values)}" for key, values in self.records.items()]
        lines += [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in self.other.items()]
        lines.append(f'"run": {json.dumps(self.run, ensure_ascii=False, indent=1)}')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def write(self, path: Path) -> None:
        """Replace ``path`` by this history."""
        atomic.write_text(path, self.to_json())

    def _with_values(self, key: str | None) -> str | None:
        return key if key is not None and self.has(key) else None


def common_accuracy(histories: Sequence[History]) -> str:
    """The name of the accuracy list by which runs are compared: held-out where all have it, else training."""
    names = {history.held_out for history in histories}
    return names.pop() or histories[0].accuracy if len(names) == 1 else histories[0].accuracy


def read_history(path: Path) -> History:
    """Read and check a history, ours or the published one. NaN and infinity are values, not errors.

    Raises:
        InputError: missing file, broken JSON, a missing list, unequal lengths, wrong types, steps out of order.
    """
    return parse_history(read_json_object(path, "the history", "train_large_100k.py writes one"), path)


def parse_history(value: dict[str, Any], path: Path) -> History:
    """Check the content of a history; ``path`` is where it was found, for the messages."""
    run = value.get("run", {})
    if not isinstance(run, dict):
        raise InputError(f"{path}: 'run' must be an object, not {type(run).__name__}")
    required = read_columns(path, run).required()
    for key in required:
        if key not in value:
            raise InputError(f"{path}: has no {key!r}; a history needs the lists {', '.join(required)}")
    known = {*PUBLISHED_KEYS, *FURTHER_KEYS, *required}
    records, other = {}, {}
    ordered = [key for key in (*required, *FURTHER_KEYS) if key in value]
    for key in dict.fromkeys([*ordered, *value]):
        if key in known:
            records[key] = _numbers(path, key, value[key])
            if len(records[key]) != len(records["steps"]):
                raise InputError(
                    f"{path}: {key!r} has {len(records[key])} entries but 'steps' has {len(records['steps'])}; "
                    "all lists must be equally long"
                )
        elif key != "run" and _is_column(value[key], len(records["steps"])):
            records[key] = value[key]
        elif key != "run":
            other[key] = value[key]
    return History(records, run, path, other)


def _is_column(values: Any, length: int) -> bool:
    kinds = {int, float, type(None)}
    return isinstance(values, list) and len(values) == length and kinds.issuperset(map(type, values))


def _numbers(path: Path, key: str, values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise InputError(f"{path}: {key!r} must be a list of numbers, not {type(values).__name__}")
    allowed = {int} if key == "steps" else {int, float, type(None)}
    if not allowed.issuperset(map(type, values)):
        position, value = next((place, value) for place, value in enumerate(values) if type(value) not in allowed)
        kind = "whole number" if key == "steps" and isinstance(value, float) else "number"
        raise InputError(f"{path}: {key}[{position}] must be a {kind}, not {value!r}")
    if key == "steps" and not all(map(lt, values, values[1:])):
        position = next(place for place in range(1, len(values)) if values[place] <= values[place - 1])
        raise InputError(
            f"{path}: steps[{position}] is {values[position]}, after {values[position - 1]}; steps must rise"
        )
    return values
