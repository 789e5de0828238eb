"""The gain of annealing, learned from finished runs of the same setting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.analyse.annealing.coming import coming_rate
from pipeline.files.history import History
from pipeline.statistics.annealing.law import Gain, Law
from pipeline.statistics.annealing.records import Observed
from pipeline.statistics.schedule_forecast import fit_schedule
from pipeline.statistics.smoothing import is_constant

LEAST_SPREAD = 0.25  # of the gain: how far it is from one run to the next of a setting


def learned_gain(references: Sequence[tuple[History, np.ndarray, np.ndarray]], before: Gain, law: Law) -> Gain | None:
    """The gain that ``references`` show, whose rates fell to their end; None where there are none such.

    Each is a history with the steps and shares of one (float [N] each) of a list; ``before`` is what was known.
    """
    found = []
    for history, steps, accuracy in references:
        coming = coming_rate(history)
        if coming.state != "annealed" or not len(steps) or is_constant(accuracy):
            continue
        wide = Gain(before.mean, before.mean)
        fitted = fit_schedule([Observed(steps, accuracy, coming.plan)], wide, law, learn=True)
        if fitted is not None:
            found.append(fitted.learned_gain())
    if not found:
        return None
    precisions = [1 / gain.spread**2 for gain in found]
    mean = sum(gain.mean * each for gain, each in zip(found, precisions, strict=True)) / sum(precisions)
    if mean <= 0:
        return None
    return Gain(mean, max(float(np.sqrt(1 / sum(precisions))), LEAST_SPREAD * mean))
