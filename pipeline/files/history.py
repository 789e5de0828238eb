"""The training history between the stages: parallel lists, one entry a record, and one object about the run.

JSON::

    steps, mlm_acc, nsp_acc, loss, lr        training metrics, each the mean over all masked positions (pairs) since the
                                             last record; ``nsp_acc`` is null where there were no pairs
    mlm_targets, nsp_pairs                   the denominators of those means
    eval_mlm_acc, eval_mlm_acc_han, eval_nsp_acc, eval_loss
                                             a fixed validation subset, dropout off; null where not evaluated
    sample_mlm_acc, sample_mlm_acc_published, sample_nsp_acc
                                             what the published run logged: one training micro-batch of 32 sequences,
                                             dropout on; ``_published`` takes all that is not Han for one class
    grad_norm                                mean norm of the gradient before clipping
    tokens, seconds                          cumulative, across resumes
    run                                      config, seed, counts, versions, times; ``test`` once the run has ended

The published file has the first five lists only and is read too. The file is replaced whole at every record, so a
reader never sees half of one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from operator import lt
from pathlib import Path
from typing import Any

from pipeline.files import atomic
from pipeline.files.dataset import read_json_object
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
NULLABLE_KEYS = ("nsp_acc", *(key for key in FURTHER_KEYS if key.startswith(("eval_", "sample_"))))


@dataclass
class History:
    """Records by key, and the ``run`` object. ``records["steps"]`` is strictly increasing."""

    records: dict[str, list[Any]] = field(default_factory=lambda: {key: [] for key in PUBLISHED_KEYS + FURTHER_KEYS})
    run: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.records["steps"])

    def has(self, key: str) -> bool:
        """Whether any record holds a value for ``key``."""
        return any(value is not None for value in self.records.get(key, []))

    def append(self, record: dict[str, float | int | None]) -> None:
        """Add one record; it must hold exactly the keys of this history."""
        if record.keys() != self.records.keys():
            raise ValueError(f"record keys {sorted(record)} differ from {sorted(self.records)}")
        for key, value in record.items():
            self.records[key].append(value)

    def to_json(self) -> str:
        """This history as JSON, one list a line."""
        lines = [f"{json.dumps(key)}: {json.dumps(values)}" for key, values in self.records.items()]
        lines.append(f'"run": {json.dumps(self.run, ensure_ascii=False, indent=1)}')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def write(self, path: Path) -> None:
        """Replace ``path`` by this history."""
        atomic.write_text(path, self.to_json())


def read_history(path: Path) -> History:
    """Read and check a history, ours or the published one. NaN and infinity are values, not errors.

    Raises:
        InputError: missing file, broken JSON, a missing list, unequal lengths, wrong types, steps out of order.
    """
    return parse_history(read_json_object(path, "the history", "train_large_100k.py writes one"), path)


def parse_history(value: dict[str, Any], path: Path) -> History:
    """Check the content of a history; ``path`` is where it was found, for the messages."""
    records: dict[str, list[Any]] = {}
    for key in PUBLISHED_KEYS + FURTHER_KEYS:
        if key in value:
            records[key] = _numbers(path, key, value[key])
        elif key in PUBLISHED_KEYS:
            raise InputError(f"{path}: has no {key!r}; a history needs the lists {', '.join(PUBLISHED_KEYS)}")
    for key, values in records.items():
        if len(values) != len(records["steps"]):
            raise InputError(
                f"{path}: {key!r} has {len(values)} entries but 'steps' has {len(records['steps'])}; "
                "all lists must be equally long"
            )
    run = value.get("run", {})
    if not isinstance(run, dict):
        raise InputError(f"{path}: 'run' must be an object, not {type(run).__name__}")
    return History(records, run)


def _numbers(path: Path, key: str, values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise InputError(f"{path}: {key!r} must be a list of numbers, not {type(values).__name__}")
    allowed = {int} if key == "steps" else {int, float, type(None)} if key in NULLABLE_KEYS else {int, float}
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
