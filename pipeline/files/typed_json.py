"""Dataclasses to JSON objects and back: one writer and one reader for every file that is described by dataclasses.

The fields of a dataclass are the keys of its object, in their order. Field metadata says where the two differ:
``field(metadata=json_key("50k_r"))`` names a key that cannot be a Python name, ``field(metadata=INLINED)`` writes the
keys of a nested dataclass straight into the object around it.

The reader checks every value against the annotation of its field: int, float, bool, str, ``Literal``, a dataclass,
``list``, ``tuple`` and ``dict[str, ...]`` of these, and any of them ``| None``. A missing key takes the default of its
field; without a default it is an error. Keys without a field are ignored, so that a file of a newer version can be
read. A dataclass checks more in ``__post_init__`` by raising ValueError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pipeline.stage import InputError

T = TypeVar("T")

_WORDS = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a string"}


INLINED = {"inlined": True}


def json_key(name: str) -> dict[str, str]:
    """Metadata of a field whose key in the file is ``name``."""
    return {"key": name}


def to_json(value: Any) -> Any:
    """``value`` with every dataclass as a dict and every tuple as a list, ready for ``json.dumps``."""
    if is_dataclass(value):
        found: dict[str, Any] = {}
        for each in fields(value):
            content = to_json(getattr(value, each.name))
            found.update(content if _is_inlined(each) else {_key(each): content})
        return found
    if isinstance(value, dict):
        return {key: to_json(content) for key, content in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(content) for content in value]
    return value


def from_json(kind: type[T], value: Any, path: Path, advice: str, *, at: str = "") -> T:
    """The ``kind`` that ``value`` describes.

    Args:
        kind: a dataclass.
        value: what ``json.loads`` gave.
        path: the file that it was read from.
        advice: what to do about a broken file.
        at: the key path of ``value`` in the file; empty for the whole file.

    Raises:
        InputError: a value of another type, or a missing key; the message names the file and the key path.
    """
    try:
        return _read(kind, value, at)
    except _WrongValue as error:
        raise InputError(f"{path}: {error}; {advice}") from None


class _WrongValue(Exception):
    """The message says which key is wrong and what it must be."""

    def __init__(self, at: str, message: str) -> None:
        super().__init__(f"{at or 'the file'} {message}")


def _read(kind: Any, value: Any, at: str) -> Any:
    if is_dataclass(kind):
        return _read_object(kind, value, at)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        (rest,) = (each for each in arguments if each is not NoneType)
        return _read(rest, value, at)
    if origin is Literal:
        if not isinstance(value, str) or value not in arguments:
            raise _WrongValue(at, f"must be {' or '.join(arguments)}, not {_shown(value)}")
        return value
    if origin is dict:
        return {key: _read(arguments[1], content, _below(at, key)) for key, content in _object(value, at).items()}
    if origin in (list, tuple):
        return _read_list(origin, arguments, value, at)
    return _read_scalar(kind, value, at)


def _read_object(kind: Any, value: Any, at: str) -> Any:
    given = _object(value, at)
    kinds = get_type_hints(kind)
    read = {}
    for each in fields(kind):
        key = _key(each)
        if _is_inlined(each):
            read[each.name] = _read(kinds[each.name], given, at)
        elif key in given:
            read[each.name] = _read(kinds[each.name], given[key], _below(at, key))
        elif each.default is MISSING and each.default_factory is MISSING:
            raise _WrongValue(_below(at, key), "is missing")
    try:
        return kind(**read)
    except ValueError as error:
        raise _WrongValue(at, f"is wrong: {error}") from None


def _read_list(origin: Any, arguments: Sequence[Any], value: Any, at: str) -> Any:
    if not isinstance(value, list):
        raise _WrongValue(at, f"must be a list, not {_shown(value)}")
    if origin is tuple and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            raise _WrongValue(at, f"must be a list of {len(arguments)}, not of {len(value)}")
        kinds = arguments
    else:
        kinds = [arguments[0]] * len(value)
    pairs = enumerate(zip(kinds, value, strict=True))
    return origin(_read(kind, content, f"{at}[{place}]") for place, (kind, content) in pairs)


def _read_scalar(kind: Any, value: Any, at: str) -> Any:
    if type(value) is int and kind is float:
        try:
            return float(value)
        except OverflowError:
            raise _WrongValue(at, "is too large a number") from None
    if type(value) is not kind or (kind is float and not isfinite(value)):
        raise _WrongValue(at, f"must be {_WORDS[kind]}, not {_shown(value)}")
    return value


def _object(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongValue(at, f"must be an object, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    names = {dict: "an object", list: "a list", NoneType: "null"}
    return names.get(type(value), repr(value)[:40])


def _key(each: Field[Any]) -> str:
    return each.metadata.get("key", each.name)


def _is_inlined(each: Field[Any]) -> bool:
    return bool(each.metadata.get("inlined"))


def _below(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
