"""Three guesses by counting, the marks that a model must beat before it can be said to have learned a language.

They are fitted on the training sentences and see what the model sees, masks and replaced characters included:

``commonest``  the commonest character, whatever stands around it;
``left``       the commonest one after the left neighbour, else the commonest;
``both``       the commonest one between the two neighbours; where that pair was never seen, the better supported of
               the guesses from the left and from the right neighbour; else the commonest.

The start and the end of a sentence are neighbours like any character. Ties go to the more frequent character.
"""

from __future__ import annotations

import numpy as np

from pipeline.data.masked_pairs import Batch, PairCorpus
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, SENTENCES_AT_ONCE, SEP

GUESSES = ("commonest", "left", "both")


class CountingGuesses:
    """The guesses, fitted on the sentences of ``corpus``."""

    def __init__(self, corpus: PairCorpus) -> None:
        self._size = corpus.vocab_size
        counts, adjacent, around = count_contexts(corpus)
        self._commonest = int(counts.argmax())
        self._left = _Table(adjacent.answered_by_characters())
        self._right = _Table(adjacent.turned().answered_by_characters())
        self._both = _Table(around)

    def guess(self, batch: Batch) -> dict[str, np.ndarray]:
        """The three guesses for the masked positions of ``batch``, int64 [M] each."""
        left, right = neighbours(batch)
        from_left, left_share = self._left.best(left)
        from_right, right_share = self._right.best(right)
        from_both, both_share = self._both.best(left * self._size + right)
        one_side = np.where(left_share >= right_share, from_left, from_right)
        one_side = np.where(np.maximum(left_share, right_share) > 0, one_side, self._commonest)
        return {
            "commonest": np.full(len(left), self._commonest),
            "left": np.where(left_share > 0, from_left, self._commonest),
            "both": np.where(both_share > 0, from_both, one_side),
        }

    def accuracies(self, batches: list[Batch], han: np.ndarray) -> dict[str, dict[str, float | None]]:
        """For each guess, its accuracy on ``all`` targets of ``batches`` and on the ``han`` ones (bool [V])."""
        labels = np.concatenate([batch.labels for batch in batches])
        on_han = han[labels]
        guesses = [self.guess(batch) for batch in batches]
        result: dict[str, dict[str, float | None]] = {}
        for name in GUESSES:
            right = np.concatenate([guess[name] for guess in guesses]) == labels
            result[name] = {
                "all": float(right.mean()) if len(right) else None,
                "han": float(right[on_han].mean()) if on_han.any() else None,
            }
        return result


def neighbours(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """What the model sees left and right of each masked position, int64 [M]; both ends of a sentence are [CLS]."""
    seen = np.where(batch.tokens == SEP, CLS, batch.tokens)
    return seen[batch.targets - 1], seen[batch.targets + 1]


def count_contexts(corpus: PairCorpus) -> tuple[np.ndarray, Counts, Counts]:
    """Characters [V]; characters and sentence ends after each left neighbour; characters between each two neighbours,
    whose context is left * V + right."""
    size = corpus.vocab_size
    counts = np.zeros(size, dtype=np.int64)
    adjacent, around = Counts(size), Counts(size)
    for start in range(0, len(corpus.offsets) - 1, SENTENCES_AT_ONCE):
        tokens, left, right = _characters(corpus, slice(start, start + SENTENCES_AT_ONCE))
        known, last = tokens >= FIRST_CHARACTER, tokens[right == CLS]
        counts += np.bincount(tokens[known], minlength=size)
        adjacent.add(np.concatenate([left, last]), np.concatenate([tokens, np.full(len(last), CLS)]))
        around.add((left * size + right)[known], tokens[known])
    return counts, adjacent, around


def _characters(corpus: PairCorpus, sentences: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ids of some sentences, and what stands left and right of each, int64 [N]."""
    offsets = corpus.offsets[sentences.start : sentences.stop + 1]
    tokens = corpus.tokens[offsets[0] : offsets[-1]].astype(np.int64)
    offsets = offsets - offsets[0]
    if not len(tokens):
        return tokens, tokens, tokens
    left = np.concatenate([[CLS], tokens[:-1]])
    right = np.concatenate([tokens[1:], [CLS]])
    nonempty = offsets[1:] > offsets[:-1]
    left[offsets[:-1][nonempty]] = CLS
    right[offsets[1:][nonempty] - 1] = CLS
    return tokens, left, right


_NONE = np.empty(0, dtype=np.int64)


class Counts:
    """How often each answer was seen in each context: ``pairs`` (context * size + answer) rising, and ``counts``."""

    def __init__(self, size: int, pairs: np.ndarray = _NONE, counts: np.ndarray = _NONE) -> None:
        self.size = size
        self.pairs, self.counts = pairs, counts
        self._new: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, contexts: np.ndarray, answers: np.ndarray) -> None:
        """Count ``answers`` [N] in ``contexts`` [N]."""
        self._new.append(np.unique(contexts * self.size + answers, return_counts=True))
        if sum(len(pairs) for pairs, _ in self._new) > len(self.pairs):  # so that each pair is merged a few times only
            self.merge()

    def merge(self) -> None:
        """Bring what is new into ``pairs`` and ``counts``."""
        pairs = np.concatenate([self.pairs, *(pairs for pairs, _ in self._new)])
        counts = np.concatenate([self.counts, *(counts for _, counts in self._new)])
        self._new.clear()
        order = np.argsort(pairs)
        pairs = pairs[order]
        first = np.flatnonzero(np.diff(pairs, prepend=-1))
        self.pairs, self.counts = pairs[first], np.add.reduceat(counts[order], first)

    def turned(self) -> Counts:
        """With context and answer exchanged; both are single ids."""
        self.merge()
        context, answer = np.divmod(self.pairs, self.size)
        pairs = answer * self.size + context
        order = np.argsort(pairs)
        return Counts(self.size, pairs[order], self.counts[order])

    def answered_by_characters(self) -> Counts:
        """Only the answers that are characters of the vocabulary."""
        self.merge()
        known = self.pairs % self.size >= FIRST_CHARACTER
        return Counts(self.size, self.pairs[known], self.counts[known])


class _Table:
    """For each context the commonest answer and its share of that context's answers; ties go to the lower id."""

    def __init__(self, seen: Counts) -> None:
        seen.merge()
        # The pairs rise, so those of one context stand together, and the first of the highest count is the lowest id.
        context = seen.pairs // seen.size
        begins = np.diff(context, prepend=-1) != 0
        first, number = np.flatnonzero(begins), np.cumsum(begins) - 1
        highest = np.flatnonzero(seen.counts == np.maximum.reduceat(seen.counts, first)[number])
        best = highest[np.flatnonzero(np.diff(number[highest], prepend=-1))]
        self._contexts = context[first]
        self._answers = seen.pairs[best] % seen.size
        self._shares = seen.counts[best] / np.add.reduceat(seen.counts, first)

    def best(self, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Answers [N] and shares [N]; the share is 0 for a context that was never seen."""
        place = np.searchsorted(self._contexts, contexts).clip(max=len(self._contexts) - 1)
        found = self._contexts[place] == contexts
        return self._answers[place], np.where(found, self._shares[place], 0.0)
