"""What a point of accuracy costs: seconds, tokens and floating-point operations for each percentage point gained.

Operations are the ``flops_per_step`` of the ``run`` object times the step, as the trainer counted them from the model's
sizes (pipeline/train/describe.py): a multiply-add is two, the backward pass twice the forward, padding does not count.
"""

from __future__ import annotations

import numpy as np

from pipeline.analyse.schema.run import Cost, Gains, QuarterGains, RunGains
from pipeline.files.history import History
from pipeline.formatting import step_number
from pipeline.statistics.smoothing import running_mean

SMOOTHING = 40  # a running mean spans this part of the records
QUARTERS = 4
LEAST_GAIN = 1e-9  # points; less is the rounding of a constant


def cost(history: History) -> Cost:
    """What the run cost, in all and for each point of accuracy."""
    seconds, tokens = history.known("seconds"), history.known("tokens")
    flops_per_step = history.facts.number("flops_per_step")
    flops = history.series("steps") * (np.nan if flops_per_step is None else flops_per_step)
    spent = {"seconds": seconds, "tokens": tokens, "flops": flops}
    return Cost(
        **{name: _last(values) for name, values in spent.items()},
        flops_per_step=flops_per_step,
        training=_gains(history, history.accuracy, spent),
        held_out=_gains(history, history.held_out, spent),
    )


def _gains(history: History, key: str | None, spent: dict[str, np.ndarray]) -> RunGains | None:
    """Points gained over the run and over each quarter of its steps, and what each point cost; ``spent``: float [N]
    each, cumulative, NaN where unknown."""
    values = history.series(key)
    kept = np.isfinite(values)
    if kept.sum() < 2:
        return None
    steps = history.series("steps")[kept]
    smooth = running_mean(values[kept], int(kept.sum()) // SMOOTHING)
    at_records = {name: amounts[kept] for name, amounts in spent.items()}
    whole = _between(0, len(steps) - 1, smooth, at_records)
    edges = np.clip(np.searchsorted(steps, steps[-1] * np.arange(QUARTERS + 1) / QUARTERS, side="right") - 1, 0, None)
    quarters = [
        QuarterGains(
            step_number(steps[start]), step_number(steps[end]), **vars(_between(start, end, smooth, at_records))
        )
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    return RunGains(**vars(whole), quarters=quarters)


def _between(start: int, end: int, smooth: np.ndarray, spent: dict[str, np.ndarray]) -> Gains:
    """Gains from record ``start`` to record ``end`` of ``smooth`` (share of one) and ``spent``, float [M] each."""
    points = 100 * float(smooth[end] - smooth[start])

    def per_point(name: str) -> float | None:
        amount = float(spent[name][end] - spent[name][start])
        return amount / points if points > LEAST_GAIN and np.isfinite(amount) else None

    return Gains(points, **{f"{name}_per_point": per_point(name) for name in spent})


def _last(values: np.ndarray) -> float | None:
    """The last of ``values`` (float [N]) that is finite."""
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else None
