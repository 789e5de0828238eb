"""How accuracy depends on how often a character was seen, checkpoint by checkpoint; from evaluate_checkpoints.py."""

from __future__ import annotations

from math import sqrt

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import plot_elements as marks
from pipeline.figures import style
from pipeline.files.scores import CheckpointScore, GroupKind, MlmScore, SplitScores
from pipeline.words import Words

GUESSES = {"left": ("left neighbour", "s"), "both": ("both neighbours", "D")}  # those that see a neighbour: name, mark
CLASSES = {"han": "Han", "latin": "Latin"}  # the others are called what they are
EARLY, FEW = 0.01, 3  # so many checkpoints in the first hundredth of a run ask for a logarithmic axis
KIND: GroupKind = "by_text_decile"


def deciles(scored: SplitScores, say: Words) -> Figure | None:
    """Accuracy by frequency decile along the checkpoints of one split, at the last one, and by class of token.

    None where no checkpoint has an accuracy by decile.
    """
    checkpoints = [entry for entry in scored.checkpoints if _accuracies(entry.mlm, KIND)]
    if not checkpoints:
        return None
    figure, (along, final, classes) = style.new_figure(1, 3, 14, 5.1, (1.1, 1, 1))
    names = list(_accuracies(checkpoints[-1].mlm, KIND))
    tenths = [name for name in names if name.isdigit()]
    colours = {name: mpl.colors.to_hex(mpl.colormaps[style.SEQUENCE](0.72 * (1 - (int(name) - 1) / 9)))
               for name in tenths}  # fmt: skip
    along.set_title(say("Han accuracy by decile of frequency"))
    _lines(along, checkpoints, KIND, {name: (_decile_name(name, say), colours[name]) for name in tenths}, say)
    _final(final, scored, checkpoints[-1], tenths, colours, say)
    classes.set_title(say("Accuracy by class of token"))
    groups = list(_accuracies(checkpoints[-1].mlm, "by_class"))
    shades = [style.TRAINING, style.HELD_OUT, style.HAN, style.BEFORE_LINE, style.OTHER, style.CURVE]
    looks = {name: (say(CLASSES.get(name, name)), shades[place % len(shades)]) for place, name in enumerate(groups)}
    _lines(classes, checkpoints, "by_class", looks, say)
    return figure


def _accuracies(mlm: MlmScore, kind: GroupKind) -> dict[str, float]:
    """Accuracy (a share of one) by the name of the group, over the groups that have targets."""
    return {name: group.accuracy for name, group in mlm.by(kind).items() if group.accuracy is not None}


def _decile_name(name: str, say: Words) -> str:
    if name == "1":
        return say("1 (rarest)")
    return say("10 (commonest)") if name == "10" else name


def _lines(
    axes: Axes, checkpoints: list[CheckpointScore], kind: GroupKind, looks: dict[str, tuple[str, str]], say: Words
) -> None:
    """A line along the checkpoints for each group of ``kind``; ``looks`` gives its label and colour by name."""
    style.percent_axis(axes, say("held-out characters guessed right"))
    steps = sorted(entry.step for entry in checkpoints if entry.step > 0)
    if sum(step < EARLY * steps[-1] for step in steps) >= FEW:
        style.log_step_axis(axes, float(steps[0]), steps[-1], say("optimizer step (logarithmic)"))
        checkpoints = [entry for entry in checkpoints if entry.step > 0]
    else:
        style.step_axis(axes, checkpoints[-1].step, say("optimizer step"))
    dashes: list[style.Dash] = ["-", marks.DASHES, marks.DASH_DOT, marks.DOTS]
    labels = []
    for place, (name, (shown, colour)) in enumerate(looks.items()):
        points = [(entry.step, _accuracies(entry.mlm, kind).get(name)) for entry in checkpoints]
        known = [(step, value) for step, value in points if value is not None]
        if not known:
            continue
        dash = "-" if kind == KIND else dashes[place % len(dashes)]
        axes.plot(*zip(*known, strict=True), color=colour, linestyle=dash, marker="o", markersize=3)
        labels.append((float(known[-1][0]), known[-1][1], shown, style.INK if kind == KIND else colour))
    axes.set_ylim(bottom=0)
    style.label_ends(axes, labels)


def _final(
    axes: Axes, scored: SplitScores, entry: CheckpointScore, tenths: list[str], colours: dict[str, str], say: Words
) -> None:
    """Bars of the last checkpoint with binomial intervals, and what counting alone gets on the same targets."""
    axes.set_title(say("At step {step}, and by counting", step=style.short_step(entry.step)))
    style.percent_axis(axes, say("held-out characters guessed right"))
    axes.set_xlabel(say("tenth of the running text, rarest characters first"))
    accuracies, groups = _accuracies(entry.mlm, KIND), entry.mlm.by(KIND)
    for name in tenths:
        accuracy = accuracies[name]
        error = 1.96 * sqrt(max(accuracy * (1 - accuracy), 0) / max(groups[name].targets, 1))
        whisker = {"elinewidth": 1.2, "capsize": 2.5, "ecolor": "#8A8A8A"}
        axes.bar(int(name), accuracy, 0.8, color=colours[name], yerr=error, error_kw=whisker)
    for guess, (name_of_guess, shape) in GUESSES.items():
        known = _accuracies(scored.guesses[guess], KIND) if guess in scored.guesses else {}
        points = [(int(name), known[name]) for name in tenths if name in known]
        if points:
            axes.plot(*zip(*points, strict=True), linestyle="", marker=shape, markersize=5, markerfacecolor="white",
                      color=style.CURVE, label=say(name_of_guess))  # fmt: skip
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="upper left", fontsize=style.LABEL_SIZE, title=say("by counting"),
                    title_fontsize=style.LABEL_SIZE)  # fmt: skip
    axes.set_xticks([int(name) for name in tenths])
    axes.grid(axis="x", visible=False)
