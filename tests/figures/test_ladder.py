"""ladder: the curve, the end and the name of each run, held to the histories."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.helpers.drawn import (
    colour,
    draw,
    end_labels,
    keys,
    line_through,
    lines,
    points,
    proportional_mean,
    remarks,
    values_above,
    write_inputs,
)
from tests.helpers.said import numbers
from tests.helpers.synthetic import make_history


def end_of(history, key):
    """Mean of the last twentieth of the records that have the key."""
    values = points(history, key)[1]
    return np.mean(values[-(len(values) // 20) :])


def run_of(length, records, *, seed, level):
    history = make_history(records, total=length, noise=seed)
    history.run |= {"seed": seed, "validation": None}
    for key in ("mlm_acc", "eval_mlm_acc"):
        history.records[key] = [value + level for value in history.records[key]]
    return history


RUNS = {  # by name; the first one given is not the shortest, and the last has still to go on
    "4K, seed 1": run_of(4000, 100, seed=1, level=0.0),
    "2K, seed 1": run_of(2000, 50, seed=1, level=-0.05),
    "2K, seed 2": run_of(2000, 50, seed=2, level=-0.08),
    "8K, seed 1": run_of(8000, 60, seed=1, level=0.05),
}


def draw_ladder(folder, runs):
    first, *others = runs.values()
    options = write_inputs(folder, first, "run0")
    for number, history in enumerate(others, 1):
        history.write(folder / f"run{number}.json")
        options.insert(1 + number, folder / f"run{number}.json")
    return draw(folder / "out", *options)["ladder"]


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    return draw_ladder(tmp_path_factory.mktemp("ladder"), RUNS)


def curve_of(axes, history, key="eval_mlm_acc"):
    steps, values = points(history, key)
    return line_through(axes, steps, proportional_mean(steps, values))


def test_each_run_is_its_running_mean_with_its_name_in_the_key(ladder):
    axes, _ = ladder
    drawn = {name: curve_of(axes, history) for name, history in RUNS.items()}
    assert len(lines(axes)) == len({colour(line) for line in drawn.values()}) == 4
    assert keys(axes) == drawn
    assert end_labels(axes) == []  # a label at an end would stand on the longer runs
    marks = {(line.get_xdata()[0], line.get_ydata()[0], colour(line)) for line in axes.lines
             if len(line.get_xdata()) == 1}  # fmt: skip
    assert marks == {(line.get_xdata()[-1], line.get_ydata()[-1], colour(line)) for line in drawn.values()}
    assert axes.get_xscale() == "log"
    assert "held-out" in axes.get_ylabel()


def test_each_run_ends_at_its_whole_length_in_the_colour_of_its_curve(ladder):
    curves, axes = ladder
    found = {(line.get_xdata()[0], line.get_ydata()[0]): line for line in axes.lines}
    assert len(found) == len(RUNS)
    for name, history in RUNS.items():
        length = history.run["config"]["steps"]
        [(mark, line)] = [
            (at, line) for at, line in found.items() if at == (length, pytest.approx(end_of(history, "eval_mlm_acc")))
        ]
        assert colour(line) == colour(curve_of(curves, history)), name
        assert (line.get_markerfacecolor() == "white") == (mark[0] == 8000)  # that one is not finished
    assert "hollow" in remarks(axes)


def test_the_longer_a_run_the_lighter_it_is(ladder):
    lights = [sum(to_rgb(colour(curve_of(ladder[0], history)))) for history in
              sorted(RUNS.values(), key=lambda history: history.run["config"]["steps"])]  # fmt: skip
    assert lights == sorted(lights)


def test_the_numbers_above_are_the_ends_and_runs_of_one_length_share_one(ladder):
    ends = {name: end_of(history, "eval_mlm_acc") for name, history in RUNS.items()}
    short = [ends["2K, seed 1"], ends["2K, seed 2"]]
    wanted = [(2000, max(short), [np.mean(short), 2]), (4000, ends["4K, seed 1"], [ends["4K, seed 1"]]),
              (8000, ends["8K, seed 1"], [ends["8K, seed 1"]])]  # fmt: skip
    for (x, y, text), (length, height, (mean, *count)) in zip(values_above(ladder[1]), wanted, strict=True):
        assert (x, y) == (length, pytest.approx(height))
        assert numbers(text) == [round(100 * mean, 1), *count]


def test_runs_of_another_setting_or_not_finished_have_numbers_of_their_own(tmp_path):
    runs = {name: run_of(2000, 50, seed=1, level=level) for name, level in (("a", 0.0), ("b", -0.04), ("c", -0.08))}
    runs["b"].run["config"]["lr"] = 1e-5
    runs["c"].run["config"]["steps"] = 4000
    runs["d"] = run_of(4000, 100, seed=1, level=0.03)
    _, ends = draw_ladder(tmp_path, runs)
    told = {(text.xy[0], numbers(text.get_text())[0]) for text in ends.texts if text.xycoords == "data"}
    wanted = {
        (history.run["config"]["steps"], round(100 * end_of(history, "eval_mlm_acc"), 1)) for history in runs.values()
    }
    assert told == wanted
    assert len(wanted) == 4


def test_one_run_without_held_out_values_makes_it_training_accuracy_for_all(tmp_path):
    runs = {name: run_of(length, length // 40, seed=length, level=0.0) for name, length in (("a", 2000), ("b", 4000))}
    for key in list(runs["b"].records):
        if key.startswith("eval"):
            del runs["b"].records[key]
    curves, ends = draw_ladder(tmp_path, runs)
    for history in runs.values():
        curve_of(curves, history, "mlm_acc")
    drawn = sorted(line.get_ydata()[0] for line in ends.lines)
    assert drawn == pytest.approx(sorted(end_of(history, "mlm_acc") for history in runs.values()))
    assert "training" in curves.get_ylabel()
    assert "training" in ends.get_ylabel()
    assert "hollow" not in remarks(ends)


def test_finished_runs_end_at_their_score_on_the_whole_validation_split(tmp_path):
    runs = {name: run_of(length, length // 40, seed=length, level=0.0) for name, length in (("a", 2000), ("b", 4000))}
    for number, history in enumerate(runs.values(), 1):
        history.run["validation"] = {"mlm_acc": number / 10}
    _, ends = draw_ladder(tmp_path, runs)
    assert sorted(line.get_ydata()[0] for line in ends.lines) == [0.1, 0.2]
    assert "whole validation split" in remarks(ends)

    del runs["a"].run["validation"]  # then none can be compared with it, so all are means of records
    (tmp_path / "other").mkdir()
    _, ends = draw_ladder(tmp_path / "other", runs)
    drawn = sorted(line.get_ydata()[0] for line in ends.lines)
    assert drawn == pytest.approx(sorted(end_of(history, "eval_mlm_acc") for history in runs.values()))
    assert "last twentieth" in remarks(ends)
