"""Learning rates: at the edges of each part of a schedule, their sum, and the notation."""

import math

import pytest

from pipeline.statistics.schedule import Schedule, parse_schedule, recorded_schedule

PAPER = {"steps": 100_000, "peak": 5e-5, "warmup": 2000}


def test_the_published_schedule():
    """Record 1 of the published history, at step 100, has 2.5e-6."""
    rate = parse_schedule("cosine", **PAPER).rate
    assert rate(100) == pytest.approx(2.5e-6)
    assert rate(2000) == pytest.approx(5e-5)
    assert rate(51_000) == pytest.approx(2.5e-5)
    assert rate(100_000) == pytest.approx(0.0, abs=1e-20)


@pytest.mark.parametrize(
    ("notation", "rates"),
    [
        ("cosine", {2000: 5e-5, 26_500: 5e-5 * (2 + math.sqrt(2)) / 4, 100_000: 0.0, 120_000: 0.0}),
        ("linear", {2000: 5e-5, 2098: 4.995e-5, 51_000: 2.5e-5, 99_902: 5e-8, 100_000: 0.0, 120_000: 0.0}),
        ("constant", {2000: 5e-5, 2001: 5e-5, 51_000: 5e-5, 100_000: 5e-5, 120_000: 5e-5}),
        # The decay is 1 - sqrt(x): a tenth of the peak is gone after a hundredth of it, half after a quarter.
        ("wsd:0.2", {2000: 5e-5, 80_000: 5e-5, 80_200: 4.5e-5, 85_000: 2.5e-5, 100_000: 0.0, 120_000: 0.0}),
        ("wsd:1", {2000: 5e-5, 26_500: 2.5e-5, 100_000: 0.0}),  # never before the end of the warm-up
    ],
)
def test_rates_at_the_edges(notation, rates):
    schedule = parse_schedule(notation, **PAPER)
    assert schedule.rate(1) == pytest.approx(2.5e-8)
    for step, rate in rates.items():
        assert schedule.rate(step) == pytest.approx(rate, rel=1e-9, abs=1e-20), step


@pytest.mark.parametrize("notation", ["cosine", "linear", "wsd:0.5"])
def test_without_a_warm_up_the_first_step_is_near_the_peak_and_the_last_is_zero(notation):
    rates = [parse_schedule(notation, steps=1000, peak=3.0).rate(step) for step in range(1, 1001)]
    assert rates == sorted(rates, reverse=True)
    assert 2.99 < rates[0] <= 3.0
    assert rates[-1] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_the_sum_of_a_wsd_run(share):
    """Half the peak over the warm-up, the peak, and a third of it over the decay: the integral of 1 - sqrt(x)."""
    schedule = parse_schedule(f"wsd:{share}", **PAPER)
    total = sum(map(schedule.rate, range(1, 100_001))) / 5e-5
    decay = share * 100_000
    assert total == pytest.approx(1000 + (98_000 - decay) + decay / 3, rel=1e-4)


def test_how_long_a_run_may_still_become_another():
    ends = {"cosine": 2000, "linear": 2000, "constant": None, "wsd:0.2": 80_000, "wsd:0.123": 87_700, "wsd:1": 2000}
    assert {notation: parse_schedule(notation, **PAPER).constant_until for notation in ends} == ends
    assert parse_schedule("wsd:0.01", steps=10).constant_until == 9  # at least one step decays


def test_the_constant_part_does_not_depend_on_the_length():
    trunk, longer = parse_schedule("constant", **PAPER), parse_schedule("wsd:0.1", **{**PAPER, "steps": 400_000})
    assert [trunk.rate(step) for step in range(1, 100_001)] == [longer.rate(step) for step in range(1, 100_001)]


def test_a_run_that_ends_in_its_warm_up_only_rises():
    rates = [parse_schedule("wsd:0.5", steps=10, warmup=20).rate(step) for step in range(1, 11)]
    assert rates == pytest.approx([step / 20 for step in range(1, 11)])


def test_recorded_settings_make_the_same_schedule():
    config = {"schedule": "wsd:0.2", "steps": 100_000, "lr": 5e-5, "warmup": 2000, "heads": 8}
    assert recorded_schedule(config) == Schedule("wsd", 100_000, 5e-5, 2000, 0.2)


@pytest.mark.parametrize("change", [{"schedule": 3}, {"steps": "many"}, {"lr": None}, {"warmup": 1.5}, {"lr": True}])
def test_recorded_settings_of_a_wrong_kind(change):
    with pytest.raises(ValueError, match="make no schedule"):
        recorded_schedule({"schedule": "cosine", "steps": 10, "lr": 1e-3, "warmup": 0, **change})
