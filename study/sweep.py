"""Which settings learn most in a given number of steps: one short run for each, judged on the validation articles.

    python study/sweep.py runs/sweep --vary "optimizer=adamw,muon lr=1e-3,2e-3" --vary "mask-rate=0.15,0.25" \\
        -- --preset paper-100k --steps 4000 --warmup 400 --dataset data/large_wikipedia_dataset.json

Each ``--vary`` is a grid by itself: every combination of its values, the other settings as after ``--``. A run is
``train_large_100k.py`` with its own folder under the one named first, so a sweep that was stopped goes on where it was,
and a run that two grids share is made once. The table has the whole validation split's accuracy, loss and NSP, best
first. One seed each: differences within a point or so are noise.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.command_line import StageParser
from pipeline.files.history import read_history
from pipeline.files.typed_json import from_json
from pipeline.formatting import percent
from pipeline.stage import BAD_INPUT, RUN_FAILED

TRAINER = Path(__file__).resolve().parent.parent / "train_large_100k.py"


@dataclass(frozen=True)
class Validation:
    """What a finished run scores on the whole validation split: shares of one, the loss in nats."""

    mlm_acc: float
    mlm_acc_han: float | None
    nsp_acc: float | None
    loss: float


@dataclass(frozen=True)
class Result:
    """A run of the sweep and its training time in seconds."""

    validation: Validation
    seconds: float


def main() -> None:
    before, given = sys.argv[1:], []
    if "--" in before:
        cut = before.index("--")
        before, given = before[:cut], before[cut + 1 :]
    parser = StageParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the runs are kept")
    parser.add_argument("--vary", action="append", required=True, metavar="GRID", help='"OPTION=V1,V2 OPTION=V3"')
    arguments = parser.parse_args(before)
    chosen = [options for grid in arguments.vary for options in combinations(grid)]
    finished = {}
    for options in chosen:
        name = " ".join(f"{option}={value}" for option, value in options.items())
        if name not in finished:
            finished[name] = trained(arguments.folder / name.replace(" ", "_"), options, given)
            print_row(name, finished[name])
    print("\nbest first")
    for name in sorted(finished, key=lambda name: -accuracy(finished[name])):
        print_row(name, finished[name])


def accuracy(result: Result | None) -> float:
    """What the runs are ranked by; diverged ones come last."""
    return -1.0 if result is None else result.validation.mlm_acc


def combinations(grid: str) -> list[dict[str, str]]:
    """``"a=1,2 b=3"`` to ``[{"a": "1", "b": "3"}, {"a": "2", "b": "3"}]``."""
    pairs = [part.partition("=") for part in grid.split()]
    values = [option_values.split(",") for _, _, option_values in pairs]
    return [dict(zip((name for name, _, _ in pairs), row, strict=True)) for row in itertools.product(*values)]


def trained(folder: Path, options: dict[str, str], given: list[str]) -> Result | None:
    """The result of the run in ``folder``, which is trained first if it is not there; None if it diverged."""
    history = folder / "history.json"
    paths = {"checkpoint-dir": folder / "checkpoints", "history": history, "final": folder / "final.pth"}
    files = [word for option, path in paths.items() for word in (f"--{option}", path)]
    varied = [word for option, value in options.items() for word in (f"--{option}", value)]
    done = subprocess.run([sys.executable, TRAINER, *files, *given, *varied], stdout=subprocess.DEVNULL, check=False)
    if done.returncode == BAD_INPUT:
        sys.exit(BAD_INPUT)  # the trainer has said what is wrong
    if done.returncode == RUN_FAILED:
        return None
    if done.returncode:
        sys.exit(f"{folder}: the trainer ended with exit code {done.returncode}; the same command goes on")
    recorded = read_history(history)
    validation = from_json(Validation, recorded.run["validation"], history)
    return Result(validation, float(recorded.series("seconds")[-1]))


def print_row(name: str, result: Result | None) -> None:
    if result is None:
        print(f"{name:<48} diverged", flush=True)
        return
    scored = result.validation
    shown = f"MLM {percent(scored.mlm_acc)}  Han {percent(scored.mlm_acc_han)}  loss {scored.loss:.3f}"
    print(f"{name:<48} {shown}  NSP {percent(scored.nsp_acc)}  {result.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
