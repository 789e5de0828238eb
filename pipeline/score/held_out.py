"""Scoring without training: held-out batches, and the published run's own way of logging."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from pipeline.data.masked_pairs import NO_PAIR, Batch
from pipeline.model.bert import Bert, to_device
from pipeline.model.loss import Totals
from pipeline.model.precision import Precision
from pipeline.score.breakdown import published_rule

# Sequences. Scoring keeps no activations, so it never needs more memory than training. The masks of the held-out
# batches depend on it, so everything that is to agree must use this one.
SCORING_BATCH = 64


@torch.no_grad()
def score(model: Bert, batches: list[Batch], han: np.ndarray, precision: Precision) -> dict[str, Any]:
    """``Totals.means`` over ``batches``, dropout off. ``han`` (bool [V]) marks the ids of Han characters."""
    model.eval()
    totals = Totals(han, precision.device)
    for batch in batches:
        inputs = to_device(batch, model.shape.heads, precision.device)
        with precision.autocast():
            mlm_logits, next_logits = model(inputs)
        totals.add(mlm_logits, next_logits, inputs)
    model.train()
    return totals.means()


@torch.no_grad()
def published_log(model: Bert, batch: Batch, han: np.ndarray, precision: Precision) -> dict[str, float | None]:
    """What the published run logged at a record: accuracies on one training micro-batch, dropout on.

    ``sample_mlm_acc_published`` counts every target and prediction that is not Han as one class, as the published
    vocabulary did, in which all of them were [UNK].
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
