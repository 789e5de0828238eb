"""The weights of one checkpoint of a run, taken into its model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pipeline.files import checkpoint
from pipeline.model.bert import Bert
from pipeline.stage import InputError


def load_run_weights(path: Path, model: Bert, *, step: int, seed: int, dataset: str, vocabulary: str) -> str:
    """Take the weights of ``step`` of a run from ``path``; ``dataset`` and ``vocabulary`` are the run's digests.

    Returns the SHA-256 of the file.

    Raises:
        InputError: the checkpoint is damaged, of another run, step or model, or of another version of this program.
    """
    content = checkpoint.load(path)
    held = {**content, **content["shape"]}
    run = {"step": step, "seed": seed, "dataset": dataset, "vocabulary": vocabulary}
    expected = {**dataclasses.asdict(model.shape), **run}
    different = [f"{name}: {value} -> {held.get(name)}" for name, value in expected.items() if held.get(name) != value]
    if different:
        raise InputError(f"{path}: checkpoint belongs to another run ({'; '.join(different)}); name the run's own")
    try:
        model.load_state_dict(content["model"])
    except (KeyError, RuntimeError, AttributeError, TypeError):
        raise InputError(
            f"{path}: its weights are not those of this program's model; use the version that wrote it"
        ) from None
    return str(checkpoint.recorded_digest(path))
