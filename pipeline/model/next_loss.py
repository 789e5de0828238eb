"""The cross-entropy of the next symbol, with loss and accuracy summed on the device over any number of batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.data.causal_windows import NOT_SCORED
from pipeline.model.device import has_float64, sums_device
from pipeline.model.loss import at_least_float32

_SUMS = ("loss", "right", "targets", "han_right", "han_targets")


@dataclass(frozen=True)
class NextMeans:
    """Means over scored symbols, None over nothing, and their denominators. The loss is in nats."""

    accuracy: float | None
    accuracy_han: float | None
    loss: float | None
    targets: int
    targets_han: int


class NextTotals:
    """Running sums over scored symbols. ``sums`` (float64 [5], on ``sums_device``) is all its state.

    ``han`` (bool [V]) marks the ids of Han characters.
    """

    def __init__(self, han: np.ndarray, device: torch.device) -> None:
        self._is_han = torch.from_numpy(han).to(device)
        self._exact = torch.float64 if has_float64(device) else torch.float32  # of one batch
        self.sums = torch.zeros(len(_SUMS), dtype=torch.float64, device=sums_device(device))

    def add(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Count one batch, logits [B, L, V] and labels [B, L]; gives the summed cross-entropy in nats."""
        logits, labels = at_least_float32(logits).flatten(0, 1), labels.flatten()
        loss = F.cross_entropy(logits, labels, reduction="sum", ignore_index=NOT_SCORED)
        with torch.no_grad():
            scored = labels != NOT_SCORED
            right = logits.argmax(-1) == labels
            on_han = self._is_han[labels.clamp(min=0)] & scored
            parts = (loss, right.sum(), scored.sum(), (right & on_han).sum(), on_han.sum())
            self.sums += torch.stack([part.to(self._exact) for part in parts]).to(self.sums.device)
        return loss

    def means(self) -> NextMeans:
        """The means of what was added. This waits for the device."""
        loss, right, targets, han_right, han_targets = self.sums.tolist()
        return NextMeans(
            accuracy=right / targets if targets else None,
            accuracy_han=han_right / han_targets if han_targets else None,
            loss=loss / targets if targets else None,
            targets=int(targets),
            targets_han=int(han_targets),
        )
