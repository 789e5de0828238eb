"""What figures show, as numbers and words: lines, dots, bars, whiskers, bands and texts, panel by panel.

Pixels depend on the fonts and libraries of the machine that draws; these numbers do not. So a change of what a picture
shows is seen in a diff, and a committed picture can be held to what the same data give on another machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

WAYPOINTS = 9  # points of a line or of a group of dots that are told, evenly spread, the first and the last among them
DIGITS = 5  # significant ones
LEVELS = 4  # of a file of contents that are spread over lines: figure, panel, kind, and one shape a line
Panel = dict[str, Any]  # for JSON


def contents(figure: Figure) -> list[Panel]:
    """The panels of ``figure``, each as an object for JSON; coordinates are those of the data, not of the paper.

    A line and a group of dots are told by ``points`` (how many), ``along`` (a few of them; a third number is what their
    colour stands for) and ``range`` (least and greatest height), all else by its corners. What is drawn first stands
    first.
    """
    return [_panel(axes) for axes in figure.axes]


def as_text(figures: Mapping[str, list[Panel]]) -> str:
    """The contents of figures by name, as JSON with one line for each shape and text."""
    return _spread(dict(figures), 0) + "\n"


def _panel(axes: Axes) -> Panel:
    legend = axes.get_legend()
    in_legend = [] if legend is None else [legend.get_title(), *legend.texts]
    return {
        "title": axes.get_title(loc="left"),
        "axes": [[axis.get_label_text(), axis.get_scale()] for axis in (axes.xaxis, axes.yaxis)],
        "lines": [
            {
                "colour": to_hex(line.get_color()),
                "style": [str(line.get_linestyle()), str(line.get_marker())],
                **_points(np.asarray(line.get_xydata(), dtype=np.float64)),
            }
            for line in axes.lines
        ],
        "bars": [
            {
                "colour": to_hex(bar.get_facecolor()),
                "corners": _rounded(bar.get_path().get_extents(bar.get_patch_transform()).get_points()),
            }
            for bar in axes.patches
        ],
        "shapes": [_shape(group) for group in axes.collections],
        "texts": [[text.get_text(), to_hex(text.get_color())] for text in (*axes.texts, *in_legend) if text.get_text()],
    }


def _shape(group: Collection) -> Panel:
    """Dots, whiskers or a band; of another collection, such as a scale of colours, its name."""
    if isinstance(group, PathCollection):
        points, scale = np.asarray(group.get_offsets(), dtype=np.float64), group.get_array()
        if scale is not None:
            return {"kind": "dots", **_points(np.column_stack([points, scale]))}
        return {
            "kind": "dots",
            "colour": to_hex(np.atleast_2d(np.asarray(group.get_facecolor()))[0].tolist()),
            **_points(points),
        }
    if isinstance(group, LineCollection):
        return {"kind": "whiskers", "corners": [_rounded(segment) for segment in group.get_segments()]}
    paths = group.get_paths()
    return {"kind": type(group).__name__, **(_points(np.asarray(paths[0].vertices)) if len(paths) == 1 else {})}


def _points(points: np.ndarray) -> Panel:
    """``points`` is float64 [N, 2] or [N, 3]: x, y and what the colour stands for."""
    if not len(points):
        return {"points": 0}
    chosen = np.linspace(0, len(points) - 1, min(WAYPOINTS, len(points))).round().astype(int)
    heights = points[:, 1]
    return {
        "points": len(points),
        "along": _rounded(points[chosen]),
        "range": _rounded(np.array([heights.min(), heights.max()])),
    }


def _rounded(values: np.ndarray) -> list[Any]:
    round_one = np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"), otypes=[np.float64])
    return list(round_one(values).tolist())


def _spread(value: Any, level: int) -> str:
    if level == LEVELS or not isinstance(value, (dict, list)) or not value:
        return json.dumps(value, ensure_ascii=False)
    margin = " " * (level + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_spread(each, level + 1)}" for key, each in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [_spread(each, level + 1) for each in value]
        opening, closing = "[", "]"
    return f"{opening}\n{margin}" + f",\n{margin}".join(parts) + f"\n{' ' * level}{closing}"
