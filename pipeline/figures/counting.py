"""From counting to context: how much of what a model answers is what counting answers, checkpoint by checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import plot_elements as marks
from pipeline.figures import style
from pipeline.files.scores import CheckpointScore, CountingComparison, SplitScores
from pipeline.words import Words

FEWEST = 2  # checkpoints that make a line
SPREAD = 8.0  # from the first step to the last: so far apart they are drawn against a logarithmic axis
GUESSES: dict[str, tuple[str, str, style.Dash]] = {  # name, colour and dash of each
    "commonest": ("commonest character", style.OTHER, marks.DOTS),
    "left": ("left neighbour", style.HELD_OUT, marks.DASHES),
    "both": ("both neighbours", style.HAN, "-"),
}


def counting(scored: SplitScores, say: Words) -> Figure | None:
    """Agreement with each counting guess, and the divergence from it, along the checkpoints of one split.

    None where fewer than two trained checkpoints were compared with counting.
    """
    compared = [entry for entry in scored.checkpoints if entry.step > 0 and entry.counting]
    if len(compared) < FEWEST:
        return None
    figure, (agreement, divergence) = style.new_figure(1, 2, 11.5, 4.8)
    agreement.set_title(say("Answers that counting gives too"))
    style.percent_axis(agreement, say("share of the held-out targets"))
    _lines(agreement, compared, lambda found: found.agreement, say)
    known = [(entry.step, entry.mlm.accuracy) for entry in compared if entry.mlm.accuracy is not None]
    if known:
        agreement.plot(
            *zip(*known, strict=True), color=style.TRAINING, marker="o", markersize=3, label=say("right answers")
        )
    divergence.set_title(say("How far its probabilities are from those of counting"))
    divergence.set_ylabel(say("KL(counting || model), nats"))
    _lines(divergence, compared, lambda found: found.divergence, say)
    for axes in (agreement, divergence):
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=style.LABEL_SIZE)
    return figure


def _lines(
    axes: Axes,
    compared: Sequence[CheckpointScore],
    values: Callable[[CountingComparison], dict[str, float | None]],
    say: Words,
) -> None:
    """One line a guess; a guess without a value at any checkpoint is left out."""
    first, last = compared[0].step, compared[-1].step
    if last >= SPREAD * first:
        style.log_step_axis(axes, float(first), last, say("optimizer step (logarithmic)"))
    else:
        style.step_axis(axes, last, say("optimizer step"))
    for guess, (name, colour, dash) in GUESSES.items():
        points = [(entry.step, values(entry.counting).get(guess)) for entry in compared if entry.counting]
        known = [(step, value) for step, value in points if value is not None]
        if known:
            axes.plot(
                *zip(*known, strict=True), color=colour, linestyle=dash, marker="o", markersize=3, label=say(name)
            )
