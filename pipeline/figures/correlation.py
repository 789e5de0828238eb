"""Every record against its step, with the fitted curves and the band of the best; r over parts of the run."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.analyse.schema.accuracy import AccuracyCurve, LossCurve
from pipeline.analyse.schema.analysis import Analysis
from pipeline.figures import labels, style
from pipeline.figures import plot_elements as marks
from pipeline.files.history import History, Role
from pipeline.statistics.correlation import Horizon
from pipeline.statistics.curves import Fit
from pipeline.words import Words

DASH_OF = {"linear": marks.DASHES, "log": marks.DOTS, "exponential": marks.DASH_DOT, "power": (0, (8, 2))}
MARK_OF = {"linear": ("s", "\u25a0"), "log": ("o", "\u25cf"), "exponential": ("^", "\u25b2"), "power": ("D", "\u25c6")}
MARKS = 8  # on each curve, so that a grey print tells the curves apart
WITHIN = 1.96  # standard deviations to each side that hold 95 % of normal records


def correlation_analysis(history: History, analysis: Analysis, say: Words) -> Figure:
    """Of the training accuracy; of a history without one the held-out accuracy, or the loss."""
    figure, (scatter, horizon) = style.new_figure(1, 2, 11, 5.1, (1.35, 1))
    measure = labels.shown([history], labels.AS_PUBLISHED, say)
    losses = analysis.loss_curves
    curves: dict[Role, AccuracyCurve | LossCurve | None] = {
        "accuracy": analysis.training,
        "held_out": analysis.held_out,
        "loss": losses.training if losses else None,
        "held_out_loss": losses.held_out if losses else None,
    }
    found = curves[measure.role] or analysis.training
    _scatter(scatter, history, measure, found, say)
    horizon.set_title(say("r over the first T steps"))
    horizon.set_ylabel(say("Pearson r"))
    style.step_axis(horizon, history.last_step, labels.beginning_of_a_run(history, say))
    training, held_out = (curves["accuracy"], curves["held_out"]) if measure.is_share else (
        curves["loss"], curves["held_out_loss"])  # fmt: skip
    ends = _horizons(horizon, training, say("training"), style.TRAINING, "-")
    ends += _horizons(horizon, held_out, say("held-out"), style.HELD_OUT, marks.DASHES)
    if not ends:
        style.remark(horizon, say("r is not defined"))
    later = found.horizon.second_half
    if later and later.r is not None:
        ends += _second_half(horizon, later, later.r, say)
    if measure.is_share:
        horizon.set_ylim(top=1)
    else:
        horizon.set_ylim(bottom=-1)
    style.label_ends(horizon, ends, lines=2)
    return figure


def _scatter(axes: Axes, history: History, measure: labels.Shown, curve: AccuracyCurve | LossCurve, say: Words) -> None:
    steps, values = history.points(history.key_of(measure.role))
    last = history.last_step
    found = curve.pearson
    axes.set_title(say("Pearson r is not defined") if found.r is None else say("Pearson r = {r:.3f}", r=found.r))
    labels.vertical(axes, measure)
    style.step_axis(axes, last, labels.steps(history, say))
    every = marks.dots(axes, steps, values)
    fits = curve.curves()
    best = next((fit for fit in fits if fit.curve == found.curve), None)
    along = np.linspace(steps[0], last, 400) if len(steps) else np.empty(0)
    if best is not None:
        spread = WITHIN * float((values - best.at(steps)).std())
        middle = best.at(along)
        axes.fill_between(along, middle - spread, middle + spread, color=style.CURVE, alpha=0.09, linewidth=0)
    style.label_ends(axes, [_curve(axes, along, fit, say, best=fit is best) for fit in reversed(fits)])
    number = say("1 record") if len(steps) == 1 else say("{number:,} records", number=len(steps))
    remarks = [number, *marks.thinned(every, say)]
    if found.interval_autocorrelation:
        low, high = found.interval_autocorrelation
        remarks.append(say("95 % interval of r, with autocorrelation: {low:.3f} to {high:.3f}", low=low, high=high))
    if best is not None:
        remarks.append(say("band: 95 % of the records around the best curve"))
    style.remark(axes, "\n".join(remarks), top=not measure.is_share)  # a loss leaves its room above


def _curve(axes: Axes, along: np.ndarray, fit: Fit, say: Words, *, best: bool) -> marks.Label:
    """The curve ``fit`` at the steps ``along`` (float [M])."""
    colour = style.CURVE if best else style.HELD_OUT if fit.curve == "linear" else style.OTHER
    marker, letter = MARK_OF[fit.curve]
    place = list(MARK_OF).index(fit.curve)
    apart = len(along) // MARKS
    axes.plot(along, fit.at(along), color=colour, linestyle="-" if best else DASH_OF[fit.curve],
              linewidth=2 if best else 1.5, marker=marker, markersize=5 if best else 4,
              markevery=slice(apart // 2 + place * apart // len(MARK_OF), None, apart))  # fmt: skip
    return float(along[-1]), float(fit.at(along)[-1]), f"{letter} {say(fit.curve)}  $R^2$ {fit.r_squared:.3f}", colour


def _horizons(
    axes: Axes, curve: AccuracyCurve | LossCurve | None, name: str, colour: str, dash: style.Dash
) -> list[marks.Label]:
    known = [(part.until, part.r) for part in curve.horizon.first if part.r is not None] if curve else []
    if not known:
        return []
    axes.plot(*zip(*known, strict=True), color=colour, linestyle=dash, marker="o", markersize=3.5)
    return [(*known[-1], f"{name}\n{known[-1][1]:.3f}", colour)]


def _second_half(axes: Axes, part: Horizon, r: float, say: Words) -> list[marks.Label]:
    """r over the second half alone, drawn across the steps that it stands for."""
    axes.plot((part.after, part.until), (r, r), color=style.OTHER, linestyle=marks.DOTS)
    name = say("after {step} alone", step=style.short_step(part.after))
    return [(part.until, r, f"{name}\n{r:.3f}", style.QUIET)]
