"""The tiny causal runs whose numbers are committed, and the command that writes them again.

    python -m tests.golden.golden_causal     # rewrites tests/golden/causal_runs.json

Write them again only where a change is meant to change the numbers, and say in the commit which and why.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pipeline.files import checkpoint
from pipeline.files.history import read_history
from tests.helpers.causal import train_causal, write_tiny_text
from tests.helpers.in_process import succeeded

GOLDEN = Path(__file__).resolve().parent / "causal_runs.json"
RUNS = {"char": ("--optimizer", "adamw"), "byte": ("--level", "byte", "--optimizer", "muon")}
FACTS = ("parameters", "train_examples", "flops_per_step", "eval_counts", "guesses", "validation", "test")


def train(folder: Path, name: str, precision: str) -> str:
    """Run, or go on with, the golden run ``name`` in ``folder``. Returns what the script printed."""
    return succeeded(train_causal(folder, write_tiny_text(folder), *RUNS[name], "--precision", precision))


def numbers(folder: Path) -> dict[str, Any]:
    """What is compared: every record but the clock's, counts and final scores, and the size of each final weight."""
    history = read_history(folder / "history.json")
    weights = checkpoint.load(folder / "final.pth")["model"]
    history.run["test"].pop("baselines")  # xz is not the same in all its versions
    return {
        "records": {key: values for key, values in history.records.items() if key != "seconds"},
        "run": {key: history.run[key] for key in FACTS},
        "norm_of_weights": {name: tensor.double().norm().item() for name, tensor in weights.items()},
    }


def write() -> None:
    runs = {}
    for name in RUNS:
        folder = Path(tempfile.mkdtemp())
        try:
            train(folder, name, "fp64")
            runs[name] = numbers(folder)
        finally:
            shutil.rmtree(folder)
    GOLDEN.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
