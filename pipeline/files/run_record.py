"""Facts from the ``run`` object of a history: None where it has none, an InputError where it holds nonsense."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any

from pipeline.stage import InputError


class Facts:
    """The ``run`` object of the history in ``path``; facts are named by the keys that lead to them."""

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
