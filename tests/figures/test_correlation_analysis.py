"""correlation_analysis: dots, curves, band and r held to the history and to what stands in the analysis file."""

import numpy as np
import pytest

from pipeline.analyse.whole_analysis import analyse
from pipeline.figures.correlation import correlation_analysis
from pipeline.words import figure_words
from tests.helpers.drawn import (
    band,
    colour,
    dots,
    draw,
    end_labels,
    label_of,
    line_through,
    lines,
    points,
    remarks,
    title,
    write_inputs,
)
from tests.helpers.said import numbers
from tests.helpers.synthetic import make_history


@pytest.fixture
def scatter(patchy):
    return patchy.drawn["correlation_analysis"][0]


@pytest.fixture
def horizon(patchy):
    return patchy.drawn["correlation_analysis"][1]


def curve_at(name, p, steps):
    """The four curves, by the parameters of the analysis file."""
    if name == "linear":
        return p["a"] + p["b"] * steps
    if name == "log":
        return p["a"] + p["b"] * np.log(steps)
    if name == "exponential":
        return p["a"] - p["b"] * np.exp(-steps / p["tau"])
    return p["a"] - p["b"] * (1 + steps / p["shift"]) ** -p["exponent"]


def test_every_record_is_a_dot_and_the_title_is_their_r(patchy, scatter):
    steps, accuracy = points(patchy.history, "mlm_acc")
    [found] = dots(scatter).values()
    assert found == pytest.approx(np.column_stack([steps, accuracy]))
    assert numbers(title(scatter)) == [round(np.corrcoef(steps, accuracy)[0, 1], 3)]
    assert scatter.yaxis.get_major_formatter()(0.255, 0) == "25.5"


def test_the_curves_are_those_of_the_analysis_and_the_best_alone_is_solid(patchy, scatter):
    fits = patchy.analysis["fits"]
    along = lines(scatter)[0].get_xdata()
    assert (along[0], along[-1]) == (patchy.history.records["steps"][0], 4000)
    drawn = {name: line_through(scatter, along, curve_at(name, fit["parameters"], along)) for name, fit in fits.items()}
    assert len(lines(scatter)) == len(fits) == 4
    assert [name for name in fits if drawn[name].get_linestyle() == "-"] == [next(iter(fits))]
    assert len({str(line._unscaled_dash_pattern) for line in drawn.values()}) == 4
    labels = [text for text, _ in end_labels(scatter)]
    by_height = sorted(fits, key=lambda name: drawn[name].get_ydata()[-1])
    for name, text in zip(by_height, labels, strict=True):
        assert name in text
        assert numbers(text.split("R^2$")[1]) == [round(fits[name]["r_squared"], 3)]


def test_the_band_spans_twice_1_96_standard_deviations_of_the_records_around_the_best_curve(patchy, scatter):
    steps, accuracy = points(patchy.history, "mlm_acc")
    name, fit = next(iter(patchy.analysis["fits"].items()))
    away = accuracy - curve_at(name, fit["parameters"], steps)
    half = 1.96 * np.sqrt(np.mean((away - away.mean()) ** 2))
    x, low, high = band(scatter).T
    assert (high - low) / 2 == pytest.approx(np.full(len(x), half))
    assert (high + low) / 2 == pytest.approx(curve_at(name, fit["parameters"], x))
    inside = np.abs(away) < half
    assert 0.9 < inside.mean() < 1


def test_the_remarks_count_the_records_and_give_the_interval_of_r(patchy, scatter):
    found = numbers(remarks(scatter))
    r = patchy.analysis["pearson"]
    low, high = r["interval_autocorrelation"]
    assert found == [99, 95, round(low, 3), round(high, 3), 95]


def test_r_over_the_first_steps_of_training_and_of_what_was_held_out(patchy, horizon):
    ends = {}
    for name, section in (("training", patchy.analysis), ("held-out", patchy.analysis["held_out"])):
        parts = [part for part in section["horizon"]["first"] if part["r"] is not None]
        line = line_through(horizon, [part["until"] for part in parts], [part["r"] for part in parts])
        text = label_of(horizon, line)
        assert name in text
        assert numbers(text.splitlines()[1]) == [round(parts[-1]["r"], 3)]
        ends[name] = colour(line)
    assert len(set(ends.values())) == 2
    key = {"training": "mlm_acc", "held-out": "eval_mlm_acc"}
    for name, colour_of_line in ends.items():
        steps, values = points(patchy.history, key[name])
        [line] = [line for line in lines(horizon) if colour(line) == colour_of_line]
        assert line.get_ydata()[-1] == pytest.approx(np.corrcoef(steps, values)[0, 1])


def test_r_of_the_second_half_is_drawn_across_its_steps(patchy, horizon):
    part = patchy.analysis["horizon"]["second_half"]
    line_through(horizon, (part["after"], part["until"]), (part["r"], part["r"]))
    [text] = [text for text, _ in end_labels(horizon) if "2K" in text]
    assert numbers(text.splitlines()[1]) == [round(part["r"], 3)]
    steps, accuracy = points(patchy.history, "mlm_acc")
    late = steps > 2000
    assert part["r"] == pytest.approx(np.corrcoef(steps[late], accuracy[late])[0, 1])
    assert horizon.get_ylim()[1] == 1
    assert len(lines(horizon)) == len(end_labels(horizon)) == 3


def test_constant_accuracy_has_dots_and_no_curve(tmp_path):
    history = make_history(20)
    history.records["mlm_acc"] = [0.25] * 20
    scatter, horizon = draw(tmp_path, *write_inputs(tmp_path, history))["correlation_analysis"]
    assert lines(scatter) == []
    assert numbers(title(scatter)) == []
    assert [len(found) for found in dots(scatter).values()] == [20]
    assert all("training" not in text for text, _ in end_labels(horizon))


def test_one_record_is_one_record():
    history = make_history(1)
    figure = correlation_analysis(history, analyse(history, None, "now"), figure_words("en"))
    [remark] = [text.get_text() for text in figure.axes[0].texts if "record" in text.get_text()]
    assert remark == "1 record"
