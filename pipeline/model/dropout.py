"""Dropout whose masks are drawn from a seed, cheaply on the CPU.

``torch.nn.functional.dropout`` draws each element from one serial generator: 10 ns an element on a CPU, a tenth of a
whole training step. Here the CPU compares 16 random bits of NumPy's SFC64 with a threshold, ten times faster, and the
drop probability is right to 1/65536. CUDA has its own parallel generator and uses torch's.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

MOST_DROPPED = 0.9999  # a probability nearer to 1 would drop everything

_generator = np.random.SFC64(0)


def seed(number: int) -> None:
    """Start all dropout masks from ``number``, on every device."""
    global _generator
    torch.manual_seed(number)
    _generator = np.random.SFC64(number)


def dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """``x`` with each element set to zero with ``probability`` and the others scaled up, when ``training``."""
    if not training or probability == 0:
        return x
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return F.dropout(x, probability)
    return x * keep_mask(x.shape, probability).to(x.dtype)


def add_dropped(x: Tensor, update: Tensor, probability: float, training: bool) -> Tensor:
    """``x + dropout(update)``, on the CPU in one pass over both."""
    if not training or probability == 0 or x.device.type != "cpu" or torch.compiler.is_compiling():
        return x + dropout(update, probability, training)
    return torch.addcmul(x, update, keep_mask(update.shape, probability).to(update.dtype))


def keep_mask(shape: torch.Size, probability: float) -> Tensor:
    """A float32 mask on the CPU: 0 with ``probability``, else 1 / (1 - probability)."""
    count = math.prod(shape)
    words = _generator.random_raw(-(-count // 4))
    bits = torch.from_numpy(words.view(np.int16)[:count])  # uniform over -32768 .. 32767
    dropped = round(probability * 65536)
    return bits.ge_(dropped - 32768).to(torch.float32).mul_(1 / (1 - probability)).view(shape)
