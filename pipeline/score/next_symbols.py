"""A causal model on held-out text: some windows while it trains, every symbol once at the end.

The numbers of a whole text are given in units that do not depend on what the model's symbols are. Its cost in nats is
that of all its symbols and of the ends of its documents; a character outside the vocabulary costs what it takes to say
which one it is too. So two alphabets, and a compressor, can be compared on one text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.data.alphabet import UNKNOWN, Alphabet
from pipeline.data.causal_text import CausalText
from pipeline.data.causal_windows import NOT_SCORED, Windows, scoring_windows
from pipeline.model.gpt import Gpt
from pipeline.model.loss import at_least_float32
from pipeline.model.next_loss import NextMeans, NextTotals
from pipeline.model.precision import Precision

_LARGEST_EXPONENT = 700.0  # beyond it a perplexity is no float


@dataclass(frozen=True)
class SymbolScores:
    """Of each of the T symbols of a text but its first END: its nats, and whether it was the likeliest."""

    nats: np.ndarray  # float64 [T]
    right: np.ndarray  # bool [T]


@dataclass(frozen=True)
class TextScores:
    """A whole held-out text. The first six are about symbols, ends of documents included."""

    next_acc: float
    next_acc_han: float | None
    next_targets: int
    next_targets_han: int
    loss: float  # nats a symbol
    unknown: int  # symbols that stand for characters outside the vocabulary
    nats_per_character: float
    bits_per_character: float
    bits_per_byte: float
    word_perplexity: float | None  # None where white space does not tell words
    characters: int
    bytes: int
    words: int | None


@torch.no_grad()
def score_windows(model: Gpt, batches: list[Windows], han: np.ndarray, precision: Precision) -> NextMeans:
    """The means over the scored symbols of ``batches``, dropout off. ``han`` (bool [V]) marks Han characters."""
    totals = NextTotals(han, precision.device)
    for windows in batches:
        totals.add(_logits(model, windows, precision), torch.from_numpy(windows.labels).to(precision.device))
    return totals.means()


@torch.no_grad()
def score_symbols(model: Gpt, text: CausalText, length: int, precision: Precision) -> SymbolScores:
    """Every symbol of ``text`` once, in windows of ``length``, dropout off."""
    nats, right = np.full(text.targets, np.nan), np.zeros(text.targets, dtype=bool)
    for windows in scoring_windows(text, length):
        labels = torch.from_numpy(windows.labels).to(precision.device)
        logits = at_least_float32(_logits(model, windows, precision)).flatten(0, 1)
        each = F.cross_entropy(logits, labels.flatten(), reduction="none", ignore_index=NOT_SCORED)
        scored = windows.labels != NOT_SCORED
        place = (windows.places[:, None] + np.arange(windows.labels.shape[1]))[scored]
        nats[place] = each.double().cpu().numpy().reshape(scored.shape)[scored]
        right[place] = (logits.argmax(-1).cpu().numpy().reshape(scored.shape) == windows.labels)[scored]
    return SymbolScores(nats, right)


def text_scores(text: CausalText, alphabet: Alphabet, scores: SymbolScores) -> TextScores:
    """The numbers of the whole ``text``."""
    labels = text.symbols[1:]
    on_han = alphabet.han_ids()[labels]
    counts, nats = text.counts(), whole_cost(text, alphabet, scores.nats)
    unknown = _unknown(text, alphabet)
    per_word = nats / counts.words if counts.words else math.inf
    return TextScores(
        next_acc=float(scores.right.mean()),
        next_acc_han=float(scores.right[on_han].mean()) if on_han.any() else None,
        next_targets=len(labels),
        next_targets_han=int(on_han.sum()),
        loss=float(scores.nats.mean()),
        unknown=unknown,
        nats_per_character=nats / counts.characters,
        bits_per_character=nats / counts.characters / math.log(2),
        bits_per_byte=nats / counts.bytes / math.log(2),
        word_perplexity=math.exp(per_word) if per_word < _LARGEST_EXPONENT else None,
        characters=counts.characters,
        bytes=counts.bytes,
        words=counts.words,
    )


def whole_cost(text: CausalText, alphabet: Alphabet, nats: np.ndarray) -> float:
    """Nats of ``text`` in all: those of its symbols (float64 [T]), and of telling which characters the unknown are."""
    return float(nats.sum()) + _unknown(text, alphabet) * alphabet.surprise_of_unknown()


def _unknown(text: CausalText, alphabet: Alphabet) -> int:
    return int((text.symbols[1:] == UNKNOWN).sum()) if alphabet.level == "char" else 0


def _logits(model: Gpt, windows: Windows, precision: Precision) -> Tensor:
    training = model.training
    model.eval()
    try:
        with precision.autocast():
            logits: Tensor = model(torch.from_numpy(windows.inputs).to(precision.device))
        return logits
    finally:
        model.train(training)
