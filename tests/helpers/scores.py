"""Scores of checkpoints, made up: as much of the file as a test cares for, and the rest plain."""

from __future__ import annotations

from typing import Any

from pipeline.files.scores import (
    FORMAT,
    CheckpointScore,
    GroupScore,
    MlmScore,
    NspScore,
    PairScore,
    PublishedRule,
    Scores,
    SplitScores,
)

Groups = dict[str, tuple[float | None, int]]


def mlm_score(
    accuracy: float,
    targets: int = 1000,
    *,
    classes: Groups | None = None,
    sources: Groups | None = None,
    tenths: Groups | None = None,
) -> MlmScore:
    """A score with the given groups, each by its name: (accuracy, targets)."""
    by_class, by_source, by_tenth = (_groups(groups or {}) for groups in (classes, sources, tenths))
    return MlmScore(targets, accuracy, by_class, by_source, by_tenth, {}, PublishedRule(targets, accuracy, 0), loss=3.0)


def _groups(groups: Groups) -> dict[str, GroupScore]:
    return {name: GroupScore(targets, accuracy, 3.0) for name, (accuracy, targets) in groups.items()}


def checkpoint_score(step: int, mlm: MlmScore, nsp: float | None = None) -> CheckpointScore:
    """A checkpoint; ``nsp`` is its accuracy on pairs of any kind, None where there are no pairs."""
    pairs = PairScore(100, nsp, nsp, 50, nsp, 50, nsp)
    told = None if nsp is None else NspScore(pairs, pairs, {})
    return CheckpointScore(step, f"step_{step}.pth", f"{step:064x}", "fp32", mlm, told)


def validation_scores(
    checkpoints: list[CheckpointScore],
    guesses: dict[str, MlmScore],
    *,
    sequences: int = 300,
    run: dict[str, Any] | None = None,
) -> Scores:
    """A file of scores with one split."""
    return Scores(FORMAT, run or {}, validation=SplitScores(sequences, {}, guesses, checkpoints))


# Four checkpoints, not in order of their steps; the second tenth was not scored at the first of them.
RISING = validation_scores(
    [
        checkpoint_score(
            step,
            mlm_score(
                accuracy,
                classes={"han": (accuracy - 0.05, 800), "punctuation": (0.6, 0)},
                sources={"": (accuracy, 1000)},
                tenths={"1": (accuracy + 0.1, 100), **({"2": (accuracy, 100)} if step > 400 else {})},
            ),
            0.5 + accuracy / 2 if step > 400 else None,
        )
        for step, accuracy in ((800, 0.3), (400, 0.2), (1200, 0.38), (1600, 0.4))
    ],
    {"left": mlm_score(0.14)},
)
