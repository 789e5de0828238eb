"""The final scoring question by question, beside the history: what two finished runs are compared by.

One entry a held-out sequence, in the order in which it was asked. Two runs whose ``questions`` are equal answered the
same ones, whatever their seeds and models, so their hits can be paired, and resampled by article.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.files import atomic
from pipeline.files.history import beside
from pipeline.files.json_object import read_json_object
from pipeline.files.typed_json import from_json, to_json
from pipeline.stage import InputError

FORMAT: Literal[1] = 1


@dataclass(frozen=True)
class SequenceScores:
    """Right answers in each of N held-out sequences. All lists are N long."""

    questions: str  # SHA-256 of the sequences, masks, pairs and right answers
    article: list[int]  # page number of the article in the dataset
    targets: list[int]  # masked characters, or predicted ones
    hits: list[int]  # right answers among them
    pair_hits: list[int | None] = field(default_factory=list)  # sentence pair told right (1) or not (0); null: no pair

    def __post_init__(self) -> None:
        lists = (self.targets, self.hits, self.pair_hits or self.article)
        if any(len(each) != len(self.article) for each in lists):
            raise ValueError("its lists differ in length")
        if any(not 0 <= hits <= targets for hits, targets in zip(self.hits, self.targets, strict=True)):
            raise ValueError("a sequence has more hits than targets")


@dataclass(frozen=True)
class FinalScoring:
    """The file. ``dataset`` is the fingerprint of the dataset, ``step`` that of the scored model."""

    format: Literal[1]
    seed: int
    dataset: str
    step: int
    validation: SequenceScores
    test: SequenceScores


def final_scoring_beside(history: Path) -> Path:
    """Where the final scoring of a history stands."""
    return beside(history, "final_scoring")


def read_final_scoring(path: Path) -> FinalScoring:
    """Read a final scoring.

    Raises:
        InputError: missing file, broken JSON, another format, a value that is missing or of another type.
    """
    value = read_json_object(path, "the final scoring", "the trainer writes it when a run ends")
    if value.get("format") != FORMAT:
        raise InputError(f"{path}: not a final scoring of format {FORMAT}; give another path")
    return from_json(FinalScoring, value, path, advice="train again, or take the file away")


def write_final_scoring(path: Path, scoring: FinalScoring) -> None:
    """Replace ``path`` by ``scoring``."""
    atomic.write_json(path, to_json(scoring))
