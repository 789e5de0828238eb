"""Stage 4: how the accuracy of a run depends on the number of training steps.

    python analyze_100k.py                                   # your run, else the one that comes with the program
    python analyze_100k.py --history runs/quickstart/training_history.json --output runs/quickstart/analysis.json
    python analyze_100k.py --baseline results/50k/training_history.json --target 0.5 0.6 --at 150000 --lang zh
    python analyze_100k.py --history seed_42.json seed_43.json seed_44.json --output results/seeds.json

It reads a training history, ours, the published five lists or what another trainer logs ("Your own log" in
docs/ANALYSIS.md), of a finished run or of one still going, and writes the analysis that visualize_results.py draws:
Pearson's r of step and accuracy with and without the records' independence; four curves and how well each forecasts;
what to expect of further steps; whether NSP left chance, whether the run overfits, is on a plateau, or holds anomalies;
what a point of accuracy cost and where early stopping would have ended the run. Given several histories, the first is
analysed and all are put side by side. docs/ANALYSIS.md explains every number. Exit code 0 when the analysis ran,
whatever r came out as.
"""

from __future__ import annotations

import argparse
from math import isfinite
from pathlib import Path

from pipeline.analyse.annealing.calibration import calibration
from pipeline.analyse.schema.analysis import default_analysis, write_analysis
from pipeline.analyse.whole_analysis import Questions, analyse
from pipeline.command_line import StageParser
from pipeline.files.history import COMMITTED_HISTORY, DEFAULT_HISTORY, default_baseline, history_at_hand
from pipeline.files.logs.choices import add_log_options, choices_from
from pipeline.files.logs.export import add_csv_option, write_csv
from pipeline.files.logs.read_log import read_groups
from pipeline.files.scores import Scores, read_scores, scores_beside
from pipeline.formatting import now
from pipeline.report.console.report import Report
from pipeline.stage import InputError, run_stage
from pipeline.statistics.early_stop import EarlyStop
from pipeline.statistics.schedule import NOTATION, Schedule, parse_schedule
from pipeline.words import LANGUAGES


def main() -> int:
    arguments = _arguments()
    report = Report(arguments.lang)
    paths = arguments.history or [history_at_hand()]
    baseline_path = arguments.baseline or (default_baseline(paths[0]) if len(paths) == 1 else None)
    output = arguments.output or default_analysis(paths[0])
    choices = choices_from(arguments)
    baselines = [baseline_path] if baseline_path else []
    read, references, baseline = read_groups(choices, paths, arguments.reference, baselines)
    histories = list(zip(paths, read, strict=True))
    path, history = histories[0]
    questions = Questions(
        targets=arguments.target,
        at=arguments.at,
        references=references,
        rule=_rule(arguments),
        scores=_scores(arguments.scores, path),
        schedule=_schedule(arguments),
        kind=arguments.kind,
        beside=histories if len(histories) > 1 else [],
    )
    result = analyse(history, baseline[0] if baseline else None, now(), questions)
    write_analysis(output, result)
    if arguments.csv:
        write_csv(arguments.csv, read)
    if not arguments.history and path == COMMITTED_HISTORY:
        print(report.committed(DEFAULT_HISTORY))
    print("\n".join([*report.read(histories), *report.lines(path, result)]))
    if baseline_path:
        print(report.baseline(baseline_path))
    for written in (output, arguments.csv):
        if written:
            print(report.written(written))
    return 0


def _arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--history",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=f"the run's history; further ones are put beside it (default: {DEFAULT_HISTORY}, else the run that comes "
        f"with the program, {COMMITTED_HISTORY})",
    )
    inputs.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="history of a shorter run (default: training_history_50k.json beside a single history, if it is there)",
    )
    inputs.add_argument(
        "--reference",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="histories of the same setting; leaving their band is an anomaly (default: none)",
    )
    inputs.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help="what evaluate_checkpoints.py wrote about this run (default: the file beside the history, if it is there)",
    )
    add_log_options(parser)
    questions = parser.add_argument_group("questions")
    questions.add_argument(
        "--target",
        type=_share,
        nargs="+",
        default=[],
        metavar="SHARE",
        help="accuracies to reach, 0 to 1 (default: none)",
    )
    questions.add_argument(
        "--at", type=_step, nargs="+", default=[], metavar="STEPS", help="steps to forecast for (default: none)"
    )
    questions.add_argument(
        "--schedule",
        metavar="NAME",
        help=f"the learning rate's schedule over --steps steps, where the history's settings do not say: {NOTATION} "
        "(default: of the settings)",
    )
    questions.add_argument(
        "--steps", type=_step, metavar="STEPS", help="steps of that schedule (default: of the settings)"
    )
    questions.add_argument(
        "--kind",
        choices=calibration().kinds(),
        metavar="KIND",
        help="kind of run, for what annealing the learning rate adds; calibrated on: "
        f"{', '.join(calibration().kinds())} (default: of the settings)",
    )
    rule = parser.add_argument_group("early-stopping rule (the trainer's --early-stop is the same)")
    standard = EarlyStop()
    for name, kind, wanted, meaning in (
        ("window", int, "RECORDS", "evaluated records that a gain is measured over"),
        ("worth", float, "SHARE", "held-out gain over a window that is worth its cost, as a share of one"),
        ("confidence", float, "SHARE", "how sure it must be that the gain is less"),
        ("patience", int, "RECORDS", "records in a row that must say so"),
    ):
        rule.add_argument(
            f"--stop-{name}",
            type=kind,
            default=getattr(standard, name),
            metavar=wanted,
            help=f"{meaning} (default: %(default)s)",
        )
    outputs = parser.add_argument_group("output")
    outputs.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the analysis (default: analysis_X_result.json beside training_history_X.json, analysis.json beside any "
        "other name; under runs/committed for a history in results)",
    )
    outputs.add_argument(
        "--lang", choices=LANGUAGES, default="en", help="language of the report on the console (default: %(default)s)"
    )
    add_csv_option(outputs)
    return parser.parse_args()


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1; 60 % is 0.6")
    return share


def _step(text: str) -> float:
    step = float(text)
    if not isfinite(step) or step < 1:
        raise argparse.ArgumentTypeError(f"{text} must be a number of steps of at least 1")
    return step


def _schedule(arguments: argparse.Namespace) -> Schedule | None:
    """The schedule of --schedule and --steps; None without them."""
    if (arguments.schedule is None) != (arguments.steps is None):
        raise InputError("--schedule and --steps: give both, or neither")
    if arguments.schedule is None:
        return None
    try:
        return parse_schedule(arguments.schedule, steps=round(arguments.steps))
    except ValueError as error:
        raise InputError(f"--schedule {arguments.schedule}: {error}") from None


def _rule(arguments: argparse.Namespace) -> EarlyStop:
    try:
        return EarlyStop(
            arguments.stop_window, arguments.stop_worth, arguments.stop_confidence, arguments.stop_patience
        )
    except ValueError as error:
        raise InputError(f"--stop-...: {error}") from None


def _scores(given: Path | None, history: Path) -> tuple[Path, Scores] | None:
    """The checkpoint scores that were named, or those that lie beside the history; None where there are none."""
    path = given or scores_beside(history)
    return (path, read_scores(path)) if given or path.exists() else None


if __name__ == "__main__":
    run_stage(main)
