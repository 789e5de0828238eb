"""Frozen dataclasses to JSON and back: the one border between typed values and ``dict[str, Any]``.

A dataclass is an object with a key for each field. The key is the field's name, or ``metadata={"key": ...}`` where the
name cannot be a Python one; ``metadata={"inlined": True}`` writes the keys of a nested dataclass straight into the
object around it. ``metadata={"omit_none": True}`` leaves the key out while the field is None; otherwise None
is null. Types of fields: nested dataclasses, ``list[X]``, ``tuple[X, Y]``, ``tuple[X, ...]``, ``dict[str, X]``,
``X | None``, ``Literal``, int, float, ``int | float`` for a number that is kept as it is written, bool, str, and
``Any`` for a value that is taken as it is.

NaN and infinity are values of a float. A key that is missing takes the field's default. Keys that are not known are
passed over, so that a file of a later version can be read. What the types cannot say, a dataclass checks in
``__post_init__`` by raising ValueError.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pipeline.stage import InputError

T = TypeVar("T")
_NUMBER = {int, float}
_PLAIN = {int: "a whole number", float: "a number", bool: "true or false", str: "a string"}


def to_json(value: Any) -> Any:
    """``value`` in dicts, lists and plain values, as ``json.dumps`` takes them.

    Raises:
        TypeError: a value that ``from_json`` could not give back, such as an array.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        written: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            if field.metadata.get("inlined"):
                written |= to_json(item)
            elif item is not None or not field.metadata.get("omit_none"):
                written[_key(field)] = to_json(item)
        return written
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value)  # numpy's float64 is a float too
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")


def from_json(kind: type[T], value: Any, where: Path | str, *, advice: str = "") -> T:
    """``value`` (from ``json.loads``) as a ``kind``; ``where`` is the file and ``advice`` what to do, for messages.

    Raises:
        InputError: a missing key or a value of another type; the message names the file, the keys that lead to the
            value, and the type that is expected.
    """
    try:
        result: T = _read(kind, value, "")
    except _Unexpected as error:
        ending = f"; {advice}" if advice else ""
        raise InputError(f"{where}: {error.keys or 'the file'} must be {error.expected}, {error.but}{ending}") from None
    return result


class _Unexpected(Exception):
    """At ``keys`` a value should be ``expected``; ``but`` says what is there."""

    def __init__(self, keys: str, expected: str, but: str) -> None:
        super().__init__()
        self.keys = keys
        self.expected = expected
        self.but = but


def _read(kind: Any, value: Any, keys: str) -> Any:
    """``value``, which stands at ``keys``, as a ``kind``."""
    if kind is Any:
        return value
    origin, parts = _parts(kind)
    if _is_number(kind):
        if type(value) not in _NUMBER:
            raise _wrong(kind, value, keys)
        return value
    if origin in (Union, UnionType):
        return _read_optional(kind, value, keys)
    if origin is Literal:
        if not any(type(value) is type(choice) and value == choice for choice in parts):
            raise _wrong(kind, value, keys)
        return value
    if kind in _PLAIN:
        return _read_plain(kind, value, keys)
    if origin is dict and parts[0] is str:
        if not isinstance(value, dict):
            raise _wrong(kind, value, keys)
        return {key: _read(parts[1], item, _below(keys, key)) for key, item in value.items()}
    if origin in (list, tuple):
        return _read_sequence(kind, value, keys)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, value, keys)
    raise TypeError(f"{kind!r} is not a type that can be read from JSON")


def _read_optional(kind: Any, value: Any, keys: str) -> Any:
    inner = _beside_none(kind)
    if value is None:
        return None
    try:
        return _read(inner, value, keys)
    except _Unexpected as error:
        if error.keys == keys:  # the value itself, not a part of it
            error.expected = _expected(kind)
        raise


def _read_plain(kind: type, value: Any, keys: str) -> Any:
    accepted = (int, float) if kind is float else (kind,)
    if type(value) not in accepted:  # not isinstance: true is an int in Python
        raise _wrong(kind, value, keys)
    try:
        return kind(value)
    except OverflowError:
        raise _wrong(kind, value, keys) from None


def _read_sequence(kind: Any, value: Any, keys: str) -> Any:
    origin, parts = _parts(kind)
    if not isinstance(value, list):
        raise _wrong(kind, value, keys)
    if origin is list or parts[1:] == (...,):
        parts = parts[:1] * len(value)
    elif len(parts) != len(value):
        raise _wrong(kind, value, keys)
    return origin(_read(part, item, f"{keys}[{n}]") for n, (part, item) in enumerate(zip(parts, value, strict=True)))


def _read_dataclass(kind: Any, value: Any, keys: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(kind, value, keys)
    hints, found = _hints(kind), {}
    for field in dataclasses.fields(kind):
        key = _key(field)
        if field.metadata.get("inlined"):
            found[field.name] = _read(hints[field.name], value, keys)
        elif key in value:
            found[field.name] = _read(hints[field.name], value[key], _below(keys, key))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise _Unexpected(_below(keys, key), _expected(hints[field.name]), "but is missing")
    try:
        return kind(**found)
    except ValueError as error:
        raise _Unexpected(keys, "consistent", f"but {error}") from None


@cache
def _parts(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """What ``kind`` is made of: an analysis is read value by value, and most are of few kinds."""
    return get_origin(kind), get_args(kind)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _key(field: dataclasses.Field[Any]) -> str:
    key: str = field.metadata.get("key", field.name)
    return key


def _below(keys: str, key: str) -> str:
    return f"{keys}.{key}" if keys else key


@cache
def _is_number(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and set(get_args(kind)) == _NUMBER


@cache
def _beside_none(kind: Any) -> Any:
    """X of ``X | None``."""
    parts = [part for part in get_args(kind) if part is not NoneType]
    if len(parts) == len(get_args(kind)) or (len(parts) != 1 and set(parts) != _NUMBER):
        raise TypeError(f"{kind!r}: of unions, only int | float and X | None can be read from JSON")
    return parts[0] if len(parts) == 1 else int | float


def _wrong(kind: Any, value: Any, keys: str) -> _Unexpected:
    shown = type(value).__name__ if isinstance(value, (dict, list)) else repr(value)[:40]
    return _Unexpected(keys, _expected(kind), f"not {shown}")


def _expected(kind: Any) -> str:
    """The JSON type of ``kind`` in words."""
    origin, parts = get_origin(kind), get_args(kind)
    if _is_number(kind):
        return "a number"
    if origin in (Union, UnionType):
        return f"{_expected(_beside_none(kind))} or null"
    if origin is Literal:
        return "one of " + ", ".join(map(repr, parts)) if len(parts) > 1 else repr(parts[0])
    if origin is tuple and parts[1:] != (...,):
        return f"a list of {len(parts)}"
    if origin in (list, tuple):
        return "a list"
    return "any value" if kind is Any else _PLAIN.get(kind, "an object")
