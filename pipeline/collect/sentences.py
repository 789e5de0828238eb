"""Cut a paragraph of Chinese text into sentences without losing a character.

A sentence ends at ``。！？!?`` (a run of them is one end), at ``……`` before a closing quote or the end of the line, and
at a full stop ``.`` or ``．`` after a Han character. Closing quotes, brackets and further end marks stay with the
sentence that they close. There is no end

* inside ``（…）``, ``《…》`` and other brackets that close within ``LONGEST_BRACKET`` characters, unless round brackets
  hold the whole sentence: ``（如图。）`` is one by itself;
* before a comma, or after a closing quote before a word that joins it to what follows: ``“好！”，他说。``
  and ``“好吗？”的回答。`` are one sentence each;
* at ``!`` or ``?`` after a Latin letter or a digit, which belong to names (``Yahoo!``, ``Hello! Project``);
* at a full stop that begins a number or word, follows an enumerator (``一．``), or joins two Han characters in a
  paragraph that ends its sentences with ``。``, for there it is a middle dot (``马丁．路德``).
"""

from __future__ import annotations

import re

from pipeline.characters.han import is_han

OPENING = "（(《〈【［[〔｛{"
CLOSING = "）)》〉】］]〕｝}"
LONGEST_BRACKET = 120  # characters; a bracket left open by mistake must not swallow the paragraph
_LONGEST_ENUMERATOR = 8  # characters, with what stands before it

_KIND = str.maketrans("（）［］｛｝", "()[]{}")  # a full-width bracket may be closed by an ASCII one
_CLOSER_OF = {opening: closing.translate(_KIND) for opening, closing in zip(OPENING, CLOSING, strict=True)}

_END = re.compile(r"[。｡！？!?…⋯]+|[.．](?![0-9A-Za-z０-９.．])|\n+")
_TAIL = re.compile(r"(?:[ \t\u3000]*[”’」』｣）)》〉】］\]〕｝}。｡！？])*")
_STRAIGHT_QUOTES = "\"'＂＇"
_COMMA = re.compile(r"[ \t\u3000]*[，、；：,;:]")
_JOINED = re.compile(r"的(?!士)|等|[和与與及或][“‘「『《〈]|一[词詞语語句曲歌文书書]")
_ENUMERATOR = re.compile(r"(?:^|[\s，、；：,;:])第?[一二三四五六七八九十百千0-9０-９]+\Z")
_BLANK = re.compile(r"\s*")


def split_sentences(paragraph: str) -> list[str]:
    """Pieces of ``paragraph``, in order; joined they give it back exactly. White space stays with the piece before."""
    brackets = _bracket_ends(paragraph)
    closing_quotes = _closing_quotes(paragraph)
    dots_end = "。" not in paragraph
    pieces = []
    start = position = 0
    while end := _END.search(paragraph, position):
        position = end.end()
        close = brackets[end.start()]
        if close:
            position = close
            alone = brackets[start] == close and paragraph[start] in "（(" and paragraph[close - 2] in "。｡"
            if not alone:
                continue
        elif not _ends_sentence(paragraph, start, end, dots_end):
            continue
        if "\n" not in end.group():
            position = _tail_end(paragraph, position, closing_quotes)
            if _goes_on(paragraph, position):
                continue
        position = _match_end(_BLANK, paragraph, position)
        pieces.append(paragraph[start:position])
        start = position
    if start < len(paragraph):
        pieces.append(paragraph[start:])
    return pieces


def _ends_sentence(paragraph: str, start: int, end: re.Match[str], dots_end: bool) -> bool:
    mark = end.group()
    before = paragraph[max(start, end.start() - _LONGEST_ENUMERATOR) : end.start()]
    after = paragraph[end.end() : end.end() + 1]
    if set(mark) <= set("…⋯"):
        return not after or after in "\n”’」』"
    if mark in ".．":
        is_word_dot = after and is_han(after) and not dots_end
        return bool(before) and is_han(before[-1]) and not is_word_dot and not _ENUMERATOR.search(before)
    if set(mark) <= set("!?"):
        return not (before[-1:].isascii() and before[-1:].isalnum())
    return True


def _closing_quotes(paragraph: str) -> set[int]:
    """Positions of the straight quotes that close: the second, fourth, ... of its kind."""
    places = ([match.start() for match in re.finditer(quote, paragraph)] for quote in _STRAIGHT_QUOTES)
    return {place for of_one_kind in places for place in of_one_kind[1::2]}


def _tail_end(paragraph: str, position: int, closing_quotes: set[int]) -> int:
    """The position after the closing quotes, brackets and end marks that follow ``position``."""
    position = _match_end(_TAIL, paragraph, position)
    while position in closing_quotes:
        position = _match_end(_TAIL, paragraph, position + 1)
    return position


def _goes_on(paragraph: str, position: int) -> bool:
    after_quote = paragraph[position - 1] in "”’」』｣" + _STRAIGHT_QUOTES
    return bool(_COMMA.match(paragraph, position) or (after_quote and _JOINED.match(paragraph, position)))


def _bracket_ends(paragraph: str) -> list[int]:
    """For each position inside a bracket, the position after its close; 0 outside. Outermost brackets count."""
    ends = [0] * len(paragraph)
    opened: list[tuple[str, int]] = []
    for position, character in enumerate(paragraph):
        if character in OPENING:
            opened.append((_CLOSER_OF[character], position))
        elif opened and character.translate(_KIND) == opened[-1][0]:
            _, start = opened.pop()
            if position - start <= LONGEST_BRACKET:
                ends[start : position + 1] = [position + 1] * (position + 1 - start)
        elif character == "\n":
            opened.clear()
    return ends


def _match_end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    assert match is not None  # the patterns it is used with match the empty string
    return match.end()
