"""Curves of accuracy against step, fitted by least squares.

Each is a straight line in some transform g of the step, ``accuracy = a + b g(step)``:

``linear``       g = step
``log``          g = log(step)
``exponential``  g = -exp(-step / tau): it rises by b from step 0 towards the asymptote a
``power``        g = -(1 + step / shift)^-exponent: the same with a slower approach; between log (exponent near 0) and
                 exponential (exponent and shift both large, tau = shift / exponent)

so that the best a and b are those of simple regression, and the best shape (tau, or shift and exponent) is the one with
the largest r^2: variable projection (Golub & Pereyra 1973). The shape is searched on a grid first, for there may be
several optima, and then between the grid's points; what ends at the edge of the grid is reported ``at_bound``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from pipeline.statistics.noise import colour, innovation_variance, learn_noise
from pipeline.statistics.smoothing import average_down, is_constant

FORMULAS = {
    "linear": "a + b step",
    "log": "a + b log(step)",
    "exponential": "a - b exp(-step / tau)",
    "power": "a - b (1 + step / shift)^-exponent",
}
SHAPES: dict[str, tuple[str, ...]] = {
    "linear": (),
    "log": (),
    "exponential": ("tau",),
    "power": ("shift", "exponent"),
}
PARAMETERS = {curve: ("a", "b", *shape) for curve, shape in SHAPES.items()}
SATURATING = ("exponential", "power")  # their a is an asymptote
FEWEST_RECORDS = 8  # below this three parameters follow the noise
LEAST_SPREAD = 1e-200  # of the squares of a transform's values
SEARCHED_RECORDS = 4_000  # more are averaged down to so many for the grid; the end of the search sees them all
LEVEL = 0.95
NOISE_MODELS = 20  # whose covariances are averaged
MOST_ALIKE = 1e4  # condition of the tangents beyond which the points do not tell the parameters apart
SHAPE_POINTS = {"tau": 60, "shift": 14, "exponent": 12}  # of the first search, by parameter of the shape


@dataclass(frozen=True)
class Fit:
    """A fitted curve. ``aic`` is Akaike's criterion for independent normal noise; the least one is the best fit."""

    curve: str
    parameters: dict[str, float]
    r_squared: float
    aic: float
    at_bound: tuple[str, ...] = ()

    def at(self, steps: np.ndarray) -> np.ndarray:
        """Fitted accuracy at ``steps`` (float [N])."""
        return self.parameters["a"] + self.parameters["b"] * transform(self.curve, steps, self.shape)

    @property
    def shape(self) -> tuple[float, ...]:
        """The parameters that are searched for: tau, or shift and exponent, or none."""
        return tuple(self.parameters[name] for name in SHAPES[self.curve])

    def slope_at(self, step: float) -> float:
        """Rise in accuracy per step at ``step``."""
        width = max(abs(step), 1.0) * 1e-4
        low, high = self.at(np.array([step - width, step + width]))
        return float(high - low) / (2 * width)

    def tangents(self, steps: np.ndarray) -> np.ndarray:
        """How the curve moves with each of its parameters (those of the shape on a log scale): float [N, P]."""
        g = transform(self.curve, steps, self.shape)
        columns = [np.ones_like(steps), g]
        for place in range(len(self.shape)):
            nearby = [np.array(self.shape), np.array(self.shape)]
            nearby[0][place] *= 1 - 1e-4
            nearby[1][place] *= 1 + 1e-4
            below, above = (transform(self.curve, steps, tuple(shape)) for shape in nearby)
            columns.append(self.parameters["b"] * (above - below) / 2e-4)
        return np.column_stack(columns)


def transform(curve: str, steps: np.ndarray, shape: tuple[float, ...]) -> np.ndarray:
    """g of ``steps`` (float [N]) for one ``shape``: float [N].

    Parameters of the shape that are arrays (float [K, 1]) give float [K, N].
    """
    if curve == "exponential":
        return -np.exp(-steps / shape[0])
    if curve == "power":
        return -np.exp(-shape[1] * np.log1p(steps / shape[0]))
    return np.log(steps) if curve == "log" else steps


def bounds(curve: str, steps: np.ndarray) -> list[tuple[float, float]]:
    """Least and greatest value of each shape parameter that is searched on rising ``steps`` (float [N]).

    An exponential that is done within a hundredth of the run is a step, one of ten runs' length a straight line.
    """
    span = float(steps[-1] - steps[0])
    limits = {"tau": (span / 100, span * 10), "shift": (span / 1000, span * 10), "exponent": (0.05, 20.0)}
    return [limits[name] for name in SHAPES[curve]]


def shape_grid(curve: str, steps: np.ndarray) -> np.ndarray:
    """Shapes spread evenly on log scales between the bounds: float [K, parameters of the shape], K = 1 for none."""
    axes = [
        np.geomspace(low, high, SHAPE_POINTS[name])
        for name, (low, high) in zip(SHAPES[curve], bounds(curve, steps), strict=True)
    ]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1) if axes else np.empty((1, 0))


def curves_for(steps: np.ndarray) -> list[str]:
    """The curves that can be fitted to records at rising ``steps`` (float [N]): all, or from step 0 all but "log"."""
    return [curve for curve in FORMULAS if curve != "log" or steps[0] > 0]


def fit_curves(steps: np.ndarray, accuracy: np.ndarray) -> list[Fit]:
    """All curves fitted to ``steps`` and finite ``accuracy`` (share of one), float [N] each, the best first.

    Empty for fewer than 8 points or constant accuracy.
    """
    if len(steps) < FEWEST_RECORDS or is_constant(accuracy):
        return []
    fits = [fit_curve(curve, steps, accuracy) for curve in curves_for(steps)]
    return sorted(fits, key=lambda fit: fit.aic)


def fit_curve(curve: str, steps: np.ndarray, accuracy: np.ndarray) -> Fit:
    """One curve fitted to ``steps`` and finite ``accuracy`` (share of one), float [N] each."""
    shape, at_bound = _best_shape(curve, steps, accuracy) if SHAPES[curve] else ((), ())
    g = transform(curve, steps, shape)
    centred = g - g.mean()
    spread = float(centred @ centred)
    # A curve of no bend at all over these steps, as an exponential long after its end, is the mean.
    b = float(centred @ (accuracy - accuracy.mean())) / spread if spread > LEAST_SPREAD else 0.0
    a = float(accuracy.mean() - b * g.mean())
    parameters = dict(zip(PARAMETERS[curve], (a, b, *shape), strict=True))
    variance = float(np.mean((accuracy - a - b * g) ** 2))
    # A perfect fit would have an AIC of minus infinity, which JSON cannot hold.
    likelihood_term = len(steps) * np.log(max(variance, np.finfo(float).tiny))
    aic = float(likelihood_term + 2 * (len(parameters) + 1))  # the noise is a parameter too
    return Fit(curve, parameters, 1 - variance / float(accuracy.var()), aic, at_bound)


def parameter_intervals(fit: Fit, steps: np.ndarray, accuracy: np.ndarray) -> dict[str, tuple[float, float]] | None:
    """95 % intervals of the parameters of ``fit`` to points (float [N] each), around its own estimates.

    The variance of least squares under the noise around the curve, (X'X)^-1 X' V X (X'X)^-1 (White 1980 has its form),
    X being the tangents and V the covariance of the plausible noise models (noise.py) by weight; shapes on a log scale.
    None where the curve fits exactly, a shape ended at the edge of the search, or the points do not determine it.
    """
    residuals, tangents = accuracy - fit.at(steps), fit.tangents(steps)
    freedom = len(steps) - tangents.shape[1]
    if fit.at_bound or freedom < 1 or np.abs(residuals).max() <= 1e-12 * np.abs(accuracy).max():
        return None
    sizes = np.linalg.norm(tangents, axis=0)
    if sizes.min() == 0 or np.linalg.cond(tangents / sizes) > MOST_ALIKE:
        return None
    leverage = np.linalg.pinv(tangents / sizes) / sizes[:, None]  # estimates moved by each record, float [P, N]
    noise = learn_noise(residuals, tangents)
    variances = np.zeros(tangents.shape[1])
    for phi, theta in noise.likely(NOISE_MODELS):
        slow = colour(leverage[:, ::-1], phi, theta)
        size = innovation_variance(residuals, tangents, phi, theta)
        variances += noise.weight(phi, theta) * size * (slow**2).sum(axis=1)
    variances /= sum(noise.weight(*model) for model in noise.likely(NOISE_MODELS))
    halves = scipy.stats.t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variances)
    found = {}
    for (name, value), half in zip(fit.parameters.items(), halves, strict=True):
        on_log = name in SHAPES[fit.curve]
        low, high = (value * np.exp(-half), value * np.exp(half)) if on_log else (value - half, value + half)
        found[name] = (float(low), float(high))
    return found


def _best_shape(curve: str, steps: np.ndarray, accuracy: np.ndarray) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """The shape with the largest r^2 for points (float [N] each), and the names of its parameters at the edge of the
    search."""
    limits = np.log(bounds(curve, steps))

    def misfit(log_shape: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
        """-r^2 of the curve with one shape (its log, float [P]) and centred points (float [N] each)."""
        g = transform(curve, x, tuple(np.exp(log_shape)))
        g = g - g.mean()
        spread = float(g @ g)
        return -(float(g @ y) ** 2) / spread / float(y @ y) if spread > LEAST_SPREAD else 0.0

    fewer, means = average_down(steps, accuracy, SEARCHED_RECORDS)
    means = means - means.mean()
    grid = np.log(shape_grid(curve, steps))
    start = grid[int(np.argmin([misfit(point, fewer, means) for point in grid]))]
    found = start
    for x, y in [(fewer, means)] if fewer is steps else [(fewer, means), (steps, accuracy - accuracy.mean())]:
        found = scipy.optimize.minimize(
            misfit, found, (x, y), "Nelder-Mead", bounds=limits, options={"xatol": 1e-5, "fatol": 1e-12}
        ).x
    width = limits[:, 1] - limits[:, 0]
    edge = np.abs(found[:, None] - limits).min(axis=1) < 1e-3 * width
    names = tuple(name for name, touches in zip(SHAPES[curve], edge, strict=True) if touches)
    return tuple(float(value) for value in np.exp(found)), names
