"""What the axes are called, by the columns of the history, and what is drawn where there is no training accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from pipeline.figures import style
from pipeline.files.history import History, Role
from pipeline.words import Words

MASKED = "masked characters"
NAMES: dict[Role, tuple[str, str]] = {  # of masked language models, of others
    "accuracy": ("training MLM accuracy", "training accuracy"),
    "held_out": ("held-out MLM accuracy", "held-out accuracy"),
    "loss": ("training loss ({unit})", "training loss ({unit})"),
    "held_out_loss": ("held-out loss ({unit})", "held-out loss ({unit})"),
}
AS_PUBLISHED: tuple[Role, ...] = ("accuracy", "held_out", "loss", "held_out_loss")  # the first that is there is drawn
HELD_OUT_FIRST: tuple[Role, ...] = ("held_out", "accuracy", "held_out_loss", "loss")


@dataclass(frozen=True)
class Shown:
    """A measure that a panel shows: its ``role`` in the history, its ``name``, and whether it is a share of one."""

    role: Role
    name: str
    is_share: bool


def shown(histories: Sequence[History], order: Sequence[Role], say: Words) -> Shown:
    """The first measure in ``order`` that all ``histories`` have; the first of all where they share none."""
    role = next((role for role in order if all(each.key_of(role) for each in histories)), order[0])
    columns = histories[0].columns
    text = NAMES[role][columns.accuracy.of != MASKED]
    return Shown(role, say(text, unit=say(columns.loss.unit)), role in ("accuracy", "held_out"))


def vertical(axes: Axes, measure: Shown) -> None:
    """The vertical axis of a panel that shows ``measure``."""
    if measure.is_share:
        style.percent_axis(axes, measure.name)
    else:
        axes.set_ylabel(measure.name)


def steps(history: History, say: Words) -> str:
    """What the steps count."""
    return say("epoch") if history.columns.step == "epoch" else say("optimizer step")


def beginning_of_a_run(history: History, say: Words) -> str:
    """The length of a part of the run."""
    return say("T (epochs)") if history.columns.step == "epoch" else say("T (optimizer steps)")


def steps_on_logarithmic_axis(history: History, say: Words) -> str:
    return say("epoch (logarithmic)" if history.columns.step == "epoch" else "optimizer step (logarithmic)")


def loss(history: History, say: Words) -> str:
    """What the loss is the sum of, and its unit."""
    columns = history.columns
    if columns.accuracy.of == MASKED and columns.pairs and history.has(columns.pairs.train):
        return say("MLM + NSP cross-entropy (nats)")
    return say("loss ({unit})", unit=say(columns.loss.unit))
