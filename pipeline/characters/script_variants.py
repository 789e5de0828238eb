"""Which Chinese characters belong to one script only: simplified (``们``) or traditional (``們``).

The characters stand in ``script_variants.txt`` beside this module, made from Unicode's Unihan database: simplified only
are those with a ``kTraditionalVariant`` other than themselves, traditional only those with such a
``kSimplifiedVariant``. Characters that both scripts use (``后``, ``云``, ``台``, ``著``) are neither, and what stands
in the standard table of simplified Chinese is never taken for traditional only. On Debian, with ``unicode-data``
installed, the same file is made again by::

    python -m pipeline.characters.script_variants /usr/share/unicode/Unihan_Variants.txt.bz2

The file carries the licence of the Unicode data files, which allows it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.characters.han import is_han
from pipeline.characters.standard_table import standard_levels
from pipeline.files import atomic
from pipeline.files.packed import read_lines
from pipeline.stage import InputError, run_stage

TABLE = Path(__file__).with_name("script_variants.txt")
_ENTRY = re.compile(r"U\+([0-9A-F]{4,6})\tk(Simplified|Traditional)Variant\t(.*)")
_A_LINE = 50


SCRIPTS = ("simplified only", "traditional only", "shared")


@cache
def script_characters() -> tuple[frozenset[str], frozenset[str]]:
    """The characters of simplified text only, and those of traditional text only."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    middle = lines.index("")
    return frozenset("".join(lines[:middle])), frozenset("".join(lines[middle:]))


def script_numbers(tokens: Sequence[str]) -> np.ndarray:
    """Index into ``SCRIPTS`` of every token, int64 [V]; -1 for tokens that are not one Han character."""
    simplified, traditional = script_characters()
    return np.array(
        [
            -1
            if len(token) != 1 or not is_han(token)
            else 0
            if token in simplified
            else 1
            if token in traditional
            else 2
            for token in tokens
        ],
        dtype=np.int64,
    )


def read_unihan(path: Path) -> tuple[list[str], list[str]]:
    """The same from a Unihan file that has the variants (also packed), each by code point.

    Raises:
        InputError: the file is missing or without variants.
    """
    lines = read_lines(path, "on Debian, install unicode-data")
    entries = [match.groups() for line in lines if (match := _ENTRY.match(line))]
    if not entries:
        raise InputError(f"{path}: lacks kSimplifiedVariant; give Unihan_Variants.txt")
    other: dict[str, set[str]] = {"Simplified": set(), "Traditional": set()}
    for code, kind, variants in entries:
        if f"U+{code}" not in variants.split():
            other[kind].add(chr(int(code, 16)))
    both = other["Simplified"] & other["Traditional"]
    return sorted(other["Traditional"] - both), sorted(other["Simplified"] - both - standard_levels().keys())


def main() -> int:
    """Write ``script_variants.txt`` again; the notice at its head stays."""
    if len(sys.argv) != 2:
        raise InputError("give one file: the Unihan file that has the variants")
    lists = read_unihan(Path(sys.argv[1]))
    notice = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    blocks = [
        "\n".join("".join(characters[start : start + _A_LINE]) for start in range(0, len(characters), _A_LINE))
        for characters in lists
    ]
    atomic.write_text(TABLE, "\n".join([*notice, "\n\n".join(blocks)]) + "\n")
    print(f"{TABLE}: {len(lists[0])} characters of simplified text only, {len(lists[1])} of traditional text only")
    return 0


if __name__ == "__main__":
    run_stage(main)
