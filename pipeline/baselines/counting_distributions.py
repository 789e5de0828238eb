"""The counting guesses as distributions, for how far a model is from them along its training.

For each masked position, a probability for every character, fitted on the training sentences:

``commonest``  its share of the text, every character counted once more than it was seen;
``left``       after the left neighbour;
``both``       between the two neighbours.

The last two are interpolated as Witten and Bell (1991) do: of a context that was seen n times, with t different
characters, n / (n + t) is the counted distribution and the rest the shorter context's. That of ``both`` is the mean of
the distributions after the left and before the right neighbour.
"""

from __future__ import annotations

import numpy as np

from pipeline.baselines.counting import Counts, count_contexts, neighbours
from pipeline.data.masked_pairs import Batch, PairCorpus
from pipeline.data.tokenizer import FIRST_CHARACTER


class CountingDistributions:
    """The distributions, fitted on the sentences of ``corpus``."""

    def __init__(self, corpus: PairCorpus) -> None:
        counts, adjacent, around = count_contexts(corpus)
        one_more = counts + (np.arange(len(counts)) >= FIRST_CHARACTER)
        self._commonest = one_more / one_more.sum()
        self._left = _Rows(adjacent.answered_by_characters())
        self._right = _Rows(adjacent.turned().answered_by_characters())
        self._both = _Rows(around)

    def distributions(self, batch: Batch) -> dict[str, np.ndarray]:
        """Probabilities of each of the V tokens at the M masked positions of ``batch``, float64 [M, V]."""
        left, right = neighbours(batch)
        size = len(self._commonest)
        commonest = np.broadcast_to(self._commonest, (len(left), size))
        from_left = self._left.interpolated(left, commonest)
        one_side = (from_left + self._right.interpolated(right, commonest)) / 2
        return {
            "commonest": commonest,
            "left": from_left,
            "both": self._both.interpolated(left * size + right, one_side),
        }


class _Rows:
    """Counts by context, one row of V a context."""

    def __init__(self, seen: Counts) -> None:
        seen.merge()
        self._seen = seen
        self._context = seen.pairs // seen.size

    def interpolated(self, contexts: np.ndarray, shorter: np.ndarray) -> np.ndarray:
        """The distribution in each of ``contexts`` (int64 [M]), given those in shorter ones, [M, V]."""
        begins = np.searchsorted(self._context, contexts, side="left")
        ends = np.searchsorted(self._context, contexts, side="right")
        found = np.empty_like(shorter)
        for row, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            counts = self._seen.counts[begin:end]
            total, distinct = counts.sum(), len(counts)
            if not distinct:
                found[row] = shorter[row]
                continue
            found[row] = shorter[row] * (distinct / (total + distinct))
            found[row, self._seen.pairs[begin:end] % self._seen.size] += counts / (total + distinct)
        return found
