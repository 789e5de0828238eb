"""Which characters are Chinese: the Han ideographs of Unicode."""

from __future__ import annotations

# Unicode 16: ideographic number zero, the unified ideographs and their extensions A to I, compatibility ideographs.
_HAN_RANGES = (
    (0x3007, 0x3007),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAD9),
    (0x20000, 0x323AF),
)


def is_han(character: str) -> bool:
    """Whether ``character`` is a Chinese character (a Han ideograph, in any extension)."""
    code = ord(character)
    return any(low <= code <= high for low, high in _HAN_RANGES)
