"""What a point of accuracy costs: seconds, tokens and floating-point operations for each percentage point gained.

Operations are not recorded, they are counted from the settings in the ``run`` object (a multiply-add is two operations,
the backward pass twice the forward, so three forward passes in all):

    per token    2 layers (4 hidden^2 + 2 hidden ffn)      the matrices of the encoder
                 + 4 layers hidden length                  attention, at the mean length of a sequence
    per target   2 (hidden^2 + hidden vocabulary)          the transform of the head and the tied decoder

The mean square of the lengths is not recorded, so attention is counted at the square of their mean, which is a little
less than it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.analyse.facts import Facts
from pipeline.analyse.series import running_mean, series
from pipeline.corpus import SPECIAL_TOKENS
from pipeline.history import History

SMOOTHING = 40  # a running mean spans this part of the records
FORMULA = (
    "3 (tokens (2 layers (4 hidden^2 + 2 hidden ffn) + 4 layers hidden length)"
    " + 2 targets (hidden^2 + hidden vocabulary))"
)
QUARTERS = 4


def cost(history: History) -> dict[str, Any]:
    """The ``cost`` object of the analysis file; what the history does not hold is null."""
    seconds, tokens = series(history, "seconds"), series(history, "tokens")
    flops = _flops(history, tokens)
    spent = {"seconds": seconds, "tokens": tokens, "flops": flops}
    totals = {name: _last(values) for name, values in spent.items()}
    last = history.records["steps"][-1]
    return {
        **totals,
        "flops_per_step": None if totals["flops"] is None else totals["flops"] / last,
        "formula": None if totals["flops"] is None else FORMULA,
        "training": _gains(history, "mlm_acc", spent),
        "held_out": _gains(history, "eval_mlm_acc", spent) if history.has("eval_mlm_acc") else None,
    }


def _gains(history: History, key: str, spent: dict[str, np.ndarray]) -> dict[str, Any] | None:
    """Points gained over the run and over each quarter of its steps, and what each point took."""
    values = series(history, key)
    kept = np.isfinite(values)
    if kept.sum() < 2:
        return None
    steps = series(history, "steps")[kept]
    smooth = running_mean(values[kept], int(kept.sum()) // SMOOTHING)
    at_records = {name: amounts[kept] for name, amounts in spent.items()}
    whole = _between(0, len(steps) - 1, smooth, at_records)
    edges = np.clip(np.searchsorted(steps, steps[-1] * np.arange(QUARTERS + 1) / QUARTERS, side="right") - 1, 0, None)
    quarters = [
        {"after": int(steps[start]), "until": int(steps[end]), **_between(start, end, smooth, at_records)}
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    return {**whole, "quarters": quarters}


def _between(start: int, end: int, smooth: np.ndarray, spent: dict[str, np.ndarray]) -> dict[str, float | None]:
    points = 100 * float(smooth[end] - smooth[start])

    def per_point(name: str) -> float | None:
        amount = float(spent[name][end] - spent[name][start])
        return amount / points if points > 0 and np.isfinite(amount) else None

    return {"points": points, **{f"{name}_per_point": per_point(name) for name in spent}}


def _flops(history: History, tokens: np.ndarray) -> np.ndarray:
    """Operations up to each record (float [N]); NaN where the history does not tell."""
    facts = Facts(Path("history"), history.run)
    layers, hidden, ffn, batch, accumulation = (
        facts.count("config", name) for name in ("layers", "hidden", "ffn", "batch_size", "accumulation")
    )
    characters = facts.count("dataset", "vocab")
    if not (layers and hidden and ffn and batch and accumulation and characters):
        return np.full(len(history), np.nan)
    vocabulary = characters + len(SPECIAL_TOKENS)
    steps = series(history, "steps")
    length = tokens / np.maximum(steps * batch * accumulation, 1)
    targets = np.cumsum(np.nan_to_num(series(history, "mlm_targets")))
    of_token = 2 * layers * (4 * hidden**2 + 2 * hidden * ffn) + 4 * layers * hidden * length
    of_target = 2 * ((hidden**2 if facts.text("config", "head") != "linear" else 0) + hidden * vocabulary)
    return 3 * (tokens * of_token + targets * of_target)


def _last(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else None
