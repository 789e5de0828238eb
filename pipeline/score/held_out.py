"""Scoring without training: held-out batches, and the published run's own way of logging."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.data.masked_pairs import Batch
from pipeline.data.pairing import NO_PAIR
from pipeline.model.bert import Bert, Inputs, to_device
from pipeline.model.loss import Means, RunningTotals
from pipeline.model.precision import Precision
from pipeline.score.breakdown import published_rule


@dataclass(frozen=True)
class Hits:
    """Right answers of B sequences, in the order of their batches."""

    targets: np.ndarray  # int64 [B]
    hits: np.ndarray  # int64 [B] right ones among the targets
    pair_right: np.ndarray  # bool [B] the NSP label was told; False where the sequence has none


@torch.no_grad()
def answers(model: Bert, batches: list[Batch], precision: Precision) -> Iterator[tuple[Inputs, Tensor, Tensor]]:
    """Each batch on the device with the model's MLM logits [M, V] and NSP logits [B, 2], dropout off."""
    training = model.training
    model.eval()
    try:
        for batch in batches:
            inputs = to_device(batch, model.shape.heads, precision.device)
            with precision.autocast():
                mlm_logits, next_logits = model(inputs)
            yield inputs, mlm_logits, next_logits
    finally:
        model.train(training)


def score(model: Bert, batches: list[Batch], han: np.ndarray, precision: Precision) -> Means:
    """The means over ``batches``, dropout off. ``han`` (bool [V]) marks the ids of Han characters."""
    return score_each(model, batches, han, precision)[0]


def score_each(model: Bert, batches: list[Batch], han: np.ndarray, precision: Precision) -> tuple[Means, Hits]:
    """The means over ``batches`` as ``score`` gives them, and the right answers of each sequence."""
    totals = RunningTotals(han, precision.device)
    parts = []
    for batch, (inputs, mlm_logits, next_logits) in zip(batches, answers(model, batches, precision), strict=True):
        totals.add(mlm_logits, next_logits, inputs)
        right = mlm_logits.argmax(-1).cpu().numpy() == batch.labels
        sequence = np.searchsorted(np.cumsum(batch.lengths), batch.targets, side="right")
        count = len(batch.lengths)
        targets = np.bincount(sequence, minlength=count)
        hits = np.bincount(sequence, weights=right, minlength=count).astype(np.int64)
        parts.append((targets, hits, next_logits.argmax(-1).cpu().numpy() == batch.next_labels))
    return totals.means(), Hits(*map(np.concatenate, zip(*parts, strict=True)))


@torch.no_grad()
def published_log(model: Bert, batch: Batch, han: np.ndarray, precision: Precision) -> dict[str, float | None]:
    """What the published run logged at a record: accuracies on one training micro-batch, dropout on.

    ``sample_mlm_acc_published`` counts every target and prediction that is not Han (``han``, bool [V]) as one class, as
    the published vocabulary did, in which all of them were [UNK].
    """
    inputs = to_device(batch, model.shape.heads, precision.device)
    with precision.autocast():
        mlm_logits, next_logits = model(inputs)
    guesses = mlm_logits.argmax(-1).cpu().numpy()
    next_right = (next_logits.argmax(-1).cpu().numpy() == batch.next_labels)[batch.next_labels != NO_PAIR]
    return {
        "sample_mlm_acc": _mean(guesses == batch.labels),
        "sample_mlm_acc_published": _mean(published_rule(batch.labels, guesses, han)),
        "sample_nsp_acc": _mean(next_right),
    }


def _mean(right: np.ndarray) -> float | None:
    return float(right.mean()) if len(right) else None
