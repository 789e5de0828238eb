"""What the analysis file says about a log of another program: what its columns were taken for, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LogColumns:
    """The column of each role; null where the log has none."""

    accuracy: str | None  # of training
    held_out: str | None
    loss: str | None  # of training
    held_out_loss: str | None
    lr: str | None
    step: str  # what the steps count: "step" or "epoch"


@dataclass(frozen=True)
class Log:
    """How the history was read."""

    format: str | None  # null for a history of our own form
    columns: LogColumns
    missing: list[str]  # what a history may hold and this one does not
    notes: list[str]
