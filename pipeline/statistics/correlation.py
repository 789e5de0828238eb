"""Pearson's r of step and accuracy, and how far the noise of the records lets it be trusted.

The records of one run are not independent: the accuracy follows a trend, and the residuals around it are
autocorrelated. Fisher's interval ignores both. The interval given beside it keeps the trend as it is (a spline,
smoothing.py: where no formula follows the run, its misfit would pass for noise), redraws the noise around it in
blocks with its autocorrelation put back (bootstrap.py), and reads the spread of r on Fisher's scale, z = artanh r. It
can be the narrower of the two, because Fisher's interval takes the bend of the curve for noise. What is slower than a
twentieth of the run counts as trend, so r is stated for this trend, whatever bent it.

``p_autocorrelation`` is of another question: whether a straight line through the records has any slope, with errors
that respect the autocorrelation of the same noise (slope.py).

r measures straightness, not learning: on a curve that saturates it falls as the run gets longer (``horizons``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from pipeline.statistics.autocorrelation import EffectiveSampleSizes, autocorrelation, effective_sample_sizes, lag_one
from pipeline.statistics.bootstrap import (
    NoiseDraws,
    correlations_with,
    interval_around,
    noise_draws,
    rank_correlations_with,
)
from pipeline.statistics.curves import Fit
from pipeline.statistics.distributions.binomial import Denominators, sampling_variance
from pipeline.statistics.noise import FEWEST_RECORDS, Scatter
from pipeline.statistics.slope import Slope, slope_test
from pipeline.statistics.smoothing import is_constant

LEVEL = 0.95
HORIZONS = 20
MOST_NUMBERS_RANKED = 2_000_000  # records x replicates of the rank correlation, which sorts every draw
COVERS = "The intervals cover the noise of this run's records only; only further seeds show how runs differ."


@dataclass(frozen=True)
class Pearson:
    """r with what is known about it; None where the records do not tell, and ``note`` says why."""

    r: float | None
    p_iid: float | None  # two-sided, as if the records were independent
    interval_iid: tuple[float, float] | None  # Fisher's, as if the records were independent
    interval_autocorrelation: tuple[float, float] | None  # over noise redrawn around the trend
    effective_sample_size: float | None  # records, around ``curve``, by ``positive_sequence``
    curve: str | None  # the best curve; ``effective_sample_size`` is of its residuals
    note: str


@dataclass(frozen=True)
class Bootstrap:
    """How the noise was redrawn."""

    kind: str
    curve: str  # whose residuals were redrawn: "spline"
    block_length: float  # records
    phi: float  # of the likeliest noise model, see noise.py
    theta: float
    replicates: int


@dataclass(frozen=True)
class SizesAround:
    """Effective sample sizes of the residuals; None where a curve fits exactly or was not fitted."""

    around_line: EffectiveSampleSizes | None
    around_curve: EffectiveSampleSizes | None  # the best one


@dataclass(frozen=True)
class ResidualLag1:
    """Lag-1 autocorrelation of the residuals; None as in ``SizesAround``."""

    line: float | None
    curve: float | None


@dataclass(frozen=True)
class Spearman:
    """The rank correlation."""

    rho: float
    p_iid: float
    interval_autocorrelation: tuple[float, float] | None


@dataclass(frozen=True)
class LogStep:
    """r of log(step) and accuracy."""

    r: float
    r_squared: float
    interval_autocorrelation: tuple[float, float] | None


@dataclass(frozen=True)
class Disattenuated:
    """r without the binomial noise of the records; all None where the denominators are unknown."""

    r: float | None  # None where the noise leaves too little of the variance
    reliability: float | None  # the part of the variance that is not binomial noise
    sampling_variance: float | None  # mean binomial variance of a record
    denominators: Denominators | None  # how they are known


@dataclass(frozen=True)
class Correlation(Pearson):
    """r, and what stands beside it; all of that is None where r is not defined."""

    p_autocorrelation: float | None = None  # of ``slope_test``
    slope_test: Slope | None = None  # None for fewer than eight records
    bootstrap: Bootstrap | None = None  # None where nothing was redrawn
    effective_sample_sizes: SizesAround | None = None
    residual_lag1: ResidualLag1 | None = None
    spearman: Spearman | None = None
    log_step: LogStep | None = None  # None for a run that begins at step 0
    disattenuated: Disattenuated | None = None


@dataclass(frozen=True)
class Horizon:
    """r over the records of a part of the run: those after ``after``, up to step ``until``."""

    after: float
    until: float
    records: int
    r: float | None


def pearson(steps: np.ndarray, accuracy: np.ndarray, curve: Fit | None, found: Scatter | None = None) -> Pearson:
    """r over finite points (float [N] each); ``curve`` is the best fit, ``found`` the noise of these records."""
    return _pearson(steps, accuracy, curve, found, None if found is None else noise_draws(found))


def _pearson(
    steps: np.ndarray, accuracy: np.ndarray, curve: Fit | None, found: Scatter | None, draws: NoiseDraws | None
) -> Pearson:
    if len(steps) < 3:
        return _undefined(f"r needs three records and there are {len(steps)}.")
    if is_constant(accuracy):
        return _undefined("The accuracy is the same in every record, so r is not defined.")
    test = scipy.stats.pearsonr(steps, accuracy)
    fisher = test.confidence_interval(LEVEL)
    interval_iid = (float(fisher.low), float(fisher.high)) if np.isfinite([fisher.low, fisher.high]).all() else None
    r, p = float(test.statistic), float(test.pvalue)
    if curve is None or found is None:
        note = f"Fewer than {FEWEST_RECORDS} records: no curve fitted, no interval that respects autocorrelation."
        return Pearson(r, p, interval_iid, None, None, None, f"{note} {COVERS}")
    around = _around(steps, accuracy, curve)
    effective = float(len(steps)) if around is None else autocorrelation(around).effective_sample_size
    if draws is None:
        return Pearson(r, p, interval_iid, (r, r), effective, curve.curve, f"The records have no noise. {COVERS}")
    interval = interval_around(r, draws.each(correlations_with(steps)))
    return Pearson(r, p, interval_iid, interval, effective, curve.curve, COVERS)


def _around(steps: np.ndarray, accuracy: np.ndarray, curve: Fit) -> np.ndarray | None:
    """What ``curve`` leaves of finite points (float [N] each); None where it fits exactly."""
    residuals = accuracy - curve.at(steps)
    return None if np.abs(residuals).max() <= 1e-12 * np.abs(accuracy).max() else residuals


def correlation(
    steps: np.ndarray,
    accuracy: np.ndarray,
    fits: list[Fit],
    found: Scatter | None,
    counts: np.ndarray,
    counts_are: Denominators | None,
) -> Correlation:
    """r and what stands beside it.

    Args:
        steps: rising, float [N].
        accuracy: shares of one, finite, float [N].
        fits: curves through these points, the best first; empty where none was fitted.
        found: the noise of these records; None for fewer than eight.
        counts: the denominator of each accuracy, float [N], NaN where unknown.
        counts_are: how the denominators are known.
    """
    draws = None if found is None else noise_draws(found)
    pearson = _pearson(steps, accuracy, fits[0] if fits else None, found, draws)
    if pearson.r is None or found is None:
        return Correlation(**vars(pearson))
    around_line, around_curve = (_around(steps, accuracy, fit) for fit in (_of(fits, "linear"), fits[0]))
    test = slope_test(steps, accuracy, found.noise)
    return Correlation(
        **vars(pearson),
        p_autocorrelation=None if test is None else test.p,
        slope_test=test,
        bootstrap=None if draws is None else _describe(draws),
        effective_sample_sizes=SizesAround(
            around_line=None if around_line is None else effective_sample_sizes(around_line),
            around_curve=None if around_curve is None else effective_sample_sizes(around_curve),
        ),
        residual_lag1=ResidualLag1(
            line=None if around_line is None else lag_one(around_line),
            curve=None if around_curve is None else lag_one(around_curve),
        ),
        spearman=_spearman(steps, accuracy, draws),
        log_step=_log_step(steps, accuracy, draws),
        disattenuated=_disattenuated(steps, accuracy, counts, counts_are),
    )


def _of(fits: list[Fit], curve: str) -> Fit:
    return next(fit for fit in fits if fit.curve == curve)


def plain_r(steps: np.ndarray, values: np.ndarray) -> float | None:
    """r alone of finite points (float [N] each); None where it is not defined."""
    if len(steps) < 3 or is_constant(values):
        return None
    # Not by scipy.stats, which takes longer to load than all figures of a run take to lay out.
    x, y = (each - each.mean() for each in (steps, values))
    return float(np.clip((x / np.linalg.norm(x)) @ (y / np.linalg.norm(y)), -1, 1))


def horizons(steps: np.ndarray, accuracy: np.ndarray) -> tuple[list[Horizon], Horizon | None]:
    """r over the first T steps for twenty T, and over the second half of the run; nothing for an empty run.

    ``steps`` and ``accuracy`` are finite points, float [N] each.
    """
    if not len(steps):
        return [], None
    last = float(steps[-1])

    def part(after: float, until: float) -> Horizon:
        inside = (steps > after) & (steps <= until)
        return Horizon(after, until, int(inside.sum()), plain_r(steps[inside], accuracy[inside]))

    # A product before the quotient: the last T must be the last step exactly.
    first = [part(0.0, last * number / HORIZONS) for number in range(1, HORIZONS + 1)]
    return first, part(last / 2, last)


def _describe(draws: NoiseDraws) -> Bootstrap:
    kind = "stationary blocks of innovations, post-blackened"
    return Bootstrap(kind, "spline", draws.block_length, *draws.noise.best, draws.replicates_for(len(draws.fitted)))


def _spearman(steps: np.ndarray, accuracy: np.ndarray, draws: NoiseDraws | None) -> Spearman:
    """The rank correlation of finite points (float [N] each)."""
    found = scipy.stats.spearmanr(steps, accuracy)
    rho = float(found.statistic)
    interval = None
    if draws is not None:
        interval = interval_around(rho, draws.each(rank_correlations_with(steps), MOST_NUMBERS_RANKED))
    return Spearman(rho, float(found.pvalue), interval)


def _log_step(steps: np.ndarray, accuracy: np.ndarray, draws: NoiseDraws | None) -> LogStep | None:
    """r of log(step) and accuracy, finite points (float [N] each); None from step 0."""
    if steps[0] <= 0:
        return None
    r = plain_r(np.log(steps), accuracy)
    if r is None:
        return None
    interval = None if draws is None else interval_around(r, draws.each(correlations_with(np.log(steps))))
    return LogStep(r, r**2, interval)


def _disattenuated(
    steps: np.ndarray, accuracy: np.ndarray, counts: np.ndarray, counts_are: Denominators | None
) -> Disattenuated:
    """r without the binomial noise of the records: r / sqrt(reliability) (Spearman 1904), never past 1.

    ``steps``, ``accuracy`` and its denominators ``counts`` (NaN where unknown) are float [N].
    """
    r, variance = plain_r(steps, accuracy), sampling_variance(accuracy, counts)
    if r is None or variance is None:
        return Disattenuated(None, None, None, None)
    reliability = 1 - variance / float(accuracy.var())
    corrected = None if reliability <= r**2 else r / float(np.sqrt(reliability))
    return Disattenuated(corrected, reliability, variance, counts_are)


def _undefined(why: str) -> Pearson:
    return Pearson(None, None, None, None, None, None, why)
