"""What holds for all figures: both languages show the same, and very long runs are thinned without losing extremes."""

import json

import numpy as np
import pytest

from pipeline.figures import style
from pipeline.files.history import History
from tests.helpers.drawn import colour, dots, draw, label_of, lines, points, remarks, texts
from tests.helpers.said import numbers
from tests.helpers.synthetic import make_run

NAMES = (
    "training_curves",
    "correlation_analysis",
    "comparison_50k_100k",
    "loss_analysis",
    "ladder",
    "deciles",
    "counting",
)


def shown(axes):
    """What a panel shows but for its words."""
    groups = {shade: found.tolist() for shade, found in dots(axes).items()}
    heights = [patch.get_height() for patch in axes.patches if hasattr(patch, "get_height")]
    return [line.get_xydata().tolist() for line in axes.lines], groups, heights, axes.get_xlim(), axes.get_ylim()


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_show_the_same_numbers_in_their_own_words(patchy, name):
    english, chinese = (patchy.drawn.figures[f"{name}{end}"] for end in ("", ".zh"))
    assert [shown(axes) for axes in english.axes] == [shown(axes) for axes in chinese.axes]
    pairs = list(zip(texts(english), texts(chinese), strict=True))
    for one, other in pairs:
        assert sorted(numbers(one)) == sorted(numbers(other)), (one, other)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in other) == (one != other), (one, other)
    assert sum(one != other for one, other in pairs) >= 8
    assert len({one.lower() for one, _ in pairs}) == len({other for _, other in pairs})  # no two have one Chinese word


@pytest.fixture(scope="module")
def long(tmp_path_factory, patchy):
    """100,000 records drawn with the analysis of a short run, but for what the script holds against the history."""
    folder = tmp_path_factory.mktemp("long")
    steps = np.arange(1, 100_001)
    dice = np.random.default_rng(5)
    lists = {key: 0.3 - 0.2 * np.exp(-steps / 2e4) + dice.normal(0, 0.01, len(steps)) for key in
             ("mlm_acc", "nsp_acc", "loss", "lr", "eval_mlm_acc")}  # fmt: skip
    lists["eval_mlm_acc"][[33_333, 77_777]] = (0.9, 0.01)  # single records that must not be lost
    history = History(
        {"steps": steps.tolist(), **{key: list_.tolist() for key, list_ in lists.items()}}, make_run(100_000)
    )
    history.write(folder / "h.json")
    r = float(np.corrcoef(steps, lists["mlm_acc"])[0, 1])
    analysis = {**patchy.analysis, "total_steps": 100_000, "data_points": 100_000}
    analysis["pearson"] = {**patchy.analysis["pearson"], "r": r}
    (folder / "a.json").write_text(json.dumps(analysis), encoding="utf-8")
    return history, draw(folder / "out", "--history", folder / "h.json", "--analysis", folder / "a.json")


@pytest.mark.parametrize(
    ("name", "panel", "key"),
    [
        ("training_curves", 0, "mlm_acc"),
        ("training_curves", 2, "nsp_acc"),
        ("correlation_analysis", 0, "mlm_acc"),
        ("loss_analysis", 0, "loss"),
    ],
)
def test_of_a_hundred_thousand_records_every_fiftieth_is_a_dot(long, name, panel, key):
    history, drawn = long
    found = dots(drawn[name][panel])[style.RECORDS.lower()]
    assert found == pytest.approx(np.column_stack(points(history, key))[::50])


def test_the_thinning_is_said_and_the_number_of_records_stays(long):
    remark = remarks(long[1]["correlation_analysis"][0])
    assert {100_000, 50} < set(numbers(remark))


def test_lines_of_a_hundred_thousand_records_have_few_points_and_all_extremes(long):
    history, drawn = long
    steps, values = points(history, "eval_mlm_acc")
    drawn_lines = lines(drawn["training_curves"][0])
    assert len(drawn_lines) == 2
    assert all(len(line.get_xdata()) <= 1_502 for line in drawn_lines)
    axes = drawn["training_curves"][0]
    [smooth] = [line for line in drawn_lines if "held-out" in label_of(axes, line)]
    faint = dots(axes)[colour(smooth)]
    assert len(faint) <= 1_502
    assert (faint[:, 1].max(), faint[:, 1].min()) == (0.9, 0.01)
    assert faint[[0, -1]].tolist() == [[steps[0], values[0]], [steps[-1], values[-1]]]
    known = dict(zip(steps.tolist(), values.tolist(), strict=True))
    assert all(known[x] == y for x, y in faint.tolist())


def test_accuracy_against_loss_is_thinned_by_whole_records(long):
    history, drawn = long
    [scatter] = drawn["loss_analysis"][1].collections
    assert len(scatter.get_offsets()) == 2_000
    rows = {(loss, accuracy): step for step, loss, accuracy in
            zip(*(history.records[key] for key in ("steps", "loss", "mlm_acc")), strict=True)}  # fmt: skip
    steps = [rows[tuple(pair)] for pair in np.asarray(scatter.get_offsets()).tolist()]
    assert steps == np.asarray(scatter.get_array()).tolist()
