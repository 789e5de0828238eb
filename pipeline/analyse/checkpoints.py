"""The scores of the kept checkpoints along the steps: what was learned when, by frequency, class and source.

Every checkpoint is scored on the same targets, so the binomial interval of a gain, which takes two checkpoints for
independent, is wider than it need be: it never claims too much.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from pipeline.files.scores import SPLITS
from pipeline.stage import InputError

LEVEL = 0.95
GROUPS = {
    "class": "by_class",
    "source": "by_source",
    "text_decile": "by_text_decile",
    "character_decile": "by_character_decile",
}
FEWEST_FOR_A_TREND = 4


def checkpoint_trends(path: Path, scores: dict[str, Any]) -> dict[str, Any] | None:
    """The ``checkpoints`` object of the analysis file; None where no split holds a checkpoint.

    Raises:
        InputError: a score is not of the shape that evaluate_checkpoints.py writes.
    """
    split = next((split for split in SPLITS if scores.get(split, {}).get("checkpoints")), None)
    if split is None:
        return None
    section = scores[split]
    try:
        return {"path": str(path), "split": split, **_trends(section)}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{path}: {split!r} is not as evaluate_checkpoints.py writes it ({error!r}); move it away and score again"
        ) from None


def _trends(section: dict[str, Any]) -> dict[str, Any]:
    entries = sorted(section["checkpoints"], key=lambda entry: entry["step"])
    steps = [int(entry["step"]) for entry in entries]
    mlm = [entry["mlm"] for entry in entries]
    return {
        "sequences": section["sequences"],
        "steps": steps,
        "accuracy": [score["accuracy"] for score in mlm],
        "loss": [score["loss"] for score in mlm],
        "nsp_accuracy": [entry["nsp"]["same_source"]["accuracy"] if entry["nsp"] else None for entry in entries],
        "guesses": {name: guess.get("accuracy") for name, guess in section["guesses"].items()},
        "groups": {
            kind: {name: _group(steps, [score[key].get(name, {}) for score in mlm]) for name in mlm[-1].get(key, {})}
            for kind, key in GROUPS.items()
        },
    }


def _group(steps: list[int], scores: list[dict[str, Any]]) -> dict[str, Any]:
    accuracy = [score.get("accuracy") for score in scores]
    targets = scores[-1]["targets"]
    known = [(step, value) for step, value in zip(steps, accuracy, strict=True) if value is not None]
    first, last = (known[0][1], known[-1][1]) if known else (None, None)
    gain = None if first is None or last is None else last - first
    return {
        "targets": targets,
        "accuracy": accuracy,
        "first": first,
        "last": last,
        "gain": gain,
        "gain_interval": _interval(first, last, targets),
        "rho": _rho(known),
        "half_way_step": _half_way(known),
    }


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
