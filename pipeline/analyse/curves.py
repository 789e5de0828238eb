"""Curves of accuracy against step, fitted by least squares.

Each is a straight line in some transform g of the step, ``accuracy = a + b g(step)``:

``linear``       g = step
``log``          g = log(step)
``exponential``  g = -exp(-step / tau): it rises by b towards the asymptote a; tau is searched for

so that the best a and b are those of simple regression, and the best tau is the one with the largest r^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

FORMULAS = {
    "linear": "a + b step",
    "log": "a + b log(step)",
    "exponential": "a - b exp(-step / tau)",
}
PARAMETERS = {"linear": ("a", "b"), "log": ("a", "b"), "exponential": ("a", "b", "tau")}
FEWEST_RECORDS = 8  # below this three parameters follow the noise


@dataclass(frozen=True)
class Fit:
    """A fitted curve. ``aic`` is Akaike's criterion for independent normal noise; the least one is the best fit."""

    curve: str
    parameters: dict[str, float]
    r_squared: float
    aic: float

    def at(self, steps: np.ndarray) -> np.ndarray:
        """Fitted accuracy at ``steps`` (float [N])."""
        g = _transform(self.curve, steps, self.parameters.get("tau"))
        return self.parameters["a"] + self.parameters["b"] * g


def fit_curves(steps: np.ndarray, accuracy: np.ndarray) -> list[Fit]:
    """All curves fitted to finite points (float [N] each), the best first; none for few points or constant accuracy."""
    if len(steps) < FEWEST_RECORDS or np.ptp(accuracy) == 0:
        return []
    fits = [_fit("linear", steps, accuracy), _fit("exponential", steps, accuracy, _best_tau(steps, accuracy))]
    if steps[0] > 0:
        fits.append(_fit("log", steps, accuracy))
    return sorted(fits, key=lambda fit: fit.aic)


def _fit(curve: str, steps: np.ndarray, accuracy: np.ndarray, tau: float | None = None) -> Fit:
    g = _transform(curve, steps, tau)
    centred = g - g.mean()
    b = float(centred @ (accuracy - accuracy.mean()) / (centred @ centred))
    a = float(accuracy.mean() - b * g.mean())
    parameters = dict(zip(PARAMETERS[curve], (a, b) if tau is None else (a, b, tau), strict=True))
    variance = float(np.mean((accuracy - a - b * g) ** 2))
    # A perfect fit would have an AIC of minus infinity, which JSON cannot hold.
    likelihood_term = len(steps) * np.log(max(variance, np.finfo(float).tiny))
    aic = float(likelihood_term + 2 * (len(parameters) + 1))  # the noise is a parameter too
    return Fit(curve, parameters, 1 - variance / float(accuracy.var()), aic)


def _transform(curve: str, steps: np.ndarray, tau: float | None) -> np.ndarray:
    if curve == "exponential":
        return -np.exp(-steps / tau)
    return np.log(steps) if curve == "log" else steps


def _best_tau(steps: np.ndarray, accuracy: np.ndarray) -> float:
    """The time constant, between a hundredth of the run and ten runs; beyond those it is a step or a straight line."""
    centred = accuracy - accuracy.mean()

    def misfit(log_tau: float) -> float:
        g = _transform("exponential", steps, float(np.exp(log_tau)))
        g = g - g.mean()
        spread = float(g @ g)
        return -(float(g @ centred) ** 2) / spread if spread > 0 else 0.0

    span = steps[-1] - steps[0]
    grid = np.linspace(np.log(span / 100), np.log(span * 10), 60)  # first by grid, for there may be several optima
    best = int(np.argmin([misfit(log_tau) for log_tau in grid]))
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    return float(np.exp(optimize.minimize_scalar(misfit, bounds=bounds, method="bounded").x))
