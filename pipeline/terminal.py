"""Lines of a screen of text: a title, a bar, named rows, a sparkline, and how they are shown again and again."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

NARROWEST, WIDEST = 60, 120  # columns
NAME = 12  # columns of the names at the left
CELL = 24
SPARKS = "▁▂▃▄▅▆▇█"
BOLD, QUIET, WARNING, END = "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[0m"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def fitted(columns: int) -> int:
    """The width of a screen in a terminal of so many columns."""
    return max(NARROWEST, min(WIDEST, columns))


def bar(share: float, width: int) -> str:
    """A line of ``width`` columns, heavy as far as ``share`` (0 to 1) of it."""
    done = int(width * max(0.0, min(1.0, share)))
    return "━" * done + "╌" * (width - done)


def title(left: str, right: str, width: int, styled: bool) -> str:
    """The first line of a screen; a path that is too long loses its beginning."""
    room = width - len(right) - 2
    left = left if len(left) <= room else f"…{left[len(left) - room + 1 :]}"
    line = f"{left}{right:>{width - len(left)}}"
    return f"{BOLD}{line}{END}" if styled else line


def row(name: str, *cells: str) -> str:
    """A named line of cells that stand below one another."""
    return (f"  {name:<{NAME}}" + "".join(f"{cell:<{CELL}}" for cell in cells[:-1]) + cells[-1]).rstrip()


def warning(text: str, styled: bool) -> str:
    line = f"  ! {text}"
    return f"{WARNING}{line}{END}" if styled else line


def healthy(text: str, styled: bool) -> str:
    line = row("healthy", text)
    return f"{QUIET}{line}{END}" if styled else line


def sparkline(values: Sequence[float], width: int) -> str:
    """``values`` as a line of at most ``width`` blocks, least to greatest; longer lists are averaged down."""
    if not values:
        return ""
    width = min(width, len(values))
    edges = [len(values) * place // width for place in range(width + 1)]
    means = [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(SPARKS) - 1) / (high - low) if high > low else 0.0
    return "".join(SPARKS[round((mean - low) * scale)] for mean in means)


def show(draw: Callable[[int, bool], tuple[str, bool]], again: float | None) -> None:
    """Print what ``draw(columns, styled)`` gives, (text, last); every ``again`` seconds until it says "last".

    On a terminal each screen takes the place of the one before, line by line, so that nothing flickers.
    """
    on_terminal = sys.stdout.isatty()
    redrawn = on_terminal and again is not None
    if redrawn:
        sys.stdout.write(HIDE_CURSOR + HOME + REST_OF_SCREEN)
    try:
        while True:
            size = shutil.get_terminal_size()
            text, last = draw(size.columns, on_terminal and "NO_COLOR" not in os.environ)
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
