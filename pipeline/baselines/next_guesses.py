"""Two guesses of the next symbol by counting in the training text, which a causal model must beat.

``commonest``  the commonest symbol, whatever stands before;
``left``       the commonest one after the symbol before, else the commonest.

Ties go to the lower id.
"""

from __future__ import annotations

import numpy as np

from pipeline.data.causal_windows import NOT_SCORED, Windows

_AT_ONCE = 1 << 24  # pairs counted together


class NextGuesses:
    """The guesses, fitted on ``symbols`` (uint16 [N]) of an alphabet of ``size``."""

    def __init__(self, symbols: np.ndarray, size: int) -> None:
        pairs, counts = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        for start in range(0, len(symbols) - 1, _AT_ONCE):
            some = symbols[start : start + _AT_ONCE + 1].astype(np.int64)
            new, times = np.unique(some[:-1] * size + some[1:], return_counts=True)
            pairs, inverse = np.unique(np.concatenate([pairs, new]), return_inverse=True)
            counts = np.bincount(inverse, np.concatenate([counts, times])).astype(np.int64)
        left, answer = np.divmod(pairs, size)
        totals = np.bincount(answer, counts, minlength=size)
        self._commonest = int(totals.argmax())
        # By left neighbour and rising count, the lowest id of the highest count last.
        order = np.lexsort((-answer, counts, left))
        last = np.flatnonzero(np.diff(left[order], append=-1))
        self._after = np.full(size, self._commonest, dtype=np.int64)
        self._after[left[order][last]] = answer[order][last]

    def accuracies(self, batches: list[Windows], han: np.ndarray) -> dict[str, dict[str, float | None]]:
        """For each guess, its accuracy on ``all`` scored symbols and on the ``han`` ones (bool [V])."""
        scored = [each.labels != NOT_SCORED for each in batches]
        labels = np.concatenate([each.labels[where] for each, where in zip(batches, scored, strict=True)])
        inputs = np.concatenate([each.inputs[where] for each, where in zip(batches, scored, strict=True)])
        on_han = han[labels]
        right = {"commonest": labels == self._commonest, "left": labels == self._after[inputs]}
        return {
            name: {"all": float(hit.mean()), "han": float(hit[on_han].mean()) if on_han.any() else None}
            for name, hit in right.items()
        }
