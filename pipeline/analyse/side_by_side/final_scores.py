"""Finished runs by the right answers of their final scoring: the same questions, article by article.

The records of a run are a few hundred questions asked again and again; the final scoring asks tens of thousands once,
and writes beside the history how many of each sequence were right. Groups of runs of one setting that answered the
same questions are compared with what seeds and articles can do by chance (crossed.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.analyse.schema.side_by_side import FinalDifference
from pipeline.files.final_scoring import FinalScoring, SequenceScores, final_scoring_beside, read_final_scoring
from pipeline.statistics.crossed import crossed_difference


def final_scorings(paths: Sequence[Path]) -> list[FinalScoring | None]:
    """The final scoring beside each history; None where there is none.

    Raises:
        InputError: one of them cannot be read.
    """
    places = [final_scoring_beside(path) for path in paths]
    return [read_final_scoring(place) if place.exists() else None for place in places]


def final_differences(
    first: str, second: str, before: Sequence[FinalScoring | None], after: Sequence[FinalScoring | None]
) -> list[FinalDifference]:
    """Accuracy of the group ``second`` - ``first``, by split; empty unless all runs answered the same questions.

    ``before`` and ``after`` are the scorings of their runs.
    """
    known = [scoring for scoring in (*before, *after) if scoring is not None]
    if len(known) < len(before) + len(after):
        return []
    found = []
    for split in ("validation", "test"):
        scores = [scoring.validation if split == "validation" else scoring.test for scoring in known]
        if len({each.questions for each in scores}) > 1 or not sum(scores[0].targets):
            continue
        hits = np.stack([_by_article(each, each.hits) for each in scores])
        targets = _by_article(scores[0], scores[0].targets)
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
            )
        )
    return found


def _by_article(scores: SequenceScores, counts: list[int]) -> np.ndarray:
    """The sum of ``counts``, one a sequence, over each article: float [A]."""
    _, places = np.unique(scores.article, return_inverse=True)
    return np.bincount(places, weights=counts)
