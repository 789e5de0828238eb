"""Floating-point operations of a training step, counted from the sizes of the model."""

from __future__ import annotations

import numpy as np

from pipeline.data.masked_pairs import Batch
from pipeline.model.bert import Shape
from pipeline.model.gpt import GptShape


def flops_of_step(shape: Shape, batches: list[Batch]) -> float:
    """Mean operations of one optimizer step over ``batches``, each the whole batch of a step.

    A multiply-add counts as two and the backward pass as twice the forward; only matrix products count, and padding
    does not.
    """
    lengths = np.concatenate([batch.lengths for batch in batches]).astype(np.float64)
    targets = sum(len(batch.labels) for batch in batches)
    hidden, tokens = shape.hidden, lengths.sum()
    behind_attention = hidden**2 + 2 * hidden * shape.ffn
    # Behind its attention the last layer runs on the masked positions and the [CLS]s alone.
    rows_behind = (shape.layers - 1) * tokens + targets + len(lengths)
    encoder = 2 * (shape.layers * 3 * hidden**2 * tokens + behind_attention * rows_behind)
    attention = 4 * shape.layers * hidden * (lengths**2).sum()
    transform = hidden**2 if shape.head == "bert" else 0
    heads = 2 * targets * (transform + hidden * shape.vocab_size)
    return float(3 * (encoder + attention + heads) / len(batches))


def flops_of_window(shape: GptShape, length: int) -> float:
    """Operations of training a causal model on one window of ``length`` symbols, counted as above.

    Of the products of attention those with what stands behind are not counted, since they need not be computed.
    """
    hidden = shape.hidden
    weights = shape.layers * (4 * hidden**2 + 2 * hidden * shape.ffn) + hidden * shape.vocab_size
    attention = 2 * shape.layers * hidden * length * (length + 1)
    return float(3 * (2 * weights * length + attention))
