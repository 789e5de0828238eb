"""The ``run`` object of a history, read: its facts, and what makes two runs different."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from pipeline.stage import InputError

# Settings that came after the first histories were written, and what the runs of before had in their place.
LATER_SETTINGS = {"schedule": "cosine", "early_checkpoints": False, "data_seed": None}


@dataclass(frozen=True)
class Branch:
    """The trunk that a run began from: its records up to ``step`` come first in the run's own history."""

    history: str  # the path of the trunk's, as its trainer was told it
    step: int
    sha256: str  # of the state file that was taken up


class Facts:
    """The ``run`` object of the history in ``path``; a fact is named by the keys that lead to it.

    A fact that is absent is None; one of a wrong type is an InputError.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self._path = path
        self._run = run

    def number(self, *keys: str) -> float | None:
        """A finite number."""
        value = self._value(keys)
        if value is None or (isinstance(value, float) and not isfinite(value)):
            return None
        if type(value) not in (int, float):
            raise self._wrong(keys, "a number", value)
        return value

    def count(self, *keys: str) -> int | None:
        """A whole number that is not negative."""
        value = self._value(keys)
        if value is not None and (type(value) is not int or value < 0):
            raise self._wrong(keys, "a whole number", value)
        return value

    def text(self, *keys: str) -> str | None:
        """A string."""
        value = self._value(keys)
        if value is not None and not isinstance(value, str):
            raise self._wrong(keys, "a string", value)
        return value

    def branch(self) -> Branch | None:
        """Where the run began; None for one that began with its first step."""
        history, step, digest = (
            self.text("branch", "history"),
            self.count("branch", "step"),
            self.text("branch", "sha256"),
        )
        return None if history is None or step is None else Branch(history, step, digest or "")

    def names(self, *keys: str) -> list[str]:
        """The keys of an object, none where it is absent."""
        value = self._value(keys)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(keys, "an object", value)
        return list(value or {})

    def _value(self, keys: tuple[str, ...]) -> Any:
        value: Any = self._run
        for depth, key in enumerate(keys):
            if value is None:
                return None
            if not isinstance(value, dict):
                raise self._wrong(keys[:depth], "an object", value)
            value = value.get(key)
        return value

    def _wrong(self, keys: tuple[str, ...], expected: str, value: Any) -> InputError:
        return InputError(f"{self._path}: run.{'.'.join(keys)} must be {expected}, not {str(value)[:40]!r}")


def recorded_config(run: dict[str, Any]) -> dict[str, Any]:
    """The settings that a ``run`` object records, with those that its version did not have yet; empty without any."""
    config = run.get("config")
    return {**LATER_SETTINGS, **config} if config and isinstance(config, dict) else {}


def refuse_other_run(place: Path, recorded: dict[str, Any], planned: dict[str, Any]) -> None:
    """Raise an InputError where ``place`` holds another run than the planned one."""
    different = run_differences(recorded, planned)
    if different:
        raise InputError(
            f"{place}: belongs to another run ({'; '.join(different)}); give other paths, or --no-resume to replace it"
        )


def run_differences(recorded: dict[str, Any], planned: dict[str, Any], passing_over: tuple[str, ...] = ()) -> list[str]:
    """What makes two runs different: settings, dataset, device, precision, the state that a branch began from."""

    def identity(run: dict[str, Any]) -> dict[str, Any]:
        fingerprint = (run.get("dataset") or {}).get("fingerprint")
        machine = {key: run.get(key) for key in ("device", "precision")}
        branch = run.get("branch")
        state = branch.get("sha256") if isinstance(branch, dict) else None
        return {**recorded_config(run), "dataset": fingerprint, **machine, "branch": state}

    before, after = identity(recorded), identity(planned)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name) and name not in passing_over]
    return [f"{name}: {before.get(name)} -> {after.get(name)}" for name in names]
