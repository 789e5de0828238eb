"""Accuracy and loss on one fixed set of targets, over all of them and by group.

Groups are the token's class (characters/token_classes.py), the source of the text, and the two kinds of deciles of
training frequency (frequency_deciles.py). Every accuracy stands beside the number of targets it is over.

The published rule. The published vocabulary held Han characters only: everything else was [UNK], which was masked and
scored like any character, so about a fifth of its targets were one free token. For comparison with its numbers all
that is not Han becomes one class here too: a target that is not Han is right when the prediction is not Han.
``accuracy`` takes the model's likeliest token and then collapses it. ``accuracy_summed`` first sums the probabilities
of everything that is not Han, as a model with a single such token would have learned it, and is the fairer comparison.
What still differs: the few characters outside our vocabulary are never targets, and the published numbers are over
training text with dropout on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.data.tokenizer import UNK
from pipeline.files.scores import GROUP_KINDS, GroupKind, GroupScore, GroupSize, MlmScore, PublishedRule


@dataclass(frozen=True)
class Grouping:
    """Names of the groups of one kind, and the group of each target, int64 [M]; -1 where it is in none."""

    names: list[str]
    numbers: np.ndarray

    def members(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each group's name, and which targets are in it, bool [M]."""
        for number, name in enumerate(self.names):
            yield name, self.numbers == number


class Breakdown:
    """Scores predictions for the targets ``labels`` (ids, int64 [M]) by ``groupings``; ``han`` [V] marks Han ids.

    A kind of group that is not in ``groupings`` is empty in the scores.
    """

    def __init__(self, labels: np.ndarray, han: np.ndarray, groupings: dict[GroupKind, Grouping]) -> None:
        self.labels = labels
        self.han = han
        self.groupings = groupings

    def score(
        self, predicted: np.ndarray, losses: np.ndarray | None = None, not_han: np.ndarray | None = None
    ) -> MlmScore:
        """The score of one model or guess.

        Args:
            predicted: ids, int64 [M].
            losses: cross-entropies in nats [M]; without them the score has accuracies alone.
            not_han: bool [M], whether everything that is not Han is together likelier than any Han character.
        """
        right = predicted == self.labels
        loss = None if losses is None else _mean(losses)
        groups = {kind: self._by_group(kind, right, losses) for kind in GROUP_KINDS}
        return MlmScore(
            targets=len(right),
            accuracy=_mean(right),
            loss=loss,
            # A model that diverged may have a loss whose exponential is too large for a float.
            perplexity=math.exp(loss) if loss is not None and loss < 700 else None,
            bits_per_character=None if loss is None else loss / math.log(2),
            published_rule=self._published(predicted, not_han),
            **groups,
        )

    def describe(self) -> dict[str, dict[str, GroupSize]]:
        """For each kind of group and name, the number of targets and of distinct characters among them."""
        return {
            kind: {
                name: GroupSize(int(chosen.sum()), len(np.unique(self.labels[chosen])))
                for name, chosen in grouping.members()
            }
            for kind, grouping in self.groupings.items()
        }

    def _by_group(self, kind: GroupKind, right: np.ndarray, losses: np.ndarray | None) -> dict[str, GroupScore]:
        """For each group of ``kind`` the score of its targets; ``right`` is bool [M], ``losses`` nats [M]."""
        if kind not in self.groupings:
            return {}
        return {
            name: GroupScore(int(chosen.sum()), _mean(right[chosen]), None if losses is None else _mean(losses[chosen]))
            for name, chosen in self.groupings[kind].members()
        }

    def _published(self, predicted: np.ndarray, not_han: np.ndarray | None) -> PublishedRule:
        summed = None
        if not_han is not None:
            summed = _mean(published_rule(self.labels, np.where(not_han, UNK, predicted), self.han))
        return PublishedRule(
            targets=len(self.labels),
            accuracy=_mean(published_rule(self.labels, predicted, self.han)),
            accuracy_summed=summed,
            targets_not_han=int((~self.han[self.labels]).sum()),
        )


def published_rule(labels: np.ndarray, predicted: np.ndarray, han: np.ndarray) -> np.ndarray:
    """Which predictions are right, bool [M], when all that is not Han is one class.

    ``labels`` and ``predicted`` are ids, int64 [M]; ``han`` (bool [V]) marks Han ids.
    """
    return np.where(han[labels], predicted == labels, ~han[predicted])


def _mean(values: np.ndarray) -> float | None:
    """The mean of ``values`` (bool or float64 [N]), None where there are none."""
    return float(values.mean()) if len(values) else None
