"""Dataclasses on their way to JSON and back, and what the reader refuses."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.files.typed_json import INLINED, from_json, json_key, to_json
from pipeline.stage import InputError

FILE = Path("some/file.json")


@dataclass(frozen=True)
class Inner:
    low: float
    name: str | None


@dataclass(frozen=True)
class Beside:
    flag: bool
    kind: Literal["one", "two"]

    def __post_init__(self) -> None:
        if self.flag and self.kind == "two":
            raise ValueError("two cannot be flagged")


@dataclass(frozen=True)
class Outer:
    count: int = field(metadata=json_key("50k"))
    inner: Inner
    beside: Beside = field(metadata=INLINED)
    pair: tuple[float, float | None] | None
    words: tuple[str, ...]
    parts: list[Inner]
    table: dict[str, dict[str, int]]
    later: float | None = None


finite = st.floats(allow_nan=False, allow_infinity=False)
inners = st.builds(Inner, finite, st.none() | st.text())
outers = st.builds(
    Outer,
    st.integers(),
    inners,
    st.builds(Beside, st.just(False), st.sampled_from(["one", "two"])),
    st.none() | st.tuples(finite, st.none() | finite),
    st.lists(st.text(), max_size=3).map(tuple),
    st.lists(inners, max_size=3),
    st.dictionaries(st.text(), st.dictionaries(st.text(), st.integers(), max_size=2), max_size=2),
    st.none() | finite,
)
EXAMPLE = Outer(3, Inner(0.5, None), Beside(True, "one"), (0.0, None), ("a",), [Inner(1.0, "b")], {"x": {"y": 1}})


@given(outers)
def test_what_was_written_is_read_back(value):
    assert from_json(Outer, json.loads(json.dumps(to_json(value))), FILE, "") == value


def test_keys_are_the_fields_in_their_order_with_names_of_the_file():
    assert list(to_json(EXAMPLE)) == ["50k", "inner", "flag", "kind", "pair", "words", "parts", "table", "later"]


def test_a_whole_number_is_read_as_a_number_and_tuples_as_tuples():
    found = from_json(Outer, {**to_json(EXAMPLE), "pair": [1, None], "inner": {"low": 2, "name": "c"}}, FILE, "")
    assert (found.pair, type(found.inner.low), found.words) == ((1.0, None), float, ("a",))


def test_keys_without_a_field_are_ignored_and_missing_ones_take_their_default():
    value = {**to_json(EXAMPLE), "of a newer version": 1}
    del value["later"]
    assert from_json(Outer, value, FILE, "") == EXAMPLE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"50k": 3.0}, "50k must be a whole number, not 3.0"),
        ({"50k": True}, "50k must be a whole number, not True"),
        ({"50k": None}, "50k must be a whole number, not null"),
        ({"inner": []}, "inner must be an object, not a list"),
        ({"inner": {"low": 1.0}}, "inner.name is missing"),
        ({"inner": {"low": True, "name": None}}, "inner.low must be a finite number, not True"),
        ({"inner": {"low": float("nan"), "name": None}}, "inner.low must be a finite number, not nan"),
        ({"inner": {"low": 10**400, "name": None}}, "inner.low is too large a number"),
        ({"inner": {"low": 1.0, "name": 7}}, "inner.name must be a string, not 7"),
        ({"flag": 0}, "flag must be true or false, not 0"),
        ({"kind": "three"}, "kind must be one or two, not 'three'"),
        ({"kind": ["one"]}, "kind must be one or two, not a list"),
        ({"kind": "two"}, "the file is wrong: two cannot be flagged"),
        ({"pair": [1.0]}, "pair must be a list of 2, not of 1"),
        ({"pair": [1.0, "x"]}, "pair[1] must be a finite number, not 'x'"),
        ({"words": "abc"}, "words must be a list, not 'abc'"),
        ({"parts": [{"low": 1.0, "name": None}, {"name": None}]}, "parts[1].low is missing"),
        ({"table": {"x": {"y": 1.5}}}, "table.x.y must be a whole number, not 1.5"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_key(change, message):
    with pytest.raises(InputError) as refused:
        from_json(Outer, {**to_json(EXAMPLE), **change}, FILE, "make it again")
    assert str(refused.value) == f"some/file.json: {message}; make it again"


def test_a_part_of_a_file_is_named_by_its_place():
    with pytest.raises(InputError, match=r"some/file\.json: parts\[4\]\.low is missing; ask"):
        from_json(Inner, {"name": None}, FILE, "ask", at="parts[4]")
