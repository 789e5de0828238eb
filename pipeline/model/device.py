"""Where a model computes, and where what the device cannot do is done."""

from __future__ import annotations

import torch

from pipeline.stage import InputError

NAMES = ("auto", "cpu", "cuda", "mps")
HELP = "auto is cuda, else mps (Apple's GPU, on which nothing was tested), else cpu (default: auto)"


def chosen_device(name: str) -> str:
    """``cpu``, ``cuda`` or ``mps`` for one of ``NAMES``; ``auto`` is the first GPU that is there, else the CPU.

    Raises:
        InputError: a GPU was asked for by name and is not there.
    """
    gpus = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next((gpu for gpu, is_there in gpus.items() if is_there), "cpu")
    if name in gpus and not gpus[name]:
        raise InputError(f"--device {name}: no {name.upper()} device is visible; use --device cpu")
    return name


def has_float64(device: torch.device) -> bool:
    """Whether ``device`` computes in float64; MPS does not."""
    return device.type != "mps"


def sums_device(device: torch.device) -> torch.device:
    """Where running sums of what ``device`` computes are kept, in float64: there, or on the CPU."""
    return device if has_float64(device) else torch.device("cpu")
