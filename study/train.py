"""Train the runs of the study, one after the other.

    python study/train.py               # every run of study/plan.py that is not finished, in order
    python study/train.py --list        # how far each is
    python study/train.py medium        # this one

Everything of a run lies in runs/study/<name>/; stopped by a signal, it saves, and the same command goes on. While a run
trains, its forecasts at 20, 30 and 50 % are written into results/forecasts/ (study/forecasts.py), and when a run of the
ladder begins, the forecast from the shorter ones (study/ladder_forecasts.py); all are to be committed before the run
ends. At the end its checkpoints are scored on the validation split, and its final model on the test split.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.command_line import StageParser
from pipeline.files import atomic
from pipeline.files.history import read_history
from pipeline.files.json_object import read_json_object
from pipeline.stage import InputError, run_stage
from study.forecasts import FORECASTS, PERCENTS, code_version
from study.ladder_forecasts import ladder_path
from study.plan import LADDER, PLAN, Planned, named

ROOT = Path(__file__).resolve().parent.parent
LOOK_EVERY = 60.0  # seconds


class Study:
    """The study's runs in ``folder``, trained on the datasets in ``data``; forecasts go into ``forecasts``."""

    def __init__(self, folder: Path, data: Path, forecasts: Path, more: list[str]) -> None:
        self.folder, self.data, self.forecasts, self.more = folder, data, forecasts, more
        self._forecasts_tried: set[tuple[str, int]] = set()

    def history(self, planned: Planned) -> Path:
        return self.folder / planned.name / "training_history.json"

    def state(self, planned: Planned) -> str:
        """How far a run is, in words."""
        path = self.history(planned)
        if not path.exists():
            return "to come"
        history = read_history(path)
        if history.facts.text("finished"):
            return "finished"
        return f"step {history.last_step:,} of {history.facts.count('config', 'steps'):,}"

    def make(self, planned: Planned) -> int:
        """Train, forecast and score one run; the exit code of what failed or was stopped, else 0."""
        if planned.trunk and self.state(named(planned.trunk)) != "finished":
            raise InputError(f"{planned.name}: branches from {planned.trunk}, which is not finished; train that first")
        if self.state(planned) != "finished":
            self.forecast_from_shorter(planned)
            self.note_commit(planned)
            code = self._run(self.training(planned), planned.threads, planned)
            if code:
                return code
        for command in self.scoring(planned):
            code = self._run(command)
            if code:
                return code
        return 0

    def training(self, planned: Planned) -> list[object]:
        """The trainer's command."""
        folder = self.history(planned).parent
        branch: list[object] = []
        if planned.trunk:
            state = self.folder / planned.trunk / "checkpoints" / f"state_{planned.branch_at}.pth"
            branch = ["--branch-from", state]
        return [
            *("train_large_100k.py", "--dataset", self.dataset(planned), "--history", self.history(planned)),
            *("--checkpoint-dir", folder / "checkpoints", "--final", folder / "final.pth"),
            *planned.options.split(),
            *branch,
            *self.more,
        ]

    def scoring(self, planned: Planned) -> list[list[object]]:
        """The evaluator's commands: the validation split, then the test split with the final model."""
        folder = self.history(planned).parent
        command = ["evaluate_checkpoints.py", "--dataset", self.dataset(planned), "--history", self.history(planned)]
        command += ["--checkpoint-dir", folder / "checkpoints", "--final", folder / "final.pth"]
        command += ["--output", folder / "checkpoint_evaluation.json"]
        return [command, [*command, "--split", "test"]] if planned.scored else [[*command, "--split", "test"]]

    def dataset(self, planned: Planned) -> Path:
        return self.data / f"{planned.dataset}_wikipedia_dataset.json"

    def _run(self, command: list[object], threads: int = 1, forecast_of: Planned | None = None) -> int:
        """Run a stage to its end; a signal is passed on to it, and waited for."""
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        with subprocess.Popen([sys.executable, *map(str, command)], cwd=ROOT, env=environment) as child:
            try:
                while True:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        return child.wait(LOOK_EVERY)
                    if forecast_of:
                        self.forecast(forecast_of)
            except BaseException:
                child.terminate()
                raise

    def forecast(self, planned: Planned) -> None:
        """Write those forecasts of a run under way whose time has come."""
        path = self.history(planned)
        history = read_history(path) if path.exists() else None
        if history is None or history.facts.text("finished"):
            return  # nothing to forecast from, or nothing to forecast
        steps = history.facts.count("config", "steps") or 0
        for share in PERCENTS:
            due = (planned.branch_at or 0) < steps * share / 100 <= history.last_step
            made = (self.forecasts / f"{planned.name}_{share}.json").exists()
            if due and not made and (planned.name, share) not in self._forecasts_tried:
                self._forecasts_tried.add((planned.name, share))
                command = ["study/forecasts.py", path, "--run", planned.name, "--percent", share]
                command += ["--folder", self.forecasts]
                subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=False)

    def note_commit(self, planned: Planned) -> None:
        """Write down which code the run is trained with, once for each version."""
        path = self.history(planned).with_name("made.json")
        noted = read_json_object(path, "the note of commits", "remove it")["commits"] if path.exists() else []
        if (version := code_version()) not in noted:
            atomic.write_json(path, {"commits": [*noted, version]}, indent=1)

    def forecast_from_shorter(self, planned: Planned) -> None:
        """Write the forecast of a run of the ladder from those shorter ones that are finished."""
        steps = next((steps for steps, each in LADDER.items() if each == planned), 0)
        shorter = [each for length, each in LADDER.items() if length < steps and self.state(each) == "finished"]
        if shorter and not ladder_path(self.forecasts, steps).exists():
            command = ["study/ladder_forecasts.py", *map(self.history, shorter), "--longer", steps]
            command += ["--folder", self.forecasts]
            subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=False)


def main() -> int:
    arguments = parse_arguments()
    study = Study(arguments.folder, arguments.data, arguments.forecasts, arguments.more.split())
    chosen = [named(name) for name in arguments.names] or list(PLAN)
    if arguments.list:
        for planned in chosen:
            print(f"{planned.name:<24} {study.state(planned):<26} {planned.options}")
        return 0
    for planned in chosen:
        print(f"{planned.name}: {study.state(planned)}", flush=True)
        code = study.make(planned)
        if code:
            return code
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    names = [planned.name for planned in PLAN]
    parser.add_argument("names", nargs="*", metavar="RUN", help=f"of {', '.join(names)} (default: all, in this order)")
    parser.add_argument("--list", action="store_true", help="print how far each run is, and train nothing")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "runs" / "study", metavar="DIR", help="default: runs/study"
    )
    parser.add_argument(
        "--data", type=Path, default=ROOT / "data", metavar="DIR", help="folder of datasets (default: data)"
    )
    parser.add_argument("--forecasts", type=Path, default=FORECASTS, metavar="DIR", help="default: results/forecasts")
    parser.add_argument(
        "--more", default="", metavar="OPTIONS", help="further options of the trainer, in one word, to rehearse"
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in names:
            parser.error(f"{name} is not planned; choose from {', '.join(names)}")
    for name in ("folder", "data", "forecasts"):
        setattr(arguments, name, getattr(arguments, name).absolute())
    return arguments


if __name__ == "__main__":
    run_stage(main)
