"""What the figures show, in words and numbers, for those who do not see them."""

from __future__ import annotations

from math import isfinite

from pipeline.analyse.schema.analysis import Analysis
from pipeline.files.history import History
from pipeline.formatting import percent, step_text
from pipeline.words import Words


def alternatives(history: History, analysis: Analysis, say: Words) -> dict[str, str]:
    """A text in place of each figure that can be told in a few numbers, by the figure's name."""
    shares = [("training", history.accuracy), ("held-out", history.held_out)]
    losses = [("training", history.loss), ("held-out", history.held_out_loss)]
    accuracy = [said for name, key in shares if (said := _along(history, key, name, "accuracy", say))]
    loss = [said for name, key in losses if (said := _along(history, key, name, "loss", say))]
    return {
        "training_curves": " ".join(accuracy + loss),
        "correlation_analysis": " ".join(_correlations(analysis, say)),
        "loss_analysis": " ".join(loss),
    }


def _along(history: History, key: str | None, name: str, of: str, say: Words) -> str:
    """From which value to which a list goes; empty where it has none."""
    steps, values = history.points(key)
    known = [(step, value) for step, value in zip(steps.tolist(), values.tolist(), strict=True) if isfinite(value)]
    if not known:
        return ""
    (first, start), (last, end) = known[0], known[-1]
    write = percent if of == "accuracy" else "{:.3f}".format
    return say(
        "{name} {of}: {start} at step {first}, {end} at step {last}.",
        name=say(name), of=say(of), start=write(start), end=write(end), first=step_text(first), last=step_text(last),
    )  # fmt: skip


def _correlations(analysis: Analysis, say: Words) -> list[str]:
    found = []
    for name, curve in (("training", analysis.training), ("held-out", analysis.held_out)):
        if curve and curve.pearson.r is not None:
            found.append(say("{name}: Pearson r {r:.3f}, best curve {curve}.", name=say(name), r=curve.pearson.r,
                             curve=say(curve.pearson.curve) if curve.pearson.curve else "-"))  # fmt: skip
    return found
