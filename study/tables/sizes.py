"""What a run costs and where it ends: every annealed run by steps, tokens, FLOPs and minutes of its threads.

``seconds`` of a history counts whatever else the machine did. The minutes here are those of a run undisturbed: the
steps times the time of a step in the fastest tenth of the records, times its threads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.files.history import History
from pipeline.formatting import NOTHING, count, percent
from study.tables import Row, Table

FASTEST = 0.1  # of the records


def sizes(runs: Sequence[tuple[str, History]]) -> Table:
    """One row a finished run, in the order of their FLOPs."""
    heads = [
        *("步 · steps", "参数 · parameters", "词元 · tokens", "FLOPs", "线程分钟 · thread minutes"),
        *("MLM", "Han", "NSP"),
    ]
    ordered = sorted(runs, key=lambda run: flops(run[1]))
    return "规模与代价 · Size and cost", heads, [row(name, history) for name, history in ordered]


def row(name: str, history: History) -> Row:
    facts = history.facts
    tokens, minutes = history.last("tokens"), undisturbed_minutes(history)
    ends = (facts.number("test", key) for key in ("mlm_acc", "mlm_acc_han", "nsp_acc"))
    cells = [
        f"{history.last_step:,}",
        count(facts.count("parameters")),
        NOTHING if tokens is None else f"{tokens / 1e6:.1f}M",
        f"{flops(history):.2e}",
        NOTHING if minutes is None else f"{minutes:.0f}",
    ]
    return name, [*cells, *(percent(share, 1) for share in ends)]


def flops(history: History) -> float:
    """FLOPs of the whole training; NaN where a step's are not recorded."""
    each = history.facts.number("flops_per_step")
    return float("nan") if each is None else each * history.last_step


def undisturbed_minutes(history: History) -> float | None:
    """Minutes of all its threads while nothing else goes on; None where times are not recorded."""
    steps, seconds = history.points("seconds")
    if len(steps) < 2:
        return None
    each = np.diff(seconds) / np.diff(steps)
    return float(np.quantile(each, FASTEST) * steps[-1] / 60) * (history.facts.count("threads") or 1)
