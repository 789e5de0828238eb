"""Figures of logs of other programs: what is there is drawn under its own name, and what is missing is said."""

import re

import numpy as np
import pytest

from pipeline.files.logs.read_log import read_log
from tests.helpers import other_logs as logs
from tests.helpers.drawn import (
    bars,
    dots,
    draw,
    label_of,
    line_through,
    lines,
    points,
    proportional_mean,
    remarks,
    running_mean,
    title,
    write_inputs,
)  # fmt: skip
from tests.helpers.in_process import run_here, succeeded
from tests.helpers.synthetic import make_history


def loss_only(path):
    rows = [f"{step},{logs.loss(step)}" for step in logs.training_steps()]
    path.write_text("\n".join(["step,loss", *rows]), encoding="utf-8")


def drawn_from(folder, write, name, *more):
    write(folder / name)
    succeeded(run_here("analyze_100k.py", "--history", folder / name, "--output", folder / f"{name}.a.json"))
    drawn = draw(folder / "out", "--history", folder / name, *more, "--analysis", folder / f"{name}.a.json")
    return drawn, read_log(folder / name)


@pytest.fixture(scope="module")
def of_loss(tmp_path_factory):
    return drawn_from(tmp_path_factory.mktemp("loss"), loss_only, "loss.csv")


@pytest.fixture(scope="module")
def of_epochs(tmp_path_factory):
    return drawn_from(tmp_path_factory.mktemp("epochs"), logs.deit_lines, "log.txt")


def test_without_accuracy_the_loss_is_shown_against_the_step(of_loss):
    drawn, history = of_loss
    steps, losses = points(history, "loss")
    scatter, horizon = drawn["correlation_analysis"]
    assert scatter.get_ylabel() == "training loss (nats)"
    [shown] = dots(scatter).values()
    assert shown.tolist() == np.column_stack([steps, losses]).tolist()
    r = float(np.corrcoef(steps, losses)[0, 1])
    assert title(scatter) == f"Pearson r = {r:.3f}"
    [line] = [each for each in lines(horizon) if len(each.get_xdata()) == 20]
    assert label_of(horizon, line) == f"training\n{r:.3f}"
    assert horizon.get_ylim()[0] == -1


def test_without_accuracy_the_tenths_are_of_the_loss(of_loss):
    drawn, history = of_loss
    steps, losses = points(history, "loss")
    curves, tenths = drawn["comparison_50k_100k"]
    assert (curves.get_ylabel(), tenths.get_ylabel()) == ("training loss (nats)",) * 2
    assert title(tenths) == "Mean loss in each tenth of the steps"
    heights = [height for _, _, height, _ in bars(tenths)]
    expected = [losses[(steps > 60 * k) & (steps <= 60 * (k + 1))].mean() for k in range(10)]
    assert heights == pytest.approx(expected)


def test_what_is_missing_is_said_in_its_panel(of_loss):
    drawn, _ = of_loss
    accuracy, loss, rate = drawn["training_curves"]  # without pairs there is no panel of them
    assert remarks(accuracy) == "no accuracy in this log"
    assert remarks(rate) == "no learning rate in this log"
    assert "no " not in remarks(loss)
    assert loss.get_ylabel() == "loss (nats)"
    assert remarks(drawn["loss_analysis"][1]) == "no accuracy beside the loss in this log"


def test_steps_that_are_epochs_are_called_so(of_epochs):
    drawn, _ = of_epochs
    panels = {name: [axes.get_xlabel() for axes in drawn[name]] for name in drawn.figures}
    assert panels["training_curves"] == ["epoch"] * 3
    assert panels["correlation_analysis"] == ["epoch", "T (epochs)"]
    assert panels["comparison_50k_100k"] == ["epoch", "epoch"]
    assert panels["loss_analysis"][0] == "epoch (logarithmic)"


def test_held_out_values_stand_in_for_those_of_training(of_epochs):
    drawn, history = of_epochs
    scatter, _ = drawn["correlation_analysis"]
    assert scatter.get_ylabel() == "held-out accuracy (%)"
    steps, shares = points(history, "test_acc1")
    [shown] = dots(scatter).values()
    assert shown.tolist() == np.column_stack([steps, shares]).tolist()
    relation = drawn["loss_analysis"][1]
    assert (relation.get_ylabel(), relation.get_xlabel()) == ("held-out accuracy (%)", "held-out loss (nats)")
    [beside] = dots(relation).values()
    assert beside.tolist() == np.column_stack([points(history, "test_loss")[1], shares]).tolist()
    assert title(drawn["training_curves"][0]) == "Accuracy"
    assert drawn["training_curves"][0].get_ylabel() == "share of right answers (%)"


def test_runs_without_accuracy_stand_side_by_side_by_their_losses(tmp_path):
    loss_only(tmp_path / "a.csv")
    logs.trainer_state(tmp_path / "b.json")
    drawn, history = drawn_from(tmp_path, loss_only, "c.csv", tmp_path / "a.csv", tmp_path / "b.json")
    curves, ends = drawn["ladder"]
    assert (curves.get_ylabel(), ends.get_ylabel()) == ("training loss (nats)",) * 2
    steps, losses = points(history, "loss")
    mean = proportional_mean(steps, losses)
    assert len([line for line in lines(curves) if np.allclose(line.get_ydata(), mean)]) == 3
    assert line_through(drawn["training_curves"][1], steps, running_mean(losses, len(losses) // 40))


def test_the_page_of_a_log_says_nothing_of_our_runs(of_epochs, of_loss):
    page = of_epochs[0].pages["report.html"]
    told = re.sub(r"<img[^>]*>", "", page)
    assert "accuracy, held-out, last record" in told
    assert "steps are epochs, counted from 1 where the log counts from 0" in told
    assert "MLM" not in told
    assert "article" not in told
    assert "masked" not in told
    told = re.sub(r"<img[^>]*>", "", of_loss[0].pages["report.html"])
    assert "loss, training, last record" in told
    assert "Curves of training loss" in told


def test_a_history_of_ours_without_pairs_has_a_loss_of_one_task(tmp_path):
    history = make_history(60)
    history.records["nsp_acc"] = [None] * 60
    drawn = draw(tmp_path / "out", *write_inputs(tmp_path, history))
    assert drawn["training_curves"][1].get_ylabel() == "loss (nats)"
