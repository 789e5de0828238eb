"""What a run will be, before it is started: sizes, tokens, FLOPs, memory, and the time it will take on this device."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches, split_batch
from pipeline.data.tokenizer import Tokenizer
from pipeline.files.dataset import Document
from pipeline.model.bert import Bert, to_device
from pipeline.model.flops import flops_of_step
from pipeline.model.loss import RunningTotals
from pipeline.model.precision import Precision
from pipeline.train.memory import refuse_too_large
from pipeline.train.objectives.masked_lm import SAMPLED_STEPS
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import Settings

PUBLISHED_VOCABULARY = 10_049  # characters, assumed before there is a dataset


@dataclass(frozen=True)
class Memory:
    """Bytes of one micro-batch's step."""

    weights_gradients_moments: int
    kept_for_backward: int  # activations


@dataclass(frozen=True)
class Plan:
    """What a run will be."""

    settings: Settings
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
    """The run that ``settings`` would be on ``corpus`` (None: pairs that fill the whole length).

    FLOPs count a multiply-add as two and the backward pass as twice the forward; memory is that of one micro-batch's
    step, what autograd keeps included; the time is one measured optimizer step times the number of steps, and leaves
    out the scoring of held-out text (at most 5 %).
    """
    full_length = corpus is None
    batches = TrainingBatches(corpus or _longest_pairs(settings), settings.effective_batch, settings.batches_seed)
    shape = settings.shape(batches.corpus.vocab_size)
    refuse_too_large(shape, precision.device, precision.weights)
    model = Bert(shape).to(precision.device, precision.weights).train()
    optimizer = Optimizer(model, settings)
    totals = RunningTotals(np.zeros(batches.corpus.vocab_size, dtype=bool), precision.device)
    parts = split_batch(batches[1], settings.accumulation)
    seconds, kept = [], 0

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += tensor.nbytes
        return tensor

    for _ in range(2):  # the first also pays for memory and kernels being set up
        start, kept = time.perf_counter(), 0
        inputs = to_device(parts[-1], settings.heads, precision.device)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), precision.autocast():
            mlm_logits, next_logits = model(inputs)
            mlm, nsp = totals.add(mlm_logits, next_logits, inputs)
        optimizer.backward(mlm + nsp)
        _synchronize(precision.device)
        middle = time.perf_counter()
        optimizer.step(settings.lr)
        _synchronize(precision.device)
        seconds.append((middle - start) * settings.accumulation + time.perf_counter() - middle)

    parameters = sum(parameter.numel() for parameter in model.parameters())
    bytes_each = 8 if precision.name == "fp64" else 4
    sample = [batches[step] for step in range(1, 1 + SAMPLED_STEPS)]
    lengths = np.concatenate([batch.lengths for batch in sample])
    sequences = settings.steps * settings.effective_batch
    return Plan(
        settings=settings,
        effective_batch=settings.effective_batch,
        vocabulary=batches.corpus.vocab_size,
        parameters=parameters,
        sequence_tokens=float(lengths.mean()),
        sequence_tokens_from="the full length: no dataset given" if full_length else "the dataset",
        tokens=round(sequences * float(lengths.mean())),
        flops=settings.steps * flops_of_step(model.shape, sample),
        epochs=None if full_length else sequences / len(batches.corpus),
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
