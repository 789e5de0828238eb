"""A forecast that knows the learning rate: what the rest of a schedule brings.

With S the cumulative rate divided by the peak, and h the share of the rate that is gone, 1 - (rate / highest rate so
far)^k, as it takes effect with a lag of a few per cent of the steps, the log-odds of the accuracy follow

    log-odds = a + b u(S) + D h + drift + response + noise

over the part of the run that was seen last. Annealing laws of this kind, one term for the progress and one for what
the falling rate sets free, are those of Tissue et al. (2024, Scaling Law with Learning Rate Annealing) and Luo et al.
(2025, A Multi-Power Law for Loss Curve Prediction across Learning Rate Schedules). Fitted freely to a beginning they
are of no use: before the rate falls nothing tells D, and while it falls evenly a bend of the curve passes for it. So D
comes from finished runs (``Gain``), not from the beginning: its doubt counts for what is still to come, D (h - h now).
Only several runs of a setting, or a finished one that is asked for it, teach it. The rest are:

u(S)      log S, or (1 - S^-c) / c with S counted from now: without a ceiling and with one. They are averaged, so that
          their disagreement widens the interval. A slope steeper than any that lasts dies away in both.
drift     an integrated random walk in log S: the slope b changes, and the more the farther one looks ahead. This is the
          prior of a smoothing spline (Wahba 1978), and it lets the latest records count most. Runs that bend fast, as
          after a late start, need more of it: several amounts are averaged.
response  a random walk in h: D h is not quite a straight line in h.
noise     the autoregression with white noise of noise.py, over its likely (phi, theta).

All but these choices is normal, so the posterior is generalized least squares with known priors. Amounts of drift and
noises count by their prior weight times the likelihood of the records, ceilings by their prior weight: what the records
bent does not tell how what comes will bend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from pipeline.statistics.annealing.law import Gain, Law
from pipeline.statistics.annealing.outcome import Outcome
from pipeline.statistics.annealing.rate_plan import Plan
from pipeline.statistics.annealing.records import Blocks, Observed, Summary, arma_covariance, summarize

LEAST_FREEDOM = 3
LEAST_NOISE = 0.004  # log-odds, of a block: no curve follows the law more closely
LEAST_VARIANCE = 1e-6  # log-odds squared, of any forecast: no interval has no width
NEGLIGIBLE = 12.0  # log of the weight of a component, below the best, that is left out
RUNS_APART = 0.04  # log-odds: spread of the levels of runs that differ in length and seed; seeds alone make 0.01
# Log-odds per e-fold of S: how far another run, longer by so much, ends from what runs of one length say. The root mean
# square over eleven pairs of our own runs, one 2 to 8 times as long as the other; most ended higher.
ONE_LENGTH = 0.19
LENGTHS = 1.5  # the longest run over the shortest: from here on runs show the slope between lengths themselves
LASTING_SLOPE = 0.6  # log-odds per e-fold of S: real runs that were steeper lost two fifths of it over a doubling of S
STEEP_SLOPE = 1.0  # the same: 8 of 434 stretches of real runs were steeper, all of them at their start
LEAST_SLOPE = 0.05  # log-odds per e-fold of S: the drift of a flat curve
LARGEST_EXPONENT = 500.0  # exp() of more overflows
SLOPE_PRIOR = (0.3, 1.0)  # mean and spread of b, log-odds per e-fold of S: vague, for very short beginnings


@dataclass(frozen=True)
class _Component:
    """The posterior under one noise model and one u(S)."""

    score: float  # log of the weight, up to a constant
    prior: float  # log of the prior weight of the ceiling
    ceiling: float
    drift: float  # spread of the change of b over an e-fold of S
    factor: np.ndarray  # Cholesky factor of the covariance of the blocks, float [B, B]
    design: np.ndarray  # whitened columns of a and b, float [B, 2]
    residuals: np.ndarray  # whitened, float [B]
    coefficients: np.ndarray  # a and b
    covariance: np.ndarray  # float [2, 2]


@dataclass(frozen=True)
class Fitted:
    """The law fitted to the records of one run or several."""

    gain: Gain
    doubt: float  # spread of D (log-odds) that the records were not asked about: it counts from now on
    law: Law
    now: float  # the largest S seen
    apart: float  # log-odds: spread of the runs' own levels
    steep: bool  # whether b is that of a start
    blocks: Blocks
    components: list[_Component]

    def expect(self, plan: Plan, steps: np.ndarray, *, another_run: bool = False) -> Outcome:
        """The mean accuracy over ``steps`` (float [M], M >= 1) of a run with the rates of ``plan``.

        The first of the runs observed goes on so, or ``another_run`` does so from its beginning.
        """
        s = np.log(np.maximum(plan.progress(steps), 1e-300) / self.now)
        h = np.interp(steps, plan.steps, plan.annealed(self.law.exponent, self.law.lag))
        run = np.full(len(s), -1 if another_run else 0)
        ahead_of_now = self.doubt * float(h.mean() - self.blocks.h[np.argmax(self.blocks.s)])
        known: dict[tuple[float, float], tuple[float, np.ndarray]] = {}
        means, spreads = [], []
        for component in self.components:
            key = component.ceiling, component.drift
            if key not in known:
                # What drifted goes on along u, so that it dies away where the slope does.
                ahead = _u(s, component.ceiling, steep=True)
                known[key] = self._covariances(Blocks(ahead, h, s, run), component.drift)
            own, shared = known[key]
            wanted = np.array([1.0, float(_u(s, component.ceiling, steep=self.steep).mean())])
            pull = scipy.linalg.solve_triangular(component.factor, shared, lower=True)
            rest = wanted - component.design.T @ pull
            expected = wanted @ component.coefficients + pull @ component.residuals
            means.append(float(expected + self.gain.mean * h.mean()))
            doubt = rest @ component.covariance @ rest + own - pull @ pull + ahead_of_now**2
            spreads.append(float(np.sqrt(max(doubt, LEAST_VARIANCE))))
        ceilings = np.array([each.ceiling for each in self.components])
        freedom = max(len(self.blocks.s) - 4, LEAST_FREEDOM)
        longer = max(float(s.mean()), 0.0) if another_run and self._of_one_length() else 0.0
        wide = np.hypot(self.law.stretch * np.array(spreads), ONE_LENGTH * longer)
        return Outcome(self.weights, np.array(means), wide, ceilings, freedom)

    def _of_one_length(self) -> bool:
        """Whether the runs observed are about equally long, so that they say nothing of how length counts."""
        ends = [float(self.blocks.s[self.blocks.run == run].max()) for run in np.unique(self.blocks.run)]
        return max(ends) - min(ends) < np.log(LENGTHS)

    def learned_gain(self) -> Gain:
        """D as the records have it, after what was known before; of a law that was fitted to ``learn`` it."""
        means, spreads = [], []
        for component in self.components:
            pull = scipy.linalg.solve_triangular(component.factor, self.gain.spread**2 * self.blocks.h, lower=True)
            lost = component.design.T @ pull
            means.append(float(self.gain.mean + pull @ component.residuals))
            spreads.append(
                float(np.sqrt(max(self.gain.spread**2 - pull @ pull + lost @ component.covariance @ lost, 0)))
            )
        weights = self.weights
        mean = float(weights @ means)
        return Gain(mean, float(np.sqrt(weights @ (np.array(spreads) ** 2 + (np.array(means) - mean) ** 2))))

    @property
    def weights(self) -> np.ndarray:
        """The posterior weight of each component, float [K]."""
        scores = np.array([component.score for component in self.components])
        weights = np.exp(scores - scores.max())
        return np.asarray(weights / weights.sum())

    def _covariances(self, places: Blocks, drift: float) -> tuple[float, np.ndarray]:
        """Prior variance of the mean over ``places``, and its covariance with the blocks (float [B])."""
        start = float(self.blocks.s.min())
        own, shared = (
            places.prior(other, drift, start, self.gain, self.law, self.apart) for other in (places, self.blocks)
        )
        return float(own.mean()), np.asarray(shared.mean(axis=0))


def fit_schedule(
    runs: Sequence[Observed], gain: Gain, law: Law, *, apart: float = 0.0, learn: bool = False
) -> Fitted | None:
    """The law fitted to one run, or to several that differ in length, schedule and seed alone.

    None where there are too few records. ``apart`` (log-odds) is how far the runs lie apart because each was scored on
    other questions; with ``learn`` the records of a single run are asked for D too.
    """
    summary = summarize(runs, law)
    return None if summary is None else fit_summary(summary, gain, law, apart=apart, learn=learn)


def fit_summary(summary: Summary, gain: Gain, law: Law, *, apart: float = 0.0, learn: bool = False) -> Fitted:
    """The law fitted to summarized records; ``apart`` and ``learn`` as in ``fit_schedule``."""
    doubt = 0.0
    if not learn and len(summary.parts) == 1:
        gain, doubt = Gain(gain.mean, 0.0), gain.spread
    apart = float(np.hypot(apart, RUNS_APART))
    parts = summary.parts
    blocks = Blocks(*(np.concatenate(lists) for lists in zip(*(vars(part).values() for part in parts), strict=True)))
    longest = max(parts, key=lambda part: float(part.s[-1]))
    slope = max(abs(_late_slope(longest.s, longest.y - gain.mean * longest.h)), LEAST_SLOPE)
    steep = slope > STEEP_SLOPE
    components = []
    # Runs of several lengths show the slope between them; what sets them apart must not pass for drift.
    for share, weight_of_drift in law.drifts if len(parts) == 1 else law.drifts[:1]:
        drift = share * slope
        prior = blocks.prior(blocks, drift, float(blocks.s.min()), gain, law, apart)
        for combined in zip(*summary.noise, strict=True):
            noise = [model.variance * arma_covariance(len(part.s), model.phi, model.theta)
                     for model, part in zip(combined, parts, strict=True)]  # fmt: skip
            factor = np.linalg.cholesky(
                prior + scipy.linalg.block_diag(*noise) + LEAST_NOISE**2 * np.eye(len(blocks.s))
            )
            weight = weight_of_drift * (combined[0].weight if len(parts) == 1 else 1.0)
            bends = [bend * slope + max(slope - LASTING_SLOPE, 0.0) for bend, _ in law.ceilings]
            forms = [_u(blocks.s, bend, steep=steep) for bend in bends]
            columns = np.column_stack([blocks.y - gain.mean * blocks.h, np.ones(len(blocks.s)), *forms])
            white = scipy.linalg.solve_triangular(factor, columns, lower=True)
            volume = 2 * float(np.log(np.diag(factor)).sum())
            for place, (bend, (_, weight_of_bend)) in enumerate(zip(bends, law.ceilings, strict=True), start=2):
                score, *posterior = _posterior(white[:, [1, place]], white[:, 0])
                score += float(np.log(weight)) - volume / 2
                components.append(_Component(score, float(np.log(weight_of_bend)), bend, drift, factor, *posterior))
    return Fitted(gain, doubt, law, summary.now, apart, steep, blocks, _believed(components))


def _believed(components: list[_Component]) -> list[_Component]:
    """The components that count, with the scores of each ceiling brought to its prior weight.

    How the records bent does not tell how what comes will bend, so the likelihood decides on drift and noise alone.
    """
    kept = []
    for ceiling in dict.fromkeys(component.ceiling for component in components):
        mine = [component for component in components if component.ceiling == ceiling]
        scores = np.array([component.score for component in mine])
        total = float(scipy.special.logsumexp(scores))
        kept += [
            replace(each, score=each.prior + each.score - total)
            for each in mine
            if each.score > scores.max() - NEGLIGIBLE
        ]
    return kept


def _posterior(design: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The posterior of a and b for whitened columns (float [B, 2]) and records (float [B]).

    Log of their likelihood without the part of the whitening, design, residuals (float [B]), mean and covariance.
    """
    precision, before = np.diag([1e-6, 1 / SLOPE_PRIOR[1] ** 2]), np.array([0.0, SLOPE_PRIOR[0]])
    information = design.T @ design + precision
    spread = np.linalg.inv(information)
    found = spread @ (design.T @ target + precision @ before)
    residuals = target - design @ found
    misfit = residuals @ residuals + (found - before) @ precision @ (found - before)
    return -float(misfit + np.linalg.slogdet(information)[1]) / 2, design, residuals, found, spread


def _u(progress: np.ndarray, ceiling: float, *, steep: bool) -> np.ndarray:
    """u at log(S / now) = ``progress``: slope 1 now; bounded above by 1 / ``ceiling`` where that is not 0.

    Where the slope is ``steep``, only what lies ahead is bounded: the records before belong to a start.
    """
    bent = -np.expm1(np.minimum(-ceiling * progress, LARGEST_EXPONENT)) / ceiling if ceiling else progress
    return np.where(progress < 0, progress, bent) if steep else bent


def _late_slope(progress: np.ndarray, y: np.ndarray) -> float:
    """The least-squares slope over the last half of S, or the last four blocks where that holds fewer."""
    late = max(int(np.count_nonzero(progress >= np.log(0.5))), 4)
    x = progress[-late:] - progress[-late:].mean()
    return float(x @ y[-late:] / max(x @ x, 1e-300))
