"""All that the probe measures of one model."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.data.splits import split_by_article
from pipeline.files.dataset import Dataset, Document
from pipeline.probe.attention_entropy import EntropyWatch
from pipeline.probe.embeddings import Embeddings, embeddings
from pipeline.probe.half_precision import HalfShares, half_shares
from pipeline.probe.signal import LayerSignal, layer_signals
from pipeline.probe.subject import Sample, Subject
from pipeline.probe.unpredictable import behind_norm, reach
from pipeline.probe.whitening import effective_rank, mean_cosine, retrieved, spectrum

HELD_OUT = 0.02  # share of the articles, the trainer's
PAIRS, FITTED_ON = 400, 4000  # neighbours to be found, and sentences that the whitening is fitted on
FEWEST = 2  # pairs, and sentences to fit on
BETAS, GAMMAS = (0.0, 0.5, 1.0), (0.0, 0.25, 0.5, 0.75, 1.0)
EXAMPLES = 20
REPEATS = 3  # of which the time is the median


@dataclass(frozen=True)
class ProbeText:
    """Text for a model: held-out ``documents``, pairs of neighbours in them, and other sentences to fit on."""

    dataset: Dataset
    documents: list[Document]
    first: list[str]
    second: list[str]  # what follows each of ``first``
    fitted_on: list[str]


def probe_text(dataset: Dataset) -> ProbeText:
    """What is taken of ``dataset``, the same for every model."""
    splits = split_by_article(dataset, HELD_OUT)
    documents = [*splits.validation, *splits.test]
    starts = [each.start + place for each in documents for place in range(0, each.count - 1, 2)][:PAIRS]
    fitted = [number for each in splits.train for number in range(each.start, each.start + each.count)]
    fitted = fitted[:: max(1, len(fitted) // FITTED_ON)]
    sentences = dataset.sentences
    return ProbeText(
        dataset,
        documents,
        [sentences[start] for start in starts],
        [sentences[start + 1] for start in starts],
        [sentences[number] for number in fitted],
    )


@dataclass(frozen=True)
class Predictability:
    """Tokens that the output layer can never predict; ``examples`` are the first of them."""

    tokens: int
    never: int
    undecided: int
    by_programme: int
    examples: list[str]


@dataclass(frozen=True)
class Found:
    """Share of sentences whose successor is nearest to them, at one (beta, gamma)."""

    beta: float
    gamma: float
    share: float


@dataclass(frozen=True)
class Vectors:
    """Sentence vectors: isotropy, and the next sentence found among ``candidates``."""

    sentences: int
    width: int
    mean_cosine: float
    effective_rank: float
    candidates: int
    retrieval: list[Found]

    def at(self, beta: float, gamma: float) -> float:
        [share] = [found.share for found in self.retrieval if (found.beta, found.gamma) == (beta, gamma)]
        return share


@dataclass(frozen=True)
class Cost:
    """Operations of a forward and backward pass over ``tokens``, and the time that it took."""

    tokens: int
    flops: float
    seconds: float


@dataclass(frozen=True)
class Probe:
    """What was measured; the parts that need text are None without it."""

    model: str
    objective: str
    step: int | None
    parameters: int
    predictability: Predictability
    embeddings: Embeddings | None
    vectors: Vectors | None
    layers: list[LayerSignal] | None
    attention_entropy: list[float] | None  # of each layer, over that of even attention
    half_precision: list[HalfShares] | None
    cost: Cost | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def probe(name: str, subject: Subject, text: ProbeText | None) -> Probe:
    """Measure ``subject``, called ``name``, on ``text``."""
    sample = subject.sample(text.dataset, text.documents) if text else None
    signals = entropies = shares = None
    if sample:
        with EntropyWatch(subject.model, subject.shape.heads, sample.lengths) as watch:
            signals = layer_signals(subject.model, sample.loss)
        entropies = watch.relative
        shares = half_shares(p.grad for p in subject.model.parameters() if p.grad is not None)
    return Probe(
        model=name,
        objective=subject.objective,
        step=subject.step,
        parameters=subject.parameters,
        predictability=_predictability(subject),
        embeddings=_embeddings(subject, text.dataset.sentences) if text else None,
        vectors=_vectors(subject, text) if text and min(len(text.first), len(text.fitted_on)) >= FEWEST else None,
        layers=signals,
        attention_entropy=entropies,
        half_precision=shares,
        cost=_cost(subject, sample) if sample else None,
    )


def _predictability(subject: Subject) -> Predictability:
    layer = subject.output()
    weights, bias = behind_norm(layer.weights, layer.bias, layer.gain, layer.shift)
    found = reach(weights, bias, radius=weights.shape[1] ** 0.5)
    examples = [subject.tokens[token] for token in found.never[:EXAMPLES]]
    return Predictability(len(bias), len(found.never), len(found.undecided), found.by_programme, examples)


def _embeddings(subject: Subject, sentences: list[str]) -> Embeddings:
    """Of the tokens that are text."""
    return embeddings(subject.rows()[subject.specials :], subject.counts(sentences)[subject.specials :])


def _vectors(subject: Subject, text: ProbeText) -> Vectors | None:
    first, second = subject.sentence_vectors(text.first), subject.sentence_vectors(text.second)
    fitted_on = subject.sentence_vectors(text.fitted_on)
    if not np.ptp(fitted_on, axis=0).any():
        return None
    fitted = spectrum(fitted_on)
    grid = [
        Found(beta, gamma, retrieved(*(fitted.transform(each, beta, gamma) for each in (first, second))))
        for beta in BETAS
        for gamma in GAMMAS
    ]
    return Vectors(
        sentences=len(fitted_on),
        width=fitted_on.shape[1],
        mean_cosine=mean_cosine(fitted_on),
        effective_rank=effective_rank(fitted.variances),
        candidates=len(first),
        retrieval=grid,
    )


def _cost(subject: Subject, sample: Sample) -> Cost:
    taken = []
    for _ in range(REPEATS):
        subject.model.zero_grad()
        began = time.perf_counter()
        sample.loss().backward()
        taken.append(time.perf_counter() - began)
    return Cost(sample.tokens, sample.flops, sorted(taken)[REPEATS // 2])
