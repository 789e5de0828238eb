"""The codes that MediaWiki takes for languages, and what the languages are called in Chinese.

The list stands in ``languages.txt`` beside this module, which says where it is from.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("languages.txt")


@cache
def languages() -> dict[str, str]:
    """Name by code, in lower case; "" where no name is known."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    entries = (entry.partition("=") for line in lines if not line.startswith("#") for entry in line.split())
    return {code: name for code, _, name in entries}


def language_name(code: str) -> str:
    """The Chinese name of a language, that of ``en`` for ``en-GB``; "" where none is known."""
    code = code.strip().lower().replace("_", "-")
    return languages().get(code) or languages().get(code.partition("-")[0], "")
