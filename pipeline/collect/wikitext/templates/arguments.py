"""The arguments of one template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
