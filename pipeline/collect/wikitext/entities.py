"""Character entities: ``&nbsp;``, ``&frac12;``, ``&#x2A6A5;``."""

from __future__ import annotations

import re
from html.entities import html5

_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));")


def decode_entities(text: str) -> str:
    """``text`` with each entity made its character; what names none stays as it is."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def is_character(code: int) -> bool:
    """Whether ``code`` is a character that a text may hold: no control, surrogate or non-character."""
    good = code in (9, 10) or 0x20 <= code < 0x7F or 0xA0 <= code < 0xD800 or 0xE000 <= code < 0xFDD0
    return good or 0xFDF0 <= code < 0xFFFE or 0x10000 <= code < 0x110000


def _character(entity: re.Match[str]) -> str:
    decimal, hexadecimal, name = entity.groups()
    if name:
        return html5.get(f"{name};", entity.group())
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if is_character(code) else entity.group()
