"""Interpolated Kneser-Ney with modified discounts (Chen & Goodman 1999), an n-gram model of symbols.

An n-gram is known by the number of its first n - 1 symbols among the n-grams one shorter, and its last symbol; so all
counting is sorting of whole numbers, and any order fits. Below the highest order a count is that of the different
symbols that stood before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ORDER = 7
MOST_FITTED = 1 << 25  # symbols; of a longer text only so many first ones are counted, each takes some 160 bytes


@dataclass(frozen=True)
class _Level:
    """The n-grams of one length, by their keys ``context * size + symbol``, which rise."""

    keys: np.ndarray  # int64 [G]
    discounted: np.ndarray  # float64 [G] the share that each keeps in its context
    left_over: np.ndarray  # float64 [C] what is left in each context for shorter n-grams


class KneserNey:
    """The model fitted on ``symbols`` (int [N]) of an alphabet of ``size``."""

    def __init__(self, symbols: np.ndarray, size: int, order: int = ORDER) -> None:
        self.size, self.order = size, order
        self.fitted = min(len(symbols), MOST_FITTED)
        ending = symbols[: self.fitted].astype(np.int64)  # the number of the n-gram that ends at each place, from n - 1
        counts: list[np.ndarray] = []
        all_keys = [np.arange(size, dtype=np.int64)]
        for length in range(2, order + 1):
            keys, number = np.unique(ending[:-1] * size + symbols[length - 1 : self.fitted], return_inverse=True)
            suffix = np.empty(len(keys), dtype=np.int64)
            suffix[number] = ending[1:]
            counts.append(np.bincount(suffix, minlength=len(all_keys[-1])))  # different symbols before
            all_keys.append(keys)
            ending = number
        counts.append(np.bincount(ending, minlength=len(all_keys[-1])))
        self._levels = []
        contexts = 1
        for keys, count in zip(all_keys, counts, strict=True):
            self._levels.append(_level(keys, count, size, contexts))
            contexts = len(keys)

    def probabilities(self, symbols: np.ndarray) -> np.ndarray:
        """The probability of each of ``symbols`` (int [N]) but the first after those before it, float64 [N - 1]."""
        answers = symbols[1:].astype(np.int64)
        known = np.zeros(len(answers), dtype=np.int64)  # the number of the context, which ends just before; -1: unseen
        found = np.full(len(answers), 1 / self.size)
        ending = symbols[:-1].astype(np.int64)
        for length, level in enumerate(self._levels, start=1):
            has_context = known >= 0
            place = _find(level.keys, known * self.size + answers)
            share = np.where(has_context & (place >= 0), level.discounted[place.clip(min=0)], 0.0)
            rest = np.where(has_context, level.left_over[known.clip(min=0)], 1.0)
            found = share + rest * found
            # The context one longer: the one that ended a symbol earlier, and the symbol before the answer.
            if length == 1:
                known = ending
            else:
                earlier = np.concatenate([[-1], known[:-1]])
                longer = _find(level.keys, earlier * self.size + ending)
                known = np.where(earlier >= 0, longer, -1)
        return found


def _level(keys: np.ndarray, counts: np.ndarray, size: int, contexts: int) -> _Level:
    discount = _discounts(counts)[counts.clip(max=3)]
    context = keys // size if contexts > 1 else np.zeros(len(keys), dtype=np.int64)
    totals = np.bincount(context, counts, minlength=contexts)
    taken = np.bincount(context, np.minimum(discount, counts), minlength=contexts)
    known = totals > 0
    shares = (counts - np.minimum(discount, counts)) / np.where(known, totals, 1)[context]
    return _Level(keys, shares, np.where(known, taken / np.where(known, totals, 1), 1.0))


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What is taken from a count of 0, 1, 2, and 3 or more; Chen and Goodman's estimates, none negative."""
    ones, twos, threes, fours = (int((counts == number).sum()) for number in (1, 2, 3, 4))
    if not ones or not twos:  # so small a text that the estimates do not exist
        return np.array([0.0, 0.5, 0.5, 0.5])
    share = ones / (ones + 2 * twos)
    three = 3 - 4 * share * fours / threes if threes else 1.5
    taken = np.array([0.0, 1 - 2 * share * twos / ones, 2 - 3 * share * threes / twos, three])
    return taken.clip(min=0.0)


def _find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The place of each of ``wanted`` in ``keys``, which rise; -1 where it is not there."""
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)
