"""Which sentence follows in each example of an epoch, and whether it is the true one: the labels of NSP.

Half of the labelled pairs are true neighbours. In the others, B is the second sentence of another labelled pair, of
another article of the same source. Two rules keep everything but the text itself from telling the label:

- Every article has as many labelled negatives as positives. Knowing the article of A says nothing.
- The negatives of a source exchange their second sentences among themselves. So the article of B, its length and its
  place in the article have the same distribution in negatives as in positives.

An article that holds more than half of its source's pairs cannot be balanced as a whole, nor can the odd pair of any
article. What is left over in an epoch has no label and trains MLM only; another epoch leaves others over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

IS_NEXT, NOT_NEXT, NO_PAIR = 0, 1, -100


@dataclass(frozen=True)
class Pairing:
    """For N examples, the second sentence (int64 [N], an index into the corpus) and the NSP label (int64 [N])."""

    second: np.ndarray
    labels: np.ndarray

    def of(self, examples: np.ndarray) -> Pairing:
        """Only the given examples (indices, [B]), in their order."""
        return Pairing(self.second[examples], self.labels[examples])


class PairMaker:
    """Draws pairings for the examples of a corpus.

    Args:
        first: the sentence A of each example, int64 [N].
        paired: whether the sentence after it belongs to the same document, bool [N].
        page: the article of every sentence, int64 [S].
        source: the source of every sentence, int64 [S].
    """

    def __init__(self, first: np.ndarray, paired: np.ndarray, page: np.ndarray, source: np.ndarray) -> None:
        self._first = first
        self._last_sentence = len(page) - 1
        self._pairs = np.flatnonzero(paired)
        a = first[self._pairs]
        # An article is numbered within its source; its pairs, and the source that it belongs to.
        both = np.stack([source[a], page[a]], axis=1).reshape(-1, 2)
        articles, self._article = np.unique(both, axis=0, return_inverse=True)
        self._article = self._article.reshape(-1)
        self._source_of_article = articles[:, 0]
        self._quota = _quota(np.bincount(self._article, minlength=len(articles)), self._source_of_article)

    @property
    def labelled(self) -> int:
        """Pairs of an epoch that have a label; half of them are true neighbours."""
        return 2 * int(self._quota.sum())

    @property
    def unlabelled(self) -> int:
        """Pairs of an epoch that train MLM only, because they cannot be balanced."""
        return len(self._pairs) - self.labelled

    def draw(self, random: np.random.Generator) -> Pairing:
        """The pairing of one epoch; sentences without a neighbour have no pair."""
        second = np.minimum(self._first + 1, self._last_sentence)
        labels = np.full(len(self._first), NO_PAIR)
        order = np.lexsort((random.random(len(self._pairs)), self._article))
        rank = (
            np.arange(len(order))
            - np.searchsorted(self._article[order], np.arange(len(self._quota)))[self._article[order]]
        )
        quota = self._quota[self._article[order]]
        negatives = order[rank < quota]
        labels[self._pairs[negatives]] = NOT_NEXT
        labels[self._pairs[order[(rank >= quota) & (rank < 2 * quota)]]] = IS_NEXT
        examples = self._pairs[negatives]
        second[examples] = self._exchanged(negatives, self._source_of_article, random)
        return Pairing(second, labels)

    def strangers(self, pairing: Pairing, random: np.random.Generator) -> Pairing:
        """The negatives of ``pairing`` with second sentences exchanged across sources too; all else has no label."""
        negatives = np.flatnonzero(pairing.labels[self._pairs] == NOT_NEXT)
        second = pairing.second.copy()
        one_source = np.zeros_like(self._source_of_article)
        second[self._pairs[negatives]] = self._exchanged(negatives, one_source, random)
        return Pairing(second, np.where(pairing.labels == NOT_NEXT, NOT_NEXT, NO_PAIR))

    def _exchanged(
        self, negatives: np.ndarray, group_of_article: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """For each of ``negatives`` (indices of pairs) a second sentence of the same group, but of another article.

        Laid out article by article, in random order, and turned by at least the largest article and at most all but it,
        no pair meets its own article. ``group_of_article`` is int64 [articles].
        """
        article = self._article[negatives]
        group = group_of_article[article]
        place = random.random(len(self._quota))[article]
        order = np.lexsort((random.random(len(negatives)), place, group))
        second = np.empty(len(negatives), dtype=np.int64)
        for number in np.unique(group):
            members = order[group[order] == number]
            largest = int(np.bincount(article[members]).max())
            turned = np.roll(members, -int(random.integers(largest, len(members) - largest + 1)))
            second[members] = self._first[self._pairs[negatives[turned]]] + 1
        return second


def _quota(pairs: np.ndarray, source: np.ndarray) -> np.ndarray:
    """How many negatives each article gives (and positives as well): at most half of its ``pairs`` (int64 [articles]),
    and at most as many as all other articles of its ``source`` together."""
    quota = pairs // 2
    for number in np.unique(source):
        members = np.flatnonzero(source == number)
        largest = members[np.argmax(quota[members])]
        quota[largest] = min(quota[largest], quota[members].sum() - quota[largest])
    return quota
