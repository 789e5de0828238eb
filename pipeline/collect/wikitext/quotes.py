"""Runs of apostrophes, which make text bold and italic: those that are text stay.

MediaWiki's rules (``Parser::doQuotes``): a run of four is an apostrophe and bold, one of more than five apostrophes and
both. Where a line has an odd number of both, one bold run is an apostrophe and italic: the first after a word of one
letter, else the first after a longer word, else the first after a blank.
"""

from __future__ import annotations

import re

_RUNS = re.compile(r"('{2,})")


def without_quotes(text: str) -> str:
    """``text`` without the apostrophes that are mark-up, line by line."""
    return "\n".join(_line(line) if "''" in line else line for line in text.split("\n"))


def _line(line: str) -> str:
    bold = line.count("'''")
    odd = bold % 2 and (line.count("''") - bold) % 2
    if odd or "''''" in line:
        return _unbalanced(line)
    return line.replace("'''", "").replace("''", "")


def _unbalanced(line: str) -> str:
    texts = _RUNS.split(line)
    runs = range(1, len(texts), 2)
    lengths = {}
    for place in runs:
        length = len(texts[place])
        lengths[place] = 3 if length == 4 else min(length, 5)
        texts[place - 1] += "'" * (length - lengths[place])
        texts[place] = ""
    bold = sum(length != 2 for length in lengths.values())
    italic = sum(length != 3 for length in lengths.values())
    if bold % 2 and italic % 2:
        place = _odd_one([place for place in runs if lengths[place] == 3], texts)
        if place:
            texts[place] = "'"
    return "".join(texts)


def _odd_one(bold: list[int], texts: list[str]) -> int:
    """The place of the bold run that is an apostrophe and italic; 0 where there is none."""
    after_word = after_blank = 0
    for place in bold:
        before = texts[place - 1]
        if before.endswith(" "):
            after_blank = after_blank or place
        elif before.isascii() and before[-2:-1] == " ":
            return place
        else:
            after_word = after_word or place
    return after_word or after_blank
