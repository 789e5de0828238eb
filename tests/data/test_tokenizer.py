"""One token a character."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import token_array
from pipeline.data import tokenizer as tokenizer_module
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, MASK, PAD, SEP, UNK, Tokenizer
from pipeline.files.vocabulary import SPECIAL_TOKENS, count_characters
from pipeline.stage import InputError

VOCAB = list("的，。天地人𠀀a1")
SPACES = " \t\n\u3000\xa0\u2028"


def test_special_tokens_have_the_first_five_ids():
    tokenizer = Tokenizer(VOCAB)
    assert [tokenizer.tokens[i] for i in (PAD, UNK, CLS, SEP, MASK)] == list(SPECIAL_TOKENS)
    assert (PAD, UNK, CLS, SEP, MASK) == (0, 1, 2, 3, 4)
    assert tokenizer.tokens[FIRST_CHARACTER:] == VOCAB
    assert len(tokenizer) == len(VOCAB) + 5


@given(st.lists(st.text(alphabet="的，。天地人𠀀a1" + SPACES, max_size=10), max_size=6))
def test_decoding_gives_the_text_without_white_space(sentences):
    tokenizer = Tokenizer(VOCAB)
    ids, offsets = tokenizer.encode(sentences)
    assert len(offsets) == len(sentences) + 1
    assert (offsets[0], offsets[-1]) == (0, len(ids))
    for sentence, start, end in zip(sentences, offsets, offsets[1:], strict=False):
        assert tokenizer.decode(ids[start:end]) == "".join(sentence.split())


@given(st.lists(st.text(max_size=12), max_size=6))
def test_every_visible_character_is_one_token_and_unknown_ones_are_unk(sentences):
    tokenizer = Tokenizer(VOCAB)
    ids, offsets = tokenizer.encode(sentences)
    for sentence, start, end in zip(sentences, offsets, offsets[1:], strict=False):
        visible = "".join(sentence.split())
        assert end - start == len(visible)
        assert [character in VOCAB for character in visible] == [identifier != UNK for identifier in ids[start:end]]
    assert len(ids) == count_characters(sentences).total()  # the vocabulary counts what the tokenizer sees


def test_ids_are_small_and_offsets_wide():
    ids, offsets = Tokenizer(VOCAB).encode(["天地", "", "人"])
    assert ids.dtype == np.uint16
    assert offsets.dtype == np.int64
    assert offsets.tolist() == [0, 2, 2, 3]


def test_han_ids():
    tokenizer = Tokenizer(VOCAB)
    han = tokenizer.han_ids()
    assert [tokenizer.tokens[i] for i in np.flatnonzero(han)] == list("的天地人𠀀")


def test_a_vocabulary_too_large_for_its_ids_is_refused():
    everything = [chr(code) for code in range(0x4E00, 0x4E00 + (1 << 16))]
    with pytest.raises(InputError, match="65536 characters"):
        Tokenizer(everything)
    Tokenizer(everything[: (1 << 16) - FIRST_CHARACTER])


@pytest.mark.parametrize("portion", [1, 2, 5])
def test_encoding_in_portions_changes_nothing(portion, monkeypatch):
    sentences = ["天地", "", "人 𠀀a", "  ", "？的", "的。", "1"]
    whole = Tokenizer(VOCAB).encode(sentences)
    monkeypatch.setattr(tokenizer_module, "SENTENCES_AT_ONCE", portion)
    for expected, got in zip(whole, Tokenizer(VOCAB).encode(sentences), strict=True):
        assert got.dtype == expected.dtype
        assert got.tolist() == expected.tolist()


def is_mapped(array):
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


def test_past_the_memory_the_ids_lie_in_a_file(monkeypatch):
    sentences = ["天地人", "", "的。"]
    ids, offsets = Tokenizer(VOCAB).encode(sentences)
    monkeypatch.setattr(token_array, "MOST_IN_MEMORY", 9)
    in_file, offsets_too = Tokenizer(VOCAB).encode(sentences)
    assert is_mapped(in_file)
    assert (in_file.tolist(), offsets_too.tolist()) == (ids.tolist(), offsets.tolist())
    monkeypatch.setattr(token_array, "MOST_IN_MEMORY", 10)
    assert not is_mapped(Tokenizer(VOCAB).encode(sentences)[0])


def test_no_room_for_the_file(monkeypatch):
    """/dev/full is a disk without room."""
    monkeypatch.setattr(token_array, "MOST_IN_MEMORY", 0)
    monkeypatch.setattr(tempfile, "TemporaryFile", partial(Path("/dev/full").open, "r+b", buffering=0))
    with pytest.raises(InputError, match=r"no room for .* of tokens \(No space left on device\); set TMPDIR"):
        Tokenizer(VOCAB).encode(["天地"])
