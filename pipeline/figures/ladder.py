"""Several runs side by side: runs of other lengths (a ladder), other seeds, or other settings."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import labels, style
from pipeline.figures import plot_elements as marks
from pipeline.files.history import History, Role
from pipeline.formatting import Step
from pipeline.words import Words

SEEDS = ("seed", "data_seed")  # settings


@dataclass(frozen=True)
class Run:
    """A history with the name it is shown by."""

    name: str
    history: History

    @property
    def last(self) -> Step:
        return self.history.last_step

    @property
    def length(self) -> Step:
        """Steps of the whole run, which an unfinished one has still to make."""
        total = (self.history.run.get("config") or {}).get("steps")
        return total if isinstance(total, int) else self.last

    @property
    def setting(self) -> str:
        """What runs that differ by their seeds alone have in common."""
        config = self.history.run.get("config") or {}
        return repr({name: value for name, value in config.items() if name not in SEEDS})

    @property
    def finished(self) -> bool:
        return self.last >= self.length

    def end(self, role: Role) -> float | None:
        """The final score on the whole validation split; None where the run is not there yet, or has none."""
        key = self.history.key_of(role) if role in ("held_out", "held_out_loss") else None
        if key is None or not self.finished:
            return None
        return self.history.facts.number("validation", key.removeprefix("eval_"))


def ladder(runs: list[Run], say: Words) -> Figure:
    """The runs' curves, and how well each ends against how long it is; at least two runs.

    Accuracy is held-out where all runs have it, else that of training; runs without any are compared by their losses.
    """
    measure = labels.shown([run.history for run in runs], labels.HELD_OUT_FIRST, say)
    figure, (curves, ends) = style.new_figure(1, 2, 11, 5.1, (1.35, 1))
    ordered = sorted(runs, key=lambda run: (run.length, run.name))
    colours = [mpl.colormaps[style.SEQUENCE](0.72 * place / max(len(ordered) - 1, 1)) for place in range(len(ordered))]
    hexes = [mpl.colors.to_hex(colour) for colour in colours]
    _curves(curves, ordered, hexes, measure, say)
    _ends(ends, ordered, hexes, measure, say)
    return figure


def _curves(axes: Axes, runs: list[Run], colours: list[str], measure: labels.Shown, say: Words) -> None:
    axes.set_title(say("The runs along their steps"))
    labels.vertical(axes, measure)
    first = min((step for run in runs for step in run.history.steps if step > 0), default=1)
    across = labels.steps_on_logarithmic_axis(runs[0].history, say)
    style.log_step_axis(axes, float(first), max(run.last for run in runs), across)
    for run, colour in zip(runs, colours, strict=True):
        steps, values = run.history.points(run.history.key_of(measure.role))
        if not len(steps):
            continue
        mean = marks.smooth(axes, steps, values)
        marks.line(axes, steps, mean, color=colour, linewidth=1.6, label=run.name)
        axes.plot(steps[-1], mean[-1], marker="o", markersize=6, color=colour, markeredgecolor="white", zorder=4)
    style.key(axes, measure.is_share)
    style.remark(axes, say("lines: running means"))


def _ends(axes: Axes, runs: list[Run], colours: list[str], measure: labels.Shown, say: Words) -> None:
    axes.set_title(say("Where each run ends"))
    labels.vertical(axes, measure)
    style.log_step_axis(axes, 0.8 * min(run.length for run in runs), 1.3 * max(run.length for run in runs),
                        say("steps of the whole run (logarithmic)"))  # fmt: skip
    groups: dict[tuple[Step, str, bool], list[float]] = {}
    finished = [run.end(measure.role) for run in runs if run.finished]
    whole = bool(finished) and None not in finished
    for run, colour in zip(runs, colours, strict=True):
        end = run.end(measure.role) if whole else None
        values = run.history.points(run.history.key_of(measure.role))[1]
        if end is None and not len(values):
            continue
        end = marks.smooth_end(values) if end is None else end
        face = colour if run.finished else "white"
        axes.plot(run.length, end, marker="o", markersize=8, color=colour, markerfacecolor=face, linestyle="")
        groups.setdefault((run.length, run.setting, run.finished), []).append(end)
    lengths = [length for length, *_ in groups]
    for (length, *_), reached in groups.items():
        mean = float(np.mean(reached))
        text = (f"{100 * mean:.1f}" if measure.is_share else f"{mean:.3f}") + (
            f" ({len(reached)})" if len(reached) > 1 else ""
        )
        alone = lengths.count(length) == 1  # else the number stands beside its dot, for another dot may be above
        axes.annotate(text, (length, max(reached)), xytext=(0, 8) if alone else (9, 0), textcoords="offset points",
                      ha="center" if alone else "left", va="baseline" if alone else "center",
                      fontsize=style.LABEL_SIZE)  # fmt: skip
    axes.margins(y=0.15)
    remarks = [say("on the whole validation split" if whole else "mean of the last twentieth of the records")]
    if any(len(reached) > 1 for reached in groups.values()):
        remarks.append(say("in brackets: how many runs the number is the mean of"))
    if not all(run.finished for run in runs):
        remarks.append(say("hollow: not finished yet, the mean of its last records"))
    style.remark(axes, "\n".join(remarks))
