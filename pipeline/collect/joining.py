"""Texts one after the other as a reader expects it: words of Latin letters apart, Chinese ones not."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ASCII_JOIN = re.compile(r"[!-~][!-~]")


def run_on(texts: Iterable[str]) -> str:
    """``texts`` one after the other, with a blank between two ASCII characters only: Chinese words have none."""
    pieces: list[str] = []
    last = ""
    for text in texts:
        if text:
            pieces.append(" " + text if _ASCII_JOIN.fullmatch(last + text[0]) else text)
            last = text[-1]
    return "".join(pieces)
