"""Simplified and traditional spellings of a name made the same: ``外部連結`` and ``外部连结`` both give ``外部连结``.

For comparing, not for converting text: where one character stands for several (``发`` for ``發`` and ``髮``) all of
them become that one, and shapes of one character (``說``, ``説``) become one too.

The pairs stand in ``script_folding.txt`` beside this module, made from Unicode's Unihan database: each character of the
basic plane and the first ``kSimplifiedVariant`` other than itself, its own or that of its ``kZVariant``. On Debian,
with ``unicode-data`` installed, the same file is made again by::

    python -m pipeline.characters.script_folding /usr/share/unicode/Unihan_Variants.txt.bz2

The file carries the licence of the Unicode data files, which allows it.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

from pipeline.files import atomic
from pipeline.files.packed import read_lines
from pipeline.stage import InputError, run_stage

TABLE = Path(__file__).with_name("script_folding.txt")
_ENTRY = re.compile(r"U\+([0-9A-F]{4})\tk(Simplified|Z)Variant\t(.*)")
_VARIANT = re.compile(r"U\+([0-9A-F]{4})\b")
_A_LINE = 25  # pairs


def folded(text: str) -> str:
    """``text`` in lower case with its characters in one script, for comparing names."""
    return text.lower().translate(_folds())


@cache
def _folds() -> dict[int, int]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    return str.maketrans(pairs[::2], pairs[1::2])


def read_unihan(path: Path) -> dict[str, str]:
    """The pairs by code point, from a Unihan file that has the variants (also packed).

    Raises:
        InputError: the file is missing or without variants.
    """
    variants: dict[str, dict[str, list[str]]] = {"Simplified": {}, "Z": {}}
    for line in read_lines(path, "on Debian, install unicode-data"):
        if match := _ENTRY.match(line):
            character = chr(int(match[1], 16))
            others = [chr(int(code, 16)) for code in _VARIANT.findall(match[3])]
            variants[match[2]][character] = [other for other in others if other != character]
    simplified, shapes = variants["Simplified"], variants["Z"]
    if not simplified:
        raise InputError(f"{path}: lacks kSimplifiedVariant; give Unihan_Variants.txt")
    pairs: dict[str, str] = {}
    for character in sorted(simplified.keys() | shapes.keys()):
        candidates = [simplified.get(one, []) for one in (character, *shapes.get(character, []))]
        target = next((found[0] for found in candidates if found), character)
        while (further := simplified.get(target)) and further[0] != character:  # to the end of a chain
            target = further[0]
        if target != character:
            pairs[character] = target
    return pairs


def main() -> int:
    """Write ``script_folding.txt`` again; the notice at its head stays."""
    if len(sys.argv) != 2:
        raise InputError("give one file: the Unihan file that has the variants")
    pairs = [character + target for character, target in read_unihan(Path(sys.argv[1])).items()]
    notice = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    rows = ["".join(pairs[start : start + _A_LINE]) for start in range(0, len(pairs), _A_LINE)]
    atomic.write_text(TABLE, "\n".join([*notice, *rows]) + "\n")
    print(f"{TABLE}: {len(pairs)} pairs")
    return 0


if __name__ == "__main__":
    run_stage(main)
