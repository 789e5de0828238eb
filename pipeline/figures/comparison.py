"""A shorter run against this one; without one, the first half of this run against the whole.

r is of training accuracy, as published. The tenths are of held-out accuracy where two runs both have it: they may have
been trained on different text, and then training accuracy only tells how well each knows its own.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pipeline.figures import labels, style
from pipeline.figures import plot_elements as marks
from pipeline.files.history import History
from pipeline.statistics.correlation import plain_r
from pipeline.words import Words

HATCH = "///"
ROOM = 0.14  # above the curves, for their key, as a share of the panel


def comparison(history: History, baseline: History | None, say: Words) -> Figure:
    figure, (curves, tenths) = style.new_figure(1, 2, 11, 5.1, (1.15, 1))
    both = [history] if baseline is None else [history, baseline]
    measure = labels.shown(both, labels.AS_PUBLISHED, say)
    steps, values = history.points(history.key_of(measure.role))
    last, along = history.last_step, labels.steps(history, say)
    if baseline is None:
        early = steps <= last / 2
        before, before_last = (steps[early], values[early]), last / 2
        marks.dots(curves, steps[~early], values[~early])
        names = (say("first half"), say("whole run"))
        curves.set_title(say("First half against the whole run (no baseline run given)"))
    else:
        before, before_last = baseline.points(baseline.key_of(measure.role)), baseline.last_step
        marks.dots(curves, steps, values)
        names = (
            say("baseline, {steps} steps", steps=style.short_step(before_last)),
            say("this run, {steps} steps", steps=style.short_step(last)),
        )
        curves.set_title(say("Baseline run against this run"))
    whole = max(last, before_last)
    labels.vertical(curves, measure)
    style.step_axis(curves, whole, along)
    marks.dots(curves, *before, style.BEFORE)
    _straight_line(curves, names[0], *before, (style.BEFORE_LINE, "-"), say)
    _straight_line(curves, names[1], steps, values, (style.TRAINING, marks.DASHES), say)
    bottom, top = curves.get_ylim()
    curves.set_ylim(bottom, top + ROOM * (top - bottom))
    style.key(curves, measure.is_share)
    style.remark(curves, say("r depends on how long a run is;\nit does not rank runs of different lengths"),
                 top=not measure.is_share)  # fmt: skip

    best = labels.shown(both, labels.AS_PUBLISHED if baseline is None else labels.HELD_OUT_FIRST, say)
    what = "Mean accuracy in each tenth of the steps" if best.is_share else "Mean loss in each tenth of the steps"
    tenths.set_title(say(what))
    labels.vertical(tenths, best)
    style.step_axis(tenths, whole, along)
    edges = np.linspace(0, whole, 11)
    own = history.points(history.key_of(best.role))
    if baseline is None:
        _bars(tenths, edges, *own, (0.0, 1.0), [style.BEFORE] * 5 + [style.RECORDS] * 5, best)
    else:
        _bars(tenths, edges, *baseline.points(baseline.key_of(best.role)), (0.0, 0.5), [style.BEFORE] * 10, best)
        _bars(tenths, edges, *own, (0.5, 1.0), [style.RECORDS] * 10, best)
    _key(tenths, names)
    return figure


def _key(axes: Axes, names: tuple[str, str]) -> None:
    """Which bars are whose, above the bars."""
    looks = ((style.BEFORE, HATCH), (style.RECORDS, None))
    patches = [Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0, label=name)
               for (colour, hatch), name in zip(looks, names, strict=True)]  # fmt: skip
    axes.margins(y=0.22)
    axes.legend(handles=patches, loc="upper left", ncols=2, frameon=False, fontsize=style.LABEL_SIZE)


def _straight_line(
    axes: Axes, name: str, steps: np.ndarray, accuracy: np.ndarray, look: tuple[str, style.Dash], say: Words
) -> None:
    """The least-squares line through finite points (float [N] each) and its r; nothing where r is not defined."""
    r = plain_r(steps, accuracy)
    if r is None:
        return
    b, a = np.polyfit(steps, accuracy, 1)
    ends = steps[[0, -1]]
    colour, dash = look
    label = say("{name}, r = {r:.3f}", name=name, r=r)
    axes.plot(ends, a + b * ends, color=colour, linestyle=dash, linewidth=2.2, label=label)


def _bars(
    axes: Axes,
    edges: np.ndarray,
    steps: np.ndarray,
    values: np.ndarray,
    share: tuple[float, float],
    colours: list[str],
    measure: labels.Shown,
) -> None:
    """Mean of ``values`` between each two ``edges``, as bars over the given share of the width, with their numbers.

    ``steps`` and ``values`` are finite points, float [N] each; ``edges``: steps, float [bars + 1].
    """
    width = edges[1] - edges[0]
    for left, right, colour in zip(edges, edges[1:], colours, strict=False):
        inside = (steps > left) & (steps <= right)
        if not inside.any():
            continue
        mean = float(values[inside].mean())
        begin, wide = left + width * (0.06 + 0.88 * share[0]), width * 0.88 * (share[1] - share[0])
        hatch = HATCH if colour == style.BEFORE else None  # a grey print tells the two by it
        axes.bar(begin, mean, wide, align="edge", color=colour, hatch=hatch, edgecolor="white", linewidth=0)
        digits = (1 if measure.is_share else 2) - (share != (0.0, 1.0))
        text = f"{100 * mean if measure.is_share else mean:.{digits}f}"
        axes.annotate(text, (begin + wide / 2, mean), xytext=(0, 2), textcoords="offset points", ha="center",
                      fontsize=8)  # fmt: skip
    axes.grid(axis="x", visible=False)
