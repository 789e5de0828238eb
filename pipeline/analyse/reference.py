"""Whether a run leaves the band of reference runs: the same setting, run before.

The run is compared with the mean of the references over each tenth of its steps. Three references or more give the
scatter between runs (pooled over the tenths; Student t for one further run), fewer give none: then the noise of the
records alone is the measure, which seeds alone can exceed, and the note says so. ALPHA is shared among the tenths, so
a run of the references' own kind is flagged in at most 1 %; where runs differ by a level, the tenths move together, and
3 of 11,500 runs were flagged. With one reference and runs that differ by noise alone, 0.7 % are flagged where the noise
is independent, 3 % with an autoregression of 0.3 and 16 % with 0.7, for a tenth of 100 records tells its memory badly.
tests/analyse/test_reference.py holds the rule to these rates.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from pipeline.analyse.schema.anomalies import Anomaly
from pipeline.files.history import History, common_accuracy
from pipeline.formatting import step_number

ALPHA = 0.01  # false-alarm rate per run of the references' own kind
PARTS = 10
ENOUGH_FOR_A_BAND = 3
FEWEST_IN_A_PART = 6
LARGEST_RHO = 0.95


def departure_from_references(history: History, references: list[History]) -> list[Anomaly]:
    """An anomaly of kind "deviation" where the run leaves the band of the references; empty where it stays inside."""
    if not references:
        return []
    everyone = [history, *references]
    role = common_accuracy(everyone)
    key = history.key_of(role)
    if key is None or not all(each.key_of(role) for each in everyone):
        return []
    until = min(float(each.last_step) for each in everyone)
    tables = [_parts(*each.points(each.key_of(role)), until) for each in everyone]
    means, errors = (np.array([table[place] for table in tables]) for place in (0, 1))
    known = np.isfinite(means).all(axis=0) & np.isfinite(errors).all(axis=0)
    if not known.any():
        return []
    means, errors = means[:, known], errors[:, known]
    count = len(references)
    differences = means[0] - means[1:].mean(axis=0)
    if count >= ENOUGH_FOR_A_BAND:
        scatter = np.sqrt(means[1:].var(axis=0, ddof=1).mean() * (1 + 1 / count))
        limit = stats.t.isf(ALPHA / (2 * known.sum()), count - 1) * np.full(known.sum(), scatter)
        measure = f"the scatter of {count} reference runs"
    else:
        noise = np.sqrt(errors[0] ** 2 + (errors[1:] ** 2).sum(axis=0) / count**2)
        limit = stats.norm.isf(ALPHA / (2 * known.sum())) * noise
        measure = "the noise of the records alone; other seeds may differ by more"
    outside = np.abs(differences) > limit
    if not outside.any():
        return []
    ends = until * (np.flatnonzero(known) + 1) / PARTS
    worst = int(np.argmax(np.abs(differences) / np.maximum(limit, 1e-300)))
    steps = [step_number(step) for step in ends[outside]]
    note = (
        f"{100 * differences[worst]:+.2f} points from the reference around step {ends[worst]:,.0f}, "
        f"measured by {measure}"
    )
    return [Anomaly(key, "deviation", int(outside.sum()), steps[0], steps[-1], steps, note)]


def _parts(steps: np.ndarray, values: np.ndarray, until: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean of ``values`` in each tenth of the steps up to ``until``, and its standard error.

    Args:
        steps: rising, float [N].
        values: shares of one, float [N].
        until: the step at which the last tenth ends.

    Returns:
        float [PARTS] each, NaN where there are few records.

    The scatter around a line through each tenth is pooled over all of them, and so is its lag-1 autocorrelation, which
    a short stretch of records makes too small by about (2 + 4 rho) / records (Kendall 1954, and a line more).
    """
    means, counts = np.full(PARTS, np.nan), np.full(PARTS, np.nan)
    squares, products, freedom = 0.0, 0.0, 0
    for part in range(PARTS):
        inside = (steps > until * part / PARTS) & (steps <= until * (part + 1) / PARTS)
        x, y = steps[inside], values[inside]
        if len(x) < FEWEST_IN_A_PART:
            continue
        residuals = y - np.polynomial.Polynomial.fit(x, y, 1)(x)
        means[part], counts[part] = y.mean(), len(x)
        squares += float(residuals @ residuals)
        products += float(residuals[1:] @ residuals[:-1])
        freedom += len(x) - 2
    if not freedom or squares == 0:
        return means, np.zeros(PARTS) * counts
    typical = float(np.nanmean(counts))
    rho = products / squares * typical / (typical - 1)
    rho = float(np.clip((rho + 2 / typical) / (1 - 4 / typical), 0, LARGEST_RHO))
    return means, np.sqrt(squares / freedom * (1 + rho) / (1 - rho) / counts)
