"""Han characters in ten groups by their frequency in the training text, 1 the rarest and 10 the most frequent.

There are two ways to make tenths, and they answer different questions:

``text_deciles``       each holds about a tenth of the *running Han text*. Every decile has about as many targets, so
                       all are measured equally well, and their mean is the accuracy on Han. The first is "the rarest
                       tenth of what one reads": thousands of characters; the last is a handful such as 的.
``character_deciles``  each holds a tenth of the *distinct Han characters*. This is where rare characters stand alone;
                       but the lowest deciles have few targets, and the last has most of them, so mind the numbers
                       of targets beside each accuracy.

Frequencies are counted in the training split only, so neither grouping depends on the held-out text, and validation and
test have the same groups. A character is never split between two deciles; ties go by id. One that is in the vocabulary
but not in the training text is in no decile: it is ``UNSEEN``, which no model can have learned.
"""

from __future__ import annotations

import numpy as np

NOT_HAN = -1
DECILES = 10
UNSEEN = DECILES  # the group after the deciles
NAMES = (*(str(number) for number in range(1, DECILES + 1)), "unseen in training")


def text_deciles(counts: np.ndarray, han: np.ndarray) -> np.ndarray:
    """Index into ``NAMES`` of every id, int64 [V], ``NOT_HAN`` where not Han; ``counts`` [V] in training, ``han`` [V].

    A character belongs to the tenth in which the middle of its occurrences falls, when all are laid out from the rarest
    to the most frequent. Where a few characters make up most of the text, a decile may stay empty.
    """
    ranked = _ranked(counts, han)
    occurrences = counts[ranked].astype(np.int64)
    middles = np.cumsum(occurrences) - occurrences / 2
    return _deciles(counts, han, ranked, middles / max(occurrences.sum(), 1))


def character_deciles(counts: np.ndarray, han: np.ndarray) -> np.ndarray:
    """As ``text_deciles``, with equally many characters (as near as may be) in each."""
    ranked = _ranked(counts, han)
    return _deciles(counts, han, ranked, np.arange(len(ranked)) / max(len(ranked), 1))


def _ranked(counts: np.ndarray, han: np.ndarray) -> np.ndarray:
    """Ids of the Han characters seen in training, the rarest first; the vocabulary runs the other way."""
    seen = np.flatnonzero(han & (counts > 0))[::-1]
    return seen[np.argsort(counts[seen], kind="stable")]


def _deciles(counts: np.ndarray, han: np.ndarray, ranked: np.ndarray, places: np.ndarray) -> np.ndarray:
    """``places`` (from 0 to less than 1) say where in the whole each of ``ranked`` stands."""
    groups = np.where(han & (counts == 0), UNSEEN, NOT_HAN)
    groups[ranked] = np.minimum((places * DECILES).astype(np.int64), DECILES - 1)
    return groups
