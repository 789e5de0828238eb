"""A dataset of invented articles, and settings small enough to train on it in a second."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from pipeline.files.dataset import Dataset, Document, write_dataset
from pipeline.files.vocabulary import build_vocab, count_characters

ROOT = Path(__file__).resolve().parents[2]
PLACES = "山河湖海城村桥路园林"
THINGS = "马牛羊鱼鸟花草木石金"
DEEDS = "看听说走飞游种采造画"
TIMES = ("春天", "夏天", "秋天", "冬天", "早上", "晚上")

TINY_SETTINGS = [
    *("--layers", "1", "--hidden", "16", "--heads", "2", "--ffn", "32", "--max-positions", "32", "--length", "32"),
    *("--held-out", "0.1", "--steps", "12", "--batch-size", "4", "--accumulation", "2", "--lr", "1e-3"),
    *("--warmup", "2", "--log-interval", "3", "--eval-targets", "60", "--save-interval", "4"),
]


def tiny_dataset(articles: int = 30) -> Dataset:
    """Articles about one thing each, so that a neighbour can be told from a stranger."""
    rng = random.Random(7)
    sentences: list[str] = []
    documents = []
    for page in range(articles):
        thing, place = rng.choice(THINGS), rng.choice(PLACES)
        count = rng.choice((1, 3, 5, 8))
        for number in range(count):
            deed = "".join(rng.sample(DEEDS, rng.randint(2, 5)))
            sentences.append(f"{rng.choice(TIMES)}第{number}次，{place}中的{thing}{deed}了{page}回。")
        source = "甲" if page % 2 else "乙"
        documents.append(Document(f"{thing}{page}", page, None, None, "", source, len(sentences) - count, count))
    return Dataset(sentences, build_vocab(count_characters(sentences), 1), documents, {"format": 1})


def write_tiny_dataset(folder: Path) -> Path:
    path = folder / "dataset.json"
    write_dataset(path, tiny_dataset())
    return path


def run_script(
    script: str,
    *arguments: object,
    cwd: Path = ROOT,
    environment: dict[str, str] | None = None,
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Run a stage script as a user would, for at most ``timeout`` seconds; ``environment`` is added to ours."""
    command = [sys.executable, str(ROOT / script), *map(str, arguments)]
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=timeout, check=False)


def training_paths(folder: Path) -> list[object]:
    return ["--checkpoint-dir", folder / "ck", "--history", folder / "history.json", "--final", folder / "final.pth"]
