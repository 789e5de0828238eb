"""Bayesian model averaging over curves: each plausible curve with its weight, so that no single model decides.

A component is one curve with one shape, from the grid of curves.py. Given a noise model (noise.py), its a and b
have a normal posterior by generalized least squares, and its evidence is the restricted likelihood

    (n - 2)-th power of 1 / sqrt(unexplained squares), times 1 / sqrt(det X' V^-1 X),

with g scaled to 0 at the first record and 1 at the last. That puts an even prior on the accuracies at both ends of what
was observed, in the same units for every curve, so the evidences can be compared (Hoeting et al. 1999, Bayesian model
averaging: a tutorial). Shapes are even on log scales within a curve, the curves are even among themselves. Prior
weights from the errors of rolling origins were tried: they use the records twice, and the intervals held the truth
less often. A forecast is the mixture of what the components expect, over the likeliest noise models too, cut
to accuracies between 0 and 1; its spread is doubt between curves, between shapes, and from the noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy

from pipeline.statistics.curves import SHAPES, bounds, curves_for, transform
from pipeline.statistics.noise import first_variance, learn_noise, whiten
from pipeline.statistics.smoothing import average_down

NOISE_MODELS = 8  # (phi, theta) that are averaged over
MOST_RECORDS = 600  # more are averaged down: a curve has a few parameters only
SHAPE_CELLS = {"tau": 40, "shift": 18, "exponent": 14}  # of one search, by parameter of the shape
REFINEMENTS = 3  # searches, each within what the last one found likely
NEGLIGIBLE = 1e-4  # weight, against the largest of the curve
BISECTIONS = 30
SMALLEST_CHANCE = 1e-12
LEAST_CHANGE = 1e-12  # of a curve's transform over the run; one of less is flat


@dataclass(frozen=True)
class Components:
    """The curves that are averaged: everything that does not depend on the accuracy."""

    shapes: dict[str, np.ndarray]  # by curve, float [shapes, parameters of the shape]; K shapes in all
    offsets: np.ndarray  # g at the first record, float [K]
    scales: np.ndarray  # g at the last record minus the offset, float [K]
    prior: np.ndarray  # float [K]: share of the prior, over all curves
    times: int = 1  # how often the K components are repeated: once for each noise model

    def of(self, curve: str) -> np.ndarray:
        """Which components are of ``curve``: bool [times x K]."""
        names = [np.full(len(shapes), name == curve) for name, shapes in self.shapes.items()]
        return np.tile(np.concatenate(names), self.times)

    def scaled(self, steps: np.ndarray) -> np.ndarray:
        """Scaled g of every component at ``steps`` (float [M]): float [times x K, M]."""
        g = (transforms(self.shapes, steps) - self.offsets[:, None]) / self.scales[:, None]
        return np.tile(g, (self.times, 1))


def transforms(shapes: dict[str, np.ndarray], steps: np.ndarray) -> np.ndarray:
    """g of every shape at ``steps`` (float [M]): float [K, M]."""
    rows = []
    for curve, found in shapes.items():
        g = transform(curve, steps, tuple(found.T[:, :, None]))
        rows.append(np.broadcast_to(g, (len(found), len(steps))))
    return np.vstack(rows)


@dataclass(frozen=True)
class Mixture:
    """The posterior: component k expects ``a + b g`` with ``coefficients`` (float [K, 2]) and ``covariances``
    (float [K, 2, 2]); ``weights``: float [K], sum 1."""

    components: Components
    weights: np.ndarray
    coefficients: np.ndarray
    covariances: np.ndarray
    freedom: int

    def curve_weights(self) -> dict[str, float]:
        """The posterior weight of each curve, over all its shapes."""
        return {curve: float(self.weights[self.components.of(curve)].sum()) for curve in self.components.shapes}

    def expect(self, steps: np.ndarray, curve: str | None = None) -> Expectation:
        """What is expected at ``steps`` (float [M]); of one ``curve`` alone where it is named."""
        g = self.components.scaled(steps)
        means = self.coefficients[:, :1] + self.coefficients[:, 1:] * g
        variances = (
            self.covariances[:, 0, 0, None]
            + 2 * g * self.covariances[:, 0, 1, None]
            + g**2 * self.covariances[:, 1, 1, None]
        )
        weights = self.weights
        if curve is not None:
            weights = np.where(self.components.of(curve), weights, 0.0)
            weights = weights / weights.sum() if weights.sum() else weights
        kept = weights > 1e-7 * weights.max()
        spreads = np.sqrt(np.maximum(variances[kept], 1e-24))
        return Expectation(weights[kept], means[kept], spreads, self.freedom)


@dataclass(frozen=True)
class Expectation:
    """A mixture of Student t over accuracies between 0 and 1, at each of M steps: ``means, spreads``: float [K, M]."""

    weights: np.ndarray
    means: np.ndarray
    spreads: np.ndarray
    freedom: int

    def chance_below(self, accuracy: np.ndarray) -> np.ndarray:
        """The probability of less than ``accuracy`` (float [M]) at each step; 1/2 where nothing is left in [0, 1]."""
        low, high = self._edges()
        inside = np.maximum(high - low, SMALLEST_CHANCE)
        return np.where(high - low > SMALLEST_CHANCE, (self._below(accuracy) - low) / inside, 0.5)

    def quantile(self, share: float) -> np.ndarray:
        """The accuracy that has ``share`` of the probability below it, at each step: float [M]."""
        below_zero, below_one = self._edges()
        wanted = below_zero + share * (below_one - below_zero)
        low, high = np.zeros(self.means.shape[1]), np.ones(self.means.shape[1])
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = self._below(middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    def _edges(self) -> tuple[np.ndarray, np.ndarray]:
        """The probability below 0 and below 1 at each step, float [M] each."""
        places = self.means.shape[1]
        return self._below(np.zeros(places)), self._below(np.ones(places))

    def _below(self, accuracy: np.ndarray) -> np.ndarray:
        """The probability below ``accuracy`` (float [M]) before the cut to [0, 1]: float [M]."""
        return self.weights @ scipy.special.stdtr(self.freedom, (accuracy - self.means) / self.spreads)


def average_curves(steps: np.ndarray, accuracy: np.ndarray) -> Mixture:
    """The mixture for finite points: ``steps`` and ``accuracy`` (share of one, not all the same), float [N], N >= 8."""
    steps, accuracy = average_down(steps, accuracy, MOST_RECORDS)
    boxes = {curve: np.log(np.reshape(bounds(curve, steps), (-1, 2))) for curve in curves_for(steps)}
    volumes = {curve: float(np.prod(np.ptp(box, axis=1))) for curve, box in boxes.items()}
    prior = {curve: 1 / volumes[curve] for curve in boxes}
    noise_models: list[tuple[float, float]] = []
    for refinement in range(REFINEMENTS):
        components = _components(steps, boxes, prior)
        g = components.scaled(steps)
        noise_models = noise_models or _likely_noise(components, g, accuracy)
        last = refinement == REFINEMENTS - 1
        mixture = _weigh(components, g, accuracy, noise_models if last else noise_models[:1])
        boxes = {curve: _narrowed(mixture, curve, box) for curve, box in boxes.items()}
    return mixture


def _components(steps: np.ndarray, boxes: dict[str, np.ndarray], prior: dict[str, float]) -> Components:
    """Shapes evenly spread over each curve's box of log shapes (float [P, 2]); ``prior``: density on the log scale."""
    shapes: dict[str, np.ndarray] = {}
    priors: list[np.ndarray] = []
    for curve, box in boxes.items():
        edges = [
            np.linspace(low, high, SHAPE_CELLS[name] + 1) for (low, high), name in zip(box, SHAPES[curve], strict=True)
        ]
        middles = [(edge[1:] + edge[:-1]) / 2 for edge in edges]
        axes = np.meshgrid(*middles, indexing="ij")
        shapes[curve] = np.exp(np.stack([axis.ravel() for axis in axes], 1)) if axes else np.empty((1, 0))
        count = len(shapes[curve])
        priors.append(np.full(count, prior[curve] * float(np.prod(np.ptp(box, axis=1))) / count))
    ends = transforms(shapes, steps[[0, -1]])
    return Components(shapes, ends[:, 0], np.maximum(ends[:, 1] - ends[:, 0], LEAST_CHANGE), np.concatenate(priors))


def _narrowed(mixture: Mixture, curve: str, box: np.ndarray) -> np.ndarray:
    """The part of ``box`` (log shapes, float [P, 2]) in which the curve's weight lies, and a cell around it."""
    weights = mixture.weights[mixture.components.of(curve)]
    if not len(box) or not weights.sum():
        return box
    shapes = np.tile(mixture.components.shapes[curve], (mixture.components.times, 1))
    likely = np.log(shapes[weights > NEGLIGIBLE * weights.max()])
    cells = np.ptp(box, axis=1) / [SHAPE_CELLS[name] for name in SHAPES[curve]]
    return np.stack(
        [np.maximum(likely.min(axis=0) - cells, box[:, 0]), np.minimum(likely.max(axis=0) + cells, box[:, 1])], axis=1
    )


def _weigh(
    components: Components, g: np.ndarray, accuracy: np.ndarray, noise_models: list[tuple[float, float]]
) -> Mixture:
    """The posterior over ``components`` with scaled ``g`` (float [K, N]) at the records, for each noise model.

    Components are repeated, once for each noise model; all noise models have the same prior.
    """
    freedom = len(accuracy) - 2
    rows = np.vstack([np.ones(len(accuracy)), accuracy, g])
    evidences, coefficients, covariances = [], [], []
    for model in noise_models:
        white = whiten(rows, *model)
        one, y, x = white[0], white[1], white[2:]
        oo, oy, yy = one @ one, one @ y, y @ y
        og, gg, gy = x @ one, np.einsum("ij,ij->i", x, x), x @ y
        determinant = np.maximum(oo * gg - og**2, 1e-300)
        a, b = (gg * oy - og * gy) / determinant, (oo * gy - og * oy) / determinant
        # In floating point what is left unexplained by a perfect fit is a little noise of either sign.
        unexplained = np.maximum(yy - a * oy - b * gy, 1e-14 * yy)
        inverse = np.stack([np.stack([gg, -og], 1), np.stack([-og, np.full_like(gg, oo)], 1)], 1)
        evidences.append(
            -0.5 * (freedom * np.log(unexplained) + np.log(determinant) + np.log(first_variance(*model)))
            + np.log(components.prior)
        )
        coefficients.append(np.stack([a, b], 1))
        covariances.append(inverse * (unexplained / freedom / determinant)[:, None, None])
    evidence = np.concatenate(evidences)
    weights = np.exp(evidence - evidence.max())
    return Mixture(
        replace(components, times=len(noise_models)),
        weights / weights.sum(),
        np.concatenate(coefficients),
        np.concatenate(covariances),
        freedom,
    )


def _likely_noise(components: Components, g: np.ndarray, accuracy: np.ndarray) -> list[tuple[float, float]]:
    """The likeliest (phi, theta) of the noise of ``accuracy`` (float [N]) around the best component.

    ``g``: scaled g of every component, float [K, N].
    """
    centred = g - g.mean(axis=1, keepdims=True)
    y = accuracy - accuracy.mean()
    spread = np.maximum(np.einsum("ij,ij->i", centred, centred), 1e-300)
    b = centred @ y / spread
    best = int(np.argmax(b**2 * spread))
    residuals = y - b[best] * centred[best]
    if np.abs(residuals).max() <= 1e-12 * np.abs(accuracy).max():
        return [(0.0, 0.0)]
    # A neighbouring shape shows how the curve moves when its shape does.
    curve = next(curve for curve in components.shapes if components.of(curve)[best])
    mine = components.of(curve)
    moves = [g[place] - g[best] for place in (best - 1, best + 1) if 0 <= place < len(g) and mine[place]]
    tangents = np.column_stack([np.ones(len(y)), g[best], *(move for move in moves[:1] if np.ptp(move) > 0)])
    return learn_noise(residuals, tangents).likely(NOISE_MODELS)
