"""A coded file: what the learner was surprised by, enough for the same learner to write the text again.

The file is a header and the code. The header names the version, the engine and a fingerprint of what that engine
computes on this machine (a digest of the costs of a short stream), the setting where it is not the usual one, the
number of symbols and their CRC-32. Another engine would not compute the same digits, so its file is refused before
anything is decoded.
"""

from __future__ import annotations

import functools
import hashlib
import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.files.run_record import RunObject
from pipeline.predictor import engine
from pipeline.predictor.coder import PLACE, decoder, encoder, ending
from pipeline.predictor.learner import DECODE, ENCODE, learn, pass_over
from pipeline.predictor.state import Setting, new_learner
from pipeline.stage import InputError

MAGIC, VERSION = b"SEED", 2
_NUMBERS = struct.Struct(">QI4sBB")  # symbols, CRC-32, fingerprint, lengths of the engine's name and of the setting
_WORST = 17  # a bit costs at most 16 bits; one byte more for what the interval has not settled


@dataclass(frozen=True)
class Coded:
    """A coded text, and what the learner charged for it."""

    data: bytes
    bits: float  # the sum of -log2 p


@functools.cache
def fingerprint() -> bytes:
    """Four bytes that differ where this engine computes other digits."""
    symbols = np.array([(7 * place * place + place // 3) % 97 + 30 for place in range(60)], dtype=np.uint8)
    learner = new_learner(Setting(slot_bits=10))
    bits, _ = learn(learner, symbols)
    recurrent = learner.recurrent
    seen = (bits, recurrent.nu, recurrent.h, recurrent.embedding, learner.delays.squares)
    return hashlib.sha256(b"".join(array.tobytes() for array in seen)).digest()[:4]


def encode(data: bytes, setting: Setting) -> Coded:
    """Code ``data`` with a fresh learner."""
    symbols = np.frombuffer(data, dtype=np.uint8).copy()
    bits, hits = np.zeros(symbols.size), np.zeros(symbols.size, dtype=bool)
    code, coder = np.zeros(_WORST * symbols.size + 8, dtype=np.uint8), encoder()
    pass_over(new_learner(setting), symbols, bits, hits, coder, code, ENCODE)
    header = _header(data, setting)
    return Coded(header + code[: coder[PLACE]].tobytes() + ending(coder), float(bits.sum()))


def decode(path: Path, data: bytes) -> bytes:
    """What was coded into ``data``, the content of the file at ``path``.

    Raises:
        InputError: not a coded file, damaged, or coded by another version or engine.
    """
    if not data.startswith(MAGIC):
        raise InputError(f"{path}: not a file of --encode; give one")
    if len(data) < 5 or data[4] != VERSION:
        raise InputError(f"{path}: not of version {VERSION}; decode it with the version of this program that wrote it")
    try:
        count, check, digits, named, set_ = _NUMBERS.unpack_from(data, 5)
        start = 5 + _NUMBERS.size
        name = data[start : start + named].decode()
        begun = start + named + set_
        given: RunObject = json.loads(data[start + named : begun] or b"{}")
        setting = Setting(**{**given, "without": tuple(given.get("without", ()))})
        learner = new_learner(setting)
    except (struct.error, ValueError, TypeError, AttributeError):
        raise InputError(f"{path}: its header is damaged; encode the text again") from None
    if (name, digits) != (engine.NAME, fingerprint()):
        raise InputError(
            f"{path}: coded with {name} (fingerprint {digits.hex()}), here is {engine.NAME} ({fingerprint().hex()}); "
            "decode it where it was encoded"
        )
    code = np.frombuffer(data, dtype=np.uint8)[begun:].copy()
    if count > 50_000 * (code.size + 8):  # a bit costs at least 1 / 45,000 bits
        raise InputError(f"{path}: its header is damaged; encode the text again")
    symbols = np.zeros(count, dtype=np.uint8)
    bits, hits = np.zeros(count), np.zeros(count, dtype=bool)
    pass_over(learner, symbols, bits, hits, decoder(code), code, DECODE)
    text = symbols.tobytes()
    if zlib.crc32(text) != check:
        raise InputError(f"{path}: damaged; what it decodes to does not have its CRC-32")
    return text


def _header(data: bytes, setting: Setting) -> bytes:
    name = engine.NAME.encode()
    differences = setting.differences()
    given = json.dumps(differences).encode() if differences else b""
    numbers = _NUMBERS.pack(len(data), zlib.crc32(data), fingerprint(), len(name), len(given))
    return MAGIC + bytes([VERSION]) + numbers + name + given
