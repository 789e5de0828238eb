"""Where a model computes."""

from __future__ import annotations

import torch

from pipeline.stage import InputError

NAMES = ("auto", "cpu", "cuda")


def chosen_device(name: str) -> str:
    """``cpu`` or ``cuda`` for one of ``NAMES``; ``auto`` is CUDA where there is any.

    Raises:
        InputError: CUDA was asked for by name and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device is visible; use --device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
