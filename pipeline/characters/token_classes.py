"""What kind of character a token is, by its Unicode name and category."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from pipeline.characters.han import is_han

CLASSES = ("han", "punctuation", "digits", "latin", "other")


def token_class(character: str) -> str:
    """One of ``CLASSES``. Punctuation is category P, digits Nd, Latin any letter so named; widths do not matter.

    Symbols, kana and other scripts, Roman and circled numerals are ``other``.
    """
    category = unicodedata.category(character)
    if is_han(character):
        return "han"
    if category.startswith("P"):
        return "punctuation"
    if category == "Nd":
        return "digits"
    if category.startswith("L") and "LATIN" in unicodedata.name(character, ""):
        return "latin"
    return "other"


def class_numbers(tokens: Sequence[str]) -> np.ndarray:
    """Index into ``CLASSES`` of every token, int64 [V]; -1 for special tokens."""
    return np.array([CLASSES.index(token_class(token)) if len(token) == 1 else -1 for token in tokens])
