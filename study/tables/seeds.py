"""What chance does: seeds of one setting, and runs that differ in initialisation or in the order of the data alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.files.history import History
from pipeline.formatting import percent
from study.tables import Row, Table
from study.tables.committed import correlation

KEYS = ("mlm_acc", "mlm_acc_han", "nsp_acc")


def seeds(runs: Mapping[str, History], apart: Mapping[str, tuple[History, History]]) -> Table:
    """One row a seed and their standard deviation; then, by label, the second of two runs less the first."""
    rows: list[Row] = []
    columns = []
    for name, history in runs.items():
        shares, r = ends(history), correlation(history)
        columns.append([*(100 * share for share in shares), r])
        rows.append((name, [*(percent(share, 1) for share in shares), f"{r:.3f}"]))
    if len(columns) > 1:
        rows.append(("标准差（百分点） · standard deviation (points)", spread(np.std(columns, axis=0, ddof=1))))
    for label, (first, second) in apart.items():
        less = 100 * (np.array(ends(second)) - np.array(ends(first)))
        difference = correlation(second) - correlation(first)
        cells = [*(f"{value:+.2f}" for value in less), f"{difference:+.3f}"]
        rows.append((f"{label}（百分点之差） · (points apart)", cells))
    return "偶然 · What chance does", ["MLM", "Han", "NSP", "r"], rows


def ends(history: History) -> list[float]:
    """The accuracies on the test split, shares of one; NaN where one is missing."""
    shares = (history.facts.number("test", key) for key in KEYS)
    return [float("nan") if share is None else share for share in shares]


def spread(values: np.ndarray) -> list[str]:
    return [*(f"{value:.2f}" for value in values[:-1]), f"{values[-1]:.3f}"]
