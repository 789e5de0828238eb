"""What somebody with a GPU can add to the study: the checks of the device, and a run as long as the time allows.

    make gpu PY=python MINUTES=4 PART=check      # device tests, two benchmarks, steps per second
    make gpu PY=python MINUTES=10 PART=train     # the longest annealed run of the 48M model that fits
    make gpu PY=python MINUTES=10 PART=causal    # 6,350 steps of the causal model's ``paper``; they need not be sized

It needs torch 2.11 or newer and installs nothing. ``check`` writes what it measured to runs/gpu/check.json. ``train``
takes a few steps to learn the rate, sizes the schedule by it, and trains; the history grows in runs/gpu/, the scores of
the final model follow. A run that is late all the same is stopped in time, with its state saved, and goes on when the
same command is given with more minutes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from pipeline.command_line import StageParser
from pipeline.files import atomic
from pipeline.files.history import read_history
from pipeline.stage import InputError, RunFailed, run_stage

ROOT = Path(__file__).resolve().parent.parent
OLDEST_TORCH = (2, 11)
MASKED_PRESET = "tuned-100k"
TRIAL_STEPS, TRIAL_RECORD = 300, 50  # the first records pay for compilation and are left out of the rate
SCORING_SHARE, SMALLEST_RESERVE = 0.12, 30.0  # of the time, and seconds, kept for start, final scoring and the scores
EFFECTIVE_BATCH = 128
CAUSAL_BATCH = 32


@dataclass(frozen=True)
class Trial:
    """What a short run took."""

    steps_per_second: float  # after the first records
    start_seconds: float  # from the command to the first timed step


def main() -> int:
    arguments = parse_arguments()
    version = tuple(map(int, re.findall(r"\d+", torch.__version__)[:2]))
    if version < OLDEST_TORCH:
        raise InputError(f"torch {torch.__version__}: this needs torch {'.'.join(map(str, OLDEST_TORCH))} or newer")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device is visible; --device cpu rehearses with a small --preset")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    return PARTS[arguments.part](arguments)


def check(arguments: argparse.Namespace) -> int:
    """Device tests, the benchmarks of trainer and attention, and the rate; 1 where one failed."""
    passed = None
    if importlib.util.find_spec("pytest"):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/train/test_devices.py"]
        passed = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    else:
        print("pytest is not installed: the device tests are left out")
    benchmark = subprocess.run(
        [sys.executable, "benchmarks/trainer.py", "--device", arguments.device, *arguments.benchmark.split()],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    print(benchmark.stdout + benchmark.stderr, end="", flush=True)
    rounds = 30 if arguments.device == "cuda" else 1
    attention = subprocess.run(
        [sys.executable, "benchmarks/attention.py", "--device", arguments.device, "--rounds", str(rounds)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    print(attention.stdout + attention.stderr, end="", flush=True)
    trial = measured(arguments)
    found = {
        "device": torch.cuda.get_device_name() if arguments.device == "cuda" else "cpu",
        "torch": torch.__version__,
        "device_tests_passed": passed,
        "benchmark": benchmark.stdout.splitlines(),
        "attention": attention.stdout.splitlines(),
        "preset": arguments.preset or MASKED_PRESET,
        "effective_batch": EFFECTIVE_BATCH,
        "steps_per_second": trial.steps_per_second,
        "start_seconds": trial.start_seconds,
    }
    atomic.write_json(arguments.folder / "check.json", found, indent=1)
    print(f"{trial.steps_per_second:.1f} steps/s after {trial.start_seconds:.0f} s; {arguments.folder / 'check.json'}")
    return 0 if passed is not False and benchmark.returncode == attention.returncode == 0 else 1


def train(arguments: argparse.Namespace) -> int:
    """The longest run that fits, and its scores; 130 or 143 where the time was up before."""
    began = time.monotonic()
    plan = arguments.folder / "plan.json"
    if plan.exists():  # a run that was stopped keeps its schedule
        steps = int(json.loads(plan.read_text(encoding="utf-8"))["steps"])
    else:
        trial = measured(arguments)
        seconds = 60 * arguments.minutes - (time.monotonic() - began)
        steps = steps_that_fit(trial, seconds)
        atomic.write_json(plan, {"steps": steps, "steps_per_second": trial.steps_per_second})
        print(f"{steps} steps at {trial.steps_per_second:.1f} steps/s", flush=True)
    history = arguments.folder / "training_history.json"
    deadline = began + 60 * arguments.minutes - SMALLEST_RESERVE / 2
    code = run_until(
        deadline,
        [
            *train_command(arguments, history, arguments.checkpoints, steps),
            *("--final", arguments.checkpoints / "final.pth"),
            *("--warmup", max(steps // 50, 1), "--save-interval", max(steps // 10, 1), "--keep", 1),
        ],
    )
    if code:
        return code
    scores = arguments.folder / "checkpoint_evaluation.json"
    command = ["evaluate_checkpoints.py", "--dataset", arguments.dataset, "--checkpoint-dir", arguments.checkpoints]
    command += ["--history", history, "--output", scores, "--final", arguments.checkpoints / "final.pth"]
    return run_until(deadline + SMALLEST_RESERVE / 2, [*command, "--device", arguments.device])


def causal(arguments: argparse.Namespace) -> int:
    """The causal model's run in runs/gpu/causal; 130 or 143 where the time was up before its end."""
    deadline = time.monotonic() + 60 * arguments.minutes - SMALLEST_RESERVE
    folder, checkpoints = arguments.folder / "causal", arguments.checkpoints / "causal"
    return run_until(
        deadline,
        [
            *("train_causal_lm.py", "--preset", arguments.preset or "paper", "--dataset", arguments.dataset),
            *("--history", folder / "training_history.json", "--checkpoint-dir", checkpoints, "--keep", 1),
            *("--final", checkpoints / "final.pth", "--best", checkpoints / "best.pth"),
            *("--batch-size", CAUSAL_BATCH, "--accumulation", 1, "--device", arguments.device),
            *arguments.more.split(),
        ],
    )


def measured(arguments: argparse.Namespace) -> Trial:
    """The rate of the trainer, from a run of a few hundred steps whose files are removed."""
    folder = arguments.checkpoints / "trial"
    began = time.time()
    command = train_command(arguments, folder / "history.json", folder, TRIAL_STEPS)
    code = run_until(
        time.monotonic() + 30 * arguments.minutes,
        [*command, "--final", folder / "final.pth", "--warmup", 10, "--log-interval", TRIAL_RECORD, "--no-resume"],
    )
    if code:
        raise RunFailed(f"the trial of {TRIAL_STEPS} steps ended with exit code {code}; see above")
    history = read_history(folder / "history.json")
    seconds, steps = history.records["seconds"], history.steps
    warm = len(steps) // 2
    rate = (steps[-1] - steps[warm]) / max(seconds[-1] - seconds[warm], 1e-9)
    for path in folder.glob("*"):
        path.unlink()
    folder.rmdir()
    return Trial(rate, time.time() - began - TRIAL_STEPS / rate)


def steps_that_fit(trial: Trial, seconds: float) -> int:
    """Whole hundreds of steps (tens below a thousand) that end in ``seconds``, start and scoring included."""
    reserve = max(SCORING_SHARE * seconds, SMALLEST_RESERVE) + trial.start_seconds
    steps = int((seconds - reserve) * trial.steps_per_second)
    if steps < 100:
        raise InputError(f"{seconds / 60:.1f} minutes are too few for 100 steps and their scores; give more MINUTES")
    unit = 100 if steps >= 1000 else 10
    return steps // unit * unit


def train_command(arguments: argparse.Namespace, history: Path, checkpoints: Path, steps: int) -> list[object]:
    """The trainer on the whole effective batch in one piece."""
    return [
        *("train_large_100k.py", "--preset", arguments.preset or MASKED_PRESET, "--dataset", arguments.dataset),
        *("--history", history, "--checkpoint-dir", checkpoints, "--steps", steps),
        *("--batch-size", EFFECTIVE_BATCH, "--accumulation", 1, "--device", arguments.device),
        *arguments.more.split(),
    ]


def run_until(deadline: float, command: list[object]) -> int:
    """Run a stage script; past ``deadline`` (``time.monotonic()``) it is asked to save and stop. Its exit code."""
    with subprocess.Popen([sys.executable, *map(str, command)], cwd=ROOT) as process:
        try:
            return process.wait(max(deadline - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            return process.wait()


PARTS = {"check": check, "train": train, "causal": causal}


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    parser.add_argument("part", choices=PARTS, help="what to do, see above")
    parser.add_argument(
        "--minutes", type=float, default=10, metavar="MINUTES", help="for all of it (default: %(default)s)"
    )
    parser.add_argument(
        "--preset", metavar="NAME", help=f"settings of the run (default: {MASKED_PRESET}; of the causal one paper)"
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: %(default)s")
    paths = {
        "--dataset": ("data/large_wikipedia_dataset.json", "the dataset, also packed as .gz"),
        "--folder": ("runs/gpu", "history, scores and measurements"),
        "--checkpoints": ("runs/gpu/checkpoints", "weights and states"),
    }
    for option, (path, meaning) in paths.items():
        parser.add_argument(
            option,
            type=Path,
            default=ROOT / path,
            metavar="FILE" if option == "--dataset" else "DIR",
            help=f"{meaning} (default: {path})",
        )
    parser.add_argument(
        "--benchmark", default="", metavar="OPTIONS", help="further options of benchmarks/trainer.py, in one word"
    )
    parser.add_argument("--more", default="", metavar="OPTIONS", help="further options of the trainer, in one word")
    arguments = parser.parse_args()
    for name in ("dataset", "folder", "checkpoints"):
        setattr(arguments, name, getattr(arguments, name).absolute())
    if arguments.minutes <= 0:
        parser.error("--minutes must be positive")
    return arguments


if __name__ == "__main__":
    run_stage(main)
