"""The arguments of one template, and where texts are joined as a reader expects it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_ASCII_JOIN = re.compile(r"[!-~][!-~]")


@dataclass(frozen=True)
class Arguments:
    """Texts by name, those without a name by number from "1"; ``variant`` is the script asked for."""

    values: Mapping[str, str]
    variant: str = "zh"

    def get(self, *names: str) -> str:
        """The first text of ``names`` that is not empty, else ""."""
        for name in names:
            if text := self.values.get(name):
                return text
        return ""

    def numbered(self) -> list[str]:
        """The texts without a name, in order, to the first number that is not there."""
        texts: list[str] = []
        while (text := self.values.get(str(len(texts) + 1))) is not None:
            texts.append(text)
        return texts


def run_on(texts: Iterable[str]) -> str:
    """``texts`` one after the other, with a blank between two ASCII characters only: Chinese words have none."""
    pieces: list[str] = []
    last = ""
    for text in texts:
        if text:
            pieces.append(" " + text if _ASCII_JOIN.fullmatch(last + text[0]) else text)
            last = text[-1]
    return "".join(pieces)
