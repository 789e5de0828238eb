"""A jump of the learning rate that no schedule makes on purpose is a break; what schedules do is none."""

import numpy as np
import pytest

from pipeline.analyse.health.rate_breaks import breaks, jumps

PLACES = np.arange(100)
COSINE = 0.5 * (1 + np.cos(np.pi * PLACES / 100))


def found(rates, told=breaks):
    return np.flatnonzero(told(np.asarray(rates, dtype=float))).tolist()


def test_a_break_is_three_times_its_neighbours_and_two_per_cent_of_the_peak():
    falling = 1e-3 * (1 - PLACES / 200)  # half a per cent of the peak a record
    for drop, expected in ((1.9e-5, []), (2.6e-5, [50])):
        assert found(falling - np.where(PLACES >= 50, drop - 5e-6, 0)) == expected
    steep = 1e-3 * (1 - PLACES / 120)  # neighbouring changes of 8e-6
    for drop, expected in ((2.3e-5, []), (2.7e-5, [50])):
        assert found(steep - np.where(PLACES >= 50, drop - 1e-3 / 120, 0)) == expected


ON_PURPOSE = {
    "constant": np.ones(100),
    "cosine after a warm-up": np.minimum(PLACES / 10, COSINE),
    "a constant warm-up": np.where(PLACES < 10, 0.1, COSINE),
    "one minus the square root": 1 - np.sqrt(np.clip((PLACES - 70) / 30, 0, 1)),
    "steps down": 0.1 ** (PLACES // 40),
    "steps down after a warm-up": np.minimum(PLACES / 5, 0.1 ** (PLACES // 40)),
    "a cosine by epochs": np.repeat(COSINE[::10], 10),
    "to zero at the end": np.append(0.5 + 0.5 * COSINE[:99], 0),
    "warm restarts": np.tile(COSINE[::4], 4),
    "warm restarts that grow": np.concatenate([np.linspace(1, 0.1, 12 * 2**cycle) for cycle in range(3)]),
    "all zero": np.zeros(100),
    "three records": [1.0, 0.1, 0.5],
}


@pytest.mark.parametrize("schedule", ON_PURPOSE)
def test_what_schedules_do_on_purpose_is_no_break(schedule):
    assert found(1e-3 * np.asarray(ON_PURPOSE[schedule])) == []


@pytest.mark.parametrize("decimals", [4, 5, 6])
def test_a_rate_printed_with_few_decimals_does_not_break(decimals):
    rates = np.round(2e-4 * (1 - PLACES / 100), decimals)
    assert found(rates, jumps) == []


def test_a_fall_within_a_rounded_rate_is_a_break_all_the_same():
    rates = 2e-4 * (1 - PLACES / 100)
    rates[60:] /= 4
    assert found(np.round(rates, 6)) == [60]


def test_one_rise_after_the_peak_is_a_break_and_so_are_rises_without_a_rule():
    one, irregular = COSINE.copy(), COSINE.copy()
    one[60:] += 0.3
    assert found(one) == [60]
    irregular[60:] += 0.2
    irregular[75:] += 0.2
    assert found(irregular) == [60, 75]


def test_a_fall_within_a_falling_schedule_is_a_break():
    rates = COSINE.copy()
    rates[60:] /= 3
    assert found(rates) == [60]


def test_a_step_on_purpose_is_a_jump_all_the_same():
    assert found(0.1 ** (PLACES // 40), jumps) == [40, 80]
