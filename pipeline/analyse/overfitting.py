"""Overfitting: held-out accuracy falls (or held-out loss rises) while the training metric still improves.

A record alone proves nothing, and the best of many noisy records is followed by worse ones by chance. So straight lines
are fitted to everything after a tenth, two tenths, ... nine tenths of the run, with errors that respect autocorrelation
(slope.py), and the held-out metric has to get worse in one of them at ALPHA over their number (Bonferroni), while the
training metric over the same records gets better. Then the smoothed best held-out value says since when.

ALPHA is of one list, accuracy or loss, and does not hold: the later stretches are short, and there slope.py rejects too
often. Measured where the held-out curve has gone flat while training goes on, a run is said to overfit in 34 % (100
records, autoregression 0.4), 16 % (300, independent) and 21 % (300, 0.7); where the curve still rises, in 7 % (100,
0.4). tests/analyse/test_overfitting.py holds the rule to these rates.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from pipeline.analyse.schema.run import Overfit, OverfitMetric
from pipeline.files.history import History
from pipeline.formatting import step_number
from pipeline.statistics.slope import slope_test
from pipeline.statistics.smoothing import running_mean

ALPHA = 0.01
STARTS = tuple(number / 10 for number in range(1, 10))
SMOOTHING = 20  # a running mean spans this part of the records
FEWEST_RECORDS = 40


def overfitting(history: History) -> Overfit | None:
    """Whether the run overfits; None where nothing was held out."""
    accuracy = _judge(history, history.held_out, history.accuracy, better=1)
    loss = _judge(history, history.held_out_loss, history.columns.loss.train, better=-1)
    found = [part for part in (accuracy, loss) if part is not None]
    if not found:
        return None
    return Overfit(
        found=any(part.found for part in found),
        since_step=min((part.since_step for part in found if part.since_step is not None), default=None),
        accuracy=accuracy,
        loss=loss,
        note="Held-out loss often turns before held-out accuracy: the model grows too sure of what it gets wrong.",
    )


def _judge(history: History, held_out: str | None, training: str | None, better: int) -> OverfitMetric | None:
    """``better`` is 1 where more is better, -1 where less is; None where nothing was held out."""
    if held_out is None:
        return None
    steps, values = history.points(held_out)
    if not len(steps):
        return None
    trained = history.series(training)[np.isfinite(history.series(held_out))]
    smooth = running_mean(values, len(values) // SMOOTHING)
    best = int(np.argmax(better * smooth))
    p = _worst(steps, better * values, better * trained)
    found = p is not None and p < ALPHA and best < len(steps) - 1
    return OverfitMetric(
        found=found,
        since_step=step_number(steps[best]) if found else None,
        best=float(smooth[best]),
        last=float(smooth[-1]),
        p=p,
        change=float(smooth[-1] - smooth[best]),
    )


def _worst(steps: np.ndarray, held_out: np.ndarray, trained: np.ndarray) -> float | None:
    """The least one-sided p of a fall of ``held_out`` while ``trained`` rises, times the number of starts.

    ``steps``, ``held_out`` and ``trained`` (NaN where unknown) are float [N]; more is better in both.
    """
    if len(steps) < FEWEST_RECORDS:
        return None
    least = 1.0
    for share in STARTS:
        later = steps > steps[-1] * share
        down = slope_test(steps[later], held_out[later])
        both = later & np.isfinite(trained)
        up = slope_test(steps[both], trained[both])
        if down is None or up is None or down.t is None or up.slope <= 0:
            continue
        least = min(least, float(stats.t.cdf(down.t, later.sum() - 2)) * len(STARTS))
    return least
