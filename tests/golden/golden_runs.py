"""The tiny runs whose numbers are committed, and the command that writes them again.

    python -m tests.golden.golden_runs     # rewrites tests/golden/runs.json

Write them again only where a change is meant to change the numbers, and say in the commit which and why. The runs train
on ``dataset.json`` beside this file: invented sentences of two sources, with characters outside the vocabulary, pairs
too long for the model, articles of one sentence, and one article that repeats a held-out one.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pipeline.files import checkpoint
from pipeline.files.history import read_history
from tests.helpers.in_process import succeeded, train_here

FOLDER = Path(__file__).resolve().parent
GOLDEN = FOLDER / "runs.json"
OPTIMIZERS = ("adamw", "muon")
RESUMED_FROM = 6  # between the two records, at steps 5 and 10
SETTINGS = (
    *("--layers", "2", "--hidden", "16", "--heads", "2", "--ffn", "32", "--max-positions", "32", "--length", "32"),
    *("--dropout", "0.1", "--attention-dropout", "0.2", "--init-std", "0.1", "--mask-rate", "0.3", "--held-out", "0.2"),
    *("--steps", "10", "--batch-size", "4", "--accumulation", "2", "--lr", "1e-2", "--warmup", "3", "--beta2", "0.98"),
    *("--weight-decay", "0.1", "--clip", "1.0", "--log-interval", "5", "--eval-targets", "60", "--save-interval", "6"),
)
FACTS = ("parameters", "train_examples", "flops_per_step", "eval_counts", "guesses", "validation", "test")


def train(folder: Path, optimizer: str, precision: str) -> str:
    """Run, or go on with, the golden run of ``optimizer`` in ``folder``. Returns what the script printed."""
    more = ("--optimizer", optimizer, "--precision", precision)
    return succeeded(train_here(folder, FOLDER / "dataset.json", *SETTINGS, *more))


def cut_back(folder: Path) -> None:
    """Leave of a finished run what one that was killed after step ``RESUMED_FROM`` leaves."""
    for name in ("final.pth", "ck/state_10.pth"):
        (folder / name).unlink()
        (folder / f"{name}.json").unlink()
    (folder / "history.json").unlink()


def numbers(folder: Path) -> dict[str, Any]:
    """What is compared: every record but the clock's, counts and final scores, and the size of each final weight."""
    history = read_history(folder / "history.json")
    weights = checkpoint.load(folder / "final.pth")["model"]
    return {
        "records": {key: values for key, values in history.records.items() if key != "seconds"},
        "run": {key: history.run[key] for key in FACTS},
        "norm_of_weights": {name: tensor.double().norm().item() for name, tensor in weights.items()},
    }


def write() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        runs = {}
        for optimizer in OPTIMIZERS:
            train(folder / optimizer, optimizer, "fp64")
            runs[optimizer] = numbers(folder / optimizer)
        GOLDEN.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    write()
