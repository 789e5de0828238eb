"""What the lists of a history are: which one is the accuracy, which the loss, and where the held-out values stand.

The analysis asks for roles and never for names, so that a second objective, or somebody else's trainer, is read by the
same code. In the file the roles are ``run.columns``::

    accuracy  {train, held_out, held_out_han, targets, of}   the share of right answers; ``of``: answers to what
    loss      {train, held_out, unit}
    pairs     {train, held_out, count}                       a second task with two answers (NSP), if there is one
    rate      the learning rate
    step      what the steps count: "step", or "epoch" where a log has nothing finer

Each value names a list of the history; a list that is named may be missing. A history without ``run.columns`` has those
of masked language modelling.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.stage import InputError

STEPS = ("step", "epoch")


@dataclass(frozen=True)
class AccuracyColumns:
    """Lists of accuracy (shares of one): training, held-out, held-out Han characters, denominators of training."""

    train: str = "mlm_acc"
    held_out: str | None = "eval_mlm_acc"
    held_out_han: str | None = "eval_mlm_acc_han"
    targets: str | None = "mlm_targets"
    of: str = "masked characters"


@dataclass(frozen=True)
class LossColumns:
    """Lists of the loss in ``unit``."""

    train: str = "loss"
    held_out: str | None = "eval_loss"
    unit: str = "nats"


@dataclass(frozen=True)
class PairColumns:
    """Lists of the accuracy on sentence pairs (shares of one; chance is 1/2) and of the number of pairs."""

    train: str = "nsp_acc"
    held_out: str | None = "eval_nsp_acc"
    count: str | None = "nsp_pairs"


@dataclass(frozen=True)
class Columns:
    """The roles of a history's lists. The defaults are those of masked language modelling."""

    accuracy: AccuracyColumns = field(default_factory=AccuracyColumns)
    loss: LossColumns = field(default_factory=LossColumns)
    pairs: PairColumns | None = field(default_factory=PairColumns)
    rate: str = "lr"
    step: str = "step"

    def shares(self) -> tuple[str, ...]:
        """The lists whose values are shares of one."""
        accuracy, pairs = self.accuracy, self.pairs
        named = (accuracy.train, accuracy.held_out, accuracy.held_out_han)
        of_pairs = (pairs.train, pairs.held_out) if pairs else ()
        return tuple(name for name in (*named, *of_pairs) if name)

    def lists(self) -> tuple[str, ...]:
        """All lists that are named."""
        others = (self.accuracy.targets, self.loss.train, self.loss.held_out, self.rate)
        return (*self.shares(), *(name for name in (*others, self.pairs and self.pairs.count) if name))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_columns(path: Path, run: dict[str, Any]) -> Columns:
    """The columns in the ``run`` object of the history at ``path``.

    Raises:
        InputError: ``run.columns`` has a role that is not known, or a value that does not name a list.
    """
    value = run.get("columns")
    if value is None:
        return Columns()
    if not isinstance(value, dict):
        raise InputError(f"{path}: run.columns must be an object, not {type(value).__name__}")
    roles: dict[str, Any] = {"accuracy": AccuracyColumns, "loss": LossColumns, "pairs": PairColumns}
    unknown = sorted(value.keys() - {*roles, "rate", "step"})
    if unknown:
        known = ", ".join([*roles, "rate", "step"])
        raise InputError(f"{path}: run.columns has unknown roles ({', '.join(unknown)}); the known ones are {known}")
    read: dict[str, Any] = {name: _read_role(path, name, kind, value.get(name)) for name, kind in roles.items()}
    rate, step = value.get("rate", "lr"), value.get("step", "step")
    if not isinstance(rate, str):
        raise InputError(f"{path}: run.columns.rate must name a list, not {rate!r}")
    if step not in STEPS:
        raise InputError(f"{path}: run.columns.step must be {' or '.join(map(repr, STEPS))}, not {step!r}")
    return Columns(**read, rate=rate, step=step)


def _read_role(path: Path, name: str, kind: Any, value: Any) -> Any:
    """One role; a list that is not named does not exist, except that a missing role of accuracy or loss is an error."""
    if value is None and name == "pairs":
        return None
    if not isinstance(value, dict) or not isinstance(value.get("train"), str):
        raise InputError(f"{path}: run.columns.{name} must be an object that names at least its 'train' list")
    fields = kind.__dataclass_fields__
    unknown = sorted(value.keys() - fields.keys())
    odd = [key for key, named in value.items() if named is not None and not isinstance(named, str)]
    if unknown or odd:
        raise InputError(f"{path}: run.columns.{name}.{(unknown + odd)[0]} is unknown or does not name a list")
    absent = {key: fields[key].default if key in ("of", "unit") else None for key in fields}
    return kind(**{**absent, **{key: named for key, named in value.items() if named is not None}})
