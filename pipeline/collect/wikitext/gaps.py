"""What is done where something left no text: brackets and separators that nothing stands between any more.

``（；1900年）`` becomes ``（1900年）`` and ``（／）`` goes, for the sentence is whole without its bracket. Where a
title, a quotation, a part of an enumeration or the beginning of a sentence is missing, the sentence is not: ``FORMULA``
stands in the gap, as for a formula, and the sentence is left out later.
"""

from __future__ import annotations

import re

from pipeline.collect.article import FORMULA
from pipeline.collect.wikitext.marks import BREAK, GONE

_OPENING, _CLOSING = {"（", "("}, {"）", ")"}
_SEPARATOR = r"[ \t\u00a0，、；：,;:/／|·・\-–—－~～]"
_EMPTY_BRACKETS = re.compile(f"[（(]{GONE}[）)]")
_RUN = re.compile(f"(?<![{_SEPARATOR[1:-1]}{GONE}]){_SEPARATOR}*{GONE}[{_SEPARATOR[1:-1]}{GONE}]*")
_GONES = rf"(?:[ \t]*{GONE})+[ \t]*"  # a way to write it that takes linear time
_PAIRS = ("《》", "〈〉", "「」", "『』", "“”", "‘’", "【】", "〔〕", "［］", "[]")
_NOTHING = f"{_SEPARATOR}*{GONE}[{_SEPARATOR[1:-1]}{GONE}]*"  # but what separates, and what is gone
_STRAIGHT = ('""', "''")  # which do not say what they are: "甲"、"乙" has a pair around its 、 too
_EMPTY_PAIR = re.compile(
    "|".join(
        [
            *(re.escape(pair[0]) + _NOTHING + re.escape(pair[1]) for pair in _PAIRS),
            *(pair[0] + _GONES + pair[1] for pair in _STRAIGHT),
        ]
    )
)
# A gap between two marks, of which the second can stand after the first only with words between them.
_GAP = re.compile(f"(?<=[，、；：,;]){_GONES}(?=[，、；：。！？,;])|(?:^|(?<=[。{BREAK}])){_GONES}(?=[，、；：])")
# What any of these needs; most references are not at such a place.
_AT_MARKS = re.compile(
    rf"[（(]{_SEPARATOR}*{GONE}|{GONE}{_SEPARATOR}*[）)]|[《〈「『“‘【〔［\[\"']{_SEPARATOR}*{GONE}|{_GAP.pattern}"
)


def close_gaps(line: str) -> str:
    """``line`` without ``GONE``."""
    if not _AT_MARKS.search(line):
        return line.replace(GONE, "")
    line = _EMPTY_BRACKETS.sub(GONE, _RUN.sub(_at_brackets, line))
    line = _EMPTY_PAIR.sub(lambda pair: pair.group()[0] + FORMULA + pair.group()[-1], line)
    return _GAP.sub(FORMULA, line).replace(GONE, "")


def _at_brackets(run: re.Match[str]) -> str:
    """A run of separators next to a bracket goes; one ``GONE`` remains between two brackets."""
    opened = run.string[run.start() - 1 : run.start()] in _OPENING
    closed = run.string[run.end() : run.end() + 1] in _CLOSING
    if opened or closed:
        return GONE if opened and closed else ""
    return run.group()
