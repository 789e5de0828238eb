"""The cross-entropies of MLM and NSP, with losses and accuracies summed on the device over any number of batches."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.data.pairing import NO_PAIR
from pipeline.model.bert import Inputs
from pipeline.model.device import has_float64, sums_device

_SUMS = ("mlm_loss", "mlm_right", "mlm_targets", "han_right", "han_targets", "nsp_loss", "nsp_right", "nsp_pairs")


@dataclass(frozen=True)
class Means:
    """Means over masked positions and pairs, None over nothing, and their denominators. Losses are in nats."""

    mlm_acc: float | None
    mlm_acc_han: float | None
    nsp_acc: float | None
    loss: float | None  # the mean over masked positions plus the mean over pairs, each where there are any
    mlm_loss: float | None
    nsp_loss: float | None
    mlm_targets: int
    mlm_targets_han: int
    nsp_pairs: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class RunningTotals:
    """Running sums over masked positions and pairs. ``sums`` (float64 [8], on ``sums_device``) is all its state."""

    def __init__(self, han: np.ndarray, device: torch.device) -> None:
        self._is_han = torch.from_numpy(han).to(device)  # bool [V]
        self._exact = torch.float64 if has_float64(device) else torch.float32  # of one batch
        self.sums = torch.zeros(len(_SUMS), dtype=torch.float64, device=sums_device(device))

    def add(self, mlm_logits: Tensor, next_logits: Tensor, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Count one batch: logits [M, V] of the masked positions and [B, 2] of the sequences.

        Returns the summed cross-entropies (nats, scalars) of masked positions and of pairs.
        """
        mlm_logits, next_logits = at_least_float32(mlm_logits), at_least_float32(next_logits)
        mlm_loss = F.cross_entropy(mlm_logits, inputs.labels, reduction="sum")
        nsp_loss = F.cross_entropy(next_logits, inputs.next_labels, reduction="sum", ignore_index=NO_PAIR)
        with torch.no_grad():
            right = mlm_logits.argmax(-1) == inputs.labels
            on_han = self._is_han[inputs.labels]
            next_right = next_logits.argmax(-1) == inputs.next_labels
            pairs = inputs.next_labels != NO_PAIR
            counts = (
                right.sum(),
                right.new_tensor(len(right), dtype=torch.int64),
                (right & on_han).sum(),
                on_han.sum(),
            )
            parts = (mlm_loss, *counts, nsp_loss, next_right.sum(), pairs.sum())
            self.sums += torch.stack([part.to(self._exact) for part in parts]).to(self.sums.device)
        return mlm_loss, nsp_loss

    def means(self) -> Means:
        """The means of what was added. This waits for the device."""
        total = dict(zip(_SUMS, self.sums.tolist(), strict=True))
        mlm_loss = _mean(total["mlm_loss"], total["mlm_targets"])
        nsp_loss = _mean(total["nsp_loss"], total["nsp_pairs"])
        return Means(
            mlm_acc=_mean(total["mlm_right"], total["mlm_targets"]),
            mlm_acc_han=_mean(total["han_right"], total["han_targets"]),
            nsp_acc=_mean(total["nsp_right"], total["nsp_pairs"]),
            loss=None if mlm_loss is nsp_loss is None else (mlm_loss or 0.0) + (nsp_loss or 0.0),
            mlm_loss=mlm_loss,
            nsp_loss=nsp_loss,
            mlm_targets=int(total["mlm_targets"]),
            mlm_targets_han=int(total["han_targets"]),
            nsp_pairs=int(total["nsp_pairs"]),
        )


def at_least_float32(logits: Tensor) -> Tensor:
    """``logits`` in float32, or in float64 where they are so: a cross-entropy in half precision is too coarse."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _mean(total: float, count: float) -> float | None:
    return total / count if count else None
