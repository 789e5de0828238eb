"""BERT's objective (Devlin et al. 2019): characters that were masked, and whether the second sentence follows.

The loss is the mean cross-entropy over the masked positions of a step plus that over its sentence pairs, in nats.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from pipeline.baselines.counting import CountingGuesses
from pipeline.data.corpora import Corpora
from pipeline.data.held_out_questions import HeldOutQuestions, counts, digest, first_with_targets
from pipeline.data.masked_pairs import (
    Batch,
    PairCorpus,
    TrainingBatches,
    split_batch,
)
from pipeline.data.pairing import NO_PAIR
from pipeline.files.columns import Columns
from pipeline.files.final_scoring import SequenceScores
from pipeline.files.run_record import MASKED_LM
from pipeline.model import dropout
from pipeline.model.bert import Bert, to_device
from pipeline.model.flops import flops_of_step
from pipeline.model.loss import RunningTotals
from pipeline.model.precision import Precision
from pipeline.score.held_out import Hits, published_log, score, score_each
from pipeline.train.objectives.objective import Entry
from pipeline.train.settings import Settings, dropout_seed

PUBLISHED_MICRO_BATCH = 32  # sequences, whose accuracy the published run logged
_SAMPLE = 1 << 31  # in place of the number of a micro-batch, so that none has the dropout of the published log
SAMPLED_STEPS = 8  # enough batches for the mean cost of a step


class MaskedLM:
    """``model`` trained and scored on ``corpora``; an ``Objective`` of the training loop."""

    name = "MLM"
    columns = Columns()

    def __init__(self, model: Bert, corpora: Corpora, settings: Settings, precision: Precision) -> None:
        self.model = model
        self.batches = TrainingBatches(corpora.train, settings.effective_batch, settings.batches_seed)
        self.guesses = CountingGuesses(corpora.train)
        self._corpora = corpora
        self._settings = settings
        self._precision = precision
        self._han = corpora.tokenizer.han_ids()
        self._totals = RunningTotals(self._han, precision.device)
        self._validation = first_with_targets(HeldOutQuestions(corpora.validation).batches(), settings.eval_targets)
        self._counts = counts(self._validation, self._han)

    @property
    def sums(self) -> Tensor:
        return self._totals.sums

    def facts(self) -> dict[str, Any]:
        """What the ``run`` object says of this objective before training begins."""
        sample = [self.batches[step] for step in range(1, 1 + SAMPLED_STEPS)]
        maker = self.batches.corpus.pair_maker
        return {
            "columns": self.columns.to_json(),
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "train_examples": len(self.batches.corpus),
            "train_pairs": {"labelled": maker.labelled, "mlm_only": maker.unlabelled},
            "flops_per_step": flops_of_step(self.model.shape, sample),
            "eval_counts": self._counts,
            "guesses": self.guesses.accuracies(self._validation, self._han),
        }

    def micro_batches(self, step: int, count: int) -> list[Batch]:
        return split_batch(self.batches[step], count)

    def loss(self, model: nn.Module, part: Batch, step: Sequence[Batch], processes: int) -> Tensor:
        targets = max(sum(len(each.labels) for each in step), 1) / processes
        pairs = max(sum(int((each.next_labels != NO_PAIR).sum()) for each in step), 1) / processes
        inputs = to_device(part, self._settings.heads, self._precision.device)
        with self._precision.autocast():
            mlm_logits, next_logits = model(inputs)
        mlm_loss, nsp_loss = self._totals.add(mlm_logits, next_logits, inputs)
        return self.combined(mlm_loss / targets, nsp_loss / pairs)

    def combined(self, mlm: Tensor, nsp: Tensor) -> Tensor:
        """The loss of both parts, in nats; study/trials/nsp.py weighs them otherwise."""
        return mlm + nsp

    def tokens(self, part: Batch) -> int:
        return len(part.tokens)

    def examples(self, step: int) -> str:
        return ", ".join(map(str, self.batches[step].examples[:8])) + ", ..."

    def sizes(self) -> dict[str, Any]:
        return dataclasses.asdict(self.model.shape)

    def checkpoint_facts(self) -> dict[str, Any]:
        return {"objective": MASKED_LM}

    def samples(self, step: int) -> list[str]:  # noqa: ARG002  a masked model writes no text
        return []

    def held_out_targets(self) -> int:
        return self._counts["mlm_targets"]

    def record(self, step: int, held_out: bool) -> Entry:
        trained = self._totals.means()
        self.sums.zero_()
        scored = score(self.model, self._validation, self._han, self._precision) if held_out else None
        dropout.seed(dropout_seed(self._settings.seed, step, _SAMPLE))
        sample = self.batches.from_step(step + 1, PUBLISHED_MICRO_BATCH)
        return {
            "mlm_acc": trained.mlm_acc,
            "nsp_acc": trained.nsp_acc,
            "loss": trained.loss,
            "mlm_targets": trained.mlm_targets,
            "nsp_pairs": trained.nsp_pairs,
            "eval_mlm_acc": scored.mlm_acc if scored else None,
            "eval_mlm_acc_han": scored.mlm_acc_han if scored else None,
            "eval_nsp_acc": scored.nsp_acc if scored else None,
            "eval_loss": scored.loss if scored else None,
            **published_log(self.model, sample, self._han, self._precision),
        }

    def final_scores(self) -> tuple[dict[str, dict[str, Any]], dict[str, SequenceScores]]:
        """All of validation and, once, of test: the means beside the counting guesses on the same targets, and hits."""
        means, hits = {}, {}
        for name, corpus in (("validation", self._corpora.validation), ("test", self._corpora.test)):
            batches = HeldOutQuestions(corpus).batches()
            scored, each = score_each(self.model, batches, self._han, self._precision)
            means[name] = {**scored.to_json(), "guesses": self.guesses.accuracies(batches, self._han)}
            hits[name] = _sequence_scores(corpus, batches, each)
        return means, hits


def _sequence_scores(corpus: PairCorpus, batches: list[Batch], found: Hits) -> SequenceScores:
    examples = np.concatenate([batch.examples for batch in batches])
    labels = np.concatenate([batch.next_labels for batch in batches])
    pairs = zip(labels != NO_PAIR, found.pair_right, strict=True)
    return SequenceScores(
        questions=digest(batches),
        article=corpus.page[corpus.first[examples]].tolist(),
        targets=found.targets.tolist(),
        hits=found.hits.tolist(),
        pair_hits=[int(right) if is_pair else None for is_pair, right in pairs],
    )
