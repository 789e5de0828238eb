"""The ``run`` object of the history: what is known of a run before it begins."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.files.dataset import Dataset
from pipeline.files.history import FORMAT
from pipeline.files.vocabulary import vocabulary_digest
from pipeline.formatting import now
from pipeline.model.precision import Precision
from pipeline.train.settings import RunSettings


def describe_run(
    preset: str, settings: RunSettings, path: Path, dataset: Dataset, precision: Precision
) -> dict[str, Any]:
    """What is known of a run before it begins; the trainer adds the objective's facts and, at the end, the scores."""
    return {
        "format": FORMAT,
        "objective": settings.objective,
        "preset": preset,
        "config": dataclasses.asdict(settings),
        "seed": settings.seed,
        "dataset": {
            "path": str(path),
            "fingerprint": dataset.fingerprint(),
            "sentences": len(dataset.sentences),
            "vocab": len(dataset.vocab),
            "vocab_sha256": vocabulary_digest(dataset.vocab),
        },
        "device": device_name(precision.device),
        "precision": precision.name,
        **machine(),
        "started": now(),
        "finished": None,
        "stopped_early": None,
        "validation": None,
        "test": None,
    }


def device_name(device: torch.device) -> str:
    """The name of a CUDA device, else ``cpu`` or ``mps``."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def machine() -> dict[str, Any]:
    """What the last digits of a run depend on, of this machine as it is now."""
    return {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    }


def processor() -> str:
    """The CPU's name and the widest instructions that torch uses on it: sums differ in their last digits by these."""
    try:
        known = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        known = ""
    names = [line.partition(":")[2].strip() for line in known.splitlines() if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name} ({torch.backends.cpu.get_cpu_capability()})"
