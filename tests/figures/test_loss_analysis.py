"""loss_analysis: the loss along the steps, and accuracy against loss, held to the history."""

import numpy as np
import pytest

from tests.helpers.drawn import (
    dots,
    label_of,
    line_through,
    points,
    proportional_mean,
    title,
)
from tests.helpers.said import numbers


@pytest.fixture
def drawn(patchy):
    return patchy.history, patchy.drawn["loss_analysis"]


def test_the_loss_against_the_logarithm_of_the_step(drawn):
    history, (axes, *_) = drawn
    steps, losses = points(history, "loss")
    [found] = dots(axes).values()
    assert found == pytest.approx(np.column_stack([steps, losses]))
    assert "training" in label_of(axes, line_through(axes, steps, proportional_mean(steps, losses)))
    assert "held-out" in label_of(axes, line_through(axes, *points(history, "eval_loss")))
    assert axes.get_xscale() == "log"
    assert numbers(title(axes)) == pytest.approx([losses[0], losses[-1]], abs=5e-4)


def test_each_record_by_its_loss_and_its_accuracy_coloured_by_its_step(drawn):
    history, (_, axes, scale) = drawn
    both = [
        (loss, accuracy, step)
        for step, loss, accuracy in zip(*(history.records[key] for key in ("steps", "loss", "mlm_acc")), strict=True)
        if np.isfinite([loss, accuracy]).all()
    ]
    [scatter] = axes.collections
    assert np.column_stack([np.asarray(scatter.get_offsets()), np.asarray(scatter.get_array())]) == pytest.approx(
        np.array(both)
    )
    assert scatter.get_clim() == (0, 4000)
    assert "loss" in axes.get_xlabel()
    assert "accuracy" in axes.get_ylabel()
    assert "step" in scale.get_ylabel()
    assert scale.yaxis.get_major_formatter()(2500, 0) == "2.5K"
