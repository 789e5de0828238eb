"""What a model answers on fixed batches, dropout off: one answer a target and a pair, for any breakdown afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from pipeline.data.masked_pairs import Batch
from pipeline.model.bert import Bert
from pipeline.model.loss import at_least_float32
from pipeline.model.precision import Precision
from pipeline.score.held_out import answers


@dataclass(frozen=True)
class Predictions:
    """Answers for the M targets and B sequences of some batches, in their order."""

    tokens: np.ndarray  # int64 [M] the likeliest id
    losses: np.ndarray  # float64 [M] cross-entropy in nats
    not_han: np.ndarray  # bool [M] all that is not Han is together likelier than any one Han character
    next_labels: np.ndarray  # int64 [B] the likelier NSP label, also for a sequence that is not a pair


def predict(
    model: Bert, batches: list[Batch], han: np.ndarray, precision: Precision, done: Callable[[], object]
) -> Predictions:
    """The model's answers; ``han`` (bool [V]) marks Han ids, ``done`` is called after each batch."""
    is_han = torch.from_numpy(han).to(precision.device)
    others = torch.from_numpy(np.flatnonzero(~han)).to(precision.device)
    parts = []
    for inputs, mlm_logits, next_logits in answers(model, batches, precision):
        mlm_logits = at_least_float32(mlm_logits)
        losses = F.cross_entropy(mlm_logits, inputs.labels, reduction="none")
        best, tokens = mlm_logits.max(-1)
        # Where the best token is not Han, the sum over such tokens exceeds it and with it every Han character.
        not_han = ~is_han[tokens] | (mlm_logits[:, others].logsumexp(-1) > best)
        found = (tokens, losses, not_han, next_logits.argmax(-1))
        parts.append([answer.cpu().numpy() for answer in found])
        done()
    kinds = (np.int64, np.float64, np.bool_, np.int64)
    columns = zip(*parts, strict=True) if parts else ([] for _ in kinds)
    return Predictions(
        *(np.concatenate([np.empty(0, kind), *column]) for kind, column in zip(kinds, columns, strict=True))
    )
