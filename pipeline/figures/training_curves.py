"""Accuracy, loss, NSP where there are sentence pairs, and learning rate over the run."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import labels, style
from pipeline.figures import plot_elements as marks
from pipeline.files.history import History
from pipeline.files.run_record import Facts
from pipeline.words import Words


def training_curves(history: History, guesses: dict[str, float], say: Words) -> Figure:
    """``guesses`` are accuracies by counting, by name (a text of words.py), drawn as marks."""
    last, columns = history.last_step, history.columns
    masked = columns.accuracy.of == labels.MASKED
    paired = columns.pairs is not None and history.has(columns.pairs.train)
    figure, panels = style.new_figure(2, 2, 11, 7.6) if paired else style.new_figure(1, 3, 15, 4.8)
    accuracy, loss, *between, rate = panels
    for axes in panels:
        style.step_axis(axes, last, labels.steps(history, say))

    accuracy.set_title(say("MLM accuracy") if masked else say("Accuracy"))
    style.percent_axis(accuracy, say("masked characters guessed right") if masked else say("share of right answers"))
    ends = marks.training(accuracy, history, columns.accuracy.train, say)
    ends += marks.held_out(accuracy, history, columns.accuracy.held_out, say("held-out"), style.HELD_OUT, "-")
    ends += marks.held_out(
        accuracy, history, columns.accuracy.held_out_han, say("held-out, Han"), style.HAN, marks.DASHES
    )
    for name, value in guesses.items():
        ends += marks.mark(accuracy, last, value, say(name))
    if guesses:
        style.remark(accuracy, say("dotted: guesses by counting, on all targets"))
    _say_if_empty(accuracy, ends, say("no accuracy in this log"))
    accuracy.set_ylim(bottom=0)
    style.label_ends(accuracy, ends)

    loss.set_title(say("Loss"))
    loss.set_ylabel(labels.loss(history, say))
    ends = marks.training(loss, history, columns.loss.train, say)
    ends += marks.held_out(loss, history, columns.loss.held_out, say("held-out"), style.HELD_OUT, "-")
    _say_if_empty(loss, ends, say("no loss in this log"))
    if ends:
        style.remark(loss, say("dots: records, line: their running mean"), top=True)
    style.label_ends(loss, ends)

    for nsp in between:
        _pairs(nsp, history, say)

    rate.set_title(say("Learning rate"))
    steps, values = history.points(columns.rate)
    power = int(np.floor(np.log10(values.max()))) if (values > 0).any() else 0
    rate.set_ylabel(f"{say('learning rate')} ($\\times 10^{{{power}}}$)")
    marks.line(rate, steps, values / 10.0**power, color=style.TRAINING)
    if not len(steps):
        style.remark(rate, say("no learning rate in this log"))
    rate.set_ylim(bottom=0)
    return figure


def counting_marks(facts: Facts) -> dict[str, float]:
    """The two stronger guesses by counting, on the validation subset that the held-out curve is measured on."""
    names = {"left": "left neighbour", "both": "both neighbours"}
    found = {name: facts.number("guesses", key, "all") for key, name in names.items()}
    return {name: value for name, value in found.items() if value is not None}


def _pairs(axes: Axes, history: History, say: Words) -> None:
    columns = history.columns.pairs
    assert columns is not None
    axes.set_title(say("NSP accuracy"))
    style.percent_axis(axes, say("sentence pairs judged right"))
    ends = marks.mark(axes, history.last_step, 0.5, say("chance"))
    ends += marks.training(axes, history, columns.train, say)
    ends += marks.held_out(axes, history, columns.held_out, say("held-out"), style.HELD_OUT, "-")
    style.label_ends(axes, ends)


def _say_if_empty(axes: Axes, drawn: list[marks.Label], nothing: str) -> None:
    """Say ``nothing`` where nothing was drawn."""
    if not drawn:
        style.remark(axes, nothing)
