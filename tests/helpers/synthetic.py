"""A small history of our shape, made by formula: what a run would have written, without the run."""

from __future__ import annotations

import random
from math import exp
from pathlib import Path
from typing import Any

from pipeline.files.history import FURTHER_KEYS, PUBLISHED_KEYS, History


def make_history(records: int = 100, interval: int = 40, *, total: int = 4000, finished: bool = True) -> History:
    """A saturating run of ``records`` records; the ``run`` object says ``total`` steps."""
    dice = random.Random(7)
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
    """The ``run`` object as the trainer fills it."""
    guesses = {
        "commonest": {"all": 0.071, "han": 0.012},
        "left": {"all": 0.142, "han": 0.118},
        "both": {"all": 0.262, "han": 0.214},
    }
    scores = {
        "mlm_acc": 0.2841,
        "mlm_acc_han": 0.2213,
        "nsp_acc": 0.6125,
        "loss": 4.71,
        "mlm_targets": 11_873,
        "mlm_targets_han": 9_752,
        "nsp_pairs": 1_440,
        "guesses": guesses,
    }
    return {
        "format": 1,
        "preset": "quickstart",
        "config": {"steps": total, "batch_size": 32, "accumulation": 1, "lr": 4e-3, "log_interval": 40, "seed": 42},
        "seed": 42,
        "parameters": 843_412,
        "guesses": guesses,
        "device": "cpu",
        "started": "2026-01-05T08:00:00+00:00",
        "finished": "2026-01-05T08:05:12+00:00" if finished else None,
        "test": scores if finished else None,
        "validation": scores if finished else None,
    }


def write_published_shape(history: History, path: Path) -> None:
    """Write the five published lists only."""
    for key in FURTHER_KEYS:
        history.records.pop(key, None)
    assert tuple(history.records) == PUBLISHED_KEYS
    history.run = {}
    history.write(path)
