"""The early-stopping rule: what it stops and what it never stops; the trainer's question gets the same answer."""

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics.early_stop import EarlyStop
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import ar_noise

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


def upper_limit(steps, accuracy, confidence, targets=None):
    """Of the gain over the window: a line's rise and its error, widened for lag-1 autocorrelation (Wilks 2011)."""
    line = stats.linregress(steps, accuracy)
    left = accuracy - line.intercept - line.slope * steps
    rho = (left[1:] @ left[:-1]) / (left @ left) * len(steps) / (len(steps) - 1)
    rho = min(max((rho + 2 / len(steps)) / (1 - 4 / len(steps)), 0), 0.9)  # a line makes it too small (Kendall 1954)
    variance = left @ left / (len(steps) - 2) * (1 + rho) / (1 - rho)
    if targets is not None:
        variance = max(variance, np.mean(accuracy * (1 - accuracy) / targets))
    error = np.sqrt(variance / ((steps - steps.mean()) ** 2).sum())
    return (line.slope + stats.norm.ppf(confidence) * error) * (steps[-1] - steps[0])


@pytest.mark.parametrize(("phi", "targets"), [(0.0, None), (0.6, None), (0.99, None), (-0.5, None), (0.0, 400)])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.975])
def test_the_rule_is_met_just_when_the_upper_limit_of_the_gain_is_less_than_its_worth(phi, targets, confidence):
    window = 40
    steps = np.cumsum(np.random.default_rng(3).integers(50, 150, window))
    accuracy = np.linspace(0.3, 0.32, window) + ar_noise(np.random.default_rng(4), window, phi, 0.01)
    limit = upper_limit(steps.astype(float), accuracy, confidence, targets)
    assert limit > 0
    for worth, stopped in ((0.999 * limit, None), (1.001 * limit, steps[-1])):
        rule = EarlyStop(window=window, worth=worth, confidence=confidence, patience=1)
        assert rule.stopping_step(steps.tolist(), accuracy.tolist(), targets) == stopped


MEASURED = [  # window, autoregression, how often one window at the worth itself meets the rule, of 8,000
    (20, 0.0, 0.090),
    (100, 0.0, 0.090),
    (20, 0.4, 0.119),
    (20, 0.6, 0.131),
    (100, 0.6, 0.102),
    (100, 0.9, 0.140),
]


@pytest.mark.slow
@pytest.mark.parametrize(("window", "phi", "measured"), MEASURED)
def test_a_window_that_gains_what_it_is_worth_meets_the_rule_as_often_as_was_measured(window, phi, measured):
    """A confidence of 0.9 allows one in ten; noise that remembers takes more, above all in a short window."""
    rule, runs, generator = EarlyStop(window=window, worth=0.01, patience=1), 2500, np.random.default_rng(window)
    steps, gain = STEPS[:window], np.linspace(0.3, 0.31, window)
    met = sum(
        rule.stopping_step(steps, gain + ar_noise(generator, window, phi, 0.003)) is not None for _ in range(runs)
    )
    assert_rate(met, runs, measured, notices=1.3 * measured)


@pytest.mark.slow
@pytest.mark.parametrize(("phi", "runs", "measured", "notices"), [(0.6, 1400, 0.0042, 0.018)])
def test_a_run_that_gains_twice_what_is_asked_is_stopped_as_often_as_was_measured(phi, runs, measured, notices):
    """Hardly ever."""
    generator, line = np.random.default_rng(1), 0.1 + 0.01 * NUMBERS / 100
    stopped = sum(
        EarlyStop().stopping_step(STEPS, line + ar_noise(generator, len(STEPS), phi, 0.003)) is not None
        for _ in range(runs)
    )
    assert_rate(stopped, runs, measured, notices=notices)


@pytest.mark.parametrize(("window", "phi"), [(100, 0.8), (40, 0.6), (20, 0.4), (19, None)])
def test_the_rule_says_for_which_noise_its_confidence_holds(window, phi):
    assert EarlyStop(window=window).holds_up_to() == phi


def test_a_window_whose_noise_alone_is_worth_more_decides_nothing():
    rule, steps = EarlyStop(window=40, worth=0.005, patience=1), STEPS[:40]
    for sigma, decides in ((0.002, True), (0.03, False)):
        flat = 0.3 + np.random.default_rng(6).normal(0, sigma, 40)
        assert rule.decides(steps, flat.tolist()) is decides
    assert not rule.decides(steps, flat.tolist()[:39])
    few = [0.3 + 0.0001 * (-1) ** number for number in range(40)]
    assert rule.decides(steps, few)
    assert not rule.decides(steps, few, 50)  # 50 targets a record: an error of 6 points


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
