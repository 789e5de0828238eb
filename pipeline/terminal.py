"""Lines of a screen of text: a title, a bar, named rows, a sparkline, and how they are shown again and again."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.formatting import columns_of

NARROWEST, WIDEST = 30, 120  # columns
NAME = 12  # columns of the names at the left
ROOMY = 50  # columns; below it the names are not indented
CELL = 24
APART = "   "  # between two parts of a cell, and cells that do not stand below others
LEAST_PATH = 16  # columns of a title's path; where there are fewer, what stands at its right goes below
BARS, ASCII_BARS = ("━", "╌"), ("#", ".")
SPARKS, ASCII_SPARKS = "▁▂▃▄▅▆▇█", "_.:-=+*#"
ASCII = str.maketrans({"…": "...", "±": "+/-"})
NEVER_FIRST, NEVER_LAST = "，。；：、）？！%前步条对个", "（"  # of a line
BOLD, QUIET, WARNING, END = "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[0m"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@dataclass(frozen=True)
class Surface:
    """What a screen is drawn on, and how its lines are laid out there: none is wider, nothing is cut off."""

    columns: int = 80
    lines: int | None = None  # None where there is no window that they could scroll out of
    styled: bool = False  # titles and warnings are set off by terminal codes
    blocks: bool = True  # its encoding has the characters of bars

    @property
    def width(self) -> int:
        """The columns that are used."""
        return max(NARROWEST, min(WIDEST, self.columns))

    @property
    def edge(self) -> int:
        """The columns at the left of a row's first cell."""
        return NAME if self.width < ROOMY else NAME + 2

    def title(self, left: str, right: str) -> list[str]:
        """The first line of a screen; a path that is too long loses its beginning, never its end."""
        if columns_of(left) + columns_of(right) + 2 <= self.width or self.width - columns_of(right) - 2 >= LEAST_PATH:
            left = self._end_of(left, self.width - columns_of(right) - 2)
            lines = [left + " " * (self.width - columns_of(left) - columns_of(right)) + right]
        else:
            lines = [self._end_of(left, self.width), *self._wrapped(right, self.width)]
        return [f"{BOLD}{line}{END}" if self.styled else line for line in lines]

    def bar(self, share: float, number: str) -> list[str]:
        """A line that is heavy as far as ``share`` (0 to 1) of it, with ``number`` at its end."""
        full, empty = BARS if self.blocks else ASCII_BARS
        width = self.width - columns_of(number) - 2
        done = int(width * max(0.0, min(1.0, share)))
        return [f"{full * done}{empty * (width - done)}  {number}"]

    def row(self, name: str, *cells: str) -> list[str]:
        """A named line of cells that stand below one another; those for which there is no room go on below."""
        edge = self.edge
        lines, line = [], " " * (edge - NAME) + name + " " * (NAME - columns_of(name))
        for cell in filter(None, map(self._plain, cells)):
            used, apart = columns_of(line), "" if line.endswith(" ") else APART
            column = edge + CELL * -(-(used + 2 - edge) // CELL) if apart else edge
            if column + columns_of(cell) <= self.width:
                line += " " * (column - used) + cell
            elif used + len(apart) + columns_of(cell) <= self.width:
                line += apart + cell
            else:
                *before, last = self._wrapped(cell, self.width - edge)
                if apart:
                    lines.append(line)
                    line = " " * edge
                for part in before:
                    lines.append(line + part)
                    line = " " * edge
                line += last
        return [*lines, line.rstrip()]

    def warning(self, text: str) -> list[str]:
        first, *rest = self._wrapped(self._plain(text), self.width - 4)
        lines = [f"  ! {first}", *(f"    {part}" for part in rest)]
        return [f"{WARNING}{line}{END}" if self.styled else line for line in lines]

    def quiet(self, lines: list[str]) -> list[str]:
        """The same lines, set back."""
        return [f"{QUIET}{line}{END}" for line in lines] if self.styled else lines

    def sparkline(self, values: Sequence[float], width: int) -> str:
        """``values`` as a line of at most ``width`` blocks, least to greatest; longer lists are averaged down."""
        sparks = SPARKS if self.blocks else ASCII_SPARKS
        width = min(width, len(values))
        edges = [len(values) * place // width for place in range(width + 1)] if width else [0]
        means = [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
        low, high = min(means, default=0.0), max(means, default=0.0)
        scale = (len(sparks) - 1) / (high - low) if high > low else 0.0
        return "".join(sparks[round((mean - low) * scale)] for mean in means)

    def text(self, said: str) -> list[str]:
        """A sentence that begins at the left."""
        return self._wrapped(self._plain(said), self.width)

    def _plain(self, text: str) -> str:
        return text if self.blocks else text.translate(ASCII)

    def _end_of(self, text: str, room: int) -> str:
        if columns_of(text) <= room:
            return text
        mark = self._plain("…")
        while columns_of(mark) + columns_of(text) > room:
            text = text[1:]
        return mark + text

    def _wrapped(self, text: str, room: int) -> list[str]:
        """``text`` in lines of at most ``room`` columns: cut between its parts, else between words, else anywhere."""
        lines = [""]
        for part in text.split(APART):
            if columns_of(lines[-1]) + len(APART) + columns_of(part) <= room and lines[-1]:
                lines[-1] += APART + part
                continue
            words = _words(part)
            if lines[-1]:
                lines.append("")
            for word in words:
                if columns_of(lines[-1] + word.rstrip()) > room and lines[-1]:
                    lines[-1] = lines[-1].rstrip()
                    lines.append("")
                while columns_of(word.rstrip()) > room:
                    fits = next(end for end in range(len(word), 0, -1) if columns_of(word[:end]) <= room)
                    lines[-1:] = [word[:fits], ""]
                    word = word[fits:]
                lines[-1] += word
        return [line.rstrip() for line in lines]


def _words(text: str) -> list[str]:
    """``text`` cut where a line may end: after a space and around Chinese characters, not before a comma or a unit."""
    words = [""]
    for character in text:
        last = words[-1][-1:]
        ends = last == " " or columns_of(character) == 2 or columns_of(last) == 2
        of_number = last == " " and words[-1][-2:-1].isdigit() and not character.isdigit()
        if ends and last and character not in NEVER_FIRST + " " and last not in NEVER_LAST and not of_number:
            words.append("")
        words[-1] += character
    return words


def can_write(characters: str) -> bool:
    """Whether the encoding of stdout has all ``characters``."""
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def show(draw: Callable[[Surface], tuple[str, bool]], again: float | None) -> None:
    """Print what ``draw(surface)`` gives, (text, last); every ``again`` seconds until it says "last".

    On a terminal each screen takes the place of the one before, line by line, so that nothing flickers.
    """
    on_terminal = sys.stdout.isatty()
    redrawn = on_terminal and again is not None
    blocks = can_write("".join(BARS) + SPARKS + "…±")
    styled = on_terminal and "NO_COLOR" not in os.environ
    if redrawn:
        sys.stdout.write(HIDE_CURSOR + HOME + REST_OF_SCREEN)
    try:
        while True:
            size = shutil.get_terminal_size()
            text, last = draw(Surface(size.columns, size.lines - 1 if on_terminal else None, styled, blocks))
            if redrawn:
                shown = text.split("\n")[: size.lines - 1]
                sys.stdout.write(HOME + "".join(f"{line}{REST_OF_LINE}\n" for line in shown) + REST_OF_SCREEN)
            else:
                print(text, end="\n" if again is None else "\n\n")
            sys.stdout.flush()
            if last or again is None:
                return
            time.sleep(again)
    finally:
        if redrawn:
            sys.stdout.write(SHOW_CURSOR)
            sys.stdout.flush()
