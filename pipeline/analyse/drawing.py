"""The four figures of a run. Each function takes data and gives a figure; none touches the disk."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.analyse import figure_style as style
from pipeline.analyse.correlation import Horizon, plain_r
from pipeline.analyse.result import Trend
from pipeline.analyse.series import finite_points, running_mean, series
from pipeline.history import History

SMOOTHING = 40  # a running mean spans this part of the records
DASHES = (0, (4, 2))
DOTS = (0, (1, 1.6))
Label = tuple[float, float, str, str]  # x, y, text, colour


def training_curves(history: History, guesses: dict[str, float]) -> Figure:
    """Accuracy, loss, NSP and learning rate over the run; ``guesses`` are accuracies by counting, drawn as marks."""
    figure, (accuracy, loss, nsp, rate) = style.new_figure(2, 2, 11, 7.6)
    last = history.records["steps"][-1]
    for axes in (accuracy, loss, nsp, rate):
        style.step_axis(axes, last)

    accuracy.set_title("MLM accuracy")
    style.percent_axis(accuracy, "masked characters guessed right")
    labels = _training(accuracy, history, "mlm_acc")
    labels += _held_out(accuracy, history, "eval_mlm_acc", "held-out", style.HELD_OUT, "-")
    labels += _held_out(accuracy, history, "eval_mlm_acc_han", "held-out, Han", style.HAN, DASHES)
    for name, value in guesses.items():
        labels += _mark(accuracy, last, value, name)
    if guesses:
        style.remark(accuracy, "dotted: guesses by counting, on all targets")
    accuracy.set_ylim(bottom=0)
    style.label_ends(accuracy, labels)

    loss.set_title("Loss")
    loss.set_ylabel("MLM + NSP cross-entropy (nats)")
    labels = _training(loss, history, "loss") + _held_out(loss, history, "eval_loss", "held-out", style.HELD_OUT, "-")
    style.remark(loss, "dots: records, line: their running mean", top=True)
    style.label_ends(loss, labels)

    nsp.set_title("NSP accuracy")
    style.percent_axis(nsp, "sentence pairs judged right")
    labels = _mark(nsp, last, 0.5, "chance") if history.has("nsp_acc") else []
    labels += _training(nsp, history, "nsp_acc")
    labels += _held_out(nsp, history, "eval_nsp_acc", "held-out", style.HELD_OUT, "-")
    if not labels:
        style.remark(nsp, "no sentence pairs in this run")
    style.label_ends(nsp, labels)

    rate.set_title("Learning rate")
    steps, values = finite_points(history, "lr")
    power = int(np.floor(np.log10(values.max()))) if (values > 0).any() else 0
    rate.set_ylabel(f"learning rate ($\\times 10^{{{power}}}$)")
    rate.plot(steps, values / 10.0**power, color=style.TRAINING)
    rate.set_ylim(bottom=0)
    return figure


def correlation_analysis(history: History, training: Trend, held_out: Trend | None) -> Figure:
    """Every record against its step, with the straight line and the best curve; r over parts of the run."""
    figure, (scatter, horizon) = style.new_figure(1, 2, 11, 4.9, (1.3, 1))
    steps, accuracy = finite_points(history, "mlm_acc")
    last = history.records["steps"][-1]
    found = training.pearson
    scatter.set_title("Pearson r is not defined" if found.r is None else f"Pearson r = {found.r:.3f}")
    style.percent_axis(scatter, "training MLM accuracy")
    style.step_axis(scatter, last)
    _dots(scatter, steps, accuracy)
    labels: list[Label] = []
    drawn = {fit.curve: fit for fit in reversed(training.fits) if fit.curve in ("linear", found.curve)}
    for curve, fit in drawn.items():
        dash, colour = (DASHES, style.HELD_OUT) if curve == "linear" else ("-", style.CURVE)
        along = np.linspace(steps[0], last, 400)
        scatter.plot(along, fit.at(along), color=colour, linestyle=dash)
        name = "straight line" if curve == "linear" else curve
        labels.append((last, fit.at(along)[-1], f"{name}\n$R^2$ = {fit.r_squared:.3f}", colour))
    style.label_ends(scatter, labels, lines=2)
    remarks = [f"{len(steps):,} records"]
    if found.effective_sample_size is not None:
        remarks[0] += f", effective sample size {found.effective_sample_size:,.0f}"
    if found.interval_autocorrelation:
        low, high = found.interval_autocorrelation
        remarks.insert(0, f"95 % interval of r, with autocorrelation: {low:.3f} to {high:.3f}")
    if found.r is None:
        remarks.append(found.note)
    style.remark(scatter, "\n".join(remarks))

    horizon.set_title("r over the first T steps")
    horizon.set_ylabel("Pearson r")
    style.step_axis(horizon, last)
    horizon.set_xlabel("T (optimizer steps)")
    labels = _horizons(horizon, training.first, "training", style.TRAINING, "-")
    if held_out:
        labels += _horizons(horizon, held_out.first, "held-out", style.HELD_OUT, DASHES)
    if not labels:
        style.remark(horizon, "r is not defined")
    if training.second_half and training.second_half.r is not None:
        _second_half(horizon, training.second_half, training.second_half.r)
    horizon.set_ylim(top=1)
    style.label_ends(horizon, labels, lines=2)
    return figure


def comparison(history: History, baseline: History | None) -> Figure:
    """A shorter run against this one; without one, the first half of this run against the whole."""
    figure, (curves, tenths) = style.new_figure(1, 2, 11, 4.9, (1.15, 1))
    steps, accuracy = finite_points(history, "mlm_acc")
    last = history.records["steps"][-1]
    if baseline is None:
        early = steps <= last / 2
        before, before_last = (steps[early], accuracy[early]), last / 2
        _dots(curves, steps[~early], accuracy[~early])
        names = ("first half", "whole run")
        curves.set_title("First half against the whole run (no baseline run given)")
    else:
        before, before_last = finite_points(baseline, "mlm_acc"), baseline.records["steps"][-1]
        _dots(curves, steps, accuracy)
        names = ("baseline", "this run")
        curves.set_title("Baseline run against this run")
    style.percent_axis(curves, "training MLM accuracy")
    style.step_axis(curves, max(last, before_last))
    _dots(curves, *before, style.BEFORE)
    labels = []
    for name, points, colour, dash in (
        (names[0], before, style.BEFORE_LINE, "-"),
        (names[1], (steps, accuracy), style.TRAINING, DASHES),
    ):
        r = plain_r(*points)
        if r is None:
            continue
        b, a = np.polyfit(points[0], points[1], 1)
        ends = points[0][[0, -1]]
        curves.plot(ends, a + b * ends, color=colour, linestyle=dash, linewidth=2.2)
        labels.append((float(ends[1]), float(a + b * ends[1]), f"{name}\nr = {r:.3f}", colour))
    for end in {label[0] for label in labels}:  # labels of lines that end apart are in nobody's way
        style.label_ends(curves, [label for label in labels if label[0] == end], lines=2)

    tenths.set_title("Mean accuracy in each tenth of the steps")
    style.percent_axis(tenths, "training MLM accuracy")
    style.step_axis(tenths, max(last, before_last))
    edges = np.linspace(0, max(last, before_last), 11)
    if baseline is None:
        _bars(tenths, edges, steps, accuracy, (0.0, 1.0), [style.BEFORE] * 5 + [style.RECORDS] * 5)
    else:
        _bars(tenths, edges, *before, (0.0, 0.5), [style.BEFORE] * 10)
        _bars(tenths, edges, steps, accuracy, (0.5, 1.0), [style.RECORDS] * 10)
    return figure


def loss_analysis(history: History) -> Figure:
    """Loss against step on a logarithmic axis, and accuracy against loss."""
    figure, (loss, relation) = style.new_figure(1, 2, 11, 4.9, (1.15, 1))
    values = finite_points(history, "loss")[1]
    last = history.records["steps"][-1]
    loss.set_title("Loss against step" + (f": {values[0]:.3f} to {values[-1]:.3f}" if len(values) > 1 else ""))
    loss.set_ylabel("MLM + NSP cross-entropy (nats)")
    loss.set_xlabel("optimizer step (logarithmic)")
    loss.set_xscale("log")
    labels = _training(loss, history, "loss") + _held_out(loss, history, "eval_loss", "held-out", style.HELD_OUT, "-")
    style.label_ends(loss, labels)
    style.plain_log_steps(loss, float(history.records["steps"][0]), last)

    relation.set_title("Accuracy against loss")
    style.percent_axis(relation, "training MLM accuracy")
    relation.set_xlabel("training loss (nats)")
    all_steps, loss_series, accuracy = (series(history, key) for key in ("steps", "loss", "mlm_acc"))
    both = np.isfinite(loss_series) & np.isfinite(accuracy)
    dots = relation.scatter(loss_series[both], accuracy[both], c=all_steps[both], s=10, cmap="cividis", vmin=0)
    style.step_colours(figure, relation, dots)
    return figure


def _dots(axes: Axes, steps: np.ndarray, values: np.ndarray, colour: str = style.RECORDS) -> None:
    """Single records: small and translucent, so that a thousand of them stay legible."""
    size = float(np.clip(2500 / max(len(steps), 1), 5, 22))
    axes.scatter(steps, values, s=size, color=colour, alpha=0.55, linewidths=0)


def _training(axes: Axes, history: History, key: str) -> list[Label]:
    """The training metric ``key``: its records, and their running mean as a line."""
    steps, values = finite_points(history, key)
    if not len(steps):
        return []
    _dots(axes, steps, values)
    mean = running_mean(values, len(values) // SMOOTHING)
    axes.plot(steps, mean, color=style.TRAINING)
    return [(steps[-1], mean[-1], "training", style.TRAINING)]


def _held_out(axes: Axes, history: History, key: str, name: str, colour: str, dash: style.Dash) -> list[Label]:
    """A held-out metric as a line; nothing where the history has none."""
    steps, values = finite_points(history, key)
    if not len(steps):
        return []
    axes.plot(steps, values, color=colour, linestyle=dash, linewidth=1.5, marker="o" if len(steps) == 1 else "")
    return [(steps[-1], values[-1], name, colour)]


def _mark(axes: Axes, last: float, value: float, name: str) -> list[Label]:
    axes.axhline(value, color=style.QUIET, linestyle=DOTS, linewidth=1.2)
    return [(last, value, name, style.QUIET)]


def _horizons(axes: Axes, parts: list[Horizon], name: str, colour: str, dash: style.Dash) -> list[Label]:
    known = [(part.until, part.r) for part in parts if part.r is not None]
    if not known:
        return []
    axes.plot(*zip(*known, strict=True), color=colour, linestyle=dash, marker="o", markersize=3.5)
    return [(*known[-1], f"{name}\n{known[-1][1]:.3f}", colour)]


def _second_half(axes: Axes, part: Horizon, r: float) -> None:
    """r over the second half alone, drawn across the steps that it stands for."""
    axes.plot((part.after, part.until), (r, r), color=style.TRAINING, linestyle=DOTS)
    axes.annotate(
        f"steps after {style.short_step(part.after)} alone: {r:.3f}",
        ((part.after + part.until) / 2, r),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        color=style.TRAINING,
        fontsize=9,
    )


def _bars(
    axes: Axes,
    edges: np.ndarray,
    steps: np.ndarray,
    values: np.ndarray,
    share: tuple[float, float],
    colours: list[str],
) -> None:
    """Mean of ``values`` between each two ``edges``, as bars over the given share of the width, with their numbers."""
    width = edges[1] - edges[0]
    for left, right, colour in zip(edges, edges[1:], colours, strict=False):
        inside = (steps > left) & (steps <= right)
        if not inside.any():
            continue
        mean = float(values[inside].mean())
        begin, wide = left + width * (0.06 + 0.88 * share[0]), width * 0.88 * (share[1] - share[0])
        axes.bar(begin, mean, wide, align="edge", color=colour)
        text = f"{100 * mean:.1f}" if share == (0.0, 1.0) else f"{100 * mean:.0f}"
        axes.annotate(text, (begin + wide / 2, mean), xytext=(0, 2), textcoords="offset points", ha="center",
                      fontsize=8)  # fmt: skip
    axes.grid(axis="x", visible=False)
