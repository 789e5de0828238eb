"""A small history of our shape, made by formula: what a run would have written, without the run."""

from __future__ import annotations

import random
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

from pipeline.files.history import FURTHER_KEYS, PUBLISHED_KEYS, History
from pipeline.files.scores import FORMAT, CountingComparison, MlmScore, Scores, SplitScores
from pipeline.files.typed_json import to_json
from tests.helpers.scores import Groups, checkpoint_score, mlm_score


def make_history(
    records: int = 100, interval: int = 40, *, total: int = 4000, finished: bool = True, noise: int = 7
) -> History:
    """A saturating run of ``records`` records; ``run`` says ``total`` steps; another ``noise`` gives other records."""
    dice = random.Random(noise)
    history = History()
    for number in range(1, records + 1):
        step = number * interval
        accuracy = 0.30 - 0.24 * exp(-step / (total / 3))
        history.append(
            {
                "steps": step,
                "mlm_acc": accuracy + dice.gauss(0, 0.008),
                "nsp_acc": 0.5 + 0.2 * max(0.0, step / total - 0.2) + dice.gauss(0, 0.015),
                "loss": 4.6 + 3.2 * exp(-step / (total / 4)) + dice.gauss(0, 0.05),
                "lr": 4e-3 * min(1.0, step / 100) * max(0.0, 1 - step / total),
                "mlm_targets": 11_000,
                "nsp_pairs": 1_280,
                "eval_mlm_acc": accuracy - 0.015 * step / total + dice.gauss(0, 0.003),
                "eval_mlm_acc_han": 0.78 * accuracy - 0.01 + dice.gauss(0, 0.003),
                "eval_nsp_acc": 0.5 + 0.15 * max(0.0, step / total - 0.25) + dice.gauss(0, 0.02),
                "eval_loss": 4.75 + 3.0 * exp(-step / (total / 4)) + dice.gauss(0, 0.02),
                "sample_mlm_acc": round(accuracy, 2),
                "sample_mlm_acc_published": round(0.9 * accuracy + 0.1, 2),
                "sample_nsp_acc": 0.5,
                "grad_norm": 1.2 + dice.gauss(0, 0.1),
                "tokens": number * interval * 1900,
                "seconds": number * 3.0,
            }
        )
    history.run = make_run(total, finished=finished)
    return history


def make_run(total: int = 4000, *, finished: bool = True) -> dict[str, Any]:
    """The ``run`` object as the trainer fills it; no two numbers in it are alike, so that none can stand for another.

    ``guesses`` are those on the validation subset of the records; ``validation`` and ``test`` hold their own.
    """
    config = {
        "steps": total,
        "batch_size": 32,
        "accumulation": 3,
        "lr": 4e-3,
        "warmup": 100,
        "schedule": "linear",
        "log_interval": 40,
        "seed": 42,
    }
    return {
        "format": 1,
        "preset": "quickstart",
        "config": {**config, "layers": 5, "hidden": 384, "heads": 6},
        "seed": 42,
        "parameters": 843_412,
        "dataset": {"fingerprint": "0123456789abcdef" * 4, "sentences": 29_876, "vocab": 3_921},
        "guesses": _guesses(0.006),
        "device": "cpu",
        "versions": {"torch": "2.9.9"},
        "flops_per_step": 3.5e9,
        "started": "2026-01-05T08:00:00+00:00",
        "finished": "2026-01-05T08:05:12+00:00" if finished else None,
        "test": _scores(0.2841, 11_873, 1_440, 0.0) if finished else None,
        "validation": _scores(0.2917, 12_310, 1_520, 0.003) if finished else None,
    }


def _scores(accuracy: float, targets: int, pairs: int, shift: float) -> dict[str, Any]:
    return {
        "mlm_acc": accuracy,
        "mlm_acc_han": accuracy - 0.0628,
        "nsp_acc": 0.6125 + shift,
        "loss": 4.71 - shift,
        "mlm_targets": targets,
        "mlm_targets_han": targets - 2_121,
        "nsp_pairs": pairs,
        "guesses": _guesses(shift),
    }


def _guesses(shift: float) -> dict[str, dict[str, float]]:
    return {
        "commonest": {"all": 0.071 + shift, "han": 0.012 + shift},
        "left": {"all": 0.142 + shift, "han": 0.118 + shift},
        "both": {"all": 0.262 + shift, "han": 0.214 + shift},
    }


def make_scores(run: dict[str, Any]) -> dict[str, Any]:
    """What evaluate_checkpoints.py writes, at two checkpoints; no two groups are alike."""

    def score(level: float) -> MlmScore:
        tenths: Groups = {str(number): (level * (0.5 + number / 20), 300 + 10 * number) for number in range(1, 11)}
        classes: Groups = {"han": (0.9 * level, 3000), "punctuation": (0.8, 600), "digits": (None, 0)}
        return mlm_score(level, 3600, tenths={**tenths, "unseen in training": (None, 0)}, classes=classes)

    def counted(level: float) -> CountingComparison:
        near: dict[str, float | None] = {"commonest": 0.7 - level, "left": 0.1 + level, "both": level}
        return CountingComparison(3000, near, {"commonest": 2.0 - level, "left": 1.5, "both": 1 + level}, 2500)

    def section(shift: float) -> SplitScores:
        checkpoints = [
            replace(checkpoint_score(step, score(step / 10_000 + shift)), counting=counted(step / 10_000))
            for step in (2000, 4000)
        ]
        return SplitScores(50, {}, {"left": score(0.1 + shift), "both": score(0.3 + shift)}, checkpoints)

    return to_json(Scores(FORMAT, run, validation=section(0.0), test=section(0.01)))


def write_published_shape(history: History, path: Path) -> None:
    """Write the five published lists only."""
    for key in FURTHER_KEYS:
        history.records.pop(key, None)
    assert tuple(history.records) == PUBLISHED_KEYS
    history.run = {}
    history.write(path)
