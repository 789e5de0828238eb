"""The norm of the gradient between two records, and the first step at which it was not finite."""

import math

import pytest
import torch

from pipeline.train.gradient_watch import Health


def noted(norms, skips_overflow=False):
    health = Health(torch.device("cpu"), skips_overflow)
    for step, norm in enumerate(norms, start=1):
        health.note(step, torch.tensor(norm))
    return health


def test_the_mean_is_that_since_it_was_last_taken():
    health = noted([1.0, 2.0, 6.0])
    assert health.take_mean() == pytest.approx(3.0)
    assert health.take_mean() is None
    health.note(4, torch.tensor(5.0))
    assert health.take_mean() == pytest.approx(5.0)


def test_the_first_bad_step_is_named_whatever_follows():
    assert noted([1.0, 2.0]).first_bad_step() == 0
    assert noted([1.0, math.inf, 2.0, math.nan]).first_bad_step() == 2
    assert noted([math.nan, math.nan]).first_bad_step() == 1


def test_a_norm_that_is_not_finite_has_no_part_in_the_mean():
    health = noted([1.0, math.inf, 3.0], skips_overflow=True)
    assert health.first_bad_step() == 0  # float16: the scaler has skipped that step
    assert health.take_mean() == pytest.approx(2.0)
    assert noted([math.nan]).take_mean() is None
