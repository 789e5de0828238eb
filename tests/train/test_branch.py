"""The schedule of a branch that is given none."""

import random

from pipeline.statistics.schedule import parse_schedule
from pipeline.train.branch import decay_from


def test_the_decay_begins_where_the_branch_does():
    dice = random.Random(1)
    for _ in range(2000):
        steps = dice.randint(1, 10**6)
        step = dice.randrange(steps)
        assert parse_schedule(decay_from(step, steps), steps=steps).constant_until == step


def test_it_is_said_in_the_fewest_digits():
    assert decay_from(40_000, 50_000) == "wsd:0.2"
    assert decay_from(12_500, 15_000) == "wsd:0.1667"  # a sixth, rounded: 2,500.5 steps
