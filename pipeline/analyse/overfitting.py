"""Overfitting: held-out accuracy falls (or held-out loss rises) while the training metric still improves.

A record alone proves nothing, and the best of many noisy records is followed by worse ones by chance. So straight
lines are fitted to everything after a tenth, two tenths, ... nine tenths of the run, with errors that respect the
autocorrelation of the run's noise (slope.py), and the held-out metric has to get worse in one of them at ALPHA over
their number and that of the metrics (Bonferroni), while the training metric over the same records gets better, and
not better again later. Then the smoothed best held-out value says since when.

The progress screen judges by the same function: nothing here takes SciPy, and a longer history is averaged down to
MOST_AT_ONCE records first, so that the answer comes at once.

A model overfits what it sees again. What comes before the end of the first pass over the data is never called so:
where the run says how many examples it has, or counts epochs, only records after the first pass count.

ALPHA is of a run, accuracy and loss together. Measured where the held-out curves have gone flat while training goes
on, none of 240 simulated runs of 100 or 300 records with an autoregression of 0.4 or 0.7 was said to overfit, and 2 of
80 of 100 records with 0.9. benchmarks/error_rates.py measures it, with the noise of real held-out curves too.
"""

from __future__ import annotations

import numpy as np

from pipeline.analyse.annealing.phases import breaks_among, phase_ends
from pipeline.analyse.schema.run import Overfit, OverfitMetric
from pipeline.files.history import History
from pipeline.formatting import step_number
from pipeline.statistics.noise import MOST_AT_ONCE, scatter
from pipeline.statistics.slope import FEWEST_RECORDS as SMALLEST_STRETCH
from pipeline.statistics.slope import fall_test
from pipeline.statistics.smoothing import average_down, running_mean

ALPHA = 0.01  # of runs that do not overfit, the share that is said to
STARTS = tuple(number / 10 for number in range(1, 10))
SMOOTHING = 20  # a running mean spans this part of the records
FEWEST_RECORDS = 40


def overfitting(history: History) -> Overfit | None:
    """Whether the run overfits; None where nothing was held out."""
    pairs = (
        (history.held_out, history.accuracy, 1),
        (history.held_out_loss, history.columns.loss.train, -1),
    )
    lists = sum(held_out is not None and bool(len(history.points(held_out)[0])) for held_out, _, _ in pairs)
    passed = _first_pass(history)
    accuracy, loss = (_judge(history, *pair, ALPHA / max(lists, 1), passed) for pair in pairs)
    found = [part for part in (accuracy, loss) if part is not None]
    if not found:
        return None
    note = "Held-out loss often turns before held-out accuracy: the model grows too sure of what it gets wrong."
    if passed is not None and passed >= history.last_step:
        note = "The run ends within its first pass over the data, so that it saw no example twice and cannot overfit."
    return Overfit(
        found=any(part.found for part in found),
        since_step=min((part.since_step for part in found if part.since_step is not None), default=None),
        accuracy=accuracy,
        loss=loss,
        note=note,
        first_pass_until=None if passed is None else step_number(passed),
    )


def _first_pass(history: History) -> float | None:
    """The step at which every training example was seen once; None where the history does not say."""
    if history.columns.step == "epoch":
        return 1.0
    facts = history.facts
    examples, batch = facts.count("train_examples"), facts.count("config", "batch_size")
    if not examples or not batch:
        return None
    return examples / (batch * (facts.count("config", "accumulation") or 1))


def _judge(
    history: History, held_out: str | None, training: str | None, better: int, alpha: float, passed: float | None
) -> OverfitMetric | None:
    """``better`` is 1 where more is better, -1 where less is; None where nothing was held out.

    ``passed``: the step at which the first pass over the data ends.
    """
    if held_out is None:
        return None
    steps, values = history.points(held_out)
    if not len(steps):
        return None
    trained = history.series(training)[np.isfinite(history.series(held_out))]
    smooth = running_mean(values, len(values) // SMOOTHING)
    again = np.flatnonzero(steps > (passed or 0.0))
    best = int(again[0] + np.argmax(better * smooth[again])) if len(again) else int(np.argmax(better * smooth))
    p = _worst(history, steps, better * values, better * trained, passed or 0.0)
    found = p is not None and p < alpha and best < len(steps) - 1
    return OverfitMetric(
        found=found,
        since_step=step_number(steps[best]) if found else None,
        best=float(smooth[best]),
        last=float(smooth[-1]),
        p=p,
        change=float(smooth[-1] - smooth[best]),
        alpha=alpha,
    )


def _worst(
    history: History, steps: np.ndarray, held_out: np.ndarray, trained: np.ndarray, passed: float
) -> float | None:
    """The least one-sided p of a fall of ``held_out`` while ``trained`` rises, times the number of starts; at most 1.

    ``steps``, ``held_out`` and ``trained`` (NaN where unknown) are float [N]; more is better in both. None for too few
    records, or where all lie within the first pass, which ends at step ``passed``.
    """
    if len(steps) < FEWEST_RECORDS or steps[-1] <= passed:
        return None
    known = np.isfinite(trained)
    ends = phase_ends(history)
    of_training, trained = average_down(steps[known], trained[known], MOST_AT_ONCE)
    steps, held_out = average_down(steps, held_out, MOST_AT_ONCE)
    noise = scatter(held_out, breaks_among(ends, steps))
    if noise is None or len(trained) < SMALLEST_STRETCH:
        return None

    def rises(at: np.ndarray, values: np.ndarray) -> bool:
        """Whether the training metric gets better over a stretch; most runs are never asked, which saves its noise."""
        of_training_noise = scatter(trained, breaks_among(ends, of_training))
        up = None if of_training_noise is None else fall_test(at, values, of_training_noise.noise)
        return up is not None and up[0] > 0

    least = 1.0
    for share in reversed(STARTS):
        begun = max(steps[-1] * share, passed)
        later, trained_later = steps > begun, of_training > begun
        down = fall_test(steps[later], held_out[later], noise.noise)
        if down is None or down[1] is None or trained_later.sum() < SMALLEST_STRETCH:
            continue
        if 1 - down[1] < ALPHA / len(STARTS):
            break  # whatever it did before, it gets better now
        if down[1] * len(STARTS) < least and rises(of_training[trained_later], trained[trained_later]):
            least = down[1] * len(STARTS)
    return least
