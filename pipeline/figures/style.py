"""How every figure looks, and how it reaches the disk.

The colours start from Okabe & Ito's palette, which the colour-blind can tell apart, and are darkened or lightened until
those that share a panel differ in lightness too, so that a grey print keeps them apart; lines differ in dash as well.
Pictures hold no date and no version: same data, same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from pipeline.formatting import step_text

DPI = 300
RECORDS = "#8CCBF2"  # light: single records, many of them
TRAINING = "#003F6B"  # dark: their running mean
HELD_OUT = "#D55E00"
HAN = "#00735C"
BEFORE = "#E8A33D"  # what the run is compared with: its records, and its line
BEFORE_LINE = "#8A5200"
CURVE = "#000000"
OTHER = "#7A7A7A"  # further curves
INK = "#262626"  # labels of lines whose own colours are too light for text
QUIET = "#595959"  # chance, guesses, remarks
TOGETHER = (  # colours that share a panel, and must not look alike
    (RECORDS, TRAINING, HELD_OUT, HAN),
    (RECORDS, TRAINING, BEFORE, BEFORE_LINE),
    (RECORDS, CURVE, HELD_OUT),
)
SEQUENCE = "cividis"  # for steps, deciles and runs in order: as even in grey as in colour
LABEL_SIZE = 9
MANY_STEPS = 3000.0  # a logarithmic axis over a larger ratio has no room for 2 and 5 between the powers of ten
HALO = [withStroke(linewidth=3, foreground="white")]  # keeps labels legible over dots and lines
LATIN = "DejaVu Sans"  # comes with matplotlib, so it is the same everywhere

Dash = str | tuple[float, tuple[float, ...]]

mpl.rcParams.update(
    {
        "font.family": LATIN,
        "font.size": 9.5,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E6E6E6",
        "grid.linewidth": 0.7,
        "lines.linewidth": 1.8,
        "svg.fonttype": "path",  # letters are drawn, so that no viewer needs the font
        "svg.hashsalt": "figures",  # names inside the file are the same each time
    }
)


def new_figure(
    rows: int, columns: int, width: float, height: float, widths: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure of ``width`` x ``height`` inches and its axes, row by row."""
    engine = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1, wspace=0.05, hspace=0.05)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=engine)
    return figure, list(figure.subplots(rows, columns, squeeze=False, width_ratios=widths).flat)


def step_axis(axes: Axes, last_step: float, label: str) -> None:
    """The horizontal axis of all curves over a run."""
    axes.set_xlim(0, last_step * 1.02 or 1)
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: short_step(step)))


def log_step_axis(axes: Axes, first_step: float, last_step: float, label: str) -> None:
    """A logarithmic horizontal axis with steps written out: 1, 2, 5, 10, or 1, 10, 100 where that would be too many."""
    axes.set_xlabel(label)
    if last_step <= 0:  # a run of one record, at step 0
        return
    axes.set_xscale("log")
    if 0 < first_step < last_step:
        axes.set_xlim(first_step * 0.95, last_step * 1.05)
    many = first_step > 0 and last_step / first_step > MANY_STEPS
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1,) if many else (1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: short_step(step)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def percent_axis(axes: Axes, label: str) -> None:
    """A vertical axis for shares of one."""
    axes.set_ylabel(f"{label} (%)")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(100 * share, 6):g}"))


def step_colours(figure: Figure, axes: Axes, dots: Any, label: str) -> None:
    """The scale of dots that are coloured by step."""
    bar = figure.colorbar(dots, ax=axes, label=label, format=FuncFormatter(lambda step, _: short_step(step)))
    bar.outline.set_visible(False)


def short_step(step: float) -> str:
    """``2,400``, or ``20K`` and ``2.5K`` where that says the same."""
    return f"{step / 1000:g}K" if step >= 1000 and step % 100 == 0 else step_text(step)


def remark(axes: Axes, text: str, *, top: bool = False) -> None:
    """A quiet remark in the lower right corner, where a rising curve leaves room, or in the upper one."""
    height, side = (0.97, "top") if top else (0.03, "bottom")
    axes.annotate(text, (0.99, height), xycoords="axes fraction", ha="right", va=side, color=QUIET, linespacing=1.4,
                  fontsize=LABEL_SIZE, path_effects=HALO)  # fmt: skip


def label_ends(axes: Axes, labels: Sequence[tuple[float, float, str, str]], lines: int = 1) -> None:
    """Write labels (x, y, text, colour) of so many lines at the right of their points, moved apart where too close."""
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)
    height = axes.bbox.height * 72 / axes.figure.dpi  # in points, before the layout
    least = (top - bottom) * lines * 1.35 * LABEL_SIZE / height
    ordered = sorted(labels, key=lambda label: label[1])
    places = spread([label[1] for label in ordered], least)
    for (x, _, text, colour), place in zip(ordered, places, strict=True):
        axes.annotate(text, (x, place), xytext=(6, 0), textcoords="offset points", color=colour, va="center",
                      fontsize=LABEL_SIZE, annotation_clip=False, path_effects=HALO)  # fmt: skip


def key(axes: Axes, rising: bool) -> None:
    """A key of the named lines, in the upper corner that rising or falling curves leave free.

    For lines that end within the panel, where a label at the end would stand on other curves.
    """
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left" if rising else "upper right", frameon=False, fontsize=LABEL_SIZE)


def spread(places: Sequence[float], least: float) -> list[float]:
    """Rising ``places`` moved as little as may be so that neighbours are at least ``least`` apart."""
    groups: list[list[float]] = []  # [centre, number of places]
    for place in places:
        groups.append([place, 1])
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < least * (groups[-1][1] + groups[-2][1]) / 2:
            centre, number = groups.pop()
            before, others = groups.pop()
            groups.append([(centre * number + before * others) / (number + others), number + others])
    return [centre + (rank - (number - 1) / 2) * least for centre, number in groups for rank in range(int(number))]


@contextmanager
def lettering(font: str | None) -> Iterator[None]:
    """Draw and save in ``font``, the Latin one where that lacks a letter; None is the Latin one alone.

    Ticks are made as late as the saving, so both must happen inside.
    """
    with mpl.rc_context({"font.family": LATIN if font is None else [font, LATIN], "axes.unicode_minus": font is None}):
        yield


def pictures(figure: Figure) -> dict[str, bytes]:
    """``figure`` as the bytes of a PNG and of an SVG file, by the end of the name."""
    # Not by savefig, which draws the whole figure twice for each kind, once to lay out what has been laid out.
    png, svg = io.BytesIO(), io.BytesIO()
    FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})
    figure.set_layout_engine("none")  # it has its layout now
    FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    figure.set_dpi(DPI)
    return {"png": png.getvalue(), "svg": svg.getvalue()}
