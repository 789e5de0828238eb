"""Dataclasses written as JSON and read back: every type of field, and what is said of a value of another type."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from pipeline.files.typed_json import from_json, to_json
from pipeline.stage import InputError


@dataclass(frozen=True)
class Inner:
    share: float
    note: str | None = None


@dataclass(frozen=True)
class Outer:
    count: int
    found: bool
    state: Literal["rising", "falling"]
    interval: tuple[float, float] | None
    steps: list[int]
    names: tuple[str, ...]
    groups: dict[str, Inner]
    parts: list[Inner]
    facts: dict[str, Any]
    published: float | None = field(default=None, metadata={"key": "50k_r"})
    later: Inner | None = field(default=None, metadata={"omit_none": True})


@dataclass(frozen=True)
class Range:
    low: int
    high: int = field(metadata={"key": "top"})

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above top")


@dataclass(frozen=True)
class Around:
    before: int
    range: Range = field(metadata={"inlined": True})
    after: int


@dataclass(frozen=True)
class Untold:
    either: int | str


FULL = Outer(
    3, True, "rising", (0.25, 1.0), [1, 2], ("a",), {"han": Inner(0.5, "x")}, [Inner(1.0)], {"any": [None, 1]}, 0.5,
    Inner(0.0),
)  # fmt: skip


def written():
    """FULL after a trip through a file."""
    return json.loads(json.dumps(to_json(FULL)))


def test_there_and_back():
    assert from_json(Outer, written(), "f.json") == FULL


def test_keys_and_order():
    assert list(written()) == [
        "count", "found", "state", "interval", "steps", "names", "groups", "parts", "facts", "50k_r", "later",
    ]  # fmt: skip
    assert written()["interval"] == [0.25, 1.0]


def test_none_is_null_or_left_out():
    value = to_json(Outer(1, False, "falling", None, [], (), {}, [], {}))
    assert value["interval"] is None
    assert value["50k_r"] is None
    assert "later" not in value
    assert from_json(Outer, value, "f.json").later is None


def test_a_missing_key_takes_the_default_and_an_unknown_one_is_passed_over():
    assert from_json(Inner, {"share": 1, "newer": 2}, "f.json") == Inner(1.0, None)
    assert isinstance(from_json(Inner, {"share": 1}, "f.json").share, float)


def test_nan_and_infinity_are_values():
    value = json.loads(json.dumps(to_json([Inner(math.nan), Inner(-math.inf)])))
    first, second = from_json(list[Inner], value, "f.json")
    assert math.isnan(first.share)
    assert second.share == -math.inf


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (["count"], True, "count must be a whole number, not True"),
        (["count"], 3.0, "count must be a whole number, not 3.0"),
        (["found"], 1, "found must be true or false, not 1"),
        (["state"], "still", "state must be one of 'rising', 'falling', not 'still'"),
        (["interval"], [0.25], "interval must be a list of 2 or null, not list"),
        (["interval", 1], None, "interval[1] must be a number, not None"),
        (["interval", 1], 10**400, "interval[1] must be a number, not 1000"),
        (["steps"], {"0": 1}, "steps must be a list, not dict"),
        (["steps", 1], "2", "steps[1] must be a whole number, not '2'"),
        (["names", 0], 1, "names[0] must be a string, not 1"),
        (["groups"], [], "groups must be an object, not list"),
        (["groups", "han", "share"], "0.5", "groups.han.share must be a number, not '0.5'"),
        (["parts", 0], 5, "parts[0] must be an object, not 5"),
        (["later"], 5, "later must be an object or null, not 5"),
        (["50k_r"], "x", "50k_r must be a number or null, not 'x'"),
    ],
)
def test_a_value_of_another_type(keys, value, said):
    content = place = written()
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(InputError) as error:
        from_json(Outer, content, "f.json", advice="write it again")
    assert str(error.value).startswith(f"f.json: {said}")
    assert str(error.value).endswith("; write it again")


def test_a_missing_key_without_a_default():
    with pytest.raises(InputError, match=r"^f.json: \[0\].share must be a number, but is missing$"):
        from_json(list[Inner], [{}], "f.json")
    with pytest.raises(InputError, match=r"^f.json: the file must be an object, not list$"):
        from_json(Inner, [], "f.json")


def test_the_keys_of_an_inlined_object_stand_in_the_one_around_it():
    value = to_json(Around(1, Range(2, 3), 4))
    assert list(value.items()) == [("before", 1), ("low", 2), ("top", 3), ("after", 4)]
    assert from_json(Around, value, "f.json") == Around(1, Range(2, 3), 4)
    with pytest.raises(InputError, match=r"^f.json: top must be a whole number, but is missing$"):
        from_json(Around, {"before": 1, "low": 2, "after": 4}, "f.json")


def test_what_a_dataclass_checks_itself_is_named_with_its_keys():
    with pytest.raises(InputError, match=r"^f.json: \[1\] must be consistent, but low is above top$"):
        from_json(list[Range], [{"low": 1, "top": 2}, {"low": 3, "top": 2}], "f.json")


def test_what_cannot_be_read_back_is_not_written():
    assert type(to_json(np.float64(0.5))) is float
    for value in (np.arange(2), np.int64(1), np.bool_(True), {1}):
        with pytest.raises(TypeError, match="cannot be written as JSON"):
            to_json({"deep": [value]})
    with pytest.raises(TypeError, match=r"only int \| float and X \| None"):
        from_json(Untold, {"either": 1}, "f.json")


def test_a_number_is_kept_as_it_is_written():
    kept = from_json(list[int | float | None], [3, 3.0, 0.5, None], "f.json")
    assert [(type(value), value) for value in kept] == [(int, 3), (float, 3.0), (float, 0.5), (type(None), None)]
    assert from_json(list[tuple[int, float]], [[1, 2]], "f.json") == [(1, 2.0)]
    with pytest.raises(InputError, match=r"\[0\] must be a number or null, not True"):
        from_json(list[int | float | None], [True], "f.json")
    with pytest.raises(InputError, match=r"\[0\] must be a number, not '1'"):
        from_json(list[int | float], ["1"], "f.json")
