"""Any time: how far, how fast and how healthy a run is.

    python check_progress.py                  # your run, else the one that comes
    python check_progress.py --watch          # every 10 s until it is finished
    python check_progress.py --store --watch  # a fetch from the wiki
    python check_progress.py --lang zh        # in Chinese
    python check_progress.py --json           # for scripts
    python check_progress.py --history runs/quickstart/training_history.json --watch 2
    python check_progress.py --history output/trainer_state.json runs/other.csv
    python check_progress.py --reference results/50k/training_history.json

It only reads the history, which the trainer replaces whole at every record, so it never disturbs the run. It works on a
half-finished run, on one that stopped, on what other trainers log, and on the published five lists, which keep no time
and no total. --reference puts a run that went well beside it.

"at the end" is a rough forecast: the accuracy at the last step by a saturating exponential and by a logarithm fitted to
the records after the warm-up. The two form a range, not an interval; analyze_100k.py forecasts with care. Anomalies and
NSP at chance are told by the rules of the analysis; other warnings are reasons to look. "!" is a warning; a note says
what is as it should be so far. "The progress screen" in docs/TRAINING.md explains each line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.collect.api.store import DEFAULT_STORE, progress
from pipeline.command_line import StageParser
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
from pipeline.monitor.words import screen_words
from pipeline.stage import InputError, run_stage
from pipeline.terminal import Surface, can_write, show
from pipeline.words import LANGUAGES

DEFAULT_CHECKPOINTS = Path("checkpoints_100k")
BEING_MADE = 10.0  # seconds during which a store may not have its tables yet


def main() -> int:
    arguments = _arguments()
    if arguments.json and arguments.store:
        print(json.dumps(asdict(progress(arguments.store)), ensure_ascii=False))
    elif arguments.json:
        if arguments.told:
            print(arguments.told, file=sys.stderr)
        for found in _look(arguments, arguments.history):
            print(json.dumps(found.to_json(), ensure_ascii=False))
    elif arguments.store:
        show(lambda surface: _fetch(arguments, surface), arguments.watch)
    else:
        show(lambda surface: _runs(arguments, surface), arguments.watch)
    return 0


def _arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--history",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=f"the run's history, or those of several runs (default: {DEFAULT_HISTORY}; where it is missing, and "
        f"--watch does not wait for it, the run that comes with the program, {COMMITTED_HISTORY})",
    )
    inputs.add_argument(
        "--checkpoint-dir",
        type=Path,
        metavar="DIR",
        help=f"where the run's checkpoints are, to see whether the disk holds those to come (default: "
        f"{DEFAULT_CHECKPOINTS} for the default history, else 'checkpoints' beside the history)",
    )
    inputs.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="history of another run to compare with, step by step (default: none)",
    )
    inputs.add_argument(
        "--store",
        type=Path,
        nargs="?",
        const=DEFAULT_STORE,
        metavar="FILE",
        help="show a fetch instead of a run, from the store of rare_char_fetch.py (where FILE is left out: "
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
        metavar="SECONDS",
        help="look again so often (every 10 where SECONDS is left out) until the run is finished (default: look once)",
    )
    output.add_argument(
        "--json", action="store_true", help="one JSON object on one line for each run (default: a screen of text)"
    )
    outputs.add_argument(
        "--lang",
        choices=LANGUAGES,
        default="en",
        help="language of the screen; --json is always in English (default: %(default)s)",
    )
    arguments = parser.parse_args()
    arguments.told = None
    if arguments.lang == "zh" and not (arguments.json or can_write("中文")):
        print(f"the encoding {sys.stdout.encoding} has no Chinese characters: this is in English", file=sys.stderr)
        arguments.lang = "en"
    if arguments.history is None and not arguments.store:
        arguments.history = [history_at_hand() if arguments.watch is None else DEFAULT_HISTORY]
        if arguments.history == [COMMITTED_HISTORY]:
            arguments.told = screen_words(arguments.lang)(
                "{path} is not here; this is the run that comes with the program, {committed}",
                path=DEFAULT_HISTORY,
                committed=COMMITTED_HISTORY,
            )
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


def _runs(arguments: argparse.Namespace, surface: Surface) -> tuple[str, bool]:
    """One screen of the runs, and whether all are finished."""
    awaited = [path for path in arguments.history if arguments.watch is not None and not path.exists()]
    there = [path for path in arguments.history if path not in awaited]
    found = _look(arguments, there) if there else []
    say = screen_words(arguments.lang)
    waiting = [say("{path}: waiting for the first record", path=path) for path in awaited]
    told = surface.text(arguments.told) if arguments.told else []
    room = surface.lines
    if room is not None and len(found) == 1:
        room -= len(told) + 2 * len(waiting)
    elif room is not None:  # several runs share a window that is drawn again and again, and scroll through another
        share = (room - 2 * len(waiting) + 1) // max(1, len(found)) - 1
        room = None if arguments.watch is None else share
    screens = [screen(each, replace(surface, lines=room), arguments.lang) for each in found]
    shown = "\n".join([*told, "\n\n".join(screens + waiting)])
    return shown, not awaited and all(each.state == "finished" for each in found)


def _fetch(arguments: argparse.Namespace, surface: Surface) -> tuple[str, bool]:
    """One screen of the fetch, and whether it is finished."""
    waiting = screen_words(arguments.lang)("{path}: waiting for the store", path=arguments.store)
    if arguments.watch is not None and not arguments.store.exists():
        return waiting, False
    try:
        facts = progress(arguments.store)
    except InputError:
        if arguments.watch is None or time.time() - arguments.store.stat().st_mtime > BEING_MADE:
            raise
        return waiting, False
    return fetch_screen(facts, time.time(), surface, arguments.lang), facts.finished is not None


if __name__ == "__main__":
    run_stage(main, outlives_reader=False)
