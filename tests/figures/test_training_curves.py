"""training_curves: which list is drawn as what, held to the history that it was drawn from."""

import re

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.helpers.drawn import (
    colour,
    dots,
    draw,
    end_labels,
    label_of,
    levels,
    line_through,
    lines,
    points,
    remarks,
    running_mean,
    title,
    write_inputs,
)
from tests.helpers.synthetic import make_history

CHINESE = {
    "training": "训练", "held-out": "留出", "Han": "汉字", "left": "左邻", "both": "左右邻", "chance": "机会",
    "MLM accuracy": "MLM 准确率", "Loss": "损失", "NSP": "NSP", "rate": "率",
}  # fmt: skip


@pytest.fixture(params=["en", "zh"])
def say(request):
    """A word that a text holds, in the language of the figure."""
    return (lambda word: word) if request.param == "en" else CHINESE.__getitem__


@pytest.fixture
def figure(patchy, say):
    return patchy.drawn["training_curves" if say("Han") == "Han" else "training_curves.zh"]


def only_dots(axes):
    [(shade, found)] = dots(axes).items()
    return shade, found


@pytest.mark.parametrize(
    ("panel", "training", "held_out"),
    [(0, "mlm_acc", "eval_mlm_acc"), (1, "loss", "eval_loss"), (2, "nsp_acc", "eval_nsp_acc")],
)
def test_records_are_dots_their_running_mean_and_what_was_held_out_are_lines(
    patchy, figure, say, panel, training, held_out
):
    history, axes = patchy.history, figure[panel]
    steps, values = points(history, training)
    shade, drawn = only_dots(axes)
    assert drawn == pytest.approx(np.column_stack([steps, values]))
    mean = line_through(axes, steps, running_mean(values, len(values) // 40))
    apart = line_through(axes, *points(history, held_out))
    assert len(lines(axes)) == (3 if panel == 0 else 2)
    assert len({shade, colour(mean), colour(apart)}) == 3
    assert say("training") in label_of(axes, mean)
    assert say("held-out") in label_of(axes, apart)
    assert say({"mlm_acc": "MLM accuracy", "loss": "Loss", "nsp_acc": "NSP"}[training]) in title(axes)
    assert axes.get_xlim() == (0, pytest.approx(4000 * 1.02))


def test_han_alone_is_a_line_of_its_own(patchy, figure, say):
    history, (axes, *_) = patchy.history, figure
    han = line_through(axes, *points(history, "eval_mlm_acc_han"))
    everything = line_through(axes, *points(history, "eval_mlm_acc"))
    assert say("Han") in label_of(axes, han)
    assert say("Han") not in label_of(axes, everything)
    assert han.get_linestyle() != everything.get_linestyle()  # told apart in print too


def test_guesses_by_counting_are_levels_with_their_names(patchy, figure, say):
    history, (axes, loss, nsp, rate) = patchy.history, figure
    guesses = {name: shares["all"] for name, shares in history.run["guesses"].items()}
    assert levels(axes) == pytest.approx([guesses["left"], guesses["both"]])
    named = [text for text, shade in end_labels(axes) if shade == colour(axes.lines[-1])]
    assert [next(word for word in ("left", "both") if say(word) in text) for text in named] == ["left", "both"]
    assert levels(nsp) == [0.5]
    assert any(say("chance") in text for text, _ in end_labels(nsp))
    assert levels(loss) == levels(rate) == []
    assert remarks(axes)


def test_labels_stand_in_the_order_of_what_they_name(patchy, figure, say):
    """From the lowest end to the highest, so that labels moved apart still tell which is which."""
    history, (axes, *_) = patchy.history, figure
    ends = {"Han": points(history, "eval_mlm_acc_han")[1][-1], "left": history.run["guesses"]["left"]["all"],
            "both": history.run["guesses"]["both"]["all"], "held-out": points(history, "eval_mlm_acc")[1][-1],
            "training": running_mean(points(history, "mlm_acc")[1], 2)[-1]}  # fmt: skip
    found = [next(word for word in ends if say(word) in text) for text, _ in end_labels(axes)]
    assert found == sorted(ends, key=ends.get)


def test_the_rate_is_drawn_in_the_power_of_ten_that_its_axis_names(patchy, figure, say):
    history, (*_, axes) = patchy.history, figure
    [drawn] = lines(axes)
    power = int(re.search(r"10\^\{(-?\d+)\}", axes.get_ylabel()).group(1))
    steps, rates = points(history, "lr")
    assert drawn.get_xydata() == pytest.approx(np.column_stack([steps, rates / 10.0**power]))
    assert power == -3
    assert say("rate") in title(axes)


def test_shares_are_written_in_per_cent_and_the_loss_in_nats(patchy):
    accuracy, loss, nsp, _ = patchy.drawn["training_curves"]
    for axes in (accuracy, nsp):
        assert axes.get_ylabel().endswith("(%)")
        assert axes.yaxis.get_major_formatter()(0.255, 0) == "25.5"
    assert "nats" in loss.get_ylabel()
    assert "step" in loss.get_xlabel()
    assert loss.xaxis.get_major_formatter()(2500, 0) == "2.5K"


def test_a_long_held_out_curve_is_smoothed_over_the_faint_dots_of_its_records(tmp_path):
    history = make_history(300, 13)
    axes, loss, nsp, _ = draw(tmp_path, *write_inputs(tmp_path, history))["training_curves"]
    for panel, key in ((axes, "eval_mlm_acc"), (axes, "eval_mlm_acc_han"), (loss, "eval_loss"), (nsp, "eval_nsp_acc")):
        steps, values = points(history, key)
        clear = line_through(panel, steps, running_mean(values, 300 // 40))
        assert clear.get_alpha() in (None, 1)
        assert dots(panel)[colour(clear)] == pytest.approx(np.column_stack([steps, values]))
        [faint] = [each for each in panel.collections if to_hex(each.get_facecolor()[0]) == colour(clear)]
        assert faint.get_alpha() < 0.3
