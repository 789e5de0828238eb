"""The records of runs as the law of schedule_forecast.py is fitted to them: blocks, and the noise around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.statistics.annealing.law import Gain, Law
from pipeline.statistics.annealing.outcome import log_odds
from pipeline.statistics.annealing.rate_plan import Plan
from pipeline.statistics.noise import first_variance, innovation_variance, learn_noise
from pipeline.statistics.smoothing import average_down

FEWEST_RECORDS = 8
MOST_BLOCKS = 100  # records are averaged down to so many: the law has three coefficients only
NOISE_MODELS = 4


@dataclass(frozen=True)
class Observed:
    """The records of a run, or of its beginning: ``steps`` and ``accuracy`` (finite shares of one), float [N] each."""

    steps: np.ndarray
    accuracy: np.ndarray
    plan: Plan


@dataclass(frozen=True)
class Blocks:
    """Records averaged down: log(S / now), h and log-odds, float [B] each, of run number ``run`` (int [B])."""

    s: np.ndarray
    h: np.ndarray
    y: np.ndarray
    run: np.ndarray

    def prior(self, other: Blocks, drift: float, start: float, gain: Gain, law: Law, apart: float) -> np.ndarray:
        """Covariance with ``other`` (C blocks) of drift, response, doubt about D and the runs' levels: float [B, C]."""
        s, t = np.maximum(self.s - start, 0), np.maximum(other.s - start, 0)
        early, late = np.minimum.outer(s, t), np.maximum.outer(s, t)
        walk = drift**2 * early**2 * (3 * late - early) / 6  # of an integrated Wiener process
        bend = (law.response * gain.mean) ** 2 * np.minimum.outer(self.h, other.h)
        own = apart**2 * np.equal.outer(self.run, other.run)
        return np.asarray(walk + bend + gain.spread**2 * np.outer(self.h, other.h) + own)


@dataclass(frozen=True)
class NoiseModel:
    weight: float
    phi: float
    theta: float
    variance: float  # of the innovations


def _noise_models(part: Blocks) -> list[NoiseModel]:
    """The likely noise around a smooth curve through the blocks of one run, the likeliest first; weights sum to 1."""
    s, h, y = part.s, part.h, part.y
    columns = [np.ones_like(s), s, s**2]
    if len(s) > 24:
        columns.append(s**3)
    if np.ptp(h) > 1e-3:
        columns.append(h)
    tangents = np.column_stack(columns)
    basis = np.linalg.qr(tangents)[0]
    residuals = y - basis @ (basis.T @ y)
    if len(s) <= tangents.shape[1] + 4 or residuals.std() < 1e-7:
        return [NoiseModel(1.0, 0.0, 0.0, max(float(residuals.var()), 1e-8))]
    noise = learn_noise(residuals, tangents)
    found = noise.likely(NOISE_MODELS)
    total = sum(noise.weight(*model) for model in found)
    return [
        NoiseModel(noise.weight(*model) / total, *model, innovation_variance(residuals, tangents, *model))
        for model in found
    ]


@dataclass(frozen=True)
class Summary:
    """What is fitted of the records of one run or several: their blocks and the noise around them."""

    now: float  # the largest S seen
    parts: list[Blocks]  # by run
    noise: list[list[NoiseModel]]  # by run, the likeliest first


def summarize(runs: Sequence[Observed], law: Law) -> Summary | None:
    """The records of ``runs`` as the law's exponent, lag and window have them.

    None where no run has 8 records after the first step at which its plan has a rate.
    """
    now = max((float(run.plan.progress(run.steps[-1:])[0]) for run in runs if len(run.steps)), default=0.0)
    if now <= 0:
        return None
    parts = [part for number, run in enumerate(runs) if (part := _blocks_of(run, number, now, law)) is not None]
    if not parts:
        return None
    # With several runs, all combinations of their noise models would be too many: each has its likeliest.
    noise = [_noise_models(part)[: NOISE_MODELS if len(parts) == 1 else 1] for part in parts]
    return Summary(now, parts, noise)


def _blocks_of(run: Observed, number: int, now: float, law: Law) -> Blocks | None:
    """The blocks of a run, from the share ``law.window`` of its own S on; None for too few records."""
    progress = run.plan.progress(run.steps)
    begun = progress > 0
    steps, accuracy, progress = run.steps[begun], run.accuracy[begun], progress[begun]
    if len(steps) < FEWEST_RECORDS:
        return None
    first = min(int(np.searchsorted(progress, law.window * progress[-1])), len(steps) - FEWEST_RECORDS)
    places = np.log(progress[first:] / now)
    s, y = average_down(places, accuracy[first:], MOST_BLOCKS)
    felt = np.interp(steps[first:], run.plan.steps, run.plan.annealed(law.exponent, law.lag))
    _, h = average_down(places, felt, MOST_BLOCKS)
    return Blocks(s, h, log_odds(y), np.full(len(s), number))


def arma_covariance(size: int, phi: float, theta: float) -> np.ndarray:
    """Covariance float [size, size] of the process of noise.py whose innovations have variance 1."""
    level = first_variance(phi, theta)
    by_lag = np.append(level, (phi * level - theta) * phi ** np.arange(size - 1)) if size > 1 else np.array([level])
    lags = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return np.asarray(by_lag[lags])
