"""What a run will be, before it is started: sizes, tokens, FLOPs, memory, and the time it will take on this device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.data.causal_text import CausalCorpora
from pipeline.data.masked_pairs import PairCorpus, TrainingBatches, split_batch
from pipeline.data.tokenizer import Tokenizer
from pipeline.files.dataset import Document
from pipeline.model.bert import Bert, to_device
from pipeline.model.flops import flops_of_step, flops_of_window
from pipeline.model.gpt import Gpt
from pipeline.model.loss import RunningTotals
from pipeline.model.next_loss import NextTotals
from pipeline.model.precision import Precision
from pipeline.train.memory import refuse_too_large
from pipeline.train.objectives.causal_settings import CausalSettings
from pipeline.train.objectives.masked_lm import SAMPLED_STEPS
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import RunSettings, Settings

PUBLISHED_VOCABULARY = 10_049  # characters, assumed before there is a dataset
PUBLISHED_SYMBOLS = 127  # of the published causal model, by its number of parameters


@dataclass(frozen=True)
class Memory:
    """Bytes of one micro-batch's step."""

    weights_gradients_moments: int
    kept_for_backward: int  # activations


@dataclass(frozen=True)
class Plan:
    """What a run will be."""

    settings: RunSettings
    effective_batch: int  # sequences to one optimizer step
    vocabulary: int  # tokens, special ones included
    parameters: int
    sequence_tokens: float  # mean
    sequence_tokens_from: str
    tokens: int  # of the whole run
    flops: float  # of the whole run
    epochs: float | None  # passes over the training examples; None without a dataset
    memory_bytes: Memory
    device: str
    precision: str
    seconds_per_step: float
    expected_hours: float


def describe(settings: Settings, corpus: PairCorpus | None, precision: Precision) -> Plan:
    """The run of masked language modelling that ``settings`` would be on ``corpus`` (None: pairs of the whole length).

    FLOPs count a multiply-add as two and the backward pass as twice the forward; memory is that of one micro-batch's
    step, what autograd keeps included; the time is one measured optimizer step times the number of steps, and leaves
    out the scoring of held-out text (at most 5 %).
    """
    batches = TrainingBatches(corpus or _longest_pairs(settings), settings.effective_batch, settings.batches_seed)
    shape = settings.shape(batches.corpus.vocab_size)
    refuse_too_large(shape, precision.device, precision.weights)
    model = Bert(shape).to(precision.device, precision.weights).train()
    totals = RunningTotals(np.zeros(batches.corpus.vocab_size, dtype=bool), precision.device)
    part = split_batch(batches[1], settings.accumulation)[-1]

    def loss() -> Tensor:
        inputs = to_device(part, settings.heads, precision.device)
        mlm_logits, next_logits = model(inputs)
        mlm, nsp = totals.add(mlm_logits, next_logits, inputs)
        return mlm + nsp

    sample = [batches[step] for step in range(1, 1 + SAMPLED_STEPS)]
    lengths = np.concatenate([batch.lengths for batch in sample])
    return _plan(
        settings,
        model,
        loss,
        precision,
        tokens=float(lengths.mean()),
        tokens_from="the full length: no dataset given" if corpus is None else "the dataset",
        flops_per_step=flops_of_step(model.shape, sample),
        examples=None if corpus is None else len(batches.corpus),
    )


def describe_causal(settings: CausalSettings, corpora: CausalCorpora | None, precision: Precision) -> Plan:
    """The run of causal language modelling on ``corpora`` (None: a text of the published size, 127 symbols)."""
    shape = settings.shape(len(corpora.alphabet) if corpora else PUBLISHED_SYMBOLS)
    refuse_too_large(shape, precision.device, precision.weights)
    model = Gpt(shape).to(precision.device, precision.weights).train()
    totals = NextTotals(np.zeros(shape.vocab_size, dtype=bool), precision.device)
    symbols = torch.randint(shape.vocab_size, (settings.batch_size, settings.length + 1), device=precision.device)
    windows = (len(corpora.train.symbols) - 1) // settings.length if corpora else None
    return _plan(
        settings,
        model,
        lambda: totals.add(model(symbols[:, :-1]), symbols[:, 1:]),
        precision,
        tokens=float(settings.length),
        tokens_from="every window has the full length",
        flops_per_step=settings.effective_batch * flops_of_window(shape, settings.length),
        examples=windows,
    )


def _plan(
    settings: RunSettings,
    model: Bert | Gpt,
    loss: Callable[[], Tensor],
    precision: Precision,
    *,
    tokens: float,
    tokens_from: str,
    flops_per_step: float,
    examples: int | None,
) -> Plan:
    """The plan of a run whose micro-batch has the ``loss``, its sequences so many ``tokens`` on average."""
    optimizer = Optimizer(model, settings)
    seconds, kept = [], 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.nbytes
        return tensor

    for _ in range(2):  # the first also pays for memory and kernels being set up
        start, kept = time.perf_counter(), 0
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), precision.autocast():
            found = loss()
        optimizer.backward(found)
        _synchronize(precision.device)
        middle = time.perf_counter()
        optimizer.step(settings.lr)
        _synchronize(precision.device)
        seconds.append((middle - start) * settings.accumulation + time.perf_counter() - middle)

    parameters = sum(parameter.numel() for parameter in model.parameters())
    bytes_each = 8 if precision.name == "fp64" else 4
    sequences = settings.steps * settings.effective_batch
    return Plan(
        settings=settings,
        effective_batch=settings.effective_batch,
        vocabulary=model.shape.vocab_size,
        parameters=parameters,
        sequence_tokens=tokens,
        sequence_tokens_from=tokens_from,
        tokens=round(sequences * tokens),
        flops=settings.steps * flops_per_step,
        epochs=None if examples is None else sequences / examples,
        memory_bytes=Memory(parameters * bytes_each * 4, kept),
        device=str(precision.device),
        precision=precision.name,
        seconds_per_step=seconds[-1],
        expected_hours=seconds[-1] * settings.steps / 3600,
    )


def _longest_pairs(settings: Settings) -> PairCorpus:
    """Random characters in sentences so long that every pair fills the whole length."""
    random = np.random.default_rng(0)
    vocab = [chr(0x4E00 + number) for number in range(PUBLISHED_VOCABULARY)]
    sentences = ["".join(random.choice(vocab, settings.length)) for _ in range(400)]
    documents = [Document("", page, None, None, "", "", page * 4, 4) for page in range(100)]
    return PairCorpus(sentences, documents, Tokenizer(vocab), settings.length, settings.mask_rate, True)


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    if device.type == "mps":
        torch.mps.synchronize()
