"""Whether a model fits into the memory of its device, asked before it is built."""

from __future__ import annotations

import os

import torch

from pipeline.model.bert import Bert, Shape
from pipeline.stage import InputError

COPIES = 4  # weights, gradients and the two moments of AdamW


def refuse_too_large(shape: Shape, device: torch.device, dtype: torch.dtype) -> None:
    """Raise an InputError where weights, gradients and moments alone exceed the memory of ``device``."""
    room = memory_of(device)
    try:
        with torch.device("meta"):
            parameters = sum(parameter.numel() for parameter in Bert(shape).parameters())
    except RuntimeError:  # a tensor of 2^63 bytes or more
        parameters = 2**63
    needed = parameters * dtype.itemsize * COPIES
    if room is not None and needed > room:
        raise InputError(
            f"--layers {shape.layers}, --hidden {shape.hidden}, --ffn {shape.ffn}: weights, gradients and moments take "
            f"{needed / 2**30:,.0f} GiB and {device.type} has {room / 2**30:,.0f} GiB of memory; give smaller sizes"
        )


def memory_of(device: torch.device) -> int | None:
    """Bytes of memory of ``device`` in all; None where the system does not say."""
    if device.type == "cuda":
        total: int = torch.cuda.get_device_properties(device).total_memory
        return total
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows; a system without these names
        return None
