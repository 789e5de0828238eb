"""A short training run for a trial: settings, text or loss changed, everything else as in the trainer.

It begins as any run does, or with the weights of a checkpoint: what is learned late, as pairs of sentences are, shows
nothing in the first thousands of steps.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.data.corpora import Corpora
from pipeline.data.held_out_questions import HeldOutQuestions
from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.data.pairing import NO_PAIR
from pipeline.files import checkpoint
from pipeline.files.dataset import DEFAULT_DATASET, Dataset
from pipeline.files.history import History
from pipeline.model.bert import Bert
from pipeline.model.flops import flops_of_step
from pipeline.model.loss import Means
from pipeline.model.precision import Precision
from pipeline.score.held_out import score_each
from pipeline.stage import InputError
from pipeline.train.memory import keep_freed_memory
from pipeline.train.objectives.masked_lm import MaskedLM
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import Settings, recorded_settings
from study.datasets import BOOK

SAMPLED_STEPS = 8  # batches that the FLOPs of a step are the mean of
TOLD = 100  # steps from one line of progress to the next
MakeObjective = Callable[[Bert, Corpora, Settings, Precision], MaskedLM]


@dataclass(frozen=True)
class Start:
    """A checkpoint that a trial goes on from: the settings of its run, its step, its weights."""

    settings: Settings
    step: int
    weights: dict[str, Tensor]

    def settings_for(self, steps: int) -> Settings:
        """Those of the run for so many more steps, annealed from the rate that the run had here."""
        return replace(self.settings, steps=steps, lr=self.settings.rates.rate(self.step))


def read_start(path: Path, dataset: Dataset) -> Start:
    """The checkpoint at ``path``.

    Raises:
        InputError: it cannot be read, is of another dataset, or not of a masked language model.
    """
    content = checkpoint.load(path)
    if content["dataset"] != dataset.fingerprint():
        raise InputError(f"{path}: was trained on another dataset; give that one as --dataset")
    settings = recorded_settings(History(run=content, path=path), Settings)
    return Start(settings, content["step"], content["model"])


@dataclass(frozen=True)
class Scores:
    """Shares of one, losses in nats; the NSP accuracy of Wikipedia's pairs and of the books' also apart."""

    means: Means
    nsp_wikipedia: float | None
    nsp_books: float | None


@dataclass(frozen=True)
class Trained:
    """A model after all steps of its settings, and what they took."""

    model: Bert
    corpora: Corpora
    precision: Precision
    steps: int
    seconds: float
    flops: float

    def score(self, corpus: PairCorpus) -> Scores:
        """On the held-out questions of ``corpus``."""
        batches = HeldOutQuestions(corpus).batches()
        means, answers = score_each(self.model, batches, self.corpora.tokenizer.han_ids(), self.precision)
        examples, labels = (np.concatenate([getattr(b, name) for b in batches]) for name in ("examples", "next_labels"))
        is_book = np.array([source.startswith(BOOK) for source in corpus.sources])
        of_book = is_book[corpus.source[corpus.first[examples]]]
        shares = [_mean(answers.pair_right[(labels != NO_PAIR) & (of_book == books)]) for books in (False, True)]
        return Scores(means, *shares)


def _mean(right: np.ndarray) -> float | None:
    return float(right.mean()) if len(right) else None


def add_arguments(parser: argparse.ArgumentParser, steps: int) -> None:
    """The options of every trial: dataset, steps (by default ``steps``), where to write the results."""
    parser.add_argument("--dataset", type=Path, default=DEFAULT_DATASET, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=steps, metavar="STEPS", help="annealed (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results (default: no)")


def refuse_without_steps(parser: argparse.ArgumentParser, settings: Settings) -> None:
    """Leave where a trial would not come past the warm-up."""
    if settings.steps <= settings.warmup:
        parser.error(f"--steps must be more than the {settings.warmup} of the warm-up")


def train(
    name: str, corpora: Corpora, settings: Settings, make: MakeObjective = MaskedLM, start: Start | None = None
) -> Trained:
    """Train on ``corpora.train`` for all steps of ``settings``; progress is told under ``name``."""
    keep_freed_memory()
    torch.manual_seed(settings.seed)
    precision = Precision("fp32", torch.device("cpu"))
    model = Bert(settings.shape(len(corpora.tokenizer))).train()
    if start:
        model.load_state_dict(start.weights)
    objective = make(model, corpora, settings, precision)
    optimizer, rates = Optimizer(model, settings), settings.rates
    began = time.perf_counter()
    for step in range(1, settings.steps + 1):
        parts = objective.micro_batches(step, settings.accumulation)
        for part in parts:
            optimizer.backward(objective.loss(model, part, parts, 1))
        optimizer.step(rates.rate(step))
        if step % TOLD == 0:
            print(f"{name}: step {step} of {settings.steps}, {time.perf_counter() - began:.0f} s", flush=True)
    seconds = time.perf_counter() - began
    return Trained(model, corpora, precision, settings.steps, seconds, settings.steps * step_flops(corpora, settings))


def step_flops(corpora: Corpora, settings: Settings) -> float:
    """The FLOPs of a step, the mean over the first few."""
    batches = TrainingBatches(corpora.train, settings.effective_batch, settings.batches_seed)
    first = [batches[step] for step in range(1, SAMPLED_STEPS + 1)]
    return flops_of_step(settings.shape(len(corpora.tokenizer)), first)
