"""How one accuracy depends on the step: its correlation, the curves, slopes, forecast, plateau.

Of a history without any accuracy the loss is taken, as far as a loss can be: its correlation and its curves.
"""

from __future__ import annotations

import numpy as np

from pipeline.analyse.annealing.phases import breaks_among, phase_ends
from pipeline.analyse.forecast import Asked, averaged, forecast
from pipeline.analyse.plateau import plateau, slopes_per_10k
from pipeline.analyse.schema.accuracy import AccuracyCurve, Asymptote, FittedCurve, Horizons, LossCurve, LossCurves
from pipeline.files.history import History
from pipeline.statistics.autocorrelation import autocorrelation, lag_one
from pipeline.statistics.correlation import correlation, horizons
from pipeline.statistics.curves import FORMULAS, SATURATING, SHAPES, Fit, fit_curves, parameter_intervals
from pipeline.statistics.distributions.binomial import Denominators, denominators
from pipeline.statistics.noise import scatter
from pipeline.statistics.rolling_origin import rolling_errors

FEWEST_RECORDS = 40  # for intervals of parameters
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
    ends = phase_ends(history)
    found = scatter(accuracy, breaks_among(ends, steps))
    counts, counts_are = _denominators(history, key, key_of_counts)
    mixture = averaged(steps, accuracy)
    if mixture is not None:
        weights = mixture.curve_weights()
        fits = sorted(fits, key=lambda fit: -weights[fit.curve])
    errors = rolling_errors(steps, accuracy)
    ahead = forecast(history, key, mixture, asked)
    at_end = fits[0].slope_at(float(steps[-1])) if fits else None
    noise = None if found is None else found.noise
    return AccuracyCurve(
        pearson=correlation(steps, accuracy, fits, found, counts, counts_are),
        fits={fit.curve: _fitted(fit, steps, accuracy, errors.get(fit.curve), is_share=True) for fit in fits},
        horizon=Horizons(*horizons(steps, accuracy)),
        slope_per_10k_steps=slopes_per_10k(steps, accuracy, noise, at_end),
        forecast=ahead,
        plateau=plateau(steps, accuracy, noise, ends, still_falls=ahead is not None and ahead.choices is not None),
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
    found = scatter(losses, breaks_among(phase_ends(history), steps))
    errors = rolling_errors(steps, losses)
    return LossCurve(
        pearson=correlation(steps, losses, fits, found, np.full(len(steps), np.nan), None),
        fits={fit.curve: _fitted(fit, steps, losses, errors.get(fit.curve), is_share=False) for fit in fits},
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
    fit: Fit, steps: np.ndarray, accuracy: np.ndarray, rolling_error: float | None, *, is_share: bool
) -> FittedCurve:
    """What is known about ``fit`` to finite points (float [N] each), shares of one or a loss."""
    residuals = accuracy - fit.at(steps)
    exact = np.abs(residuals).max() <= 1e-12 * np.abs(accuracy).max()
    intervals = parameter_intervals(fit, steps, accuracy) if len(steps) >= FEWEST_RECORDS else None
    asymptote = None
    end = fit.parameters["a"]
    # A shape at the edge of the search leaves the end of the curve to the search, and no accuracy ends outside 0 to 1.
    if fit.curve in SATURATING and not fit.at_bound and end >= 0 and (end <= 1 or not is_share):
        last_tenth = float(accuracy[-max(1, len(accuracy) // TENTH) :].mean())
        rising = fit.parameters["b"] > 0
        around = None
        if intervals is not None:
            low, high = intervals["a"]
            around = (max(low, 0.0), min(high, 1.0) if is_share else high)
        asymptote = Asymptote(value=end, interval=around, passed=last_tenth > end if rising else last_tenth < end)
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
