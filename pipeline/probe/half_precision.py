"""What becomes of a gradient in float16 at each loss scale (docs/derivations/04).

Only the gradients of the weights are looked at, cast as they are: what underflows between the layers is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SMALLEST_NORMAL = torch.finfo(torch.float16).smallest_normal
SCALES = (1.0, 2.0**4, 2.0**8, 2.0**12, 2.0**16, 2.0**20, 2.0**24)


@dataclass(frozen=True)
class HalfShares:
    """Shares of the nonzero entries of a gradient, of 1, when it is multiplied by ``scale`` and cast to float16."""

    scale: float
    lost: float  # become 0
    coarse: float  # become subnormal, with fewer than 11 significant bits
    overflowed: float  # become infinite


def half_shares(gradients: Iterable[Tensor], scales: Sequence[float] = SCALES) -> list[HalfShares]:
    """The shares of all entries of ``gradients`` together, at each of ``scales``.

    Raises:
        ValueError: every entry is 0.
    """
    flat = torch.cat([gradient.detach().flatten().float() for gradient in gradients])
    flat = flat[flat != 0]
    if not len(flat):
        raise ValueError("the gradient is 0 everywhere")
    found = []
    for scale in scales:
        half = (flat * scale).half().abs()
        lost, infinite = half == 0, half.isinf()
        coarse = ~lost & (half < SMALLEST_NORMAL)
        found.append(HalfShares(scale, *(float(kind.double().mean()) for kind in (lost, coarse, infinite))))
    return found
