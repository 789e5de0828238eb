"""Compressors that have seen a text need little for a text like it."""

import builtins
import random

import pytest

from pipeline.baselines.compressors import compressed_bits

RANDOM = random.Random(2)
TEXT = bytes(RANDOM.choices(b"abcdefgh", k=4000))


@pytest.mark.parametrize("name", ["xz", "ppmd"])
def test_bits_of_what_was_seen_and_of_what_was_not(name):
    """Eight letters at random hold three bits each; a copy of what was seen holds next to none."""
    fresh = bytes(RANDOM.choices(b"abcdefgh", k=4000))
    assert compressed_bits(TEXT, TEXT)[name] < 0.1 * 3 * 4000
    assert compressed_bits(TEXT, fresh)[name] == pytest.approx(3 * 4000, rel=0.25)
    assert compressed_bits(TEXT, fresh)[name] >= 0.99 * 3 * 4000


def test_without_pyppmd_there_is_xz_alone(monkeypatch):
    real = builtins.__import__

    def missing(name, *more):
        if name == "pyppmd":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert list(compressed_bits(TEXT, b"abc")) == ["xz"]
