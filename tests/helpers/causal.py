"""A tiny text for the causal model, and settings small enough to train on it in a moment."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from tests.helpers.in_process import run_here

WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "saw", "one", "dog", "run", "far", "away")
SETTINGS = (
    *("--layers", "2", "--hidden", "16", "--heads", "2", "--ffn", "32", "--max-positions", "32", "--length", "24"),
    *("--dropout", "0.1", "--attention-dropout", "0.2", "--init-std", "0.1", "--held-out", "0.2", "--steps", "10"),
    *("--batch-size", "3", "--accumulation", "2", "--lr", "1e-2", "--warmup", "3", "--log-interval", "5"),
    *("--eval-every", "1", "--eval-targets", "60", "--save-interval", "6", "--sample-length", "0"),
)


def tiny_text(articles: int = 12, seed: int = 5) -> str:
    """Articles in the form of raw WikiText, of few words."""
    rng = random.Random(seed)
    parts = []
    for number in range(articles):
        lines = [f" = Part {number} = ", ""]
        for _ in range(rng.randint(2, 4)):
            lines.append(" " + " ".join(rng.choice(WORDS) for _ in range(rng.randint(6, 14))) + " . ")
        parts.append("\n".join([*lines, ""]))
    return "\n".join(parts) + "\n"


def write_tiny_text(folder: Path, articles: int = 12) -> Path:
    path = folder / "text.txt"
    path.write_text(tiny_text(articles), encoding="utf-8")
    return path


def causal_paths(folder: Path) -> list[object]:
    """Where a run in ``folder`` is written."""
    files = {"--checkpoint-dir": "ck", "--history": "history.json", "--final": "final.pth", "--best": "best.pth"}
    return [part for option, name in files.items() for part in (option, folder / name)]


def train_causal(folder: Path, text: Path, *settings: object) -> subprocess.CompletedProcess[str]:
    """Train in ``folder`` on ``text`` with the tiny settings and ``settings``."""
    return run_here("train_causal_lm.py", "--text", text, *causal_paths(folder), *SETTINGS, *settings)
