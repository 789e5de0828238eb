"""The weights of one checkpoint of a run, taken into its model."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from pipeline.files import checkpoint
from pipeline.files.run_record import MASKED_LM, config_at, objective_of, recorded_config, refuse_other_objective
from pipeline.model.bert import Bert
from pipeline.stage import InputError


def load_run_weights(path: Path, model: Bert, step: int, run: dict[str, Any], vocabulary: str) -> str:
    """Take the weights of ``step`` of ``run`` (the ``run`` object of its history) from ``path``.

    Args:
        vocabulary: the digest of the run's vocabulary.

    Returns the SHA-256 of the file.

    Raises:
        InputError: the checkpoint is damaged, of another run, step or model, or of another version of this program.
    """
    content = checkpoint.load(path)
    refuse_other_objective(path, objective_of(content), MASKED_LM)
    facts = {name: content[name] for name in ("step", "seed", "dataset", "vocabulary")}
    held = {**recorded_config(content), **content["shape"], **facts}
    # A setting that was changed in mid run is compared as it was then; dropout, for one, is off when scoring.
    settings = {**dataclasses.asdict(model.shape), **config_at(run, step)}
    expected = {**settings, "step": step, "dataset": run["dataset"]["fingerprint"], "vocabulary": vocabulary}
    different = [f"{name}: {value} -> {held.get(name)}" for name, value in expected.items() if held.get(name) != value]
    if different:
        raise InputError(f"{path}: checkpoint belongs to another run ({'; '.join(different)}); name the run's own")
    try:
        model.load_state_dict(content["model"])
    except RuntimeError:
        raise InputError(
            f"{path}: its weights are not those of this program's model; use the version that wrote it"
        ) from None
    return str(checkpoint.recorded_digest(path))
