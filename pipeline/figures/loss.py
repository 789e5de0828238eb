"""Loss against step on a logarithmic axis, and accuracy against loss."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures import plot_elements as marks
from pipeline.figures import style
from pipeline.files.history import History
from pipeline.words import Words


def loss_analysis(history: History, say: Words) -> Figure:
    figure, (loss, relation) = style.new_figure(1, 2, 11, 5.1, (1.15, 1))
    columns = history.columns
    values = history.points(columns.loss.train)[1]
    steps = history.records["steps"]
    change = say(": {first:.3f} to {last:.3f}", first=values[0], last=values[-1]) if len(values) > 1 else ""
    loss.set_title(say("Loss against step") + change)
    loss.set_ylabel(say("MLM + NSP cross-entropy (nats)"))
    style.log_step_axis(loss, float(steps[0]), steps[-1], say("optimizer step (logarithmic)"))
    labels = marks.training(loss, history, columns.loss.train, say)
    labels += marks.held_out(loss, history, columns.loss.held_out, say("held-out"), style.HELD_OUT, "-")
    style.label_ends(loss, labels)

    relation.set_title(say("Accuracy against loss"))
    style.percent_axis(relation, say("training MLM accuracy"))
    relation.set_xlabel(say("training loss (nats)"))
    all_steps, losses, accuracy = (history.series(key) for key in ("steps", columns.loss.train, history.accuracy))
    both = np.flatnonzero(np.isfinite(losses) & np.isfinite(accuracy))
    both = both[:: -(-len(both) // marks.MOST_DOTS) or 1]
    scatter = relation.scatter(losses[both], accuracy[both], c=all_steps[both], s=10, cmap=style.SEQUENCE, vmin=0)
    style.step_colours(figure, relation, scatter, say("optimizer step"))
    return figure
