"""Hugging Face's ``trainer_state.json``: ``log_history``, an entry for each logging and one for each evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.files.logs.table import Table, flat
from pipeline.stage import InputError

SUMMARY = "train_runtime"  # is in the last entry of a finished run alone, whose train_loss is the mean of the whole run


def trainer_state_table(path: Path, value: dict[str, Any]) -> Table:
    """The entries of ``value``, the content of ``path``.

    Raises:
        InputError: ``log_history`` is not a list of objects.
    """
    entries = value["log_history"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{path}: log_history must be a list of objects, as Hugging Face's trainer writes it")
    rows = [flat(entry) for entry in entries if SUMMARY not in entry]
    plan = value.get("max_steps")
    return Table(path, "Hugging Face trainer_state.json", rows, plan=plan if type(plan) is int and plan > 0 else None)
