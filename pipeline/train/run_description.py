"""The ``run`` object of the history: the facts of a run, and what makes two runs different."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.data.splits import Splits
from pipeline.files.dataset import Dataset
from pipeline.files.history import FORMAT
from pipeline.formatting import now
from pipeline.model.precision import Precision
from pipeline.stage import InputError
from pipeline.train.settings import Settings


def describe_run(
    preset: str, settings: Settings, path: Path, dataset: Dataset, splits: Splits, precision: Precision
) -> dict[str, Any]:
    """What is known of a run before it begins; the trainer adds counts, guesses and, at the end, the test."""
    return {
        "format": FORMAT,
        "preset": preset,
        "config": dataclasses.asdict(settings),
        "seed": settings.seed,
        "dataset": {
            "path": str(path),
            "fingerprint": dataset.fingerprint(),
            "sentences": len(dataset.sentences),
            "vocab": len(dataset.vocab),
            "documents": {name: len(documents) for name, documents in vars(splits).items()},
        },
        "processor": processor(),
        "device": torch.cuda.get_device_name(precision.device) if precision.device.type == "cuda" else "cpu",
        "precision": precision.name,
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "started": now(),
        "finished": None,
        "stopped_early": None,
        "validation": None,
        "test": None,
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


def recorded_settings(path: Path, run: dict[str, Any]) -> Settings:
    """The settings in the ``run`` object of the history at ``path``.

    Raises:
        InputError: there are none, as in the published history, or they are not of this program.
    """
    config = run.get("config")
    if not isinstance(config, dict):
        raise InputError(f"{path}: records no settings ('run' has no 'config'); use a history of train_large_100k.py")
    for field in dataclasses.fields(Settings):
        if not isinstance(config.get(field.name), (type(field.default), int)):
            raise InputError(f"{path}: records {field.name} as {config.get(field.name)!r}; use the trainer's history")
    unknown = config.keys() - {field.name for field in dataclasses.fields(Settings)}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise InputError(f"{path}: records unknown settings ({names}); use the version of this program that wrote it")
    settings = Settings(**config)
    settings.check()
    return settings


def refuse_other_run(place: Path, recorded: dict[str, Any], planned: dict[str, Any]) -> None:
    different = run_differences(recorded, planned)
    if different:
        raise InputError(
            f"{place}: belongs to another run ({'; '.join(different)}); give other paths, or --no-resume to replace it"
        )


def run_differences(recorded: dict[str, Any], planned: dict[str, Any]) -> list[str]:
    """What makes two runs different: settings, dataset, device, precision."""

    def identity(run: dict[str, Any]) -> dict[str, Any]:
        fingerprint = (run.get("dataset") or {}).get("fingerprint")
        machine = {key: run.get(key) for key in ("device", "precision")}
        return {**(run.get("config") or {}), "dataset": fingerprint, **machine}

    before, now = identity(recorded), identity(planned)
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [f"{name}: {before.get(name)} -> {now.get(name)}" for name in names]
