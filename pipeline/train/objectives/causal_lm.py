"""The next symbol (Radford et al. 2019): the mean cross-entropy over all symbols of a step's windows, in nats."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.baselines.next_guesses import NextGuesses
from pipeline.data.alphabet import END, UNKNOWN
from pipeline.data.causal_text import CausalCorpora, CausalText
from pipeline.data.causal_windows import (
    TrainingWindows,
    Windows,
    context,
    first_windows,
    scoring_windows,
    split_windows,
)
from pipeline.files.columns import AccuracyColumns, Columns, LossColumns
from pipeline.files.final_scoring import SequenceScores
from pipeline.files.run_record import CAUSAL_LM
from pipeline.model.flops import flops_of_window
from pipeline.model.gpt import Gpt
from pipeline.model.next_loss import NextTotals
from pipeline.model.precision import Precision
from pipeline.model.sampling import Sampling, generate
from pipeline.score.next_symbols import SymbolScores, score_symbols, score_windows, text_scores
from pipeline.score.text_baselines import baseline_bits
from pipeline.train.objectives.causal_settings import CausalSettings
from pipeline.train.objectives.objective import Entry
from pipeline.train.settings import dropout_seed

_SAMPLE = 1 << 31  # in place of the number of a micro-batch
RECORDED = ("next_acc", "loss", "next_targets", "eval_next_acc", "eval_next_acc_han", "eval_loss")


@dataclasses.dataclass(frozen=True)
class Samples:
    """What a model writes while it trains: the beginnings, and symbols to each."""

    prompts: tuple[str, ...]
    length: int
    how: Sampling = dataclasses.field(default_factory=Sampling)


class CausalLM:
    """``model`` trained and scored on ``corpora``; an ``Objective`` of the training loop."""

    name = "next"

    def __init__(
        self, model: Gpt, corpora: CausalCorpora, settings: CausalSettings, precision: Precision, samples: Samples
    ) -> None:
        self.model = model
        self.batches = TrainingWindows(corpora.train, settings.length, settings.effective_batch, settings.batches_seed)
        self.columns = Columns(
            accuracy=AccuracyColumns(
                "next_acc", "eval_next_acc", "eval_next_acc_han", "next_targets", f"next {corpora.alphabet.unit}"
            ),
            loss=LossColumns("loss", "eval_loss", "nats"),
            pairs=None,
        )
        self._corpora = corpora
        self._settings = settings
        self._precision = precision
        self._samples = samples
        self._han = corpora.alphabet.han_ids()
        self._totals = NextTotals(self._han, precision.device)
        self._validation = first_windows(scoring_windows(corpora.validation, settings.length), settings.eval_targets)
        self.guesses = NextGuesses(corpora.train.symbols, len(corpora.alphabet))

    @property
    def sums(self) -> Tensor:
        return self._totals.sums

    def facts(self) -> dict[str, Any]:
        """What the ``run`` object says of this objective before training begins."""
        corpora, length = self._corpora, self._settings.length
        texts = {"train": corpora.train, "validation": corpora.validation, "test": corpora.test}
        return {
            "columns": self.columns.to_json(),
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "train_examples": len(self.batches),
            "text": {
                "symbols": len(corpora.alphabet),
                "held_out_by": corpora.held_out_by,
                **{name: dataclasses.asdict(text.counts()) for name, text in texts.items()},
            },
            "context": {"window": length, "at_least": context(length)},
            "flops_per_step": self._settings.effective_batch * flops_of_window(self.model.shape, length),
            "eval_counts": {
                "next_targets": self.held_out_targets(),
                "next_targets_han": sum(
                    int(self._han[each.labels[each.labels >= 0]].sum()) for each in self._validation
                ),
            },
            "guesses": self.guesses.accuracies(self._validation, self._han),
        }

    def micro_batches(self, step: int, count: int) -> list[Windows]:
        return split_windows(self.batches[step], count)

    def loss(self, model: nn.Module, part: Windows, step: Sequence[Windows], processes: int) -> Tensor:
        targets = sum(each.targets for each in step) / processes
        inputs, labels = (torch.from_numpy(array) for array in (part.inputs, part.labels))
        device = self._precision.device
        if device.type == "cuda":
            inputs, labels = inputs.pin_memory(), labels.pin_memory()
        inputs, labels = inputs.to(device, non_blocking=True), labels.to(device, non_blocking=True)
        with self._precision.autocast():
            logits = model(inputs)
        return self._totals.add(logits, labels) / targets

    def tokens(self, part: Windows) -> int:
        return part.inputs.size

    def examples(self, step: int) -> str:
        return "windows at " + ", ".join(map(str, self.batches[step].places[:8])) + ", ..."

    def sizes(self) -> dict[str, Any]:
        return dataclasses.asdict(self.model.shape)

    def checkpoint_facts(self) -> dict[str, Any]:
        return {"objective": CAUSAL_LM, "alphabet": self._corpora.alphabet.to_json()}

    def held_out_targets(self) -> int:
        return sum(each.targets for each in self._validation)

    def record(self, step: int, held_out: bool) -> Entry:  # noqa: ARG002  what is scored does not depend on the step
        trained = self._totals.means()
        self.sums.zero_()
        scored = score_windows(self.model, self._validation, self._han, self._precision) if held_out else None
        return {
            "next_acc": trained.accuracy,
            "loss": trained.loss,
            "next_targets": trained.targets,
            "eval_next_acc": scored.accuracy if scored else None,
            "eval_next_acc_han": scored.accuracy_han if scored else None,
            "eval_loss": scored.loss if scored else None,
        }

    def samples(self, step: int) -> list[str]:
        if not self._samples.prompts:
            return []
        alphabet, random = self._corpora.alphabet, torch.Generator()
        written = []
        self.model.eval()
        for number, prompt in enumerate(self._samples.prompts):
            random.manual_seed(dropout_seed(self._settings.seed, step, _SAMPLE + number))
            start = [END, *alphabet.encode([prompt])[0].tolist()]
            never = [END] if alphabet.level == "byte" else [END, UNKNOWN]
            text = generate(self.model, start, self._settings.length, self._samples.how, random, never)
            symbols = [next(text) for _ in range(self._samples.length)]
            written.append(f"  {prompt} | {' '.join(alphabet.decode(symbols).splitlines())}")
        self.model.train()
        return written

    def final_scores(self) -> tuple[dict[str, dict[str, Any]], dict[str, SequenceScores]]:
        """All of validation and, once, of test: the numbers of each text, and the hits in each of its documents.

        Beside the numbers of the test stand those of the baselines.
        """
        numbers: dict[str, dict[str, Any]] = {}
        hits = {}
        for name, text in (("validation", self._corpora.validation), ("test", self._corpora.test)):
            scores = score_symbols(self.model, text, self._settings.length, self._precision)
            windows = scoring_windows(text, self._settings.length)
            numbers[name] = {
                **dataclasses.asdict(text_scores(text, self._corpora.alphabet, scores)),
                "guesses": self.guesses.accuracies(windows, self._han),
            }
            if name == "test":
                numbers[name]["baselines"] = baseline_bits(self._corpora.train, text, self._corpora.alphabet)
            hits[name] = _document_scores(text, scores, self._settings.length)
        return numbers, hits


def _document_scores(text: CausalText, scores: SymbolScores, length: int) -> SequenceScores:
    """One entry a document: its symbols and the end behind it."""
    question = hashlib.sha256(text.symbols.astype("<i8").tobytes() + str(length).encode())
    return SequenceScores(
        questions=question.hexdigest(),
        article=[article.page for article in text.articles],
        targets=np.diff(text.borders).tolist(),
        hits=np.add.reduceat(scores.right.astype(np.int64), text.borders[:-1]).tolist(),
    )
