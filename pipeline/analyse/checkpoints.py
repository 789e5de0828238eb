"""The scores of the kept checkpoints along the steps: what was learned when, by frequency, class and source.

Every checkpoint is scored on the same targets, so the binomial interval of a gain, which takes two checkpoints for
independent, is too wide rather than too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from pipeline.analyse.schema.side_by_side import CheckpointCurves, CheckpointGroup, CheckpointTrends
from pipeline.files.scores import SPLITS
from pipeline.files.typed_json import from_json

LEVEL = 0.95
GROUPS = {
    "class": "by_class",
    "source": "by_source",
    "text_decile": "by_text_decile",
    "character_decile": "by_character_decile",
}
FEWEST_FOR_A_TREND = 4


@dataclass(frozen=True)
class _Guess:
    """What is read of a score by counting."""

    accuracy: float | None = None


@dataclass(frozen=True)
class _Group:
    """What is read of the score of a group."""

    targets: int
    accuracy: float | None = None


NOT_SCORED = _Group(0)  # a group that a checkpoint lacks


@dataclass(frozen=True)
class _Mlm:
    """What is read of a checkpoint's score."""

    accuracy: float | None
    loss: float | None
    by_class: dict[str, _Group]
    by_source: dict[str, _Group]
    by_text_decile: dict[str, _Group]
    by_character_decile: dict[str, _Group]

    def groups(self, kind: str) -> dict[str, _Group]:
        found: dict[str, _Group] = getattr(self, GROUPS[kind])
        return found


@dataclass(frozen=True)
class _Nsp:
    """What is read of a checkpoint's score on pairs: those whose negatives are of the same source."""

    same_source: _Guess


@dataclass(frozen=True)
class _Checkpoint:
    step: int
    mlm: _Mlm
    nsp: _Nsp | None


@dataclass(frozen=True)
class _Section:
    """What is read of one split of the scores."""

    sequences: int
    guesses: dict[str, _Guess]
    checkpoints: list[_Checkpoint]


def checkpoint_trends(path: Path, scores: dict[str, Any]) -> CheckpointTrends | None:
    """The checkpoints along the steps, from the ``scores`` read from ``path``; None where no checkpoint was scored.

    Raises:
        InputError: a score is not of the shape that evaluate_checkpoints.py writes.
    """
    split = next((split for split in SPLITS if scores.get(split, {}).get("checkpoints")), None)
    if split is None:
        return None
    section = from_json(_Section, scores[split], f"{path}: {split}", advice="move it away and score again")
    return CheckpointTrends(str(path), split, _curves(section))


def _curves(section: _Section) -> CheckpointCurves:
    entries = sorted(section.checkpoints, key=lambda entry: entry.step)
    steps = [entry.step for entry in entries]
    mlm = [entry.mlm for entry in entries]
    return CheckpointCurves(
        sequences=section.sequences,
        steps=steps,
        accuracy=[score.accuracy for score in mlm],
        loss=[score.loss for score in mlm],
        nsp_accuracy=[entry.nsp.same_source.accuracy if entry.nsp else None for entry in entries],
        guesses={name: guess.accuracy for name, guess in section.guesses.items()},
        groups={
            kind: {
                name: _group(steps, [score.groups(kind).get(name, NOT_SCORED) for score in mlm])
                for name in mlm[-1].groups(kind)
            }
            for kind in GROUPS
        },
    )


def _group(steps: list[int], scores: list[_Group]) -> CheckpointGroup:
    targets, accuracy = scores[-1].targets, [score.accuracy for score in scores]
    known = [(step, value) for step, value in zip(steps, accuracy, strict=True) if value is not None]
    first, last = (known[0][1], known[-1][1]) if known else (None, None)
    return CheckpointGroup(
        targets=targets,
        accuracy=accuracy,
        first=first,
        last=last,
        gain=None if first is None or last is None else last - first,
        gain_interval=_interval(first, last, targets),
        rho=_rho(known),
        half_way_step=_half_way(known),
    )


def _interval(first: float | None, last: float | None, targets: int) -> tuple[float, float] | None:
    if first is None or last is None or targets < 1:
        return None
    half = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt((first * (1 - first) + last * (1 - last)) / targets)
    return float(last - first - half), float(last - first + half)


def _rho(known: list[tuple[int, float]]) -> float | None:
    values = [value for _, value in known]
    if len(values) < FEWEST_FOR_A_TREND or min(values) == max(values):
        return None
    return float(stats.spearmanr([step for step, _ in known], values).statistic)


def _half_way(known: list[tuple[int, float]]) -> int | None:
    """The first checkpoint with half of the gain from the first to the last; None where nothing was gained."""
    if len(known) < 2 or known[-1][1] <= known[0][1]:
        return None
    half = (known[0][1] + known[-1][1]) / 2
    return next(step for step, value in known if value >= half)
