"""The scores of the kept checkpoints along the steps: what was learned when, by frequency, class and source.

Every checkpoint is scored on the same targets, so the binomial interval of a gain, which takes two checkpoints for
independent, is too wide rather than too narrow.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import stats

from pipeline.analyse.schema.side_by_side import CheckpointCurves, CheckpointGroup, CheckpointTrends
from pipeline.files.scores import SPLITS, GroupKind, GroupScore, Scores, SplitScores
from pipeline.statistics.smoothing import is_constant

LEVEL = 0.95
GROUPS: dict[str, GroupKind] = {  # name in the analysis file: in the file of scores
    "class": "by_class",
    "source": "by_source",
    "text_decile": "by_text_decile",
    "character_decile": "by_character_decile",
    "script": "by_script",
}
FEWEST_FOR_A_TREND = 4


def checkpoint_trends(path: Path, scores: Scores) -> CheckpointTrends | None:
    """The checkpoints along the steps; None where no checkpoint was scored.

    ``path`` is where the scores were read from. Of the splits, the first one with checkpoints is followed.
    """
    for name in SPLITS:
        scored = scores.split(name)
        if scored and scored.checkpoints:
            return CheckpointTrends(str(path), name, _curves(scored))
    return None


def _curves(scored: SplitScores) -> CheckpointCurves:
    entries = sorted(scored.checkpoints, key=lambda entry: entry.step)
    steps = [entry.step for entry in entries]
    mlm = [entry.mlm for entry in entries]
    return CheckpointCurves(
        sequences=scored.sequences,
        steps=steps,
        accuracy=[score.accuracy for score in mlm],
        loss=[score.loss for score in mlm],
        nsp_accuracy=[entry.nsp.same_source.accuracy if entry.nsp else None for entry in entries],
        guesses={name: guess.accuracy for name, guess in scored.guesses.items()},
        groups={
            kind: {name: _group(steps, [score.by(key).get(name) for score in mlm]) for name in mlm[-1].by(key)}
            for kind, key in GROUPS.items()
            if mlm[-1].by(key) or kind != "script"  # files of before were not scored by script
        },
    )


def _group(steps: list[int], scores: list[GroupScore | None]) -> CheckpointGroup:
    """How one group went; ``scores`` are its own at ``steps``, None where a checkpoint was not scored on it."""
    accuracy = [score.accuracy if score else None for score in scores]
    targets = scores[-1].targets if scores[-1] else 0
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
    if len(values) < FEWEST_FOR_A_TREND or is_constant(np.array(values)):
        return None
    return float(stats.spearmanr([step for step, _ in known], values).statistic)


def _half_way(known: list[tuple[int, float]]) -> int | None:
    """The first checkpoint with half of the gain from the first to the last; None where nothing was gained."""
    if len(known) < 2 or known[-1][1] <= known[0][1]:
        return None
    half = (known[0][1] + known[-1][1]) / 2
    return next(step for step, value in known if value >= half)
