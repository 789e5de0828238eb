"""What is asked of held-out text: sequences, pairs and masks that depend on the text alone, never on a run's seed.

So runs on one dataset that differ in the seed, the optimizer or the model answer the same questions, and can be
compared question by question.
"""

from __future__ import annotations

import hashlib

import numpy as np

from pipeline.data.masked_pairs import HELD_OUT, ORDER, PAIRS, Batch, PairCorpus, generator
from pipeline.data.pairing import NO_PAIR, Pairing

SEQUENCES = 64  # in a batch; scoring keeps no activations, so it never needs more memory than training
_SEED = 0


class HeldOutQuestions:
    """The questions about the text of ``corpus``.

    Args:
        examples: sequences to ask about, the first of a fixed order; None is all.
    """

    def __init__(self, corpus: PairCorpus, examples: int | None = None) -> None:
        self.corpus = corpus
        self._order = generator(_SEED, ORDER, 0).permutation(len(corpus))[:examples]
        self._pairing = corpus.pair_maker.draw(generator(_SEED, PAIRS, 0))

    def batches(self) -> list[Batch]:
        """The questions, the same at every call."""
        return self._batches(self._pairing)

    def strangers(self) -> list[Batch]:
        """The same sequences; the second sentences of false pairs are of any source, and only these have a label."""
        return self._batches(self.corpus.pair_maker.strangers(self._pairing, generator(_SEED, PAIRS, 1)))

    def _batches(self, pairing: Pairing) -> list[Batch]:
        parts = [self._order[start : start + SEQUENCES] for start in range(0, len(self._order), SEQUENCES)]
        return [
            self.corpus.batch(examples, pairing.of(examples), generator(_SEED, HELD_OUT, number))
            for number, examples in enumerate(parts)
        ]


def first_with_targets(batches: list[Batch], targets: int) -> list[Batch]:
    """The fewest first ``batches`` that hold at least so many masked positions, or all of them."""
    held = np.cumsum([len(batch.labels) for batch in batches])
    return batches[: int(np.searchsorted(held, targets)) + 1]


def counts(batches: list[Batch], han: np.ndarray) -> dict[str, int]:
    """How many masked positions, Han ones (``han``, bool [V], marks their ids) and pairs ``batches`` hold."""
    return {
        "mlm_targets": sum(len(batch.labels) for batch in batches),
        "mlm_targets_han": sum(int(han[batch.labels].sum()) for batch in batches),
        "nsp_pairs": sum(int((batch.next_labels != NO_PAIR).sum()) for batch in batches),
    }


def digest(batches: list[Batch]) -> str:
    """SHA-256 of the questions and their right answers: equal for two runs that were asked the same."""
    found = hashlib.sha256()
    for batch in batches:
        for column in (batch.lengths, batch.tokens, batch.segments, batch.targets, batch.labels, batch.next_labels):
            found.update(column.astype("<i8").tobytes())
    return found.hexdigest()
