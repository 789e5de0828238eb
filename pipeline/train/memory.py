"""Memory: whether a model fits, asked before it is built, and what is freed stays with the process.

The second is for the CPU under glibc. A training step frees its tensors and asks for the same sizes again. glibc hands
large blocks back to the system at once and the next step pays for every page anew; docs/LOG.md has what that costs.
"""

from __future__ import annotations

import ctypes
import os
import platform

import torch

from pipeline.model.bert import Bert, Shape
from pipeline.model.gpt import Gpt, GptShape
from pipeline.stage import InputError

COPIES = 4  # weights, gradients and the two moments of AdamW
# From glibc's malloc.h. The values are the largest that mallopt takes: blocks above 32 MiB are always mapped.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_TRIM, _LARGEST_MMAP = 2**31 - 1, 32 * 2**20


def refuse_too_large(shape: Shape | GptShape, device: torch.device, dtype: torch.dtype) -> None:
    """Raise an InputError where weights, gradients and moments alone exceed the memory of ``device``."""
    room = memory_of(device)
    try:
        with torch.device("meta"):
            model = Bert(shape) if isinstance(shape, Shape) else Gpt(shape)
            parameters = sum(parameter.numel() for parameter in model.parameters())
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


def keep_freed_memory() -> None:
    """Ask malloc to keep what is freed; where the C library is not glibc nothing is done."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGEST_TRIM)
