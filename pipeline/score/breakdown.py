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
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.data.tokenizer import UNK


@dataclass(frozen=True)
class Grouping:
    """Names of the groups of one kind, and the group of each target, int64 [M]; -1 where it is in none."""

    names: list[str]
    numbers: np.ndarray


class Breakdown:
    """Scores predictions for the targets ``labels`` (ids, int64 [M]) by ``groupings``; ``han`` [V] marks Han ids."""

    def __init__(self, labels: np.ndarray, han: np.ndarray, groupings: dict[str, Grouping]) -> None:
        self.labels = labels
        self.han = han
        self.groupings = groupings

    def score(
        self, predicted: np.ndarray, losses: np.ndarray | None = None, not_han: np.ndarray | None = None
    ) -> dict[str, Any]:
        """The score of one model or guess.

        Args:
            predicted: ids, int64 [M].
            losses: cross-entropies in nats [M]; without them the score has accuracies alone.
            not_han: bool [M], whether everything that is not Han is together likelier than any Han character.
        """
        right = predicted == self.labels
        result = _means(right, losses)
        if losses is not None and len(losses):
            # A model that diverged may have a loss whose exponential is no float.
            result["perplexity"] = math.exp(result["loss"]) if result["loss"] < 700 else None
            result["bits_per_character"] = result["loss"] / math.log(2)
        for kind, grouping in self.groupings.items():
            result[kind] = by_group(grouping, right, losses)
        published = _means(published_rule(self.labels, predicted, self.han))
        if not_han is not None:
            collapsed = np.where(not_han, UNK, predicted)
            published["accuracy_summed"] = _means(published_rule(self.labels, collapsed, self.han))["accuracy"]
        published["targets_not_han"] = int((~self.han[self.labels]).sum())
        result["published_rule"] = published
        return result

    def describe(self) -> dict[str, dict[str, dict[str, int]]]:
        """For each kind of group and name, the number of targets and of distinct characters among them."""
        return {
            kind: {
                name: {
                    "targets": int((grouping.numbers == number).sum()),
                    "characters": len(np.unique(self.labels[grouping.numbers == number])),
                }
                for number, name in enumerate(grouping.names)
            }
            for kind, grouping in self.groupings.items()
        }


def by_group(grouping: Grouping, right: np.ndarray, losses: np.ndarray | None = None) -> dict[str, dict[str, Any]]:
    """For each group: ``targets``, ``accuracy`` and, with ``losses``, ``loss``; ``right`` is bool [M]."""
    result = {}
    for number, name in enumerate(grouping.names):
        chosen = grouping.numbers == number
        result[name] = _means(right[chosen], None if losses is None else losses[chosen])
    return result


def published_rule(labels: np.ndarray, predicted: np.ndarray, han: np.ndarray) -> np.ndarray:
    """Which predictions are right, bool [M], when all that is not Han is one class."""
    return np.where(han[labels], predicted == labels, ~han[predicted])


def _means(right: np.ndarray, losses: np.ndarray | None = None) -> dict[str, Any]:
    result: dict[str, Any] = {"targets": len(right), "accuracy": float(right.mean()) if len(right) else None}
    if losses is not None:
        result["loss"] = float(losses.mean()) if len(losses) else None
    return result
