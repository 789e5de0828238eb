"""The training history between the stages: parallel lists, one entry a record, and one object about the run.

JSON::

    steps                                    of each record, rising, fractions in a log that counts epochs; the only
                                             list that must be there, and the only one without nulls
    mlm_acc, nsp_acc, loss, lr               training metrics, each the mean over all masked positions (pairs) since the
                                             last record; null where there were none
    mlm_targets, nsp_pairs                   the denominators of those means
    eval_mlm_acc, eval_mlm_acc_han, eval_nsp_acc, eval_loss
                                             a fixed validation subset, dropout off, the same in every run on the
                                             dataset; null where not evaluated
    sample_mlm_acc, sample_mlm_acc_published, sample_nsp_acc
                                             what the published run logged: one training micro-batch of 32 sequences,
                                             dropout on; ``_published`` takes all that is not Han for one class
    grad_norm                                mean norm of the gradient before clipping
    tokens, seconds                          cumulative, across resumes
    run                                      config, seed, counts, versions, times, ``columns`` (the roles of the lists,
                                             see columns.py); ``test`` once the run has ended; ``branch``
                                             {history, step, sha256} of a run whose records up to that step are those
                                             of another one, its trunk; ``resumed`` [{step, at}], where further
                                             processes took the run up

The published file has the first five lists only and is read too. Any list but ``steps`` may be missing; one that is not
known here is kept as it is. Accuracies are shares from 0 to 1. The file is replaced whole, so a reader never sees half
of one. What other trainers write is read by ``logs/``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from operator import lt
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.files import atomic
from pipeline.files.columns import Columns, read_columns
from pipeline.files.json_object import read_json_object
from pipeline.files.logs.notes import Note
from pipeline.files.run_record import LARGEST, Facts
from pipeline.formatting import Step
from pipeline.stage import InputError

Role = Literal["accuracy", "held_out", "loss", "held_out_loss"]
FORMAT = 1
LAST_STEP = 2**53  # beyond it a float cannot tell one step from the next
FIRST_STEP = 1e-6  # a run that ends before it counts nothing
CLOSEST = 1e-9  # of the last step, from the first record to the last; closer ones cannot be told apart by a fit
ROUNDED = 1e-6  # single precision may put a share so far above 1
DEFAULT_HISTORY = Path("training_history_100k.json")  # the user's own, where the trainer writes it
COMMITTED = Path("results")  # what comes with the program; nothing is written there by default
COMMITTED_HISTORY = COMMITTED / "training_history_100k.json"
PUBLISHED_KEYS = ("steps", "mlm_acc", "nsp_acc", "loss", "lr")
FURTHER_KEYS = (
    *("mlm_targets", "nsp_pairs", "eval_mlm_acc", "eval_mlm_acc_han", "eval_nsp_acc", "eval_loss"),
    *("sample_mlm_acc", "sample_mlm_acc_published", "sample_nsp_acc", "grad_norm", "tokens", "seconds"),
)


@dataclass
class History:
    """Records by key, and the ``run`` object. ``records["steps"]`` is strictly increasing.

    ``path`` is where the history was read from, for messages; ``other`` holds what the file has beside number lists;
    ``notes`` say how the log of another program was read.
    """

    records: dict[str, list[Any]] = field(default_factory=lambda: {key: [] for key in PUBLISHED_KEYS + FURTHER_KEYS})
    run: dict[str, Any] = field(default_factory=dict)
    path: Path = field(default=Path("history"), compare=False)
    other: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list, compare=False)

    def __len__(self) -> int:
        return len(self.records["steps"])

    @property
    def columns(self) -> Columns:
        """What each list is."""
        return read_columns(self.path, self.run)

    @property
    def accuracy(self) -> str | None:
        """The name of the training accuracy's list; None where no record has a value of it."""
        return self._with_values(self.columns.accuracy.train)

    @property
    def loss(self) -> str | None:
        """The name of the training loss's list; None where no record has a value of it."""
        return self._with_values(self.columns.loss.train)

    @property
    def rate(self) -> str | None:
        """The name of the learning rate's list; None where no record has a value of it."""
        return self._with_values(self.columns.rate)

    @property
    def held_out(self) -> str | None:
        """The name of the held-out accuracy's list; None where no record has a value of it."""
        return self._with_values(self.columns.accuracy.held_out)

    @property
    def held_out_loss(self) -> str | None:
        """The name of the held-out loss's list; None where no record has a value of it."""
        return self._with_values(self.columns.loss.held_out)

    @property
    def best_accuracy(self) -> str | None:
        """The name of the held-out accuracy's list where there is one, else of the training accuracy's."""
        return self.held_out or self.accuracy

    def key_of(self, role: Role) -> str | None:
        """The name of the list in ``role``; None where no record has a value of it."""
        return {
            "accuracy": self.accuracy,
            "held_out": self.held_out,
            "loss": self.loss,
            "held_out_loss": self.held_out_loss,
        }[role]

    @property
    def steps(self) -> list[Step]:
        return self.records["steps"]

    @property
    def last_step(self) -> Step:
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
        """The newest value of ``key``; None where all are null or the list is missing."""
        values = (self.records.get(key) if key else None) or []
        return next((value for value in reversed(values) if value is not None), None)

    def series(self, key: str | None) -> np.ndarray:
        """The list ``key`` as float64 [N]: NaN where it is null, all NaN where the list is missing, infinite beyond
        ``LARGEST``, so that sums of squares stay finite."""
        values = (self.records.get(key) if key else None) or [None] * len(self)
        try:
            found = np.array(values, dtype=np.float64)
        except OverflowError:  # a whole number larger than any float
            found = np.array([_as_float(value) for value in values])
        return np.where(np.abs(found) > LARGEST, np.copysign(inf, found), found)

    def known(self, key: str | None) -> np.ndarray:
        """The same with NaN for infinity too."""
        values = self.series(key)
        return np.where(np.isfinite(values), values, np.nan)

    def not_finite(self, key: str) -> np.ndarray:
        """Which records have a value of the list ``key`` that is not a finite number: bool [N]."""
        given = np.array([value is not None for value in self.records[key]], dtype=bool)
        return given & ~np.isfinite(self.series(key))

    def points(self, key: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values (float64 [M] each) of the records whose ``key`` is a finite number."""
        values = self.series(key)
        finite = np.isfinite(values)
        return self.series("steps")[finite], values[finite]

    def missing(self) -> tuple[str, ...]:
        """What a history may hold and this one does not, in words of logs/notes.py."""
        pairs = self.columns.pairs
        parts = {
            "training accuracy": self.accuracy,
            "held-out accuracy": self.held_out,
            "training loss": self.loss,
            "held-out loss": self.held_out_loss,
            "learning rate": self.rate,
            "time": self._with_values("seconds"),
            "sentence pairs (NSP)": self._with_values(pairs.train) if pairs else "not asked",
        }
        return tuple(name for name, found in parts.items() if found is None)

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


def history_at_hand() -> Path:
    """The history that is read by default: the user's own where there is one, else the committed one."""
    return DEFAULT_HISTORY if DEFAULT_HISTORY.exists() else COMMITTED_HISTORY


def output_folder(history: Path) -> Path:
    """Where what is made of ``history`` goes by default: beside it, but ``runs/committed`` for a committed one."""
    folder, committed = history.parent.resolve(), COMMITTED.resolve()
    if folder.is_relative_to(committed):
        return Path("runs/committed") / folder.relative_to(committed)
    return history.parent


def beside(history: Path, kind: str) -> Path:
    """The file of another ``kind`` about the same run: ``<kind>_X.json`` beside ``training_history_X.json``,
    ``<kind>.json`` beside any other name."""
    name = history.stem
    end = name.removeprefix("training_history") if name.startswith("training_history") else ""
    return history.with_name(f"{kind}{end}.json")


def default_baseline(history: Path) -> Path | None:
    """The shorter run that one is compared with by default, if it is there.

    That is ``training_history_50k.json`` beside ``history``; the committed runs have folders of their own.
    """
    found = history.with_name("training_history_50k.json")
    if history.resolve() == COMMITTED_HISTORY.resolve():
        found = COMMITTED / "50k" / "training_history.json"
    return found if found.exists() and found.resolve() != history.resolve() else None


def common_accuracy(histories: Sequence[History]) -> Role:
    """The accuracy by which runs are compared: held-out where all have it, else training where any has it."""
    if all(history.held_out for history in histories) or not any(history.accuracy for history in histories):
        return "held_out"
    return "accuracy"


def read_history(path: Path) -> History:
    """Read and check a history, ours or the published one. NaN and infinity are values, not errors.

    Raises:
        InputError: missing file, broken JSON, no list that is known, unequal lengths, wrong types, steps out of order,
            accuracies that are not shares of one.
    """
    history = parse_history(read_json_object(path, "the history", "train_large_100k.py writes one"), path)
    check_shares(history)
    return history


def parse_history(value: dict[str, Any], path: Path) -> History:
    """Check the content of a history; ``path`` is where it was found, for the messages."""
    run = value.get("run", {})
    if not isinstance(run, dict):
        raise InputError(f"{path}: 'run' must be an object, not {type(run).__name__}")
    named = read_columns(path, run).lists()
    if "steps" not in value or not any(key in value for key in named):
        missing = "no 'steps'" if "steps" not in value else f"none of the lists {', '.join(named)}"
        raise InputError(f"{path}: has {missing}; it has {', '.join(value)[:200] or 'nothing'}")
    known = {*PUBLISHED_KEYS, *FURTHER_KEYS, *named}
    records, other = {}, {}
    ordered = [key for key in ("steps", *named, *FURTHER_KEYS) if key in value]
    for key in dict.fromkeys([*ordered, *value]):
        if key in known:
            records[key] = check_steps(path, value[key]) if key == "steps" else _numbers(path, key, value[key])
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


def check_shares(history: History) -> None:
    """Raise an InputError where an accuracy is above 1 or below -1.

    NaN, infinity and a value below 0, as some scores beside accuracy have it, are findings, not errors.
    """
    for key in history.columns.shares():
        for step, value in zip(history.steps, history.records.get(key, []), strict=False):
            if value is None or not isfinite(_as_float(value)) or -1 <= value <= 1 + ROUNDED:
                continue
            percent = f"; where it is in percent, give --percent {key}" if 1 < value <= 100 + ROUNDED else ""
            raise InputError(
                f"{history.path}: {key} is {value:.6g} at step {step}; an accuracy is a share from 0 to 1{percent}"
            )


def check_steps(path: Path, values: Any) -> list[Any]:
    """``values`` as the steps of the history in ``path``: numbers that rise from 0 or more, none beyond LAST_STEP."""
    steps = _numbers(path, "steps", values, allowed={int, float})
    for position, step in enumerate(steps):
        if not 0 <= step <= LAST_STEP:  # NaN is refused too
            raise InputError(f"{path}: steps[{position}] is {_short(step)}; steps must lie between 0 and {LAST_STEP:,}")
    if steps and (0 < steps[-1] < FIRST_STEP or 0 < steps[-1] - steps[0] < CLOSEST * steps[-1]):
        raise InputError(f"{path}: all steps lie between {steps[0]} and {steps[-1]}, too near each other or to 0")
    if not all(map(lt, steps, steps[1:])):
        position = next(place for place in range(1, len(steps)) if steps[place] <= steps[place - 1])
        raise InputError(
            f"{path}: steps[{position}] is {steps[position]}, after {steps[position - 1]}; steps must rise"
        )
    return steps


def _is_column(values: Any, length: int) -> bool:
    kinds = {int, float, type(None)}
    return isinstance(values, list) and len(values) == length and kinds.issuperset(map(type, values))


def _numbers(path: Path, key: str, values: Any, allowed: Iterable[type] = (int, float, type(None))) -> list[Any]:
    if not isinstance(values, list):
        raise InputError(f"{path}: {key!r} must be a list of numbers, not {type(values).__name__}")
    kinds = set(allowed)
    if not kinds.issuperset(map(type, values)):
        position, value = next((place, value) for place, value in enumerate(values) if type(value) not in kinds)
        raise InputError(f"{path}: {key}[{position}] must be a number, not {_short(value)}")
    return values


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _as_float(value: float | None) -> float:
    """NaN for None, and infinity beyond ``LARGEST``; whole numbers in JSON may be larger than any float."""
    if value is None:
        return nan
    return float(value) if not abs(value) > LARGEST else inf if value > 0 else -inf
