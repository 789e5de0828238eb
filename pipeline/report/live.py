"""The page of the curves written anew while a run is going on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.files import atomic
from pipeline.files.history import History
from pipeline.files.logs.read_log import modified
from pipeline.report.curves_page import curves_page
from pipeline.words import Words

EVERY = 30.0  # seconds between two pages; a page costs a small part of a second
LOOK = 2.0  # seconds between two looks at the files

Read = Callable[[], list[tuple[str, History]]]


def follow(paths: Sequence[Path], read: Read, output: Path, say: Words, sleep: Callable[[float], object]) -> None:
    """Write the page of the runs in ``paths`` to ``output`` at most every 30 s, until all of them are finished.

    ``read`` gives their names and histories. Nothing is read or written while no file has changed.
    """
    seen: list[float] = []
    while True:
        now = [modified(path) for path in paths]
        if now != seen:
            seen, runs = now, read()
            finished = all(history.facts.text("finished") for _, history in runs)
            atomic.write_text(output, curves_page(runs, say, None if finished else EVERY))
            if finished:
                return
            sleep(EVERY)
        else:
            sleep(LOOK)
