"""Kill a fetch again and again, as a power cut would, and see that it repeats nothing."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers.tiny import ROOT


def fetch_with_kills(options: list[object], store: Path, texts_asked: Callable[[], list[int]], kills: int) -> None:
    """Run rare_char_fetch.py, SIGKILL it at ``kills`` random moments, then let it finish.

    ``texts_asked`` gives the ids of the pages whose text the wiki has been asked for so far; after a kill none of those
    that are stored may be asked for again.
    """
    command = [sys.executable, str(ROOT / "rare_char_fetch.py"), *map(str, options)]
    dice = random.Random(5)
    stored: set[int] = set()
    for number in range(kills + 1):
        before = len(texts_asked())
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if number < kills:
            wait_for_a_request(texts_asked, before, process)
            time.sleep(dice.uniform(0, 1))
            process.send_signal(signal.SIGKILL)
        _, errors = process.communicate(timeout=600)
        expected = -signal.SIGKILL if number < kills else 0
        assert process.returncode == expected, f"exit code {process.returncode} after {number} kills: {errors}"
        assert not stored & set(texts_asked()[before:])
        with sqlite3.connect(store) as database:
            stored = {pageid for (pageid,) in database.execute("SELECT pageid FROM pages")}


def wait_for_a_request(texts_asked: Callable[[], list[int]], before: int, process: subprocess.Popen[str]) -> None:
    """Until the fetch has begun to ask, so that every kill comes in the midst of its work."""
    deadline = time.monotonic() + 120
    while len(texts_asked()) == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
