"""Rare characters: when each tenth of the running Han text passes the guess from both neighbours, and by script."""

from __future__ import annotations

from pipeline.files.scores import CheckpointScore, GroupKind, SplitScores
from pipeline.formatting import NOTHING, percent
from study.tables import Row, Table

TENTHS = tuple(map(str, range(1, 11)))  # "1" holds the rarest characters
SCRIPTS = {
    "simplified only": "只有简体用 · simplified only",
    "traditional only": "只有繁体用 · traditional only",
    "shared": "共用 · shared",
}
GUESS = "both"


def rare_characters(scores: SplitScores) -> Table:
    """For each tenth and each script: targets, the counting guess, the last checkpoint, and the step of passing."""
    heads = [
        "目标 · targets",
        "频次基线 · counting",
        "最后 · at the end",
        "差（百分点） · ahead (points)",
        "超过于 · passed at step",
    ]
    rows = [row(f"第 {name} 组 · tenth {name}", scores, "by_text_decile", name) for name in TENTHS]
    rows += [row(label, scores, "by_script", name) for name, label in SCRIPTS.items()]
    return "罕用字与字体 · Rare characters and scripts", heads, [each for each in rows if each]


def row(label: str, scores: SplitScores, kind: GroupKind, name: str) -> Row | None:
    """The row of one group; None where it was not scored."""
    last = scores.checkpoints[-1].mlm.by(kind).get(name)
    counted = scores.guesses[GUESS].by(kind).get(name)
    if last is None or counted is None or last.accuracy is None or counted.accuracy is None:
        return None
    passed = passed_at(scores.checkpoints, kind, name, counted.accuracy)
    ahead = 100 * (last.accuracy - counted.accuracy)
    cells = [f"{last.targets:,}", percent(counted.accuracy, 1), percent(last.accuracy, 1), f"{ahead:+.1f}"]
    return label, [*cells, NOTHING if passed is None else f"{passed:,}"]


def passed_at(checkpoints: list[CheckpointScore], kind: GroupKind, name: str, guess: float) -> int | None:
    """The first step from which all checkpoints, by step, are above ``guess``; None where the last one is not."""
    passed = None
    for entry in reversed(checkpoints):
        accuracy = entry.mlm.by(kind)[name].accuracy
        if accuracy is None or accuracy <= guess:
            break
        passed = entry.step
    return passed
