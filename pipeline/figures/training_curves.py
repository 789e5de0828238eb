"""Accuracy, loss, NSP and learning rate over the run."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures import plot_elements as marks
from pipeline.figures import style
from pipeline.files.history import History
from pipeline.words import Words


def training_curves(history: History, guesses: dict[str, float], say: Words) -> Figure:
    """``guesses`` are accuracies by counting, by name (a text of words.py), drawn as marks."""
    figure, (accuracy, loss, nsp, rate) = style.new_figure(2, 2, 11, 7.6)
    last, columns = history.last_step, history.columns
    for axes in (accuracy, loss, nsp, rate):
        style.step_axis(axes, last, say("optimizer step"))

    accuracy.set_title(say("MLM accuracy"))
    style.percent_axis(accuracy, say("masked characters guessed right"))
    labels = marks.training(accuracy, history, columns.accuracy.train, say)
    labels += marks.held_out(accuracy, history, columns.accuracy.held_out, say("held-out"), style.HELD_OUT, "-")
    labels += marks.held_out(
        accuracy, history, columns.accuracy.held_out_han, say("held-out, Han"), style.HAN, marks.DASHES
    )
    for name, value in guesses.items():
        labels += marks.mark(accuracy, last, value, say(name))
    if guesses:
        style.remark(accuracy, say("dotted: guesses by counting, on all targets"))
    accuracy.set_ylim(bottom=0)
    style.label_ends(accuracy, labels)

    loss.set_title(say("Loss"))
    loss.set_ylabel(say("MLM + NSP cross-entropy (nats)"))
    labels = marks.training(loss, history, columns.loss.train, say)
    labels += marks.held_out(loss, history, columns.loss.held_out, say("held-out"), style.HELD_OUT, "-")
    style.remark(loss, say("dots: records, line: their running mean"), top=True)
    style.label_ends(loss, labels)

    nsp.set_title(say("NSP accuracy"))
    style.percent_axis(nsp, say("sentence pairs judged right"))
    labels = []
    if columns.pairs and history.has(columns.pairs.train):
        labels += marks.mark(nsp, last, 0.5, say("chance"))
        labels += marks.training(nsp, history, columns.pairs.train, say)
        labels += marks.held_out(nsp, history, columns.pairs.held_out, say("held-out"), style.HELD_OUT, "-")
    if not labels:
        style.remark(nsp, say("no sentence pairs in this run"))
    style.label_ends(nsp, labels)

    rate.set_title(say("Learning rate"))
    steps, values = history.points(columns.rate)
    power = int(np.floor(np.log10(values.max()))) if (values > 0).any() else 0
    rate.set_ylabel(f"{say('learning rate')} ($\\times 10^{{{power}}}$)")
    marks.line(rate, steps, values / 10.0**power, color=style.TRAINING)
    rate.set_ylim(bottom=0)
    return figure
