"""The annealing law against curves that were made by it, and against its own formulas written out."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from pipeline.statistics.schedule import parse_schedule
from pipeline.statistics.schedule_forecast import Fitted, Gain, Law, Plan, fit_schedule
from tests.helpers.rates import assert_rate

LAW = Law(exponent=0.7, ceilings=(0.0, 0.5), drift=0.3, response=0.2, window=0.25, stretch=1.0)
GAIN = Gain(0.3, 0.09)
LAST = 40_000.0
STEPS = np.arange(100.0, LAST + 1, 100.0)
LATE = STEPS > 0.95 * LAST
END = STEPS[LATE]


def plan_of(notation, steps=STEPS):
    schedule = parse_schedule(notation, steps=int(steps[-1]), peak=3e-4, warmup=2000)
    return Plan(steps, np.array([schedule.rate(int(step)) for step in steps]))


def curve(plan, gain, steps=STEPS):
    """The law without drift and response, written out: a + b log S + D h, with h for a rate that only falls."""
    total = plan.progress(steps)
    falling = 1 - (np.where(steps < 2000, plan.rates.max(), plan.rates) / plan.rates.max()) ** 0.7
    return special.expit(-4.0 + 0.3 * np.log(total) + gain * falling)


def quantiles(fitted: Fitted, steps=END):
    outcome = fitted.expect(steps)
    return [outcome.quantile(share) for share in (0.1, 0.5, 0.9)]


def test_the_progress_is_the_integral_of_the_rate_over_the_peak():
    plan = plan_of("cosine")
    fine = np.linspace(0, LAST, 400_001)
    rates = np.interp(fine, np.append(0, STEPS), np.append(plan.rates[0], plan.rates))
    sums = np.append(0, np.cumsum((rates[1:] + rates[:-1]) / 2 * np.diff(fine))) / rates.max()
    places = np.array([50.0, 100.0, 1234.5, 20_000.0, 39_999.0, 40_000.0])
    assert plan.progress(places) == pytest.approx(np.interp(places, fine, sums), rel=1e-6)


def test_a_rate_that_rises_is_not_annealed():
    annealed = plan_of("wsd:0.5").annealed(STEPS, 0.7)
    assert annealed[STEPS <= 20_000] == pytest.approx(0, abs=1e-12)
    assert annealed[-1] == pytest.approx(1)
    middle = np.searchsorted(STEPS, 30_000)
    assert annealed[middle] == pytest.approx(1 - (1 - np.sqrt(0.5)) ** 0.7, rel=1e-3)


@pytest.mark.parametrize("notation", ["cosine", "linear", "wsd:0.2"])
def test_the_gain_of_a_schedule_still_to_come_is_in_the_forecast(notation):
    """From a third of the run, the end of a curve with D = 0.3 is met, and a constant rate ends lower."""
    plan = plan_of(notation)
    truth = curve(plan, 0.3)
    seen = STEPS <= LAST / 3
    noisy = truth + np.random.default_rng(1).normal(0, 0.002, len(STEPS))
    low, middle, high = quantiles(fit_schedule(STEPS[seen], noisy[seen], plan, GAIN, LAW))
    end = truth[LATE].mean()
    assert low < end < high
    assert middle == pytest.approx(end, abs=0.012)
    constant = Plan(STEPS, np.where(seen, plan.rates, plan.rates[seen][-1]))
    assert quantiles(fit_schedule(STEPS[seen], noisy[seen], constant, GAIN, LAW))[2] < end + 0.03
    none = quantiles(fit_schedule(STEPS[seen], noisy[seen], plan, Gain(1e-9, 1e-9), LAW))
    assert none[1] < middle - 0.02


def test_what_the_records_say_of_the_gain_is_learned():
    """Three quarters through, the error of a prior that is off by half is more than halved."""
    plan = plan_of("linear")
    truth = curve(plan, 0.6)
    seen = STEPS <= 0.75 * LAST
    straight = replace(LAW, response=0.0)
    learned, firm = (
        abs(quantiles(fit_schedule(STEPS[seen], truth[seen], plan, gain, straight))[1] - truth[LATE].mean())
        for gain in (Gain(0.3, 0.15), Gain(0.3, 1e-6))
    )
    assert learned < 0.5 * firm
    assert firm > 0.01


def test_intervals_hold_as_often_as_they_say_where_the_law_is_right():
    """80 %: curves drawn from the prior itself, with drift, response and noise that remembers."""
    generator, runs, held = np.random.default_rng(3), 200, 0
    steps = np.arange(400.0, 40_001.0, 400.0)
    plan = plan_of("cosine", steps)
    s, h = np.log(plan.progress(steps)), plan.annealed(steps, LAW.exponent)
    late = steps > 0.95 * steps[-1]
    for _ in range(runs):
        slope = 0.3 + LAW.drift * 0.3 * np.cumsum(
            np.append(0, generator.normal(0, 1, len(s) - 1) * np.sqrt(np.diff(s)))
        )
        trend = -3 + np.append(0, np.cumsum(slope[1:] * np.diff(s)))
        wander = np.cumsum(np.append(0, generator.normal(0, 1, len(h) - 1) * np.sqrt(np.maximum(np.diff(h), 0))))
        y = trend + generator.normal(GAIN.mean, GAIN.spread) * h + LAW.response * GAIN.mean * wander
        accuracy = special.expit(y + generator.normal(0, 0.02, len(y)))
        seen = steps <= 0.3 * steps[-1]
        low, _, high = quantiles(fit_schedule(steps[seen], accuracy[seen], plan, GAIN, LAW), steps[late])
        held += low <= special.expit(y[late]).mean() <= high
    assert_rate(held, runs, 0.8, notices=0.66)


def test_the_quantile_is_where_the_chance_is():
    plan = plan_of("cosine")
    seen = STEPS <= 12_000
    outcome = fit_schedule(STEPS[seen], curve(plan, 0.3)[seen], plan, GAIN, LAW).expect(END)
    for share in (0.1, 0.5, 0.9):
        assert outcome.chance_below(outcome.quantile(share)) == pytest.approx(share, abs=1e-6)


def test_too_few_records_give_no_forecast():
    plan = plan_of("cosine")
    assert fit_schedule(STEPS[:7], np.linspace(0.1, 0.2, 7), plan, GAIN, LAW) is None
    assert fit_schedule(STEPS[:8], np.linspace(0.1, 0.2, 8), plan, GAIN, LAW) is not None
