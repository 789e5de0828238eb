"""Loss against step on a logarithmic axis, and accuracy against loss."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures import labels, style
from pipeline.figures import plot_elements as marks
from pipeline.files.history import History, Role
from pipeline.words import Words


def loss_analysis(history: History, say: Words) -> Figure:
    figure, (loss, relation) = style.new_figure(1, 2, 11, 5.1, (1.15, 1))
    columns = history.columns
    values = history.points(history.loss)[1]
    change = say(": {first:.3f} to {last:.3f}", first=values[0], last=values[-1]) if len(values) > 1 else ""
    loss.set_title(say("Loss against step") + change)
    loss.set_ylabel(labels.loss(history, say))
    first = next((step for step in history.steps if step > 0), 1)
    style.log_step_axis(loss, float(first), history.last_step, labels.steps_on_logarithmic_axis(history, say))
    ends = marks.training(loss, history, columns.loss.train, say)
    ends += marks.held_out(loss, history, columns.loss.held_out, say("held-out"), style.HELD_OUT, "-")
    if not ends:
        style.remark(loss, say("no loss in this log"))
    style.label_ends(loss, ends)

    relation.set_title(say("Accuracy against loss"))
    on_held_out = not (history.accuracy and history.loss) and history.held_out and history.held_out_loss
    roles: tuple[Role, Role] = ("held_out", "held_out_loss") if on_held_out else ("accuracy", "loss")
    accuracy, its_loss = (labels.shown([history], [role], say) for role in roles)
    labels.vertical(relation, accuracy)
    relation.set_xlabel(its_loss.name)
    steps, shares, losses = (history.series(key) for key in ("steps", *map(history.key_of, roles)))
    both = np.flatnonzero(np.isfinite(losses) & np.isfinite(shares))
    if not len(both):
        style.remark(relation, say("no accuracy beside the loss in this log"))
    both = both[:: -(-len(both) // marks.MOST_DOTS) or 1]
    scatter = relation.scatter(losses[both], shares[both], c=steps[both], s=10, cmap=style.SEQUENCE, vmin=0)
    style.step_colours(figure, relation, scatter, labels.steps(history, say))
    return figure
