"""Stage 2: judge the dataset before anything is trained on it.

    python verify_dataset.py                                     # the dataset of the real study, against its targets
    python verify_dataset.py my.json --min-sentences 20000 --min-han 3000 --report my_report.json

Every check measures all sentences, not a sample of them. A check that fails says what it found. The published format
(sentences and vocabulary only) is read too; the checks that need documents then fail, and what it lacks is said.

Exit code 0: all checks pass. 1: a check failed. 2: the file is missing or malformed.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict
from pathlib import Path

from pipeline.command_line import StageParser
from pipeline.files import atomic
from pipeline.files.dataset import DEFAULT_DATASET, read_dataset
from pipeline.judge.checks import CHECKS
from pipeline.judge.counts import statistics
from pipeline.judge.verdict import Verdict, judge, lacks
from pipeline.stage import InputError, run_stage


def main() -> int:
    arguments = parse_arguments()
    dataset = read_dataset(arguments.dataset)
    thresholds = {check.option: getattr(arguments, check.option.replace("-", "_")) for check in CHECKS}
    verdicts = judge(dataset, CHECKS, thresholds, not arguments.no_text)
    missing = lacks(dataset)
    failed = [verdict for verdict in verdicts if not verdict.passed]

    print_table(verdicts)
    for item in missing:
        print(f"lacks: {item}")
    print(f"{arguments.dataset}: {len(verdicts) - len(failed)} of {len(verdicts)} checks passed")
    if arguments.report is not None:
        report = {
            "dataset": str(arguments.dataset),
            "fingerprint": dataset.fingerprint(),
            "statistics": asdict(statistics(dataset)),
            "passed": not failed,
            "checks": [asdict(verdict) for verdict in verdicts],
            "lacks": missing,
        }
        atomic.write_json(arguments.report, report, indent=1)
    return 1 if failed else 0


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__, allow_abbrev=False)
    files = parser.add_argument_group("files")
    files.add_argument(
        "dataset",
        nargs="?",
        type=Path,
        default=DEFAULT_DATASET,
        metavar="FILE",
        help="dataset to judge (default: %(default)s)",
    )
    files.add_argument(
        "--report", type=Path, metavar="FILE", help="write the verdicts to this JSON file too (default: none)"
    )
    files.add_argument(
        "--no-text", action="store_true", help="name sentences by number and quote none, so that a report can be shared"
    )
    group = parser.add_argument_group(
        "thresholds", "Defaults are the targets of the real study. Shares are from 0 to 1."
    )
    for check in CHECKS:
        group.add_argument(
            f"--{check.option}",
            type=finite,
            default=check.threshold,
            metavar="NUMBER",
            help=f"{check.explanation} (default: {number(check.threshold)})",
        )
    arguments = parser.parse_args()
    if arguments.report is not None and arguments.report.resolve() == arguments.dataset.resolve():
        raise InputError(f"--report {arguments.report} would overwrite the dataset; choose another file")
    return arguments


def finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    return value


def print_table(verdicts: list[Verdict]) -> None:
    """A line for each check; under one that failed, what it found."""
    rows = [
        (verdict.name, number(verdict.value), f"{verdict.bound} {number(verdict.threshold)}", verdict.explanation)
        for verdict in verdicts
    ]
    name, value, bound = (max(len(row[column]) for row in rows) for column in range(3))
    for verdict, row in zip(verdicts, rows, strict=True):
        mark = "pass" if verdict.passed else "FAIL"
        print(f"{mark}  {row[0]:<{name}}  {row[1]:>{value}}  {row[2]:<{bound}}  {row[3]}")
        if verdict.note and not verdict.passed:
            print(f"      {verdict.note}")


def number(value: float | None) -> str:
    """``value`` for people: whole numbers with commas, others with up to four significant digits."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if value == round(value) else f"{value:.4g}"


if __name__ == "__main__":
    run_stage(main)
