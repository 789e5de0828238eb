"""Two tiny finished runs, a masked and a causal one, trained once for all tests of the probe."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.files.dataset import write_dataset
from tests.helpers.causal import causal_paths
from tests.helpers.in_process import run_here, succeeded
from tests.helpers.tiny import TINY_SETTINGS, tiny_dataset, training_paths

SHAPE = ["--layers", "2", "--init-std", "0.15", "--steps", "8"]
CAUSAL = [
    *("--layers", "2", "--hidden", "16", "--heads", "2", "--ffn", "32", "--max-positions", "32", "--length", "24"),
    *("--init-std", "0.1", "--held-out", "0.1", "--steps", "8", "--batch-size", "3", "--lr", "1e-2", "--warmup", "2"),
    *("--log-interval", "4", "--eval-targets", "60", "--save-interval", "4", "--sample-length", "0"),
]


@pytest.fixture(scope="session")
def probed_dataset(tmp_path_factory) -> Path:
    """Enough articles that some of the held-out ones have several sentences."""
    path = tmp_path_factory.mktemp("probe") / "dataset.json"
    write_dataset(path, tiny_dataset(200))
    return path


@pytest.fixture(scope="session")
def masked_run(probed_dataset) -> Path:
    folder = probed_dataset.with_name("masked")
    paths = ["--dataset", probed_dataset, *training_paths(folder)]
    succeeded(run_here("train_large_100k.py", *paths, *TINY_SETTINGS, *SHAPE))
    return folder


@pytest.fixture(scope="session")
def causal_run(probed_dataset) -> Path:
    folder = probed_dataset.with_name("causal")
    succeeded(run_here("train_causal_lm.py", "--dataset", probed_dataset, *causal_paths(folder), *CAUSAL))
    return folder
