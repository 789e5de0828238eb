"""The parts of the analysis file that are about one accuracy: r, the curves, slopes, forecast, plateau."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from pipeline.analyse.accuracy_curve import horizon_to_json, trend_and_draws
from pipeline.analyse.forecast import averaged, forecast
from pipeline.analyse.plateau import plateau, slopes_per_10k
from pipeline.files.history import History
from pipeline.statistics.autocorrelation import autocorrelation, lag_one
from pipeline.statistics.binomial import denominators
from pipeline.statistics.correlation import correlation
from pipeline.statistics.curve_average import Mixture
from pipeline.statistics.curves import FORMULAS, SATURATING, SHAPES, Fit
from pipeline.statistics.rolling_origin import rolling_errors

LEVEL = 0.95
TENTH = 10


def trend_sections(
    history: History, key: str, key_of_counts: str | None, targets: list[float], at: list[float]
) -> dict[str, Any]:
    """``pearson, fits, horizon, slope_per_10k_steps, forecast, plateau`` of the accuracy list ``key``.

    ``key_of_counts`` is the list of its denominators; None where they are always the same targets, whose sampling noise
    does not vary from record to record.
    """
    steps, accuracy = history.points(key)
    found, draws = trend_and_draws(history, key)
    counts, counts_are = np.full(len(history), np.nan), None
    if key_of_counts is not None:
        counts, counts_are = denominators(history.series(key_of_counts), history.series(key))
    counts = counts[np.isfinite(history.series(key))]
    mixture = averaged(steps, accuracy)
    errors = rolling_errors(steps, accuracy)
    at_end = found.fits[0].slope_at(float(steps[-1])) if found.fits else None
    return {
        "pearson": asdict(correlation(steps, accuracy, found.fits, draws, counts, counts_are)),
        "fits": {fit.curve: _fit_to_json(fit, steps, accuracy, mixture, errors.get(fit.curve)) for fit in found.fits},
        "horizon": horizon_to_json(found),
        "slope_per_10k_steps": slopes_per_10k(steps, accuracy, at_end),
        "forecast": forecast(history, key, mixture, targets, at),
        "plateau": plateau(steps, accuracy),
    }


def _fit_to_json(
    fit: Fit, steps: np.ndarray, accuracy: np.ndarray, mixture: Mixture | None, rolling_error: float | None
) -> dict[str, Any]:
    residuals = accuracy - fit.at(steps)
    exact = np.abs(residuals).max() <= 1e-12 * np.abs(accuracy).max()
    intervals = None if mixture is None else mixture.parameter_intervals(fit.curve, LEVEL)
    asymptote = None
    if fit.curve in SATURATING:
        last_tenth = float(accuracy[-max(1, len(accuracy) // TENTH) :].mean())
        asymptote = {
            "value": fit.parameters["a"],
            "interval": None if intervals is None else intervals["a"],
            "passed": last_tenth > fit.parameters["a"],
        }
    return {
        "formula": FORMULAS[fit.curve],
        "parameters": fit.parameters,
        "r_squared": fit.r_squared,
        "aic": fit.aic,
        "intervals": intervals,
        "at_bound": [name for name in SHAPES[fit.curve] if name in fit.at_bound],
        "residual_autocorrelation": None if exact else lag_one(residuals),
        "effective_sample_size": None if exact else autocorrelation(residuals).effective_sample_size,
        "rolling_error": rolling_error,
        "asymptote": asymptote,
    }
