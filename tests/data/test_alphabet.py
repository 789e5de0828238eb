"""Characters and bytes as symbols."""

import math

import pytest

from pipeline.data.alphabet import END, UNKNOWN, Alphabet, alphabet_from
from pipeline.stage import InputError

CHAR = Alphabet("char", "ab \n", white_space=True)
HAN = Alphabet("char", "天地，", white_space=False)
BYTE = Alphabet("byte", "", white_space=True)


def test_characters_follow_the_two_special_symbols():
    ids, offsets = CHAR.encode(["ab", "", " \nz"])
    assert ids.tolist() == [2, 3, 4, 5, UNKNOWN]
    assert offsets.tolist() == [0, 2, 2, 5]
    assert len(CHAR) == 6
    assert CHAR.decode([END, 2, 5, UNKNOWN]) == "a\n\ufffd"


def test_white_space_is_dropped_where_it_is_no_text():
    assert HAN.encode(["天 地\u3000\n，"])[0].tolist() == [2, 3, 4]
    assert HAN.unknown_in("天 人") == ["人"]
    assert HAN.han_ids().tolist() == [False, False, True, True, False]
    assert Alphabet("byte", "", white_space=False).encode(["a b"])[0].tolist() == [98, 99]


def test_bytes_are_their_number_and_one():
    text = "é天\n"
    ids, offsets = BYTE.encode(["x", text])
    assert (ids[1:] - 1).tolist() == list(text.encode())
    assert offsets.tolist() == [0, 1, 7]
    assert BYTE.decode([END, *ids[1:].tolist()]) == text
    assert BYTE.decode(ids[1:2].tolist()) == "\ufffd"
    assert (len(BYTE), BYTE.unknown_in("人"), BYTE.han_ids().any()) == (257, [], False)


def test_an_unknown_character_costs_a_code_point():
    assert CHAR.surprise_of_unknown() == pytest.approx(math.log(1114112 - 4))


def test_a_prompt_must_be_spelled_and_fit():
    assert CHAR.read_prompt("ab", 3) == [END, 2, 3]
    with pytest.raises(InputError, match="does not know 'y', 'z'"):
        CHAR.read_prompt("azy", 10)
    with pytest.raises(InputError, match="has 3 characters, and the context has room for 2"):
        CHAR.read_prompt("aba", 3)


def test_it_is_read_back_from_json():
    for alphabet in (CHAR, HAN, BYTE):
        assert alphabet_from(alphabet.to_json()) == alphabet
    assert len({each.digest() for each in (CHAR, HAN, BYTE, Alphabet("char", "ba \n", True))}) == 4
    good = CHAR.to_json()
    for wrong in (None, [], {}, {**good, "level": "word"}, {**good, "characters": "aa"}, {**good, "characters": 3},
                  {**good, "white_space": 1}, {**good, "level": "byte"}, {**good, "more": 1}):  # fmt: skip
        assert alphabet_from(wrong) is None
