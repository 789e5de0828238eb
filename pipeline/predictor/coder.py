"""Arithmetic coding with the learner's probabilities, in an interval of 56 bits."""

from __future__ import annotations

import numpy as np

from pipeline.predictor.engine import compiled
from pipeline.predictor.prediction import CERTAIN

WIDTH = 56
TOP = WIDTH - 8
FULL = (1 << WIDTH) - 1
LOW, HIGH, VALUE, PLACE = range(4)  # the coder's registers; VALUE is the decoder's, PLACE is where in the code it is


@compiled
def _split(coder: np.ndarray, p: int) -> int:
    """The last number that means a 1."""
    return coder[LOW] + (coder[HIGH] - coder[LOW]) // CERTAIN * p


@compiled
def encode_bit(coder: np.ndarray, code: np.ndarray, p: int, bit: int) -> None:
    """Narrow the interval to ``bit``, whose P(1) is ``p`` / CERTAIN, and write the bytes that are settled."""
    split = _split(coder, p)
    if bit:
        coder[HIGH] = split
    else:
        coder[LOW] = split + 1
    while coder[LOW] >> TOP == coder[HIGH] >> TOP:
        code[coder[PLACE]] = coder[HIGH] >> TOP
        coder[PLACE] += 1
        coder[LOW] = (coder[LOW] << 8) & FULL
        coder[HIGH] = ((coder[HIGH] << 8) & FULL) | 255


@compiled
def decode_bit(coder: np.ndarray, code: np.ndarray, p: int) -> int:
    """The bit that was encoded with ``p``; zeros follow where the code ends."""
    split = _split(coder, p)
    bit = 1 if coder[VALUE] <= split else 0
    if bit:
        coder[HIGH] = split
    else:
        coder[LOW] = split + 1
    while coder[LOW] >> TOP == coder[HIGH] >> TOP:
        coder[LOW] = (coder[LOW] << 8) & FULL
        coder[HIGH] = ((coder[HIGH] << 8) & FULL) | 255
        following = code[coder[PLACE]] if coder[PLACE] < code.size else 0
        coder[VALUE] = ((coder[VALUE] << 8) & FULL) | following
        coder[PLACE] += 1
    return bit


def encoder() -> np.ndarray:
    """Registers at the start of encoding; int64 [4]."""
    return np.array([0, FULL, 0, 0], dtype=np.int64)


def decoder(code: np.ndarray) -> np.ndarray:
    """Registers at the start of decoding ``code`` (uint8 [N]); int64 [4]."""
    first = int.from_bytes(code[: WIDTH // 8].tobytes().ljust(WIDTH // 8, b"\0"), "big")
    return np.array([0, FULL, first, WIDTH // 8], dtype=np.int64)


def ending(coder: np.ndarray) -> bytes:
    """The shortest bytes that, followed by zeros, lie in the encoder's interval."""
    low, high = int(coder[LOW]), int(coder[HIGH])
    for count in range(WIDTH // 8 + 1):
        step = 1 << (WIDTH - 8 * count)
        value = -(-low // step) * step
        if value <= high:
            return value.to_bytes(WIDTH // 8, "big")[:count]
    raise AssertionError("an interval holds at least its own lower end")
