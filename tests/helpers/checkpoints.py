"""Checkpoints of no run in particular: every key that a file must have, with plain values."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def weights_content(step: int, model: dict[str, Tensor], **changes: object) -> dict[str, Any]:
    """What a file of weights holds, ``changes`` in the place of the plain values."""
    plain = {"shape": {}, "seed": 42, "dataset": "d", "vocabulary": "v", "config": {}, "device": "cpu"}
    return {"step": step, **plain, "precision": "fp32", "model": model, **changes}


def state_content(step: int, **changes: object) -> dict[str, Any]:
    """What a full state holds, with a model of one weight."""
    weights = weights_content(step, {"weight": torch.full((3,), float(step))})
    resumed = {"optimizer": {}, "sums": torch.zeros(8), "gradients": torch.zeros(3), "tokens": 1, "seconds": 1.0}
    return {**weights, **resumed, "history": "{}", "history_path": "history.json", **changes}
