"""The price of being able to continue: runs annealed over their whole length against branches from a constant rate.

A branch of the same steps decays over its last fifth and shares its trunk with all branches of its seed. The runs of
one seed are paired; their differences' mean has a Student's t interval over the seeds. Beside it stands what the
same budgets cost in all: every cosine run anew, against one trunk and the decays.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from pipeline.files.history import History
from pipeline.formatting import percent
from study.plan import branch_point
from study.tables import Row, Table

LEVEL = 0.95
Pairs = Mapping[int, Mapping[int, tuple[History, History]]]  # by steps and seed: cosine, branch


def branches(pairs: Pairs) -> Table:
    """One row for each length and seed, one for the mean difference of each length with several seeds."""
    rows: list[Row] = []
    for steps, by_seed in sorted(pairs.items()):
        differences = []
        for seed, (cosine, branch) in sorted(by_seed.items()):
            shares = [history.facts.number("test", "mlm_acc") for history in (cosine, branch)]
            first, second = (float("nan") if share is None else share for share in shares)
            differences.append(100 * (second - first))
            rows.append((f"{steps:,}，{seed}", [percent(first), percent(second), f"{differences[-1]:+.2f}"]))
        if len(differences) > 1:
            rows.append((f"{steps:,}，平均 · mean", ["-", "-", mean_with_interval(np.array(differences))]))
    if len(pairs) > 1:
        whole, shared = steps_spent(sorted(pairs))
        rows.append(
            ("每个种子的步数 · steps for each seed", [f"{whole:,}", f"{shared:,}", f"{shared / whole - 1:+.0%}"])
        )
    heads = ["余弦 · cosine", "分支 · branch", "差（百分点） · difference (points)"]
    return "能继续的代价：测试 MLM · The price of being able to continue: test MLM", heads, rows


def mean_with_interval(values: np.ndarray) -> str:
    """``+0.12 (-0.30 to 0.54)``: the mean of ``values`` (float [N], N > 1) with its 95 % interval."""
    mean, error = float(values.mean()), float(stats.sem(values))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error
    return f"{mean:+.2f} ({mean - half:.2f} … {mean + half:.2f})"


def steps_spent(budgets: list[int]) -> tuple[int, int]:
    """Optimizer steps to a model at each of ``budgets``, in rising order: cosine runs; one trunk and its decays."""
    decays = [budget - branch_point(budget) for budget in budgets]
    return sum(budgets), branch_point(budgets[-1]) + sum(decays)
