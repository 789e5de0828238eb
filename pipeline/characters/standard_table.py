"""The standard table of Chinese characters, 通用规范汉字表 (2013): 8,105 in three levels, the commonest first.

The characters stand in ``standard_table.txt`` beside this module, which was not typed but made from Unicode's Unihan
database, whose property ``kTGH`` holds each character's number in the table. On Debian, with ``unicode-data``
installed, the same file is made again by::

    python -m pipeline.characters.standard_table /usr/share/unicode/Unihan_OtherMappings.txt.bz2

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

TABLE = Path(__file__).with_name("standard_table.txt")
SIZES = (3500, 3000, 1605)  # characters of levels 1 (common), 2 (less so) and 3 (names, places, science, the classics)
_COUNT = sum(SIZES)
_A_LINE = 50
_ENTRY = re.compile(r"U\+([0-9A-F]{4,6})\tkTGH\t2013:([0-9]+)\s*\Z")


@cache
def standard_characters() -> tuple[str, ...]:
    """The 8,105 characters in the order of the table: first level 1, then 2, then 3."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return tuple("".join(line for line in lines if not line.startswith("#")))


@cache
def standard_levels() -> dict[str, int]:
    """The level, 1 to 3, of every character of the table."""
    levels = [level for level, size in enumerate(SIZES, start=1) for _ in range(size)]
    return dict(zip(standard_characters(), levels, strict=True))


def read_unihan(path: Path) -> str:
    """The table's characters in order, from a Unihan file that has ``kTGH`` (also packed).

    Raises:
        InputError: the file is missing, or does not hold each number of the table exactly once.
    """
    entries = [match for line in read_lines(path, "on Debian, install unicode-data") if (match := _ENTRY.match(line))]
    characters = {int(number): chr(int(code, 16)) for code, number in (match.groups() for match in entries)}
    if len(entries) != _COUNT or sorted(characters) != list(range(1, _COUNT + 1)):
        raise InputError(f"{path}: {len(entries)} entries of kTGH, where the table has {_COUNT}; give another Unihan")
    return "".join(characters[number] for number in range(1, _COUNT + 1))


def main() -> int:
    """Write ``standard_table.txt`` again; the notice at its head stays."""
    if len(sys.argv) != 2:
        raise InputError("give one file: the Unihan file that has kTGH")
    characters = read_unihan(Path(sys.argv[1]))
    notice = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    rows = [characters[start : start + _A_LINE] for start in range(0, _COUNT, _A_LINE)]
    atomic.write_text(TABLE, "\n".join([*notice, *rows]) + "\n")
    print(f"{TABLE}: {_COUNT} characters")
    return 0


if __name__ == "__main__":
    run_stage(main)
