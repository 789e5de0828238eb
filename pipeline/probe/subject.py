"""A trained model as the probe sees it: what is asked of a masked and of a causal model alike.

Both run in float32 on the CPU with dropout off, on text that their own vocabulary encodes.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.data.alphabet import END, SPECIALS, Alphabet
from pipeline.data.held_out_questions import HeldOutQuestions
from pipeline.data.masked_pairs import HELD_OUT_MASK_RATE, Batch, PairCorpus
from pipeline.data.pairing import NO_PAIR
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, SEP, Tokenizer
from pipeline.files.dataset import Dataset, Document
from pipeline.model.bert import Bert, to_device
from pipeline.model.flops import flops_of_step, flops_of_window
from pipeline.model.gpt import Gpt

CPU = torch.device("cpu")
SEQUENCES = 32  # of the sample that gradients, attention and time are measured on
AT_ONCE = 64  # sentences whose vectors are computed together


@dataclass(frozen=True)
class OutputLayer:
    """Weights [V, d] and biases [V] of the scores, on a LayerNorm's ``gain * z + shift`` ([d] each)."""

    weights: np.ndarray
    bias: np.ndarray
    gain: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True)
class Sample:
    """Some held-out text as the model trains on it."""

    loss: Callable[[], Tensor]  # one forward pass; the mean that an optimizer step minimizes
    lengths: list[int] | None  # of packed sequences; None for windows of a causal model
    tokens: int
    flops: float  # of a forward and a backward pass


class Subject(ABC):
    """A model with the vocabulary that it reads."""

    objective: str
    specials: int  # so many tokens stand first that are not text

    def __init__(self, model: nn.Module, shape: Any, tokens: list[str], step: int | None) -> None:
        self.model = model.float().eval()
        self.shape, self.tokens, self.step = shape, tokens, step

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    def rows(self) -> np.ndarray:
        """The token embedding, [V, d]."""
        return _array(self.model.get_submodule("token_embedding").get_parameter("weight"))

    @abstractmethod
    def output(self) -> OutputLayer:
        """The last layer and the LayerNorm before it."""

    @abstractmethod
    def counts(self, sentences: Sequence[str]) -> np.ndarray:
        """How often each token stands in ``sentences``, int64 [V]."""

    @abstractmethod
    def sentence_vectors(self, sentences: Sequence[str]) -> np.ndarray:
        """For each of ``sentences`` the mean of its tokens' last hidden vectors, [n, d]."""

    @abstractmethod
    def sample(self, dataset: Dataset, documents: list[Document]) -> Sample | None:
        """Some of the text of ``documents``, with the same questions at every call; None where there is too little."""


class MaskedSubject(Subject):
    """A BERT; ``length`` is the longest sequence that it is given."""

    objective = "masked_lm"
    specials = FIRST_CHARACTER

    def __init__(self, model: Bert, tokenizer: Tokenizer, tokens: list[str], length: int, step: int | None) -> None:
        super().__init__(model, model.shape, tokens, step)
        self.bert, self.tokenizer, self.length = model, tokenizer, length

    def output(self) -> OutputLayer:
        model = self.bert
        norm = model.transform_norm if self.shape.head == "bert" else model.layers[-1].get_submodule("output_norm")
        arrays = (model.decoder.weight, model.decoder.bias, norm.get_parameter("weight"), norm.get_parameter("bias"))
        return OutputLayer(*map(_array, arrays))

    def counts(self, sentences: Sequence[str]) -> np.ndarray:
        return np.bincount(self.tokenizer.encode(sentences)[0], minlength=self.shape.vocab_size)

    @torch.no_grad()
    def sentence_vectors(self, sentences: Sequence[str]) -> np.ndarray:
        found = []
        for some in _portions(sentences):
            batch = self._plain(some)
            inputs = to_device(batch, self.shape.heads, CPU)
            hidden = self.bert.embed(inputs)
            for layer in self.bert.layers:
                hidden = layer(hidden, inputs)
            found += [piece.mean(0) for piece in hidden.split(batch.lengths.tolist())]
        return _array(torch.stack(found))

    def sample(self, dataset: Dataset, documents: list[Document]) -> Sample | None:
        pairs = bool(dataset.documents)
        corpus = PairCorpus(
            dataset.sentences, documents, self.tokenizer, self.length, HELD_OUT_MASK_RATE, next_sentence=pairs
        )
        if not len(corpus):
            return None
        batch = HeldOutQuestions(corpus, SEQUENCES).batches()[0]
        if not len(batch.labels):
            return None
        inputs = to_device(batch, self.shape.heads, CPU)

        def loss() -> Tensor:
            mlm, nsp = self.bert(inputs)
            total = F.cross_entropy(mlm, inputs.labels)
            labelled = bool((inputs.next_labels != NO_PAIR).any())
            return total + F.cross_entropy(nsp, inputs.next_labels, ignore_index=NO_PAIR) if labelled else total

        return Sample(loss, batch.lengths.tolist(), len(batch.tokens), flops_of_step(self.shape, [batch]))

    def _plain(self, sentences: Sequence[str]) -> Batch:
        """``[CLS] sentence [SEP]`` each, nothing masked."""
        ids, offsets = self.tokenizer.encode(sentences)
        parts = [ids[start:end][: self.length - 2] for start, end in itertools.pairwise(offsets)]
        tokens = np.concatenate([np.concatenate(([CLS], part, [SEP])) for part in parts]).astype(np.int64)
        lengths = np.array([len(part) + 2 for part in parts])
        none, nothing = np.zeros(len(parts), np.int64), np.empty(0, np.int64)
        positions = np.concatenate([np.arange(length) for length in lengths])
        return Batch(tokens, np.zeros_like(tokens), positions, lengths, nothing, nothing, none, none)


class CausalSubject(Subject):
    """A GPT; ``context`` is how many symbols it is given at most."""

    objective = "causal_lm"

    def __init__(self, model: Gpt, alphabet: Alphabet, context: int, step: int | None) -> None:
        if alphabet.level == "byte":
            tokens = [SPECIALS[0], *(f"0x{byte:02x}" for byte in range(256))]
        else:
            tokens = [*SPECIALS, *alphabet.characters]
        super().__init__(model, model.shape, tokens, step)
        self.gpt, self.alphabet, self.context = model, alphabet, context
        self.specials = len(alphabet) - (256 if alphabet.level == "byte" else len(alphabet.characters))

    def output(self) -> OutputLayer:
        norm = self.gpt.final_norm
        arrays = (self.gpt.token_embedding.weight, torch.zeros(self.shape.vocab_size), norm.weight, norm.bias)
        return OutputLayer(*map(_array, arrays))

    def counts(self, sentences: Sequence[str]) -> np.ndarray:
        return np.bincount(self.alphabet.encode(sentences)[0], minlength=self.shape.vocab_size)

    @torch.no_grad()
    def sentence_vectors(self, sentences: Sequence[str]) -> np.ndarray:
        found: list[Tensor] = []
        kept: list[Tensor] = []
        handle = self.gpt.final_norm.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
        try:
            for some in _portions(sentences):
                ids, offsets = self.alphabet.encode(some)
                parts = [ids[start:end][: self.context - 1] for start, end in itertools.pairwise(offsets)]
                symbols = np.full((len(parts), 1 + max(map(len, parts))), END, dtype=np.int64)
                for row, part in zip(symbols, parts, strict=True):
                    row[1 : 1 + len(part)] = part  # what stands behind it is not seen
                self.gpt(torch.from_numpy(symbols))
                hidden = kept.pop()
                found += [row[: 1 + len(part)].mean(0) for row, part in zip(hidden, parts, strict=True)]
        finally:
            handle.remove()
        return _array(torch.stack(found))

    def sample(self, dataset: Dataset, documents: list[Document]) -> Sample | None:
        texts = ["".join(dataset.sentences[each.start : each.start + each.count]) for each in documents]
        ids, offsets = self.alphabet.encode(texts)
        ring = np.concatenate([np.append(ids[a:b], END) for a, b in itertools.pairwise(offsets)] or [ids])
        windows = min(SEQUENCES, (len(ring) - 1) // self.context)
        if windows < 1:
            return None
        used = torch.from_numpy(ring[: windows * self.context + 1].astype(np.int64))
        inputs, labels = used[:-1].view(windows, -1), used[1:]

        def loss() -> Tensor:
            return F.cross_entropy(self.gpt(inputs).flatten(0, 1), labels)

        flops = windows * flops_of_window(self.shape, self.context)
        return Sample(loss, None, windows * self.context, flops)


def _portions(sentences: Sequence[str]) -> Iterator[Sequence[str]]:
    return (sentences[start : start + AT_ONCE] for start in range(0, len(sentences), AT_ONCE))


def _array(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().float().numpy())
