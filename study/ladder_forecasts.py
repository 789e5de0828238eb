"""Forecasts of a longer run from finished shorter ones, written before it ends.

    python study/ladder_forecasts.py --longer 50000 runs/study/cosine_12500_seed_42/training_history.json \\
        runs/study/cosine_25000_seed_42/training_history.json

writes results/forecasts/ladder_<steps>.json: the accuracy at the end of a run of so many steps with the same shape of
schedule, for training and for held-out accuracy, by one law fitted to all records of the shorter runs; and how many
steps the run would need that ends ``STEP_UP`` above the longest of them. study/train.py calls it when a run of the
ladder begins. A forecast that is there is never replaced.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from pipeline.analyse.annealing.ahead import LEVEL, Known, ahead
from pipeline.analyse.annealing.targets import reach_of, steps_to
from pipeline.analyse.schema.forecast import ForecastTarget
from pipeline.command_line import StageParser
from pipeline.files import atomic
from pipeline.files.history import History, read_history
from pipeline.files.typed_json import to_json
from pipeline.formatting import now, percent
from pipeline.stage import InputError, run_stage
from study.forecasts import FORECASTS, End, code_version, digest

STEP_UP = 0.02  # share of one: the target is so far above the end of the longest run
LATE = 0.05  # of the steps: the end is the mean over these


@dataclass(frozen=True)
class Shorter:
    """A finished run that the forecast was made from."""

    steps: int
    records_sha256: str  # as in study/forecasts.py


@dataclass(frozen=True)
class LongerRun:
    """The forecast of a longer run, as it stands in its file."""

    steps: int  # of the longer run
    shorter: list[Shorter]  # by length
    level: float  # of the intervals
    ends: dict[str, End]  # by the name of the accuracy's list
    targets: dict[str, ForecastTarget]  # by the same name
    date: str
    code: str


def main() -> int:
    parser = StageParser(description=__doc__)
    parser.add_argument("histories", type=Path, nargs="+", metavar="HISTORY", help="histories of finished shorter runs")
    parser.add_argument("--longer", type=int, required=True, metavar="STEPS", help="steps of the run to forecast")
    parser.add_argument(
        "--folder", type=Path, default=FORECASTS, metavar="DIR", help="where forecasts lie (default: %(default)s)"
    )
    arguments = parser.parse_args()
    path = ladder_path(arguments.folder, arguments.longer)
    if path.exists():
        raise InputError(f"{path}: a forecast that was made is not changed")
    found = forecast_of([read_history(each) for each in arguments.histories], arguments.longer)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_json(path, to_json(found), indent=1)
    for key, end in found.ends.items():
        low, high = end.interval
        print(f"{key}: {percent(end.expected)} at step {found.steps:,}, 80 % from {percent(low)} to {percent(high)}")
    print(f"written to {path}")
    return 0


def ladder_path(folder: Path, steps: int) -> Path:
    """Where the forecast of the run of so many ``steps`` lies."""
    return folder / f"ladder_{steps}.json"


def forecast_of(histories: Sequence[History], steps: int) -> LongerRun:
    """The forecast of a run of ``steps`` from finished shorter ones, in any order."""
    runs = sorted(histories, key=lambda history: history.last_step)
    for history in runs:
        if not history.facts.text("finished"):
            raise InputError(f"{history.path}: is not finished; give runs that have ended")
    *others, longest = runs
    if steps <= longest.last_step:
        raise InputError(f"--longer {steps}: {longest.path} has {longest.last_step:,} steps already; give more")
    ends, targets = {}, {}
    for key in (key for key in (longest.accuracy, longest.held_out) if key is not None):
        law = ahead(longest, key, Known(beside=others))
        if law is None or not law.supports(steps):
            raise InputError(f"{longest.path}: says nothing about {steps:,} steps; give longer runs")
        point = law.point(steps)
        ends[key] = End(point.accuracy, point.interval, law.law)
        records = longest.points(key)
        targets[key] = steps_to(law, *records, late_mean(*records) + STEP_UP, reach_of(law))
    shorter = [Shorter(int(history.last_step), digest(history)) for history in runs]
    return LongerRun(steps, shorter, LEVEL, ends, targets, now(), code_version())


def late_mean(steps: np.ndarray, accuracy: np.ndarray) -> float:
    """The mean accuracy over the last ``LATE`` of the steps; both float [N]."""
    return float(accuracy[steps > (1 - LATE) * steps[-1]].mean())


if __name__ == "__main__":
    run_stage(main)
