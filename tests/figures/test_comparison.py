"""comparison_50k_100k: which run is the baseline, whose r is whose, and the means of the tenths."""

import numpy as np
import pytest

from tests.helpers.drawn import (
    bars,
    colour,
    dots,
    draw,
    keys,
    line_through,
    lines,
    points,
    values_above,
    write_inputs,
)
from tests.helpers.said import numbers
from tests.helpers.synthetic import make_history


def shorter_run():
    """Half as long as the run, and worse in every list."""
    baseline = make_history(50, total=2000, noise=3)
    for key in ("mlm_acc", "eval_mlm_acc"):
        baseline.records[key] = [value - 0.03 for value in baseline.records[key]]
    return baseline


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    history, baseline = make_history(), shorter_run()
    baseline.write(folder / "b.json")
    options = write_inputs(folder, history)
    return history, baseline, draw(folder / "out", *options, "--baseline", folder / "b.json")["comparison_50k_100k"]


@pytest.fixture
def alone(patchy):
    return patchy.history, patchy.drawn["comparison_50k_100k"]


def check_line(axes, steps, accuracy, word):
    """The least-squares line of these records, with their r beside it; gives its colour."""
    slope, start = np.polyfit(steps, accuracy, 1)
    ends = steps[[0, -1]]
    line = line_through(axes, ends, start + slope * ends)
    [(name, r)] = [text.split(", r = ") for text, drawn in keys(axes).items() if drawn is line]
    assert word in name
    assert numbers(r) == [round(np.corrcoef(steps, accuracy)[0, 1], 3)]
    return colour(line)


def tenths(steps, values, last):
    """Mean of the values in each tenth of ``last`` steps; a step on an edge belongs to the tenth that it ends."""
    place = np.ceil(np.round(10 * steps / last, 9)).astype(int)
    return {tenth: values[place == tenth].mean() for tenth in range(1, 11) if (place == tenth).any()}


def test_dots_and_lines_of_the_two_runs(beside):
    history, baseline, (axes, _) = beside
    shades = {}
    for word, run in (("baseline", baseline), ("this run", history)):
        steps, accuracy = points(run, "mlm_acc")
        [shades[word]] = [shade for shade, found in dots(axes).items() if len(found) == len(steps)
                          and np.allclose(found, np.column_stack([steps, accuracy]))]  # fmt: skip
        check_line(axes, steps, accuracy, word)
    assert len(set(shades.values())) == len(dots(axes)) == 2
    assert len(lines(axes)) == 2
    assert axes.get_xlim()[1] == pytest.approx(1.02 * 4000)
    assert [name.partition(", r")[0] for name in keys(axes)] == ["baseline, 2K steps", "this run, 4K steps"]


def test_a_grey_print_tells_whose_bars_are_whose(beside):
    _, _, (_, axes) = beside
    shown = {patch.get_facecolor()[:3]: patch.get_hatch() for patch in axes.patches}
    assert sorted(map(str, shown.values())) == ["///", "None"]
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["baseline, 2K steps", "this run, 4K steps"]
    for patch in legend.get_patches():
        assert shown[patch.get_facecolor()[:3]] == patch.get_hatch()


def test_bars_are_the_held_out_means_of_the_tenths_the_baseline_left_of_the_run(beside):
    history, baseline, (curves, axes) = beside
    shade_of = {len(found): shade for shade, found in dots(curves).items()}
    means = [(tenth, side, mean, shade_of[len(run)]) for side, run in enumerate((baseline, history))
             for tenth, mean in tenths(*points(run, "eval_mlm_acc"), 4000).items()]  # fmt: skip
    found = bars(axes)
    assert len(found) == len(means) == 15
    for (left, right, height, shade), (tenth, side, mean, wanted) in zip(found, sorted(means), strict=True):
        middle = 400 * (tenth - 0.5)
        assert (left >= middle - 1e-9, right <= middle + 1e-9) == (side == 1, side == 0)
        assert 400 * (tenth - 1) < left < right < 400 * tenth
        assert (height, shade) == (pytest.approx(mean), wanted)
    for (x, y, text), (left, right, height, _) in zip(values_above(axes), found, strict=True):
        assert (x, y) == (pytest.approx((left + right) / 2), height)
        assert numbers(text) == [round(100 * height)]
    assert "held-out" in axes.get_ylabel()
    assert "training" in curves.get_ylabel()


def test_a_baseline_without_held_out_values_is_compared_by_training_accuracy(tmp_path):
    history, baseline = make_history(), shorter_run()
    for key in list(baseline.records):
        if key.startswith("eval"):
            del baseline.records[key]
    baseline.write(tmp_path / "b.json")
    options = write_inputs(tmp_path, history)
    _, axes = draw(tmp_path / "out", *options, "--baseline", tmp_path / "b.json")["comparison_50k_100k"]
    means = [*tenths(*points(baseline, "mlm_acc"), 4000).values(), *tenths(*points(history, "mlm_acc"), 4000).values()]
    assert sorted(height for _, _, height, _ in bars(axes)) == pytest.approx(sorted(means))
    assert "training" in axes.get_ylabel()


def test_a_longer_baseline_stretches_the_axes(tmp_path):
    history, baseline = shorter_run(), make_history()
    baseline.write(tmp_path / "b.json")
    options = write_inputs(tmp_path, history)
    curves, axes = draw(tmp_path / "out", *options, "--baseline", tmp_path / "b.json")["comparison_50k_100k"]
    assert curves.get_xlim()[1] == axes.get_xlim()[1] == pytest.approx(1.02 * 4000)
    check_line(curves, *points(baseline, "mlm_acc"), "baseline")
    assert len(bars(axes)) == 15


def test_without_a_baseline_the_first_half_is_set_against_the_whole(alone):
    history, (curves, axes) = alone
    steps, accuracy = points(history, "mlm_acc")
    early = steps <= 2000
    check_line(curves, steps[early], accuracy[early], "first half")
    check_line(curves, steps, accuracy, "whole")
    shades = {len(found): shade for shade, found in dots(curves).items()}
    for part in (early, ~early):
        assert dots(curves)[shades[part.sum()]] == pytest.approx(np.column_stack([steps[part], accuracy[part]]))
    wanted = list(tenths(steps, accuracy, 4000).values())
    assert [height for _, _, height, _ in bars(axes)] == pytest.approx(wanted)
    assert [shade for *_, shade in bars(axes)] == [shades[early.sum()]] * 5 + [shades[(~early).sum()]] * 5
    assert [text for *_, text in values_above(axes)] == [f"{100 * mean:.1f}" for mean in wanted]
