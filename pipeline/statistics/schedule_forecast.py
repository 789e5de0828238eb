"""A forecast that knows the learning rate: what the rest of a schedule brings.

With S the cumulative rate divided by the peak, and h = 1 - (rate / highest rate so far)^k, the share of the rate that
is gone, the log-odds of the accuracy follow

    log-odds = a + b u(S) + D h + drift + response + noise

over the part of the run that was seen last. Annealing laws of this kind, one term for the progress and one for what
the falling rate sets free, are those of Tissue et al. (2024, Scaling Law with Learning Rate Annealing) and Luo et al.
(2025, A Multi-Power Law for Loss Curve Prediction across Learning Rate Schedules). Fitted freely to a beginning they
are of no use: before the rate falls nothing tells D. So D has a prior from finished runs (``Gain``), and the rest are:

u(S)      log S, or (1 - S^-c) / c with S counted from now: without a ceiling and with one. Both are averaged, so that
          their disagreement widens the interval.
drift     an integrated random walk in log S: the slope b changes, and the more the farther one looks ahead. This is the
          prior of a smoothing spline (Wahba 1978), and it lets the latest records count most.
response  a random walk in h: D h is not quite a straight line in h, and a sudden fall of the rate takes time to act.
noise     the autoregression with white noise of noise.py, over its likely (phi, theta).

Everything but the noise's memory is normal, so the posterior is generalized least squares with known priors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.statistics.curves import average_down
from pipeline.statistics.noise import first_variance, innovation_variance, learn_noise

FEWEST_RECORDS = 8
MOST_BLOCKS = 100  # records are averaged down to so many: the law has three coefficients only
NOISE_MODELS = 5
SMALLEST_SHARE = 1e-4  # accuracies are cut to this distance from 0 and 1 before the log-odds
LEAST_FREEDOM = 3
LEAST_SLOPE = 0.05  # log-odds per e-fold of S: the drift of a flat curve
SLOPE_PRIOR = (0.3, 0.5)  # mean and spread of b, log-odds per e-fold of S: vague, for very short beginnings
BISECTIONS = 60


@dataclass(frozen=True)
class Law:
    """The constants of the law, as calibrated."""

    exponent: float  # k in h = 1 - (rate / highest)^k
    ceilings: tuple[float, ...]  # c of each u(S); 0 is the logarithm
    drift: float  # spread of the change of b over an e-fold of S, as a share of b
    response: float  # spread of the random walk in h from 0 to 1, as a share of D
    window: float  # records from this share of the S seen on are fitted
    stretch: float  # of all spreads


@dataclass(frozen=True)
class Gain:
    """What is known beforehand of D, the gain (log-odds) of annealing the rate to nothing."""

    mean: float
    spread: float  # standard deviation


@dataclass(frozen=True)
class Plan:
    """The learning rate over a whole run: ``steps`` (rising) and ``rates``, float [M] each; linear between them."""

    steps: np.ndarray
    rates: np.ndarray

    def progress(self, steps: np.ndarray) -> np.ndarray:
        """S at ``steps`` (float [N]): the cumulative rate divided by the peak, float [N]."""
        places, rates = np.append(0.0, self.steps), np.append(self.rates[0], self.rates)
        sums = np.append(0.0, np.cumsum(np.diff(places) * (rates[1:] + rates[:-1]) / 2))
        # Within a piece the rate is a straight line, so S is a parabola.
        piece = np.clip(np.searchsorted(places, steps, side="right") - 1, 0, len(places) - 2)
        into = np.minimum(steps, places[-1]) - places[piece]
        width = np.maximum(places[piece + 1] - places[piece], 1e-300)
        rise = (rates[piece + 1] - rates[piece]) / width
        beyond = np.maximum(steps - places[-1], 0) * rates[-1]
        return (sums[piece] + into * (rates[piece] + rise * into / 2) + beyond) / self.rates.max()

    def annealed(self, steps: np.ndarray, exponent: float) -> np.ndarray:
        """h at ``steps`` (float [N]): 0 while the rate is at its highest so far, 1 where it is gone; float [N]."""
        highest = np.maximum.accumulate(self.rates)
        shares = np.interp(steps, self.steps, self.rates) / np.maximum(np.interp(steps, self.steps, highest), 1e-300)
        return 1 - np.clip(shares, 0, 1) ** exponent


@dataclass(frozen=True)
class Outcome:
    """A mixture of Student t over the log-odds of one accuracy: float [K] each; ``weights`` sum to 1."""

    weights: np.ndarray
    means: np.ndarray
    spreads: np.ndarray
    freedom: int

    def chance_below(self, accuracy: float) -> float:
        """The probability of less than ``accuracy`` (share of one)."""
        return float(self.weights @ special.stdtr(self.freedom, (_log_odds(accuracy) - self.means) / self.spreads))

    def quantile(self, share: float) -> float:
        """The accuracy that has ``share`` of the probability below it."""
        reach = special.stdtrit(self.freedom, 1e-4) * self.spreads
        low, high = float((self.means + reach).min()), float((self.means - reach).max())
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = self.weights @ special.stdtr(self.freedom, (middle - self.means) / self.spreads) < share
            low, high = (middle, high) if below else (low, middle)
        return float(special.expit((low + high) / 2))


@dataclass(frozen=True)
class _Component:
    """The posterior under one noise model and one u(S)."""

    weight: float
    ceiling: float
    factor: np.ndarray  # Cholesky factor of the covariance of the blocks, float [B, B]
    design: np.ndarray  # whitened columns of a and b, float [B, 2]
    residuals: np.ndarray  # whitened, float [B]
    coefficients: np.ndarray  # a and b
    covariance: np.ndarray  # float [2, 2]


@dataclass(frozen=True)
class Fitted:
    """The law fitted to the beginning of a run."""

    plan: Plan
    gain: Gain
    law: Law
    now: float  # S at the last record
    progress: np.ndarray  # log(S / now) of the blocks, float [B]
    annealed: np.ndarray  # h of the blocks, float [B]
    drift: float  # spread of the change of b over an e-fold of S
    components: list[_Component]

    def expect(self, steps: np.ndarray) -> Outcome:
        """The mean accuracy over ``steps`` (float [M], M >= 1)."""
        progress = np.log(np.maximum(self.plan.progress(steps), 1e-300) / self.now)
        annealed = self.plan.annealed(steps, self.law.exponent)
        own = self._covariance(progress, annealed, progress, annealed).mean()
        shared = self._covariance(progress, annealed, self.progress, self.annealed).mean(axis=0)
        means, spreads = [], []
        for component in self.components:
            wanted = np.array([1.0, float(_u(progress, component.ceiling).mean())])
            pull = np.linalg.solve(component.factor, shared)
            rest = wanted - component.design.T @ pull
            expected = wanted @ component.coefficients + pull @ component.residuals
            means.append(float(expected + self.gain.mean * annealed.mean()))
            spreads.append(float(np.sqrt(max(rest @ component.covariance @ rest + own - pull @ pull, 1e-12))))
        weights = np.array([component.weight for component in self.components])
        freedom = max(len(self.progress) - 4, LEAST_FREEDOM)
        return Outcome(weights, np.array(means), self.law.stretch * np.array(spreads), freedom)

    def _covariance(self, s1: np.ndarray, h1: np.ndarray, s2: np.ndarray, h2: np.ndarray) -> np.ndarray:
        """Prior covariance of drift, response and D h between places (s1, h1), float [M], and (s2, h2), float [B]."""
        return _prior_covariance(s1, h1, s2, h2, float(self.progress[0]), self.drift, self.gain, self.law)


def fit_schedule(steps: np.ndarray, accuracy: np.ndarray, plan: Plan, gain: Gain, law: Law) -> Fitted | None:
    """The law fitted to the records of a beginning: ``steps`` and ``accuracy`` (finite shares of one), float [N] each.

    None for fewer than 8 records after the first step at which the plan has a rate.
    """
    progress = plan.progress(steps)
    begun = progress > 0
    steps, accuracy, progress = steps[begun], accuracy[begun], progress[begun]
    if len(steps) < FEWEST_RECORDS:
        return None
    now = float(progress[-1])
    first = min(int(np.searchsorted(progress, law.window * now)), len(steps) - FEWEST_RECORDS)
    places = np.log(progress[first:] / now)
    s, y = average_down(places, accuracy[first:], MOST_BLOCKS)
    _, h = average_down(places, plan.annealed(steps[first:], law.exponent), MOST_BLOCKS)
    y = _log_odds(y)
    drift = law.drift * max(abs(_late_slope(s, y - gain.mean * h)), LEAST_SLOPE)
    prior = _prior_covariance(s, h, s, h, float(s[0]), drift, gain, law)
    precision = np.diag([1e-6, 1 / SLOPE_PRIOR[1] ** 2])
    components = []
    for weight, phi, theta, variance in _noise_models(s, h, y):
        covariance = prior + variance * _arma_covariance(len(s), phi, theta) + 1e-12 * np.eye(len(s))
        factor = np.linalg.cholesky(covariance)
        for ceiling in law.ceilings:
            columns = np.column_stack([np.ones(len(s)), _u(s, ceiling), y - gain.mean * h])
            white = np.linalg.solve(factor, columns)
            design, target = white[:, :2], white[:, 2]
            spread = np.linalg.inv(design.T @ design + precision)
            found = spread @ (design.T @ target + precision @ np.array([0.0, SLOPE_PRIOR[0]]))
            components.append(
                _Component(weight / len(law.ceilings), ceiling, factor, design, target - design @ found, found, spread)
            )
    return Fitted(plan, gain, law, now, s, h, drift, components)


def _log_odds(accuracy: np.ndarray | float) -> np.ndarray:
    return np.asarray(special.logit(np.clip(accuracy, SMALLEST_SHARE, 1 - SMALLEST_SHARE)))


def _u(progress: np.ndarray, ceiling: float) -> np.ndarray:
    """u at log(S / now) = ``progress``: slope 1 now; bounded above by 1 / ``ceiling`` where that is not 0."""
    return -np.expm1(-ceiling * progress) / ceiling if ceiling else progress


def _late_slope(progress: np.ndarray, y: np.ndarray) -> float:
    """The least-squares slope over the last half of S, or the last four blocks where that holds fewer."""
    late = max(int(np.count_nonzero(progress >= np.log(0.5))), 4)
    x = progress[-late:] - progress[-late:].mean()
    return float(x @ y[-late:] / max(x @ x, 1e-300))


def _prior_covariance(
    s1: np.ndarray, h1: np.ndarray, s2: np.ndarray, h2: np.ndarray, start: float, drift: float, gain: Gain, law: Law
) -> np.ndarray:
    """Covariance float [M, N] of drift, response and the doubt about D between places; ``start``: where drift is 0."""
    early, late = np.minimum.outer(s1, s2) - start, np.maximum.outer(s1, s2) - start
    walk = drift**2 * early**2 * (3 * late - early) / 6  # of an integrated Wiener process
    bend = (law.response * gain.mean) ** 2 * np.minimum.outer(h1, h2)
    return np.asarray(walk + bend + gain.spread**2 * np.outer(h1, h2))


def _noise_models(s: np.ndarray, h: np.ndarray, y: np.ndarray) -> list[tuple[float, float, float, float]]:
    """Likely noise around a smooth curve through blocks (float [B] each), as (weight, phi, theta, variance of the
    innovations)."""
    columns = [np.ones_like(s), s, s**2]
    if len(s) > 24:
        columns.append(s**3)
    if np.ptp(h) > 1e-3:
        columns.append(h)
    tangents = np.column_stack(columns)
    basis = np.linalg.qr(tangents)[0]
    residuals = y - basis @ (basis.T @ y)
    if len(s) <= tangents.shape[1] + 4 or residuals.std() < 1e-7:
        return [(1.0, 0.0, 0.0, max(float(residuals.var()), 1e-8))]
    noise = learn_noise(residuals, tangents)
    found = noise.likely(NOISE_MODELS)
    weights = [noise.weight(*model) for model in found]
    return [
        (weight / sum(weights), *model, innovation_variance(residuals, tangents, *model))
        for weight, model in zip(weights, found, strict=True)
    ]


def _arma_covariance(size: int, phi: float, theta: float) -> np.ndarray:
    """Covariance float [size, size] of the process of noise.py whose innovations have variance 1."""
    level = first_variance(phi, theta)
    by_lag = np.append(level, (phi * level - theta) * phi ** np.arange(size - 1)) if size > 1 else np.array([level])
    lags = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return np.asarray(by_lag[lags])
