"""What general compressors need for a held-out text after they have seen the training text, in bits.

The difference of two lengths: of both texts together, and of the training text alone. xz looks back over ``WINDOW``
bytes at most, so only so much of the training text is shown to it; PPMd, a model of contexts as an n-gram model is, is
shown the same. PPMd needs the optional package pyppmd.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable

WINDOW = 1 << 26
PPMD_ORDER = 8
_PPMD_MEMORY = 1 << 30  # of which only what is used is touched


def compressed_bits(train: bytes, held_out: bytes) -> dict[str, int]:
    """Bits for ``held_out`` by name of the compressor; ``ppmd`` is missing where pyppmd is not installed."""
    shown = train[-WINDOW:]
    found = {"xz": _difference(_xz, shown, held_out)}
    ppmd = _ppmd()
    if ppmd:
        found["ppmd"] = _difference(ppmd, shown, held_out)
    return found


def _difference(length: Callable[[bytes], int], shown: bytes, held_out: bytes) -> int:
    return 8 * (length(shown + held_out) - length(shown))


def _xz(data: bytes) -> int:
    """The length of ``data`` as raw LZMA2, which has no header, with the whole of it in its window."""
    window = max(1 << 16, 1 << (len(data) - 1).bit_length())
    return len(
        lzma.compress(data, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": window}])
    )


def _ppmd() -> Callable[[bytes], int] | None:
    try:
        import pyppmd
    except ImportError:
        return None

    def length(data: bytes) -> int:
        encoder = pyppmd.Ppmd7Encoder(PPMD_ORDER, _PPMD_MEMORY)
        return len(encoder.encode(data)) + len(encoder.flush(endmark=False))

    return length
