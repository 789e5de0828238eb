"""Forecasts of runs under way, written before the runs end, so that they can be held to what came of them.

    python study/forecasts.py training_history_100k.json --run 100k_second --percent 20

writes results/forecasts/<run>_<percent>.json: the forecast of the end from the records of the first so many percent of
the planned steps, for training and for held-out accuracy, with the SHA-256 of those records, the date and the version
of the code. A forecast that is there is never replaced. What the history holds beyond that percentage is not used;
``last_step_recorded`` says how far the run was.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.analyse.annealing.ahead import LEVEL, ahead
from pipeline.analyse.schema.forecast import ForecastLaw
from pipeline.command_line import StageParser
from pipeline.files import atomic
from pipeline.files.history import History, read_history
from pipeline.files.run_record import recorded_config
from pipeline.files.typed_json import to_json
from pipeline.formatting import now, percent
from pipeline.stage import InputError, run_stage

ROOT = Path(__file__).resolve().parent.parent
FORECASTS = ROOT / "results" / "forecasts"
PERCENTS = (20, 30, 50)


@dataclass(frozen=True)
class End:
    """What is expected of one accuracy over the last 5 % of the planned steps (shares of one)."""

    expected: float
    interval: tuple[float, float]
    law: ForecastLaw


@dataclass(frozen=True)
class Committed:
    """One forecast, as it stands in its file."""

    run: str
    percent: int  # of the planned steps
    steps: int  # planned
    last_step: int  # of the records that the forecast was made from
    last_step_recorded: int  # of the history at that moment: nothing after ``last_step`` was used
    records: int
    records_sha256: str  # of the records used, as JSON with sorted keys
    level: float  # of the intervals
    ends: dict[str, End]  # by the name of the accuracy's list
    date: str
    code: str  # the commit of the code, with + where files were changed
    settings: str  # the schedule, as the run's settings give it


def main() -> int:
    parser = StageParser(description=__doc__)
    parser.add_argument("history", type=Path, metavar="HISTORY", help="history of the run under way")
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the run; the file is called after it")
    parser.add_argument("--percent", type=int, required=True, choices=PERCENTS, help="of the planned steps to use")
    parser.add_argument(
        "--folder", type=Path, default=FORECASTS, metavar="DIR", help="where forecasts lie (default: %(default)s)"
    )
    arguments = parser.parse_args()
    path = arguments.folder / f"{arguments.run}_{arguments.percent}.json"
    if path.exists():
        raise InputError(f"{path}: a forecast that was made is not changed; give another --run")
    found = forecast_of(read_history(arguments.history), arguments.run, arguments.percent)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_json(path, to_json(found), indent=1)
    for key, end in found.ends.items():
        low, high = end.interval
        print(
            f"{key}: {percent(end.expected)} at step {found.steps:,}, 80 % interval {percent(low)} to {percent(high)}"
        )
    print(f"written to {path}")
    return 0


def forecast_of(history: History, run: str, share: int) -> Committed:
    """The forecast from the first ``share`` percent of the planned steps of ``history``."""
    planned = history.facts.count("config", "steps")
    if planned is None:
        raise InputError(f"{history.path}: run.config.steps does not say how long the run will be")
    limit = planned * share / 100
    if history.last_step < limit:
        raise InputError(
            f"{history.path}: is at step {history.last_step:,}, and {share} % are {limit:,.0f} steps; wait"
        )
    begun = beginning(history, limit)
    keys = [key for key in (history.accuracy, history.held_out) if key is not None]
    ends = {key: end for key in keys if (end := end_of(begun, key))}
    if not ends:
        raise InputError(f"{history.path}: its learning rate does not fall any more, or its records are too few")
    config = recorded_config(history.run)
    return Committed(
        run=run,
        percent=share,
        steps=planned,
        last_step=int(begun.last_step),
        last_step_recorded=int(history.last_step),
        records=len(begun),
        records_sha256=digest(begun),
        level=LEVEL,
        ends=ends,
        date=now(),
        code=code_version(),
        settings=json.dumps({name: config.get(name) for name in ("schedule", "steps", "lr", "warmup")}, sort_keys=True),
    )


def beginning(history: History, limit: float) -> History:
    """The records of ``history`` up to step ``limit``."""
    count = sum(step <= limit for step in history.steps)
    return History({key: values[:count] for key, values in history.records.items()}, history.run, history.path)


def end_of(history: History, key: str) -> End | None:
    """The expected end of the accuracy list ``key``; None where the law has no answer."""
    law = ahead(history, key)
    if law is None or not law.coming.planned:
        return None
    point = law.point(law.coming.end)
    return End(point.accuracy, point.interval, law.law)


def digest(history: History) -> str:
    """The SHA-256 of the records of ``history``."""
    return hashlib.sha256(json.dumps(history.records, sort_keys=True).encode("utf-8")).hexdigest()


def code_version() -> str:
    """The commit of the code, with a + where tracked files were changed."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "pipeline", "study"], cwd=ROOT, check=False)
    return commit.stdout.strip() + ("+" if changed.returncode else "")


if __name__ == "__main__":
    run_stage(main)
