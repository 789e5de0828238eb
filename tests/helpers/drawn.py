"""The figures of visualize_results.py as matplotlib holds them, so that tests read what is drawn and not pixels.

The script runs in this process, from the files that a user would give it to those that it writes. Only the rendering is
left out: what is saved as a picture is a number that names the figure, which makes a run a matter of moments.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text

from pipeline.analyse.whole_analysis import analyse
from pipeline.figures import fonts
from pipeline.files.history import History
from pipeline.files.typed_json import to_json
from tests.helpers.tiny import ROOT


@dataclass(frozen=True)
class Drawn:
    """Figures by the name of their files, without the end; what stands in their SVG files; pages; what was printed."""

    figures: dict[str, Figure]
    saved_svg: dict[str, str]
    pages: dict[str, str]
    printed: str

    def __getitem__(self, name: str) -> list[Axes]:
        """The panels of a figure, row by row; the scale of colours, where there is one, last."""
        return self.figures[name].axes


def write_inputs(folder: Path, history: History, name: str = "h", analysis: dict[str, Any] | None = None) -> list[Any]:
    """Write ``history`` and its analysis (made here unless given); gives the options that name them."""
    analysis = to_json(analyse(history, None, "now")) if analysis is None else analysis
    (folder / f"{name}_a.json").write_text(json.dumps(analysis), encoding="utf-8")
    history.write(folder / f"{name}.json")
    return ["--history", folder / f"{name}.json", "--analysis", folder / f"{name}_a.json"]


def draw(output: Path, *options: object) -> Drawn:
    """Run visualize_results.py with ``options``; where it draws Chinese, any font will do, for nothing is rendered."""
    saved: list[Figure] = []

    def save(canvas: FigureCanvasBase, target: Any, **_: Any) -> None:
        saved.append(canvas.figure)
        target.write(str(len(saved) - 1).encode())

    printed = io.StringIO()
    arguments = ["visualize_results.py", *map(str, options), "--output-dir", str(output)]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(FigureCanvasAgg, "print_png", save)
        patch.setattr(FigureCanvasSVG, "print_svg", save)
        patch.setattr(fonts, "FAMILIES", ("DejaVu Sans",))
        patch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / "visualize_results.py"), run_name="__main__")
    assert end.value.code == 0
    figures = {path.name.removesuffix(".png"): saved[int(path.read_text())] for path in output.glob("*.png")}
    pages = {path.name: path.read_text(encoding="utf-8") for path in output.glob("*.html")}
    vectors = {path.name.removesuffix(".svg"): path.read_text() for path in output.glob("*.svg")}
    return Drawn(figures, vectors, pages, printed.getvalue())


# --- what a panel shows


def lines(axes: Axes) -> list[Line2D]:
    """The lines of at least two points; levels across the panel and single marks are left out."""
    return [line for line in axes.lines if len(np.asarray(line.get_xdata())) > 1 and not is_level(line)]


def is_level(line: Line2D) -> bool:
    return line.axes is not None and line.get_transform() != line.axes.transData


def levels(axes: Axes) -> list[float]:
    """The heights of the lines that go across the whole panel."""
    return [float(np.asarray(line.get_ydata())[0]) for line in axes.lines if is_level(line)]


def line_through(axes: Axes, steps: Iterable[float], values: Iterable[float]) -> Line2D:
    """The one line through exactly these points."""
    wanted = np.column_stack([np.array(list(steps), float), np.array(list(values), float)])
    found = [line for line in axes.lines if not is_level(line) and len(np.asarray(line.get_xdata())) == len(wanted)
             and np.allclose(line.get_xydata(), wanted, rtol=1e-9, atol=1e-12)]  # fmt: skip
    assert len(found) == 1, f"{len(found)} lines go through these {len(wanted)} points"
    return found[0]


def colour(artist: Any) -> str:
    """The one colour of a line, of a bar or of a group of dots."""
    if isinstance(artist, Line2D):
        return to_hex(artist.get_color())
    return to_hex(np.atleast_2d(artist.get_facecolor())[0][:3])


def dots(axes: Axes) -> dict[str, np.ndarray]:
    """The dots of each colour, float64 [N, 2]."""
    groups: dict[str, np.ndarray] = {}
    for group in axes.collections:
        if isinstance(group, PathCollection):
            points = np.asarray(group.get_offsets(), float)
            groups[colour(group)] = np.vstack([groups[colour(group)], points]) if colour(group) in groups else points
    return groups


def band(axes: Axes) -> np.ndarray:
    """(x, low, high) along the one filled band, float64 [N, 3]."""
    [filled] = [group for group in axes.collections if isinstance(group, PolyCollection)]
    corners = np.asarray(filled.get_paths()[0].vertices)
    places = np.unique(corners[:, 0])
    return np.array([(x, *(f(corners[corners[:, 0] == x, 1]) for f in (np.min, np.max))) for x in places])


def whiskers(axes: Axes) -> list[tuple[float, float, float]]:
    """(x, low, high) of each error bar, from left to right."""
    segments = [
        np.asarray(part)
        for group in axes.collections
        if isinstance(group, LineCollection)
        for part in group.get_segments()
    ]
    return sorted((float(part[0, 0]), float(part[:, 1].min()), float(part[:, 1].max())) for part in segments)


def bars(axes: Axes) -> list[tuple[float, float, float, str]]:
    """(left, right, height, colour) of each bar, from left to right."""
    found = [(bar.get_x(), bar.get_x() + bar.get_width(), bar.get_height(), colour(bar)) for bar in axes.patches
             if isinstance(bar, Rectangle)]  # fmt: skip
    return sorted(found)


def end_labels(axes: Axes) -> list[tuple[str, str]]:
    """(text, colour) of the labels at the ends of the lines, from the lowest to the highest."""
    found = [text for text in axes.texts if isinstance(text, Annotation) and text.get_horizontalalignment() == "left"
             and text.xycoords == "data"]  # fmt: skip
    return [(text.get_text(), to_hex(text.get_color())) for text in sorted(found, key=lambda text: text.xy[1])]


def label_of(axes: Axes, artist: Any) -> str:
    """The text of the one label in the colour of ``artist``."""
    [text] = [text for text, shade in end_labels(axes) if shade == colour(artist)]
    return text


def remarks(axes: Axes) -> str:
    """The quiet remarks in the corners."""
    return "\n".join(text.get_text() for text in axes.texts
                     if isinstance(text, Annotation) and text.xycoords == "axes fraction")  # fmt: skip


def values_above(axes: Axes) -> list[tuple[float, float, str]]:
    """(x, y, text) of the numbers that stand above bars and points, from left to right."""
    found = [text for text in axes.texts if isinstance(text, Annotation) and text.get_horizontalalignment() == "center"]
    return sorted((float(text.xy[0]), float(text.xy[1]), text.get_text()) for text in found)


def title(axes: Axes) -> str:
    return axes.get_title(loc="left")


def texts(figure: Figure) -> list[str]:
    """All that is written in a figure but the numbers on the axes."""
    of_axes = {id(label) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
               for tick in (*axis.majorTicks, *axis.minorTicks) for label in (tick.label1, tick.label2)}  # fmt: skip
    found = [text for text in figure.findobj(Text) if id(text) not in of_axes]
    return [text.get_text() for text in found if text.get_text()]


# --- counted again, by other means than the pipeline's


def points(history: History, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of the records that have a finite ``key``."""
    pairs = zip(history.records["steps"], history.records.get(key, []), strict=False)
    kept = [(step, value) for step, value in pairs if value is not None and np.isfinite(value)]
    return np.array([step for step, _ in kept], float), np.array([value for _, value in kept], float)


def running_mean(values: Sequence[float], width: int) -> list[float]:
    """Mean over the records within half a ``width`` of each one; near the start the window is shorter on both sides."""
    means = []
    for place in range(len(values)):
        before = min(place, width // 2)
        window = values[place - before : place + before + 1]
        means.append(sum(window) / len(window))
    return means


def proportional_mean(steps: Sequence[float], values: Sequence[float]) -> list[float]:
    """Mean over the records whose step is within a tenth of each one's own."""
    near = [[abs(other - step) <= 0.1 * step * (1 + 1e-12) for other in steps] for step in steps]
    return [float(np.mean(np.asarray(values)[inside])) for inside in near]


def keys(axes: Axes) -> dict[str, Line2D]:
    """The lines that the panel's key names, by their names."""
    return dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
