"""A short training run for a trial: settings, text or loss changed, everything else as in the trainer."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from pipeline.data.corpora import Corpora
from pipeline.data.held_out_questions import HeldOutQuestions
from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.files.dataset import DEFAULT_DATASET
from pipeline.model.bert import Bert
from pipeline.model.flops import flops_of_step
from pipeline.model.loss import Means
from pipeline.model.precision import Precision
from pipeline.score.held_out import score
from pipeline.train.memory import keep_freed_memory
from pipeline.train.objectives.masked_lm import MaskedLM
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import PRESETS, Settings

SAMPLED_STEPS = 8  # batches that the FLOPs of a step are the mean of
TOLD = 100  # steps from one line of progress to the next
MakeObjective = Callable[[Bert, Corpora, Settings, Precision], MaskedLM]


@dataclass(frozen=True)
class Trained:
    """A model after all steps of its settings, and what they took."""

    model: Bert
    corpora: Corpora
    precision: Precision
    steps: int
    seconds: float
    flops: float

    def score(self, corpus: PairCorpus) -> Means:
        """On the held-out questions of ``corpus``: shares of one, losses in nats."""
        han = self.corpora.tokenizer.han_ids()
        return score(self.model, HeldOutQuestions(corpus).batches(), han, self.precision)


def parse_arguments(parser: argparse.ArgumentParser, steps: int) -> argparse.Namespace:
    """The options of a trial: dataset, preset, steps (by default ``steps``), where to write the results."""
    parser.add_argument("--dataset", type=Path, default=DEFAULT_DATASET, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--preset", choices=PRESETS, default="medium", help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=steps, metavar="STEPS", help="annealed (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results (default: no)")
    arguments = parser.parse_args()
    if arguments.steps <= PRESETS[arguments.preset].warmup:
        parser.error(f"--steps must be more than the {PRESETS[arguments.preset].warmup} of the warm-up")
    return arguments


def train(name: str, corpora: Corpora, settings: Settings, make: MakeObjective = MaskedLM) -> Trained:
    """Train on ``corpora.train`` for all steps of ``settings``; progress is told under ``name``."""
    keep_freed_memory()
    torch.manual_seed(settings.seed)
    precision = Precision("fp32", torch.device("cpu"))
    model = Bert(settings.shape(len(corpora.tokenizer))).train()
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
