"""How accurate a run is, and two runs' difference: what the numbers are, and how often their intervals hold."""

import numpy as np
import pytest

from pipeline.analyse.side_by_side.run_parts import difference, part_of
from pipeline.files.history import History
from pipeline.statistics import bootstrap
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import CURVES, STEPS, ar_noise, true_r

CURVE = CURVES["exponential"]
TRUTHS = {"end_accuracy": CURVE[-30:].mean(), "mean_accuracy": CURVE.mean(), "r": true_r(STEPS, CURVE, 0.1)}


def part(accuracy, until=None):
    steps = STEPS[: len(accuracy)]
    return part_of(History({"steps": steps.tolist(), "mlm_acc": np.asarray(accuracy).tolist()}, {}), "mlm_acc", until)


def test_a_part_ends_with_the_step_it_is_asked_for_and_its_end_is_its_last_tenth():
    accuracy = CURVE + np.random.default_rng(1).normal(0, 0.01, 300)
    for found, count in ((part(accuracy), 300), (part(accuracy, 20_000), 200), (part(accuracy[:7]), 7)):
        seen = accuracy[:count]
        assert len(found.accuracy) == count
        assert found.value_of("mean_accuracy") == pytest.approx(seen.mean())
        assert found.value_of("end_accuracy") == pytest.approx(seen[-max(1, count // 10) :].mean())
        assert found.value_of("r") == pytest.approx(np.corrcoef(STEPS[:count], seen)[0, 1])
    assert part(accuracy[:7]).spread_of("end_accuracy") is None


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_means_vary_as_much_as_the_noise_lets_them(phi, monkeypatch):
    """sigma^2 / n for n independent records, (1 + phi) / (1 - phi) times as much where they remember."""
    monkeypatch.setattr(bootstrap, "REPLICATES", 300)
    generator, found = np.random.default_rng(2), {"end_accuracy": [], "mean_accuracy": []}
    for _ in range(15):
        seen = part(CURVES["linear"] + ar_noise(generator, 300, phi, 0.05))
        for metric, values in found.items():
            spread = seen.spread_of(metric)
            assert spread.mean() == pytest.approx(0, abs=1e-12)
            values.append(spread.std())
    for metric, count in (("end_accuracy", 30), ("mean_accuracy", 300)):
        sums = sum((1 - abs(lag) / count) * phi ** abs(lag) for lag in range(1 - count, count))
        # Somewhat wider: how slowly the noise drifts is known only so well.
        assert 0.95 < np.median(found[metric]) / (0.05 * np.sqrt(sums / count)) < 1.3, metric


def test_a_difference_is_the_second_less_the_first_and_both_noises_count():
    generator = np.random.default_rng(3)
    low, high = part(CURVE + generator.normal(0, 0.03, 300)), part(CURVE + 0.1 + generator.normal(0, 0.04, 300))
    for metric in TRUTHS:
        found, interval = difference(low, high, metric)
        assert found == pytest.approx(high.value_of(metric) - low.value_of(metric))
        assert interval[0] < found < interval[1]
        back, interval_back = difference(high, low, metric)
        assert back == -found
        widths = [np.ptp(np.quantile(each.spread_of(metric), [0.025, 0.975])) for each in (low, high)]
        for width in (np.ptp(interval), np.ptp(interval_back)):
            assert width == pytest.approx(np.hypot(*widths), rel=0.08)
    same, interval = difference(low, low, "end_accuracy")
    assert same == 0
    assert np.ptp(interval) == pytest.approx(
        np.sqrt(2) * np.ptp(np.quantile(low.spread_of("end_accuracy"), [0.025, 0.975])), rel=0.1
    )


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_intervals_of_ends_means_and_differences_hold_the_truth_as_often_as_they_say(phi, monkeypatch):
    monkeypatch.setattr(bootstrap, "REPLICATES", 200)
    generator, runs = np.random.default_rng(4), 560
    held = dict.fromkeys(["end_accuracy", "mean_accuracy"], 0)
    apart = dict.fromkeys(TRUTHS, 0)
    for _ in range(runs // 2):
        pair = [part(CURVE + ar_noise(generator, 300, phi, 0.1)) for _ in range(2)]
        for metric in held:
            for each in pair:
                low, high = each.value_of(metric) + np.quantile(each.spread_of(metric), [0.025, 0.975])
                held[metric] += low <= TRUTHS[metric] <= high
        for metric in apart:
            _, (low, high) = difference(*pair, metric)
            apart[metric] += low <= 0 <= high
    for count in held.values():
        assert_rate(count, runs, 0.95, notices=0.9)
    for count in apart.values():
        assert_rate(count, runs // 2, 0.95, notices=0.88)
