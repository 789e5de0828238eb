"""The early-stopping rule: what it stops and what it never stops; the trainer's question gets the same answer."""

import numpy as np
import pytest

from pipeline.statistics.early_stop import EarlyStop

STEPS = list(range(100, 100_100, 100))
NUMBERS = np.arange(1, 1001)


def noise(seed, sigma=0.003):
    return np.random.default_rng(seed).normal(0, sigma, len(STEPS))


def saturating(tau=150):
    return 0.5 - 0.4 * np.exp(-NUMBERS / tau)


def test_a_line_without_noise_stops_exactly_where_its_gain_is_too_small():
    rule = EarlyStop(window=10, worth=0.01, patience=3)
    flat_after = 200
    accuracy = np.minimum(NUMBERS, flat_after) * 0.002  # 0.018 over a window while it rises
    stopped = rule.stopping_step(STEPS, accuracy.tolist())
    assert STEPS[flat_after] < stopped <= STEPS[flat_after + rule.window + rule.patience]
    assert EarlyStop(window=10, worth=0.02, patience=3).stopping_step(STEPS, accuracy.tolist()) == STEPS[11]


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_a_run_that_gains_twice_what_is_asked_is_stopped_in_fewer_than_one_of_fifty(phi):
    stopped = 0
    for seed in range(100):
        shocks = noise(seed)
        for number in range(1, len(shocks)):
            shocks[number] = phi * shocks[number - 1] + np.sqrt(1 - phi**2) * shocks[number]
        stopped += EarlyStop().stopping_step(STEPS, 0.1 + 0.01 * NUMBERS / 100 + shocks) is not None
    assert stopped <= 2


def test_a_saturating_run_is_stopped_after_its_gain_fell_below_the_worth():
    rule = EarlyStop()
    gain = saturating()[rule.window :] - saturating()[: -rule.window]
    due = STEPS[rule.window + int(np.argmax(gain < rule.worth))]
    for seed in range(20):
        stopped = rule.stopping_step(STEPS, saturating() + noise(seed), 12_000)
        assert 0.9 * due < stopped < 1.3 * due


def test_few_targets_and_more_noise_let_it_run_longer():
    accuracy = saturating() + noise(3)
    alone = EarlyStop().stopping_step(STEPS, accuracy)
    assert alone <= EarlyStop().stopping_step(STEPS, accuracy, 6_000)
    assert EarlyStop().stopping_step(STEPS, accuracy, 500) is None
    assert alone < EarlyStop().stopping_step(STEPS, saturating() + noise(3, 0.008))
    assert EarlyStop().stopping_step(STEPS, accuracy, [500.0] * 1000) is None


def test_the_trainer_asking_at_every_record_stops_at_the_same_step():
    rule = EarlyStop(window=30, worth=0.01, patience=5)
    accuracy = [None if number % 7 == 0 else float(value) for number, value in enumerate(saturating(60) + noise(4))]
    expected = rule.stopping_step(STEPS, accuracy, 9_000)
    asked = next(end for end in range(1, 1001) if rule.stops(STEPS[:end], accuracy[:end], 9_000))
    assert STEPS[asked - 1] == expected


def test_records_that_were_not_evaluated_or_are_no_numbers_are_passed_over():
    accuracy = saturating(60) + noise(5)
    kept = [value if number % 2 else None for number, value in enumerate(accuracy)]
    spoilt = [value if number % 2 else float("nan") for number, value in enumerate(accuracy)]
    expected = EarlyStop().stopping_step(STEPS[1::2], accuracy[1::2])
    assert EarlyStop().stopping_step(STEPS, kept) == EarlyStop().stopping_step(STEPS, spoilt) == expected
    assert not EarlyStop().stops(STEPS, [*kept[:-1], None])


@pytest.mark.parametrize("records", [0, 1, 99, 108])
def test_too_few_records_never_stop(records):
    assert EarlyStop().stopping_step(STEPS[:records], [0.5] * records) is None
    assert not EarlyStop().stops(STEPS[:records], [0.5] * records)


def test_a_constant_accuracy_stops_as_soon_as_it_may():
    assert EarlyStop().stopping_step(STEPS, [0.5] * 1000) == STEPS[108]


@pytest.mark.parametrize("wrong", [{"window": 7}, {"patience": 0}, {"worth": 0}, {"worth": 1}, {"confidence": 1.0}])
def test_senseless_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=r"early stopping|worth"):
        EarlyStop(**wrong)
