"""Any time: how far, how fast and how healthy a run is.

    python check_progress.py                                     # the real study, once
    python check_progress.py --watch                             # again every 10 seconds until the run is finished
    python check_progress.py --history runs/quickstart/training_history.json --watch 2
    python check_progress.py --json                              # for scripts

It only reads the history, which the trainer replaces whole at every record, so it never disturbs the run. It works on a
half-finished run, on one that stopped, and on the published five lists, which keep no time and no total.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from pathlib import Path

from pipeline.analyse.progress import Progress, measure, screen
from pipeline.history import DEFAULT_HISTORY, read_history
from pipeline.stage import run_stage

CLEAR = "\x1b[H\x1b[2J"


def main() -> int:
    arguments = _arguments()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without block characters shows question marks
        sys.stdout.reconfigure(errors="replace")
    if arguments.watch is not None:
        _watch(arguments.history, arguments.watch)
    elif arguments.json:
        print(json.dumps(_look(arguments.history).to_json(), ensure_ascii=False))
    else:
        print(screen(_look(arguments.history)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--history", type=Path, default=DEFAULT_HISTORY, metavar="F", help="the run's history (default: %(default)s)"
    )
    output = parser.add_argument_group("output").add_mutually_exclusive_group()
    output.add_argument(
        "--watch",
        type=_seconds,
        nargs="?",
        const=10.0,
        metavar="S",
        help="look again every S seconds (10 where S is left out) until the run is finished (default: look once)",
    )
    output.add_argument("--json", action="store_true", help="one JSON object on one line (default: a screen of text)")
    return parser.parse_args()


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not from 0.1 to 86400 seconds")
    return seconds


def _look(path: Path) -> Progress:
    history = read_history(path)
    return measure(path, history, path.stat().st_mtime, time.time())


def _watch(path: Path, seconds: float) -> None:
    """Show the progress until the run is finished; on a terminal each screen takes the place of the last one."""
    while True:
        progress = _look(path) if path.exists() else None  # before the first record there is no history yet
        text = screen(progress) if progress else f"{path}: waiting for the first record"
        print(f"{CLEAR}{text}" if sys.stdout.isatty() else f"{text}\n", flush=True)
        if progress and progress.state == "finished":
            return
        time.sleep(seconds)


if __name__ == "__main__":
    run_stage(main)
