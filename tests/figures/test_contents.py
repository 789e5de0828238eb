"""What a figure shows, told as numbers and words."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline.figures.contents import as_text, contents
from tests.helpers.drawn import draw, points, write_inputs
from tests.helpers.synthetic import make_history


@pytest.fixture
def figure():
    figure = Figure()
    figure.add_subplot()
    return figure


def test_lines_dots_bars_and_texts_are_told_by_their_numbers(figure):
    [axes] = figure.axes
    axes.plot(np.arange(1000.0), np.arange(1000.0) % 500, color="#ff0000", linestyle="--")
    axes.scatter([1, 2, 3], [0.123456789, 5, 4], color="#00ff00")
    axes.scatter([1, 2], [3, 4], c=[70, 80])
    axes.bar(1, 0.25, 0.5, color="#0000ff", yerr=0.125)
    axes.fill_between([0, 1], [1, 2], [3, 4])
    axes.set_title("name", loc="left")
    axes.set_ylabel("height")
    axes.annotate("label", (1, 1), color="#123456")
    axes.plot([], [], label="in the legend")
    axes.legend(title="of the legend")
    [panel] = contents(figure)
    assert panel["title"] == "name"
    assert panel["axes"] == [["", "linear"], ["height", "linear"]]
    [line, empty] = panel["lines"]
    assert (line["colour"], line["style"]) == ("#ff0000", ["--", "None"])
    assert (line["points"], line["range"]) == (1000, [0, 499])
    assert (line["along"][0], line["along"][-1], len(line["along"])) == ([0, 0], [999, 499], 9)
    assert empty["points"] == 0
    assert panel["bars"] == [{"colour": "#0000ff", "corners": [[0.75, 0], [1.25, 0.25]]}]
    dots, coloured, *others = panel["shapes"]
    assert dots == {"kind": "dots", "colour": "#00ff00", "points": 3, "along": [[1, 0.12346], [2, 5], [3, 4]],
                    "range": [0.12346, 5]}  # fmt: skip
    assert coloured["along"] == [[1, 3, 70], [2, 4, 80]]
    assert {"kind": "whiskers", "corners": [[[1, 0.125], [1, 0.375]]]} in others
    [band] = [shape for shape in others if shape["kind"] == "FillBetweenPolyCollection"]
    assert band["range"] == [1, 4]
    assert panel["texts"] == [["label", "#123456"], ["of the legend", "#000000"], ["in the legend", "#000000"]]


def test_another_list_another_label_and_another_colour_are_other_contents(figure):
    [axes] = figure.axes
    [line] = axes.plot([1, 2, 3], [4, 5, 6])
    text = axes.annotate("label", (1, 1))
    found = [contents(figure)]
    for change in (lambda: line.set_ydata([4, 6, 5]), lambda: line.set_color("red"), lambda: text.set_text("other"),
                   lambda: axes.set_xscale("log")):  # fmt: skip
        change()
        assert contents(figure) not in found
        found.append(contents(figure))


def test_the_text_is_json_with_a_shape_a_line(figure):
    [axes] = figure.axes
    axes.plot([1, 2, 3], [4, 5, 6])
    axes.set_title("损失", loc="left")
    found = {"one": contents(figure), "other": []}
    text = as_text(found)
    assert json.loads(text) == found
    assert "损失" in text
    assert sum('"along"' in line for line in text.splitlines()) == 1


def test_the_script_writes_them_where_it_is_told(tmp_path):
    history = make_history(20)
    drawn = draw(tmp_path / "out", *write_inputs(tmp_path, history), "--contents", tmp_path / "c.json")
    found = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert set(found) == set(drawn.figures)
    accuracy = found["training_curves"][0]
    steps, values = points(history, "eval_mlm_acc")
    ends = [[steps[0], pytest.approx(values[0], rel=1e-4)], [steps[-1], pytest.approx(values[-1], rel=1e-4)]]
    assert ends in [[line["along"][0], line["along"][-1]] for line in accuracy["lines"]]
    assert not list((tmp_path / "out").glob("*.json"))
