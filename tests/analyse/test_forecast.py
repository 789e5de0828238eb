"""The forecast against known truth, and its verdicts on targets."""

import numpy as np
import pytest

from benchmarks import forecast as benchmark
from pipeline.analyse.forecast import averaged, expected_at, first_passing, forecast, schedule_of, steps_to
from pipeline.files.history import History
from tests.helpers.simulated import CURVES, STEPS, published_like
from tests.helpers.synthetic import make_history

LAST = float(STEPS[-1])


def noisy(name, seed=1, sigma=0.01):
    return CURVES[name] + np.random.default_rng(seed).normal(0, sigma, len(STEPS))


def test_intervals_hold_the_truth_about_as_often_as_they_say_where_the_family_is_right():
    """80 % asked for; 40 runs of four families, three standard errors of slack."""
    results = [
        result
        for number in range(80)
        if number % 8 < 4
        for result in benchmark.simulate((5, number))
        if result[1] == 0.3
    ]
    held = np.mean([result[2] for result in results])
    slack = 3 * np.sqrt(0.8 * 0.2 / len(results))
    assert 0.8 - slack < held <= min(1.0, 0.8 + slack)
    assert np.median([result[3] for result in results]) < 0.2 * np.median([result[4] for result in results])


def test_a_saturating_run_is_forecast_where_the_straight_line_is_absurd():
    accuracy = noisy("exponential")
    found = expected_at(averaged(STEPS[:100], accuracy[:100]), 30_000, 10_000)
    low, high = found.interval
    assert low < CURVES["exponential"][-1] < high
    assert found.accuracy == pytest.approx(CURVES["exponential"][-1], abs=0.06)
    assert np.polynomial.Polynomial.fit(STEPS[:100], accuracy[:100], 1)(30_000) > 1
    assert found.beyond_run is True
    assert set(found.by_model) <= {"linear", "log", "exponential", "power"}


@pytest.mark.parametrize(
    ("curve", "target", "verdict"),
    [
        ("exponential", 0.5, "reached"),
        ("exponential", 0.9, "beyond_every_model"),
        ("log", 0.55, "reachable"),
        ("linear", 0.8, "reachable"),
    ],
)
def test_verdicts(curve, target, verdict):
    accuracy = noisy(curve)
    found = steps_to(averaged(STEPS, accuracy), STEPS, accuracy, target)
    assert found.verdict == verdict
    if verdict == "reachable":
        early, late = found.interval
        truth = {"log": np.exp((0.55 + 0.3) / 0.08), "linear": (0.8 - 0.1) / 0.3 * LAST}[curve]
        assert LAST < early < found.steps
        assert early < truth * 1.1
        assert late is None or late > truth * 0.9
    if verdict == "beyond_every_model":
        assert found.steps is None
        assert found.probability < 0.1


def test_models_that_disagree_say_so():
    """The exponential ends at 0.57; a power through the same records goes on past 0.58."""
    accuracy = noisy("exponential", sigma=0.03)[:150]
    found = steps_to(averaged(STEPS[:150], accuracy), STEPS[:150], accuracy, 0.58)
    assert found.verdict == "models_disagree"
    assert found.by_model["exponential"] is None
    assert 0.05 < found.probability < 0.5


def test_the_first_passing_is_of_the_smoothed_accuracy():
    accuracy = noisy("exponential", sigma=0.05)
    assert first_passing(STEPS, accuracy, 0.3) == pytest.approx(-5000 * np.log(0.27 / 0.42), rel=0.3)
    assert first_passing(STEPS, accuracy, 0.65) is None


def test_schedules_are_told_apart():
    history = published_like()
    assert schedule_of(history, None) == schedule_of(history, 100_000) == "annealed"
    assert schedule_of(history, 200_000) == "unfinished"
    history.records["lr"] = [1e-4] * len(history)
    assert schedule_of(history, None) == "constant"
    history.records["lr"] = list(np.linspace(1e-4, 5e-5, len(history)))
    assert (
        schedule_of(history, None) == schedule_of(History({**history.records, "lr": [0.0] * 1000}), None) == "unknown"
    )


def test_an_unfinished_run_is_forecast_to_its_planned_end():
    history = make_history(60, finished=False)
    steps, accuracy = (np.array(history.records[key], dtype=float) for key in ("steps", "mlm_acc"))
    found = forecast(history, "mlm_acc", averaged(steps, accuracy), [], [])
    assert found.schedule == "unfinished"
    assert found.end.step == 4000
    low, high = found.end.interval
    assert low < 0.30 - 0.24 * np.exp(-3) < high
    finished = make_history()
    assert forecast(finished, "mlm_acc", averaged(*map(np.array, (steps, accuracy))), [], []).end is None


def test_too_few_records_or_none_that_differ_are_not_forecast():
    assert averaged(STEPS[:39], CURVES["log"][:39]) is None
    assert averaged(STEPS, np.full(300, 0.3)) is None
    assert forecast(make_history(5), "mlm_acc", None, [0.5], [100]) is None


def test_a_perfect_curve_is_forecast_without_a_warning():
    with np.errstate(all="raise", under="ignore"):
        found = expected_at(averaged(STEPS, CURVES["linear"]), 2 * LAST, LAST)
    assert found.accuracy == pytest.approx(0.7, abs=1e-3)
