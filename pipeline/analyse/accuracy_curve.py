"""How one accuracy depends on the step: its correlation, the curves, slopes, forecast, plateau.

Of a history without any accuracy the loss is taken, as far as a loss can be: its correlation and its curves.
"""

from __future__ import annotations

import numpy as np

from pipeline.analyse.forecast import Asked, averaged, forecast
from pipeline.analyse.plateau import plateau, slopes_per_10k
from pipeline.analyse.schema.accuracy import AccuracyCurve, Asymptote, FittedCurve, Horizons, LossCurve, LossCurves
from pipeline.files.history import History
from pipeline.statistics.autocorrelation import autocorrelation, lag_one
from pipeline.statistics.binomial import Denominators, denominators
from pipeline.statistics.correlation import correlation, draws_around, horizons
from pipeline.statistics.curve_average import Mixture
from pipeline.statistics.curves import FORMULAS, SATURATING, SHAPES, Fit, fit_curves
from pipeline.statistics.rolling_origin import rolling_errors

LEVEL = 0.95
TENTH = 10


def accuracy_curve(
    history: History, key: str | None, key_of_counts: str | None, asked: Asked | None = None
) -> AccuracyCurve:
    """The analysis of the accuracy list ``key``, over the records where it is a finite number.

    Args:
        history: at least one record.
        key: a list of accuracies, shares of one; None where the history has none.
        key_of_counts: the list of their denominators; None where all records have the same targets, whose sampling
            noise does not vary from record to record.
        asked: the questions for the forecast.
    """
    steps, accuracy = history.points(key)
    fits = fit_curves(steps, accuracy)
    draws = draws_around(steps, accuracy, fits[0] if fits else None)
    counts, counts_are = _denominators(history, key, key_of_counts)
    mixture = averaged(steps, accuracy)
    errors = rolling_errors(steps, accuracy)
    found = forecast(history, key, mixture, asked)
    at_end = fits[0].slope_at(float(steps[-1])) if fits else None
    return AccuracyCurve(
        pearson=correlation(steps, accuracy, fits, draws, counts, counts_are),
        fits={fit.curve: _fitted(fit, steps, accuracy, mixture, errors.get(fit.curve)) for fit in fits},
        horizon=Horizons(*horizons(steps, accuracy)),
        slope_per_10k_steps=slopes_per_10k(steps, accuracy, at_end),
        forecast=found,
        plateau=plateau(steps, accuracy, still_falls=found is not None and found.choices is not None),
    )


def loss_curves(history: History) -> LossCurves | None:
    """The curves of the training and of the held-out loss; None for a history with an accuracy, or without a loss."""
    if history.best_accuracy is not None:
        return None
    curves = LossCurves(_loss_curve(history, history.loss), _loss_curve(history, history.held_out_loss))
    return curves if curves.training or curves.held_out else None


def _loss_curve(history: History, key: str | None) -> LossCurve | None:
    steps, losses = history.points(key)
    if not len(steps):
        return None
    fits = fit_curves(steps, losses)
    draws = draws_around(steps, losses, fits[0] if fits else None)
    errors = rolling_errors(steps, losses)
    return LossCurve(
        pearson=correlation(steps, losses, fits, draws, np.full(len(steps), np.nan), None),
        fits={fit.curve: _fitted(fit, steps, losses, None, errors.get(fit.curve)) for fit in fits},
        horizon=Horizons(*horizons(steps, losses)),
    )


def _denominators(
    history: History, key: str | None, key_of_counts: str | None
) -> tuple[np.ndarray, Denominators | None]:
    """The denominator of each finite value of ``key`` (float [M], NaN where unknown), and how they are known."""
    shares = history.series(key)
    if key_of_counts is None:
        counts, known = np.full(len(history), np.nan), None
    else:
        counts, known = denominators(history.series(key_of_counts), shares)
    return counts[np.isfinite(shares)], known


def _fitted(
    fit: Fit, steps: np.ndarray, accuracy: np.ndarray, mixture: Mixture | None, rolling_error: float | None
) -> FittedCurve:
    """What is known about ``fit`` to finite points: ``steps`` and ``accuracy`` (share of one), float [N] each."""
    residuals = accuracy - fit.at(steps)
    exact = np.abs(residuals).max() <= 1e-12 * np.abs(accuracy).max()
    intervals = None if mixture is None else mixture.parameter_intervals(fit.curve, LEVEL)
    asymptote = None
    if fit.curve in SATURATING:
        last_tenth = float(accuracy[-max(1, len(accuracy) // TENTH) :].mean())
        rising = fit.parameters["b"] > 0
        asymptote = Asymptote(
            value=fit.parameters["a"],
            interval=None if intervals is None else intervals["a"],
            passed=last_tenth > fit.parameters["a"] if rising else last_tenth < fit.parameters["a"],
        )
    return FittedCurve(
        formula=FORMULAS[fit.curve],
        parameters=fit.parameters,
        r_squared=fit.r_squared,
        aic=fit.aic,
        intervals=intervals,
        at_bound=[name for name in SHAPES[fit.curve] if name in fit.at_bound],
        residual_autocorrelation=None if exact else lag_one(residuals),
        effective_sample_size=None if exact else autocorrelation(residuals).effective_sample_size,
        rolling_error=rolling_error,
        asymptote=asymptote,
    )
