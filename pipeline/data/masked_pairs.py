"""The data of each optimizer step, as a pure function of (seed, step).

Tokens are encoded once into a flat array. An example is a pair of sentences, ``[CLS] A [SEP] B [SEP]``, or the one
sentence of a one-sentence document, ``[CLS] A [SEP]``, which is for MLM only. The examples of an epoch come in an order
drawn from (seed, epoch); a step takes the next ``effective batch size`` of them, also where the epoch ends inside it.

Next sentence prediction (label 0 = is next). A is never the last and B never the first sentence of its document;
pairing.py says which B stands where, and with which label.

Masked language model. ``mask_rate`` of each sequence's characters, at least one, are targets: 80 % become [MASK], 10 %
a random character, 10 % stay. Special tokens and [UNK] are never targets. A pair that is too long loses characters from
the end of its longer sentence.

Sequences are packed without padding: a batch of B sequences with T real tokens is arrays of T tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.pairing import Pairing, PairMaker
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, MASK, SEP, Tokenizer
from pipeline.files.dataset import Document

HELD_OUT_MASK_RATE = 0.15  # whatever a run trains with, so that runs can be compared
# Streams of the random generator, so that no two uses of one seed share numbers.
TRAINING, ORDER, HELD_OUT, PAIRS = range(4)


@dataclass(frozen=True)
class Batch:
    """Packed sequences. T tokens, B sequences, M masked positions; int64 unless said otherwise."""

    tokens: np.ndarray  # [T] what the model sees
    segments: np.ndarray  # [T] 0 up to the first [SEP], then 1
    positions: np.ndarray  # [T] from 0 in each sequence
    lengths: np.ndarray  # [B] tokens of each sequence, in order
    targets: np.ndarray  # [M] indices into tokens
    labels: np.ndarray  # [M] the true ids there
    next_labels: np.ndarray  # [B] IS_NEXT, NOT_NEXT or NO_PAIR
    examples: np.ndarray  # [B] the index of each example, for error messages and tests


class PairCorpus:
    """The sentences of one split as token ids, and the examples that they make.

    Args:
        sentences: all sentences of the dataset; ``documents`` slice it.
        length: longest sequence in tokens, specials included.
        next_sentence: make pairs; without it every sentence is an example of its own.
    """

    def __init__(
        self,
        sentences: list[str],
        documents: list[Document],
        tokenizer: Tokenizer,
        length: int,
        mask_rate: float,
        next_sentence: bool,
    ) -> None:
        texts = [text for document in documents for text in sentences[document.start : document.start + document.count]]
        self.tokens, self.offsets = tokenizer.encode(texts)
        self.length = length
        self.mask_rate = mask_rate
        self.vocab_size = len(tokenizer)
        counts = np.array([document.count for document in documents], dtype=np.int64)
        self.page = np.repeat([document.page for document in documents], counts)
        self.sources = list(dict.fromkeys(document.source for document in documents))
        number_of = {source: number for number, source in enumerate(self.sources)}
        self.source = np.repeat([number_of[document.source] for document in documents], counts)

        is_first = np.zeros(len(texts), dtype=bool)
        is_first[np.cumsum(counts) - counts] = True
        is_last = np.roll(is_first, -1)
        if next_sentence:
            self.first = np.flatnonzero(~is_last | (is_first & is_last))
            self.paired = ~is_last[self.first]
        else:
            self.first = np.arange(len(texts))
            self.paired = np.zeros(len(texts), dtype=bool)
        self.pair_maker = PairMaker(self.first, self.paired, self.page, self.source)

    def __len__(self) -> int:
        """Examples in an epoch."""
        return len(self.first)

    def batch(self, examples: np.ndarray, pairing: Pairing, random: np.random.Generator) -> Batch:
        """Pack ``examples`` (indices, [B]) with their second sentences and labels; the masks are from ``random``."""
        a, b, has_b = self.first[examples], pairing.second, self.paired[examples]
        a_length, b_length = self._truncate(a, b, has_b)

        lengths = 2 + a_length + np.where(has_b, b_length + 1, 0)
        starts = np.cumsum(lengths) - lengths
        sequence = np.repeat(np.arange(len(a)), lengths)
        positions = np.arange(len(sequence)) - starts[sequence]
        # Where each token stands in the corpus, for the tokens that are text; specials are set afterwards.
        first_separator = 1 + a_length[sequence]
        in_b = positions > first_separator
        place = np.where(
            in_b,
            self.offsets[b][sequence] + positions - first_separator - 1,
            self.offsets[a][sequence] + positions - 1,
        )
        tokens = self.tokens[np.clip(place, 0, len(self.tokens) - 1)].astype(np.int64)
        tokens[starts] = CLS
        tokens[starts + 1 + a_length] = SEP
        tokens[starts + lengths - 1] = SEP
        seen, targets = self._mask(tokens, place, sequence, len(a), random)
        return Batch(
            tokens=seen,
            segments=in_b.astype(np.int64),
            positions=positions,
            lengths=lengths,
            targets=targets,
            labels=tokens[targets],
            next_labels=pairing.labels,
            examples=examples,
        )

    def _truncate(self, a: np.ndarray, b: np.ndarray, has_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lengths of A and B after cutting the longer one, then both, to fit; [CLS] and [SEP]s are allowed for."""
        a_length = self.offsets[a + 1] - self.offsets[a]
        b_length = np.where(has_b, self.offsets[b + 1] - self.offsets[b], 0)
        room = self.length - 2 - has_b
        half = (room + 1) // 2
        a_kept = np.minimum(a_length, np.maximum(room - b_length, np.where(has_b, half, room)))
        return a_kept, np.minimum(b_length, room - a_kept)

    def _mask(
        self, tokens: np.ndarray, place: np.ndarray, sequence: np.ndarray, count: int, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the model sees [T], and the indices of the targets [M], rising; ``place`` [T] is each token's in the
        corpus, of no meaning for special tokens."""
        can_mask = tokens >= FIRST_CHARACTER
        chance = random.random(len(tokens))
        action = random.random(len(tokens))
        replacement = random.integers(FIRST_CHARACTER, self.vocab_size, len(tokens))
        maskable = np.bincount(sequence, weights=can_mask, minlength=count)
        wanted = np.where(maskable > 0, np.maximum(np.rint(self.mask_rate * maskable), 1), 0)
        is_target = self._chosen(np.where(can_mask, chance, 2.0), place, sequence, wanted)
        seen = np.where(is_target & (action < 0.8), MASK, tokens)
        seen = np.where(is_target & (action >= 0.8) & (action < 0.9), replacement, seen)
        return seen, np.flatnonzero(is_target)

    def _chosen(self, chance: np.ndarray, _place: np.ndarray, sequence: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Which tokens are targets, bool [T]: of each sequence those ``wanted`` [B] with the lowest ``chance`` [T].

        Where they stand in the corpus, ``_place`` [T], plays no part here; it does where words are masked as wholes
        (study/trials/whole_word.py).
        """
        order = np.lexsort((chance, sequence))
        rank = np.empty(len(chance), dtype=np.int64)
        rank[order] = np.arange(len(chance)) - np.searchsorted(sequence, np.arange(len(wanted)))[sequence[order]]
        return rank < wanted[sequence]


class TrainingBatches:
    """Batch ``step`` (from 1) of a run: a pure function of (seed, step), whatever ran before."""

    def __init__(self, corpus: PairCorpus, batch_size: int, seed: int) -> None:
        self.corpus = corpus
        self.batch_size = batch_size
        self.seed = seed
        self._epochs: dict[int, tuple[np.ndarray, Pairing]] = {}

    def __getitem__(self, step: int) -> Batch:
        """The whole effective batch of ``step``."""
        return self.from_step(step, self.batch_size)

    def from_step(self, step: int, sequences: int) -> Batch:
        """The next so many sequences from where ``step`` begins, be it less or more than its batch."""
        drawn = (step - 1) * self.batch_size + np.arange(sequences)
        numbers, places = np.divmod(drawn, len(self.corpus))
        epochs = {number: self._epoch(number) for number in range(numbers[0], numbers[-1] + 1)}
        self._epochs = epochs  # kept for the next step, which most often lies in the same epoch
        parts = []
        for number, (order, pairing) in epochs.items():
            examples = order[places[numbers == number]]
            parts.append((examples, *vars(pairing.of(examples)).values()))
        examples, second, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        return self.corpus.batch(examples, Pairing(second, labels), generator(self.seed, TRAINING, step))

    def _epoch(self, number: int) -> tuple[np.ndarray, Pairing]:
        """The order of the examples in an epoch, and how they are paired."""
        known = self._epochs.get(number)
        if known is not None:
            return known
        order = generator(self.seed, ORDER, number).permutation(len(self.corpus))
        return order, self.corpus.pair_maker.draw(generator(self.seed, PAIRS, number))


def generator(seed: int, stream: int, number: int) -> np.random.Generator:
    """A generator that depends on (seed, stream, number) alone."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, stream, number))))


def split_batch(batch: Batch, parts: int) -> list[Batch]:
    """Cut ``batch`` into ``parts`` micro-batches of equally many sequences (as near as may be).

    Sequences are dealt out in order of length, so that those of one micro-batch pad each other little.
    """
    order = np.argsort(batch.lengths, kind="stable")
    return [take(batch, chosen) for chosen in np.array_split(order, parts) if len(chosen)]


def take(batch: Batch, sequences: np.ndarray) -> Batch:
    """The given sequences of ``batch``, in the given order."""
    lengths = batch.lengths[sequences]
    starts = np.cumsum(batch.lengths) - batch.lengths
    new_starts = np.cumsum(lengths) - lengths
    index = np.arange(lengths.sum()) + np.repeat(starts[sequences] - new_starts, lengths)
    is_target = np.zeros(len(batch.tokens), dtype=bool)
    is_target[batch.targets] = True
    label_of = np.zeros(len(batch.tokens), dtype=np.int64)
    label_of[batch.targets] = batch.labels
    targets = np.flatnonzero(is_target[index])
    return Batch(
        tokens=batch.tokens[index],
        segments=batch.segments[index],
        positions=batch.positions[index],
        lengths=lengths,
        targets=targets,
        labels=label_of[index[targets]],
        next_labels=batch.next_labels[sequences],
        examples=batch.examples[sequences],
    )
