"""What a model puts into the blanks of fixed sentences, checkpoint by checkpoint; from evaluate_checkpoints.py."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.figures import style
from pipeline.files.scores import Blank, CheckpointScore, Filled, SplitScores, spaced
from pipeline.formatting import percent
from pipeline.words import Words

COLUMNS = 6  # checkpoints at most
SENTENCE = 3.2  # columns that a sentence is as wide as
RIGHT = "#CFE8DF"  # behind a right answer, which has a frame and a tick too
LONGEST = 18  # characters of a sentence


def predictions(scored: SplitScores, say: Words, font: str | None) -> Figure | None:
    """One row a sentence, one column a checkpoint: the likeliest character, its probability, whether it is right.

    None without such answers, or without a ``font`` that has Chinese characters.
    """
    asked = with_answers(scored)
    if not asked or not scored.sentences or font is None:
        return None
    rows = len(scored.sentences)
    figure, [axes] = style.new_figure(1, 1, 2.2 + 1.45 * len(asked) + 2.4, 1.15 + 0.5 * rows)
    axes.set_title(say("What stands in the blank"))
    axes.set_axis_off()
    axes.set_xlim(0, SENTENCE + len(asked))
    axes.set_ylim(rows, -1)
    family = [style.LATIN, font]
    for place, entry in enumerate(asked):
        head = say("step {step}", step=style.short_step(entry.step))
        axes.text(SENTENCE + place + 0.5, -0.5, head, ha="center", va="center", color=style.QUIET)
    for row, blank in enumerate(scored.sentences):
        axes.axhline(row, color="#E6E6E6", linewidth=0.7)
        axes.text(0.02, row + 0.5, sentence(blank), va="center", fontfamily=family, fontsize=11)
        for place, entry in enumerate(asked):
            assert entry.filled is not None
            _cell(axes, SENTENCE + place, row, entry.filled[row], blank, family)
    return figure


def with_answers(scored: SplitScores) -> list[CheckpointScore]:
    """The checkpoints shown: of those that filled the blanks, at most ``COLUMNS``, evenly by the logarithm of steps."""
    return spaced([entry for entry in scored.checkpoints if entry.filled], COLUMNS)


def sentence(blank: Blank) -> str:
    """The sentence with its blank in brackets, the right character in it where there is one."""
    text = f"{blank.before}［{blank.right or '＿'}］{blank.after}"
    place = len(blank.before)
    start = min(max(place - LONGEST // 2, 0), max(len(text) - LONGEST, 0))
    cut = text[start : start + LONGEST]
    return ("…" if start else "") + cut + ("…" if start + LONGEST < len(text) else "")


def _cell(axes: Axes, left: float, top: float, filled: Filled, blank: Blank, family: list[str]) -> None:
    answer, probability = filled.characters[0], filled.probabilities[0]
    right = answer == blank.right
    if right:
        box = Rectangle((left + 0.06, top + 0.1), 0.88, 0.8, facecolor=RIGHT, edgecolor=style.HAN, linewidth=1.2)
        axes.add_patch(box)
    weight = "bold" if right else "normal"
    axes.text(left + 0.3, top + 0.5, answer, ha="center", va="center", fontfamily=family, fontsize=13, weight=weight)
    told = percent(probability, 0) + (" ✓" if right else "")
    axes.text(left + 0.52, top + 0.5, told, ha="left", va="center", color=style.INK, fontsize=style.LABEL_SIZE)
