"""Whether a run diverges: the mean of its last losses is clearly above the lowest such mean before.

The margins are wide because a run is looked at again and again while it grows: of 8,000 simulated runs of 200 records
without faults, looked at 20 times each, none was said to diverge, whatever the autoregression of their noise, 0 to 0.9.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.files.history import History
from pipeline.formatting import Step, step_number
from pipeline.statistics.robust.block_means import WINDOW, difference_error, extreme_mean, last_mean

MARGIN = 4.0  # standard errors of the difference
LEAST_RISE = 0.03  # of the lowest loss: a wiggle without noise is not a divergence


@dataclass(frozen=True)
class Divergence:
    """Mean loss of the last ``records``, and of the lowest before, around step ``at``."""

    now: float
    lowest: float
    at: Step
    records: int = WINDOW


def diverged(history: History) -> Divergence | None:
    """How the training loss rose; None where it did not, or where there are too few records to say."""
    steps, values = history.points(history.columns.loss.train)
    losses = values.tolist()
    best = extreme_mean(losses, -1)
    if best is None:
        return None
    place, lowest = best
    now = last_mean(losses)
    if now - lowest <= max(MARGIN * difference_error(losses), LEAST_RISE * abs(lowest)):
        return None
    return Divergence(now, lowest, step_number(float(steps[place])))
