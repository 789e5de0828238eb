"""Two sizes at the same cost: held-out accuracy when both have spent the same steps, tokens, FLOPs or minutes.

The cost is the whole of the run that spends less of it, so one of the two is annealed there and the other is still
under way, at a higher rate: what the larger model has there is less than a run planned for that cost would give.
Minutes are those of its threads, undisturbed (``sizes.py``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.files.history import History
from pipeline.formatting import NOTHING, percent
from study.tables import Row, Table
from study.tables.sizes import undisturbed_minutes

LAST = 0.05  # of the cost: the accuracy is the mean of the held-out records in it


def at_equal_cost(first: tuple[str, History], second: tuple[str, History]) -> Table:
    """One row a kind of cost, with the accuracy of both runs there; runs are (name, history)."""
    rows: list[Row] = []
    for label, cost, shown in COSTS:
        costs = [cost(history) for _, history in (first, second)]
        if any(spent is None for spent in costs):
            continue
        spent = min(float(found[-1]) for found in costs if found is not None)
        accuracies = [
            accuracy_at(history, found, spent)
            for (_, history), found in zip((first, second), costs, strict=True)
            if found is not None
        ]
        rows.append((label, [shown(spent), *(NOTHING if each is None else percent(each, 1) for each in accuracies)]))
    heads = ["至此 · up to", first[0], second[0]]
    return "费用相同时的留出准确率 · Held-out accuracy at equal cost", heads, rows


def accuracy_at(history: History, cost: np.ndarray, spent: float) -> float | None:
    """Mean held-out accuracy of the records whose ``cost`` (float [N]) is within the last part of ``spent``.

    None where no record in it was scored.
    """
    values = history.series(history.held_out)
    near = (cost > (1 - LAST) * spent) & (cost <= spent) & np.isfinite(values)
    return float(values[near].mean()) if near.any() else None


def _steps(history: History) -> np.ndarray | None:
    return history.series("steps")


def _tokens(history: History) -> np.ndarray | None:
    tokens = history.series("tokens")
    return tokens if np.isfinite(tokens).all() else None


def _flops(history: History) -> np.ndarray | None:
    each = history.facts.number("flops_per_step")
    return None if each is None else each * history.series("steps")


def _minutes(history: History) -> np.ndarray | None:
    minutes = undisturbed_minutes(history)
    return None if minutes is None else minutes * history.series("steps") / history.last_step


Cost = Callable[[History], "np.ndarray | None"]
COSTS: tuple[tuple[str, Cost, Callable[[float], str]], ...] = (
    ("步 · steps", _steps, lambda spent: f"{spent:,.0f}"),
    ("词元 · tokens", _tokens, lambda spent: f"{spent / 1e6:.1f}M"),
    ("FLOPs", _flops, lambda spent: f"{spent:.2e}"),
    ("线程分钟 · thread minutes", _minutes, lambda spent: f"{spent:.0f}"),
)
