"""Coding and decoding: bit-identical, as small as the learner said, and refused where it could not be exact."""

import random
import zlib
from pathlib import Path

import pytest

from pipeline.predictor import codec, engine
from pipeline.predictor.codec import decode, encode
from pipeline.predictor.state import Setting
from pipeline.stage import InputError

SMALL = Setting(units=4, slot_bits=14)
TEXT = ("天地玄黄，宇宙洪荒。" * 3 + "The cat sat on the mat, and the dog sat on the log. " * 3).encode()
PATH = Path("text.seed")


@pytest.mark.parametrize(
    "data",
    [b"", b"a", bytes(range(256)), TEXT, b"\0" * 300, random.Random(1).randbytes(400), "é".encode("latin-1") * 9],
    ids=["empty", "one", "all bytes", "text", "zeros", "noise", "not UTF-8"],
)
def test_what_was_coded_comes_back(data):
    coded = encode(data, SMALL)
    assert decode(PATH, coded.data) == data
    header = len(encode(b"", SMALL).data)
    assert len(coded.data) - header == pytest.approx(coded.bits / 8, abs=2, rel=1e-4)


def test_every_part_left_out_is_coded_too():
    setting = Setting(units=2, slot_bits=12, orders=2, without=("copies", "traces", "words"), seed=5)
    assert decode(PATH, encode(TEXT, setting).data) == TEXT


def test_repeats_cost_next_to_nothing():
    once, twice = encode(TEXT, SMALL), encode(TEXT * 2, SMALL)
    assert twice.bits - once.bits < 0.4 * once.bits


def test_another_engine_is_refused(monkeypatch):
    data = encode(TEXT, SMALL).data
    monkeypatch.setattr(engine, "NAME", "numba 0.1")
    with pytest.raises(InputError, match=r"^text.seed: coded with .*, here is numba 0.1 .*where it was encoded"):
        decode(PATH, data)


def test_the_same_engine_with_other_digits_is_refused(monkeypatch):
    data = encode(TEXT, SMALL).data
    monkeypatch.setattr(codec, "fingerprint", lambda: b"\1\2\3\4")
    with pytest.raises(InputError, match="fingerprint"):
        decode(PATH, data)


def test_what_is_not_a_coded_file_is_refused():
    data = encode(TEXT, SMALL).data
    cases = {
        "not a file of --encode": b"PK" + data,
        "not of version 2": data[:4] + b"\1" + data[5:],
        "header is damaged": data[:20],
        "CRC-32": data[:-8] + bytes(8),
    }
    for said, odd in cases.items():
        with pytest.raises(InputError, match=said):
            decode(PATH, odd)
    claimed = bytearray(data)
    claimed[5] = 255  # so many symbols would never end
    with pytest.raises(InputError, match="header is damaged"):
        decode(PATH, bytes(claimed))


def test_the_header_holds_what_decides():
    data = encode(TEXT, Setting(units=4, slot_bits=14, seed=9)).data
    assert data[:5] == b"SEED\2"
    assert int.from_bytes(data[5:13], "big") == len(TEXT)
    assert int.from_bytes(data[13:17], "big") == zlib.crc32(TEXT)
    assert engine.NAME.encode() in data[:80]
    assert b'{"units": 4, "slot_bits": 14, "seed": 9}' in data[:120]
