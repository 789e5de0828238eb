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

from pipeline.train.batches import Batch, PairCorpus
from pipeline.train.tokenizer import CLS, FIRST_CHARACTER, SEP

GUESSES = ("commonest", "left", "both")


class CountingGuesses:
    """The guesses, fitted on the sentences of ``corpus``."""

    def __init__(self, corpus: PairCorpus) -> None:
        tokens = corpus.tokens.astype(np.int64)
        left = np.concatenate([[CLS], tokens[:-1]])
        right = np.concatenate([tokens[1:], [CLS]])
        nonempty = corpus.offsets[1:] > corpus.offsets[:-1]
        left[corpus.offsets[:-1][nonempty]] = CLS
        right[corpus.offsets[1:][nonempty] - 1] = CLS
        answers = tokens >= FIRST_CHARACTER
        tokens, left, right = tokens[answers], left[answers], right[answers]
        self._size = corpus.vocab_size
        self._commonest = int(np.bincount(tokens).argmax())
        self._left = _Table(left, tokens, self._size)
        self._right = _Table(right, tokens, self._size)
        self._both = _Table(left * self._size + right, tokens, self._size)

    def guess(self, batch: Batch) -> dict[str, np.ndarray]:
        """The three guesses for the masked positions of ``batch``, int64 [M] each."""
        seen = np.where(batch.tokens == SEP, CLS, batch.tokens)
        left, right = seen[batch.targets - 1], seen[batch.targets + 1]
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


class _Table:
    """For each context the commonest answer and its share of that context's answers; ties go to the lower id."""

    def __init__(self, contexts: np.ndarray, answers: np.ndarray, size: int) -> None:
        pairs, counts = np.unique(contexts * size + answers, return_counts=True)
        context = pairs // size
        order = np.lexsort((pairs, -counts, context))
        self._contexts, first = np.unique(context, return_index=True)
        best = order[first]
        self._answers = pairs[best] % size
        self._shares = counts[best] / np.add.reduceat(counts, first)

    def best(self, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Answers [N] and shares [N]; the share is 0 for a context that was never seen."""
        place = np.searchsorted(self._contexts, contexts).clip(max=len(self._contexts) - 1)
        found = self._contexts[place] == contexts
        return self._answers[place], np.where(found, self._shares[place], 0.0)
