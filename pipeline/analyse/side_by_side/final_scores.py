"""Finished runs by the right answers of their final scoring: the same questions, article by article.

The records of a run are a few hundred questions asked again and again; the final scoring asks tens of thousands once,
and writes beside the history how many of each sequence were right, and whether its sentence pair was. Groups of runs of
one setting that answered the same questions are compared with what seeds and articles can do by chance (crossed.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.analyse.schema.side_by_side import FinalDifference
from pipeline.files.final_scoring import FinalScoring, SequenceScores, final_scoring_beside, read_final_scoring
from pipeline.statistics.crossed import crossed_difference

Asked = Literal["tokens", "pairs"]
SPLITS: tuple[Literal["validation", "test"], ...] = ("validation", "test")
ASKED: tuple[Asked, ...] = ("tokens", "pairs")


def final_scorings(paths: Sequence[Path]) -> list[FinalScoring | None]:
    """The final scoring beside each history; None where there is none, or where several histories would share it.

    Raises:
        InputError: one of them cannot be read.
    """
    places = [final_scoring_beside(path) for path in paths]
    return [read_final_scoring(each) if each.exists() and places.count(each) == 1 else None for each in places]


def final_differences(
    first: str, second: str, before: Sequence[FinalScoring | None], after: Sequence[FinalScoring | None]
) -> list[FinalDifference]:
    """Accuracy of the group ``second`` - ``first``, of tokens and of sentence pairs, by split; empty unless all runs
    answered the same questions. Pairs are left out where a run was not asked about any.

    ``before`` and ``after`` are the scorings of their runs.
    """
    known = [scoring for scoring in (*before, *after) if scoring is not None]
    if len(known) < len(before) + len(after):
        return []
    found = []
    for split in SPLITS:
        scores = [scoring.validation if split == "validation" else scoring.test for scoring in known]
        if len({each.questions for each in scores}) > 1:
            continue
        for of in ASKED:
            answers = [_answers(each, of) for each in scores]
            targets = answers[0].targets
            if not targets.sum() or any((each.targets != targets).any() for each in answers):
                continue
            asked = targets > 0  # some articles may have no pair
            hits, targets = np.stack([each.hits[asked] for each in answers]), targets[asked]
            apart = crossed_difference(hits[: len(before)], hits[len(before) :], targets)
            found.append(
                FinalDifference(
                    first=first,
                    second=second,
                    split=split,
                    articles=len(targets),
                    targets=int(targets.sum()),
                    difference=apart.difference,
                    interval=apart.interval,
                    covers="articles" if apart.multibootstrap is None else "seeds and articles",
                    multibootstrap=apart.multibootstrap,
                    of=of,
                )
            )
    return found


@dataclass(frozen=True)
class _Answers:
    """Questions and right answers by article, float [A] each."""

    targets: np.ndarray
    hits: np.ndarray


def _answers(scores: SequenceScores, of: Asked) -> _Answers:
    """The answers to the questions about tokens, or about sentence pairs."""
    if of == "tokens":
        counts: tuple[list[int], list[int]] = (scores.targets, scores.hits)
    else:
        pairs = scores.pair_hits or [None] * len(scores.article)
        counts = ([int(hit is not None) for hit in pairs], [hit or 0 for hit in pairs])
    _, places = np.unique(scores.article, return_inverse=True)
    return _Answers(*(np.bincount(places, weights=each) for each in counts))
