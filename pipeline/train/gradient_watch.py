"""The gradient's norm since the last record, and the first step at which it was not finite, kept on the device."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.model.device import sums_device


class GradientWatch:
    """``state`` (float64 [3], on ``sums_device``) is all it has: sum and number of finite norms, first bad step."""

    def __init__(self, device: torch.device, skips_overflow: bool) -> None:
        self.state = torch.zeros(3, dtype=torch.float64, device=sums_device(device))
        self._skips_overflow = skips_overflow  # float16: the scaler skips such a step and lowers its scale

    def note(self, step: int, norm: Tensor) -> None:
        """Take down the norm of ``step``'s gradient, without waiting for a device that keeps ``state`` itself."""
        norm = norm.to(self.state.device)
        finite = norm.isfinite()
        total, count, bad = self.state.unbind()
        total += torch.where(finite, norm, 0.0)
        count += finite
        if not self._skips_overflow:
            bad += torch.where(finite | (bad > 0), 0.0, float(step))

    def first_bad_step(self) -> int:
        """The first step whose gradient was not finite, or 0. This waits for the device."""
        return int(self.state[2])

    def take_mean(self) -> float | None:
        """The mean norm since the last call (None over nothing); the next mean starts here."""
        total, count, _ = self.state.tolist()
        self.state[:2] = 0
        return total / count if count else None
