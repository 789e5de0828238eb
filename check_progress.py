"""Any time: how far, how fast and how healthy a run is.

    python check_progress.py                                     # your run, else the one that comes with the program
    python check_progress.py --watch                             # again every 10 seconds until the run is finished
    python check_progress.py --history runs/quickstart/training_history.json --watch 2
    python check_progress.py --reference results/50k/training_history.json      # beside a run that went well
    python check_progress.py --store --watch                     # a fetch from the wiki
    python check_progress.py --json                              # for scripts
    python check_progress.py --history output/trainer_state.json runs/other.csv # what other trainers log

It only reads the history, which the trainer replaces whole at every record, so it never disturbs the run. It works on a
half-finished run, on one that stopped, and on the published five lists, which keep no time and no total.

"at the end" is a rough forecast: the accuracy at the last step by a saturating exponential and by a logarithm fitted to
the records after the warm-up. The two form a range, no interval; analyze_100k.py forecasts with care. Anomalies and NSP
at chance are told by the rules of the analysis; other warnings are reasons to look (pipeline/monitor/run_health.py).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from pipeline.collect.api.store import DEFAULT_STORE, progress
from pipeline.files.checkpoints.names import KeptStates, parse_kept_states
from pipeline.files.history import COMMITTED_HISTORY, DEFAULT_HISTORY, History, history_at_hand
from pipeline.files.logs.choices import add_log_options, choices_from
from pipeline.files.logs.export import add_csv_option, write_csv
from pipeline.files.logs.read_log import modified, read_logs
from pipeline.files.run_record import recorded_config
from pipeline.monitor.disk_need import DiskNeed, disk_need
from pipeline.monitor.fetch_screen import fetch_screen
from pipeline.monitor.progress import Progress, measure
from pipeline.monitor.screen import screen
from pipeline.stage import InputError, run_stage
from pipeline.terminal import show

DEFAULT_CHECKPOINTS = Path("checkpoints_100k")
BEING_MADE = 10.0  # seconds during which a store may not have its tables yet


def main() -> int:
    arguments = _arguments()
    if arguments.json and arguments.store:
        print(json.dumps(asdict(progress(arguments.store)), ensure_ascii=False))
    elif arguments.json:
        for found in _look(arguments, arguments.history):
            print(json.dumps(found.to_json(), ensure_ascii=False))
    elif arguments.store:
        show(lambda columns, styled: _fetch(arguments, columns, styled), arguments.watch)
    else:
        show(lambda columns, styled: _runs(arguments, columns, styled), arguments.watch)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--history",
        type=Path,
        nargs="+",
        metavar="F",
        help=f"the run's history, or those of several runs (default: {DEFAULT_HISTORY}; where it is missing, and "
        f"--watch does not wait for it, the run that comes with the program, {COMMITTED_HISTORY})",
    )
    inputs.add_argument(
        "--checkpoint-dir",
        type=Path,
        metavar="D",
        help=f"where the run's checkpoints are, to see whether the disk holds those to come (default: "
        f"{DEFAULT_CHECKPOINTS} for the default history, else 'checkpoints' beside the history)",
    )
    inputs.add_argument(
        "--reference", type=Path, metavar="F", help="history of another run to compare with, step by step"
    )
    inputs.add_argument(
        "--store",
        type=Path,
        nargs="?",
        const=DEFAULT_STORE,
        metavar="S",
        help="show a fetch instead of a run, from the store of rare_char_fetch.py (where S is left out: "
        f"{DEFAULT_STORE})",
    )
    add_log_options(parser)
    outputs = parser.add_argument_group("output")
    add_csv_option(outputs)
    output = outputs.add_mutually_exclusive_group()
    output.add_argument(
        "--watch",
        type=_seconds,
        nargs="?",
        const=10.0,
        metavar="S",
        help="look again every S seconds (10 where S is left out) until the run is finished (default: look once)",
    )
    output.add_argument(
        "--json", action="store_true", help="one JSON object on one line for each run (default: a screen of text)"
    )
    arguments = parser.parse_args()
    if arguments.history is None and not arguments.store:
        arguments.history = [history_at_hand() if arguments.watch is None else DEFAULT_HISTORY]
        if arguments.history == [COMMITTED_HISTORY]:
            told = f"{DEFAULT_HISTORY} is not here; this is the run that comes with the program, {COMMITTED_HISTORY}"
            print(told, file=sys.stderr if arguments.json else sys.stdout)
    return arguments


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not from 0.1 to 86400 seconds")
    return seconds


def _look(arguments: argparse.Namespace, paths: list[Path]) -> list[Progress]:
    """The progress of the runs whose histories are in ``paths``."""
    references = [arguments.reference] if arguments.reference else []
    read = read_logs([*paths, *references], choices_from(arguments))
    histories, reference = read[: len(paths)], read[-1] if references else None
    if arguments.csv:
        write_csv(arguments.csv, histories)
    now = time.time()
    return [measure(each, modified(each.path), now, _disk(arguments, each), reference) for each in histories]


def _disk(arguments: argparse.Namespace, history: History) -> DiskNeed | None:
    """Whether the disk holds the checkpoints to come; None where the history does not say how long the run will be."""
    path, facts = history.path, history.facts
    total, interval = facts.count("config", "steps"), facts.count("config", "save_interval")
    folder = arguments.checkpoint_dir or (
        DEFAULT_CHECKPOINTS if path == DEFAULT_HISTORY else path.parent / "checkpoints"
    )
    if not total or "log" in history.run:
        return None
    return disk_need(
        folder,
        int(history.last_step),
        total,
        interval,
        facts.count("parameters"),
        begun=facts.count("branch", "step") or 0,
        early=bool(recorded_config(history.run).get("early_checkpoints")),
        kept=_kept(history),
    )


def _kept(history: History) -> KeptStates:
    """The states that the run keeps beside the newest two."""
    try:
        return parse_kept_states(history.facts.text("keep_states") or "")
    except ValueError as error:
        raise InputError(f"{history.path}: run.keep_states {error}") from None


def _runs(arguments: argparse.Namespace, columns: int, styled: bool) -> tuple[str, bool]:
    """One screen of the runs, and whether all are finished."""
    awaited = [path for path in arguments.history if arguments.watch is not None and not path.exists()]
    there = [path for path in arguments.history if path not in awaited]
    found = _look(arguments, there) if there else []
    screens = [screen(each, columns, styled=styled) for each in found]
    waiting = [f"{path}: waiting for the first record" for path in awaited]
    return "\n\n".join(screens + waiting), not awaited and all(each.state == "finished" for each in found)


def _fetch(arguments: argparse.Namespace, columns: int, styled: bool) -> tuple[str, bool]:
    """One screen of the fetch, and whether it is finished."""
    waiting = f"{arguments.store}: waiting for the store"
    if arguments.watch is not None and not arguments.store.exists():
        return waiting, False
    try:
        facts = progress(arguments.store)
    except InputError:
        if arguments.watch is None or time.time() - arguments.store.stat().st_mtime > BEING_MADE:
            raise
        return waiting, False
    return fetch_screen(facts, time.time(), columns, styled=styled), facts.finished is not None


if __name__ == "__main__":
    run_stage(main, outlives_reader=False)
