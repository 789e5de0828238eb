"""How well each curve forecasts: fitted up to an origin, asked for what came after, again and again (Tashman 2000).

Origins lie after 20, 30, ... 80 % of the records. At each, every curve is fitted by least squares to the records so far
and forecasts the mean accuracy of every later tenth of the run. The error is the root mean square over all of them.
"""

from __future__ import annotations

import numpy as np

from pipeline.statistics.curves import curves_for, shape_grid, transform
from pipeline.statistics.smoothing import average_down, is_constant

ORIGINS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
TENTHS = 10
FEWEST_RECORDS = 40  # eight before the first origin
MOST_RECORDS = 400  # more are averaged down
LEAST_SPREAD = 1e-13  # of a curve's values before an origin, as a share of their squares; below it they are all alike


def rolling_errors(steps: np.ndarray, accuracy: np.ndarray) -> dict[str, float]:
    """Forecast error (root mean square, share of one) by curve, for ``steps`` and finite ``accuracy``, float [N] each.

    Empty for fewer than 40 points or constant accuracy.
    """
    if len(steps) < FEWEST_RECORDS or is_constant(accuracy):
        return {}
    x, y = average_down(steps, accuracy, MOST_RECORDS)
    ends = np.array([int(len(x) * share) for share in ORIGINS])
    edges = np.linspace(0, len(x), TENTHS + 1).astype(int)
    later = edges[None, :-1] >= ends[:, None]
    truth = np.add.reduceat(y, edges[:-1]) / np.diff(edges)
    errors = {}
    for curve in curves_for(x):
        g = np.stack([transform(curve, x, tuple(map(float, shape))) for shape in shape_grid(curve, x)])
        forecasts = _forecasts(g, y, ends, edges)
        errors[curve] = float(np.sqrt(np.mean((forecasts - truth)[later] ** 2)))
    return errors


def _forecasts(g: np.ndarray, y: np.ndarray, ends: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean of each tenth by the best shape of ``g`` (float [K, N]) before each origin: float [origins, tenths]."""

    def sums(values: np.ndarray) -> np.ndarray:
        """Of ``values`` (float [..., N]) before each origin: float [..., origins]."""
        return np.cumsum(values, axis=-1)[..., ends - 1]

    counts = ends.astype(float)
    g_sum, y_sum = sums(g), sums(y)
    gg = sums(g**2) - g_sum**2 / counts
    bends = gg > LEAST_SPREAD * g_sum**2 / counts
    gg = np.where(bends, gg, 1.0)
    gy = np.where(bends, sums(g * y) - g_sum * y_sum / counts, 0.0)
    best = np.argmax(gy**2 / gg, axis=0)
    origins = np.arange(len(ends))
    b = (gy / gg)[best, origins]
    a = (y_sum - b * g_sum[best, origins]) / counts
    of_tenths = np.add.reduceat(g, edges[:-1], axis=1) / np.diff(edges)
    return a[:, None] + b[:, None] * of_tenths[best]
