"""From counting to context: how close a model's answers are to those of the counting guesses.

Early in training a masked language model answers much as counting does, first with the commonest characters, then with
what fits a neighbour, and then departs from both (Chang & Bergen 2022, for n-grams). Agreement is the share of targets
where the likeliest character is the same. The divergence of the model's distribution q from the counting one p is
KL(p || q) = sum over characters of p log(p / q), in nats: what it costs to take the model for the counts.
"""

from __future__ import annotations

import numpy as np
import torch

from pipeline.baselines.counting import GUESSES
from pipeline.baselines.counting_distributions import CountingDistributions
from pipeline.data.held_out_questions import first_with_targets
from pipeline.data.masked_pairs import Batch, PairCorpus
from pipeline.files.scores import CountingComparison
from pipeline.model.bert import Bert
from pipeline.model.loss import at_least_float32
from pipeline.model.precision import Precision
from pipeline.score.held_out import answers

DIVERGENCE_TARGETS = 4000  # whole distributions are large, and their mean is exact enough on these


class CountingReference:
    """What the counting guesses answer: ``answered`` by guess, int64 [M], for all targets; distributions for the first
    ``batches``, fitted on the ``train`` corpus."""

    def __init__(self, answered: dict[str, np.ndarray], batches: list[Batch], train: PairCorpus) -> None:
        self._answered = answered
        self._batches = first_with_targets(batches, DIVERGENCE_TARGETS)
        self._distributions = CountingDistributions(train)

    def compare(self, model: Bert, precision: Precision, predicted: np.ndarray) -> CountingComparison:
        """``predicted`` are the model's answers to all targets, int64 [M]."""
        sums, targets = dict.fromkeys(GUESSES, 0.0), 0
        for batch, (_, logits, _) in zip(self._batches, answers(model, self._batches, precision), strict=True):
            logs = torch.log_softmax(at_least_float32(logits), -1).cpu().numpy().astype(np.float64)
            targets += len(logs)
            for name, counted in self._distributions.distributions(batch).items():
                own = np.log(counted, where=counted > 0, out=np.zeros_like(counted))
                sums[name] += float((counted * (own - logs)).sum())
        return CountingComparison(
            targets=len(predicted),
            agreement={name: _mean(self._answered[name] == predicted) for name in GUESSES},
            divergence={name: sums[name] / targets if targets else None for name in GUESSES},
            divergence_targets=targets,
        )


def _mean(same: np.ndarray) -> float | None:
    return float(same.mean()) if len(same) else None
