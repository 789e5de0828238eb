"""Pearson's r of step and accuracy, and how far the noise of the records lets it be trusted.

The records of one run are no independent sample: the accuracy follows a curve, and what is left around the curve is
autocorrelated. Fisher's interval ignores both. The interval given beside it keeps the best curve as it is, redraws the
noise around it in blocks with its memory put back (bootstrap.py), and reads the spread of r off Fisher's scale,
z = artanh r. It can be the narrower of the two: what the bend of the curve takes from r is no noise, but Fisher's
interval thinks so.

``p_autocorrelation`` is of another question: whether a straight line through the records has any slope, with errors
that respect autocorrelation around that line (slope.py).

r measures straightness, not learning: on a curve that saturates it falls as the run gets longer (``horizons``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from pipeline.statistics.autocorrelation import autocorrelation, effective_sample_sizes, lag_one
from pipeline.statistics.binomial import sampling_variance
from pipeline.statistics.bootstrap import (
    NoiseDraws,
    correlations_with,
    interval_around,
    noise_draws,
    rank_correlations_with,
)
from pipeline.statistics.curves import FEWEST_RECORDS, Fit
from pipeline.statistics.slope import slope_test

LEVEL = 0.95
HORIZONS = 20
MOST_NUMBERS_RANKED = 2_000_000  # records x replicates of the rank correlation, which sorts every draw
COVERS = "The intervals cover the noise of this run's records only; only further seeds show how runs differ."


@dataclass(frozen=True)
class Pearson:
    """r with what is known about it; None where the records do not tell, and ``note`` says why."""

    r: float | None
    p_iid: float | None
    interval_iid: tuple[float, float] | None
    interval_autocorrelation: tuple[float, float] | None
    effective_sample_size: float | None
    curve: str | None
    note: str


@dataclass(frozen=True)
class Horizon:
    """r over the records of a part of the run: those after ``after``, up to step ``until``."""

    after: float
    until: float
    records: int
    r: float | None


def pearson(steps: np.ndarray, accuracy: np.ndarray, curve: Fit | None, draws: NoiseDraws | None = None) -> Pearson:
    """r over finite points (float [N] each); ``curve`` is the fit whose residuals ``draws`` takes for the noise."""
    if len(steps) < 3:
        return _undefined(f"r needs three records and there are {len(steps)}.")
    if np.ptp(accuracy) == 0:
        return _undefined("The accuracy is the same in every record, so r is not defined.")
    test = stats.pearsonr(steps, accuracy)
    fisher = test.confidence_interval(LEVEL)
    interval_iid = (float(fisher.low), float(fisher.high)) if np.isfinite([fisher.low, fisher.high]).all() else None
    r, p = float(test.statistic), float(test.pvalue)
    if curve is None:
        note = f"Fewer than {FEWEST_RECORDS} records: no curve fitted, no interval that respects autocorrelation."
        return Pearson(r, p, interval_iid, None, None, None, f"{note} {COVERS}")
    if draws is None:
        return Pearson(r, p, interval_iid, (r, r), float(len(steps)), curve.curve, f"The curve fits exactly. {COVERS}")
    interval = interval_around(r, draws.each(correlations_with(steps)))
    effective = autocorrelation(draws.residuals).effective_sample_size
    return Pearson(r, p, interval_iid, interval, effective, curve.curve, COVERS)


def draws_around(steps: np.ndarray, accuracy: np.ndarray, curve: Fit | None) -> NoiseDraws | None:
    """How to redraw the noise around ``curve``; None without one, or where it fits exactly."""
    if curve is None or np.abs(accuracy - curve.at(steps)).max() <= 1e-12 * np.abs(accuracy).max():
        return None
    return noise_draws(curve, steps, accuracy)


def further_correlations(
    steps: np.ndarray,
    accuracy: np.ndarray,
    fits: list[Fit],
    draws: NoiseDraws | None,
    counts: np.ndarray,
    counts_are: str | None,
) -> dict[str, Any]:
    """What stands beside r in the analysis file, for finite points (float [N] each) with ``counts`` targets each."""
    if len(steps) < 3 or np.ptp(accuracy) == 0:
        nothing = ("p_autocorrelation", "slope_test", "bootstrap", "effective_sample_sizes", "residual_lag1")
        return dict.fromkeys((*nothing, "spearman", "log_step", "disattenuated"))
    line = next((fit for fit in fits if fit.curve == "linear"), None)
    around_line = None if line is None else accuracy - line.at(steps)
    test = slope_test(steps, accuracy)
    sizes = {
        "around_line": None if around_line is None or draws is None else effective_sample_sizes(around_line),
        "around_curve": None if draws is None else effective_sample_sizes(draws.residuals),
    }
    return {
        "p_autocorrelation": None if test is None else test.p,
        "slope_test": None if test is None else asdict(test),
        "bootstrap": None if draws is None else _describe(draws, fits[0].curve),
        "effective_sample_sizes": sizes,
        "residual_lag1": {
            "line": None if around_line is None else lag_one(around_line),
            "curve": None if draws is None else lag_one(draws.residuals),
        },
        "spearman": _spearman(steps, accuracy, draws),
        "log_step": _log_step(steps, accuracy, draws),
        "disattenuated": _disattenuated(steps, accuracy, counts, counts_are),
    }


def plain_r(steps: np.ndarray, values: np.ndarray) -> float | None:
    """r alone, or None where it is not defined."""
    if len(steps) < 3 or np.ptp(values) == 0:
        return None
    return float(stats.pearsonr(steps, values).statistic)


def horizons(steps: np.ndarray, accuracy: np.ndarray) -> tuple[list[Horizon], Horizon | None]:
    """r over the first T steps for a grid of T, and over the second half of the run; nothing for an empty run."""
    if not len(steps):
        return [], None
    last = float(steps[-1])

    def part(after: float, until: float) -> Horizon:
        inside = (steps > after) & (steps <= until)
        return Horizon(after, until, int(inside.sum()), plain_r(steps[inside], accuracy[inside]))

    # A product before the quotient: the last T must be the last step exactly.
    first = [part(0.0, last * number / HORIZONS) for number in range(1, HORIZONS + 1)]
    return first, part(last / 2, last)


def _describe(draws: NoiseDraws, curve: str) -> dict[str, Any]:
    phi, theta = draws.noise.best
    return {
        "kind": "stationary blocks of innovations, post-blackened",
        "curve": curve,
        "block_length": draws.block_length,
        "phi": phi,
        "theta": theta,
        "replicates": draws.replicates_for(len(draws.fitted)),
    }


def _spearman(steps: np.ndarray, accuracy: np.ndarray, draws: NoiseDraws | None) -> dict[str, Any]:
    found = stats.spearmanr(steps, accuracy)
    rho = float(found.statistic)
    interval = None
    if draws is not None:
        interval = interval_around(rho, draws.each(rank_correlations_with(steps), MOST_NUMBERS_RANKED))
    return {"rho": rho, "p_iid": float(found.pvalue), "interval_autocorrelation": interval}


def _log_step(steps: np.ndarray, accuracy: np.ndarray, draws: NoiseDraws | None) -> dict[str, Any] | None:
    if steps[0] <= 0:
        return None
    r = plain_r(np.log(steps), accuracy)
    if r is None:
        return None
    interval = None if draws is None else interval_around(r, draws.each(correlations_with(np.log(steps))))
    return {"r": r, "r_squared": r**2, "interval_autocorrelation": interval}


def _disattenuated(
    steps: np.ndarray, accuracy: np.ndarray, counts: np.ndarray, counts_are: str | None
) -> dict[str, Any]:
    """r without the binomial noise of the records: r / sqrt(reliability) (Spearman 1904), never past 1."""
    r, variance = plain_r(steps, accuracy), sampling_variance(accuracy, counts)
    if r is None or variance is None:
        return dict.fromkeys(("r", "reliability", "sampling_variance", "denominators"))
    reliability = 1 - variance / float(accuracy.var())
    corrected = None if reliability <= r**2 else r / float(np.sqrt(reliability))
    return {
        "r": corrected,
        "reliability": reliability,
        "sampling_variance": variance,
        "denominators": counts_are,
    }


def _undefined(why: str) -> Pearson:
    return Pearson(None, None, None, None, None, None, why)
