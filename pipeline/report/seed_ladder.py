"""The ladder of the seed predictor: regret by sequence, recovery after a return, bits against data (docs/SEED.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.words import Words

COMMITTED_LADDER = Path("results/seed/ladder.json")
Measured = dict[str, Any]  # for JSON


def measured(found: Measured, rung: str) -> Measured:
    """What a rung found, without how it was measured."""
    return {name: row for name, row in found.get(rung, {}).items() if name != "measured"}


def seed_ladder(found: Measured, say: Words) -> Figure:
    """Three panels, two where bits against data were not measured; ``found`` is what study/seed/ladder.py wrote."""
    scaled = measured(found, "scaling")
    widths = (1.2, 1, 1) if scaled else (1.2, 1)
    figure, (regrets, recovery, *scale) = style.new_figure(1, len(widths), 4.4 * len(widths), 4.2, widths)
    rows = measured(found, "sequences")
    names = list(rows)[::-1]
    for key, label, colour, shift in (
        ("regret", say("seed predictor"), style.TRAINING, 0.2),
        ("ppmd_regret", "PPMd", style.BEFORE, -0.2),
    ):
        known = [(place, rows[name][key]) for place, name in enumerate(names) if rows[name][key] is not None]
        regrets.barh([p + shift for p, _ in known], [value for _, value in known], 0.38, color=colour, label=label)
    regrets.set_yticks(range(len(names)), names)
    regrets.set_title(say("Regret over the floor"))
    regrets.set_xlabel(say("bits per symbol"))
    regrets.legend(frameon=False)
    spans = measured(found, "open")["recovery"]
    recovery.bar(list(spans), list(spans.values()), color=style.TRAINING)
    recovery.set_title(say("After a source returns"))
    recovery.set_xlabel(say("symbols since the return"))
    recovery.set_ylabel(say("bits per symbol above the learner alone"))
    for axes in scale:
        for (name, text), colour in zip(scaled.items(), (style.TRAINING, style.HELD_OUT), strict=True):
            axes.plot(text["data"]["ends"], text["data"]["bits"], "o-", color=colour, label=name)
        axes.set_xscale("log", base=2)
        axes.set_title(say("Bits against data"))
        axes.set_xlabel(say("bytes seen"))
        axes.set_ylabel(say("bits per byte"))
        axes.legend(frameon=False)
    return figure
