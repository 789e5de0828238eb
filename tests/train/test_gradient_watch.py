"""The norm of the gradient between two records, and the first step at which it was not finite."""

import math

import pytest
import torch

from pipeline.train.gradient_watch import GradientWatch


def noted(norms, skips_overflow=False):
    watch = GradientWatch(torch.device("cpu"), skips_overflow)
    for step, norm in enumerate(norms, start=1):
        watch.note(step, torch.tensor(norm))
    return watch


def test_the_mean_is_that_since_it_was_last_taken():
    watch = noted([1.0, 2.0, 6.0])
    assert watch.take_mean() == pytest.approx(3.0)
    assert watch.take_mean() is None
    watch.note(4, torch.tensor(5.0))
    assert watch.take_mean() == pytest.approx(5.0)


def test_the_first_bad_step_is_named_whatever_follows():
    assert noted([1.0, 2.0]).first_bad_step() == 0
    assert noted([1.0, math.inf, 2.0, math.nan]).first_bad_step() == 2
    assert noted([math.nan, math.nan]).first_bad_step() == 1


def test_a_norm_that_is_not_finite_has_no_part_in_the_mean():
    watch = noted([1.0, math.inf, 3.0], skips_overflow=True)
    assert watch.first_bad_step() == 0  # float16: the scaler has skipped that step
    assert watch.take_mean() == pytest.approx(2.0)
    assert noted([math.nan]).take_mean() is None
