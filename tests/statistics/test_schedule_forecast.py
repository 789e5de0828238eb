"""The annealing law against curves that were made by it, and against its own formulas written out."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from pipeline.statistics.annealing.law import Gain, Law
from pipeline.statistics.annealing.outcome import mixed
from pipeline.statistics.annealing.rate_plan import Plan
from pipeline.statistics.annealing.records import Observed
from pipeline.statistics.schedule import parse_schedule
from pipeline.statistics.schedule_forecast import fit_schedule
from tests.helpers.rates import assert_rate

LAW = Law(0.7, 0.0, ((0.0, 0.5), (0.5, 0.5)), ((0.3, 1.0),), response=0.2, window=0.25, stretch=1.0)
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


def fit(steps, accuracy, plan, gain=GAIN, law=LAW):
    return fit_schedule([Observed(steps, accuracy, plan)], gain, law)


def quantiles(steps, accuracy, plan, gain=GAIN, law=LAW, late=END):
    outcome = fit(steps, accuracy, plan, gain, law).expect(plan, late)
    return [outcome.quantile(share) for share in (0.1, 0.5, 0.9)]


def test_the_progress_is_the_integral_of_the_rate_over_the_peak():
    plan = plan_of("cosine")
    fine = np.linspace(0, LAST, 400_001)
    rates = np.interp(fine, np.append(0, STEPS), np.append(plan.rates[0], plan.rates))
    sums = np.append(0, np.cumsum((rates[1:] + rates[:-1]) / 2 * np.diff(fine))) / rates.max()
    places = np.array([50.0, 100.0, 1234.5, 20_000.0, 39_999.0, 40_000.0])
    assert plan.progress(places) == pytest.approx(np.interp(places, fine, sums), rel=1e-6)


def test_a_rate_that_rises_is_not_annealed():
    annealed = plan_of("wsd:0.5").annealed(LAW.exponent, LAW.lag)
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
    low, middle, high = quantiles(STEPS[seen], noisy[seen], plan)
    end = truth[LATE].mean()
    assert low < end < high
    assert middle == pytest.approx(end, abs=0.012)
    constant = Plan(STEPS, np.where(seen, plan.rates, plan.rates[seen][-1]))
    assert quantiles(STEPS[seen], noisy[seen], constant)[2] < end + 0.03
    none = quantiles(STEPS[seen], noisy[seen], plan, Gain(1e-9, 1e-9))
    assert none[1] < middle - 0.02


def test_a_bend_does_not_pass_for_the_gain_unless_it_is_asked_to():
    """A beginning leaves D as it was known, with the doubt about what is still to come; ``learn`` fits it."""
    plan = plan_of("linear")
    truth = curve(plan, 0.6)
    seen = STEPS <= 0.75 * LAST
    straight, gain = replace(LAW, response=0.0), Gain(0.3, 0.15)
    kept, learned, firm = (
        fit_schedule([Observed(STEPS[seen], truth[seen], plan)], gain, straight, learn=learn).expect(plan, END)
        for gain, learn in ((gain, False), (gain, True), (Gain(0.3, 1e-6), False))
    )
    end = truth[LATE].mean()
    assert kept.quantile(0.5) == pytest.approx(firm.quantile(0.5), abs=1e-6)
    assert abs(learned.quantile(0.5) - end) < 0.5 * abs(kept.quantile(0.5) - end)
    h = np.interp(np.append(END, STEPS[seen][-1]), plan.steps, plan.annealed(LAW.exponent, LAW.lag))
    to_come = 0.15 * (h[:-1].mean() - h[-1])
    assert kept.spreads == pytest.approx(np.hypot(firm.spreads, to_come), rel=0.01)


def test_intervals_hold_as_often_as_they_say_where_the_law_is_right():
    """80 %: curves drawn from the prior itself, with drift, response and noise that remembers."""
    generator, runs, held = np.random.default_rng(3), 200, 0
    steps = np.arange(400.0, 40_001.0, 400.0)
    plan = plan_of("cosine", steps)
    s, h = np.log(plan.progress(steps)), plan.annealed(LAW.exponent, LAW.lag)
    late = steps > 0.95 * steps[-1]
    for _ in range(runs):
        slope = 0.3 + 0.3 * 0.3 * np.cumsum(np.append(0, generator.normal(0, 1, len(s) - 1) * np.sqrt(np.diff(s))))
        trend = -3 + np.append(0, np.cumsum(slope[1:] * np.diff(s)))
        wander = np.cumsum(np.append(0, generator.normal(0, 1, len(h) - 1) * np.sqrt(np.maximum(np.diff(h), 0))))
        y = trend + generator.normal(GAIN.mean, GAIN.spread) * h + LAW.response * GAIN.mean * wander
        accuracy = special.expit(y + generator.normal(0, 0.02, len(y)))
        seen = steps <= 0.3 * steps[-1]
        low, _, high = quantiles(steps[seen], accuracy[seen], plan, late=steps[late])
        held += low <= special.expit(y[late]).mean() <= high
    assert_rate(held, runs, 0.8, notices=0.66)


def test_the_quantile_is_where_the_chance_is():
    plan = plan_of("cosine")
    seen = STEPS <= 12_000
    outcome = fit(STEPS[seen], curve(plan, 0.3)[seen], plan).expect(plan, END)
    for share in (0.1, 0.5, 0.9):
        assert outcome.chance_below(outcome.quantile(share)) == pytest.approx(share, abs=1e-6)


def test_too_few_records_give_no_forecast():
    plan = plan_of("cosine")
    assert fit(STEPS[:7], np.linspace(0.1, 0.2, 7), plan) is None
    assert fit(STEPS[:8], np.linspace(0.1, 0.2, 8), plan) is not None


def test_a_fallen_rate_takes_effect_with_a_lag():
    """The lag written out as the integral of an exponential weight over log step, by small steps."""
    law = replace(LAW, lag=0.05)
    plan = Plan(STEPS, np.where(STEPS <= 20_000, 1.0, 0.1))
    fine = np.exp(np.linspace(np.log(100), np.log(LAST), 100_001))
    gone = 1 - np.interp(fine, STEPS, plan.rates) ** 0.7
    ahead = np.diff(np.log(fine), prepend=np.log(fine[0]))
    felt, expected = 0.0, np.empty_like(fine)
    for place in range(len(fine)):
        felt += (gone[place] - felt) * ahead[place] / 0.05
        expected[place] = felt
    assert plan.annealed(law.exponent, law.lag) == pytest.approx(np.interp(STEPS, fine, expected), abs=6e-3)


def test_several_runs_of_a_setting_are_one_curve():
    """Two short runs tell what a run of twice the longer one gives; one alone is less sure."""

    def run(length, seed):
        steps = np.arange(100.0, length + 1, 100.0)
        schedule = parse_schedule("cosine", steps=length, peak=3e-4, warmup=1000)
        plan = Plan(steps, np.array([schedule.rate(int(step)) for step in steps]))
        annealed = plan.annealed(LAW.exponent, LAW.lag)
        truth = special.expit(-4.0 + 0.3 * np.log(plan.progress(steps)) + 0.3 * annealed)
        return Observed(steps, truth + np.random.default_rng(seed).normal(0, 0.004, len(steps)), plan), truth

    (short, _), (middle, _), (_, truth) = run(10_000, 1), run(20_000, 2), run(40_000, 3)
    plan = Plan(middle.plan.steps * 2, middle.plan.rates)
    both, one = (
        fit_schedule(runs, GAIN, LAW).expect(plan, np.linspace(38_000, 40_000, 21), another_run=True)
        for runs in ([middle, short], [middle])
    )
    assert both.quantile(0.5) == pytest.approx(truth[-20:].mean(), abs=0.008)
    assert both.quantile(0.1) < truth[-20:].mean() < both.quantile(0.9)
    assert both.quantile(0.9) - both.quantile(0.1) < 0.9 * (one.quantile(0.9) - one.quantile(0.1))


def test_the_gain_is_learned_from_a_finished_run():
    plan = plan_of("cosine")
    noisy = curve(plan, 0.5) + np.random.default_rng(4).normal(0, 0.001, len(STEPS))
    straight = replace(LAW, response=0.0)
    learned = fit_schedule([Observed(STEPS, noisy, plan)], Gain(0.3, 0.3), straight, learn=True).learned_gain()
    assert learned.mean == pytest.approx(0.5, abs=0.05)
    assert learned.spread < 0.1


def test_a_mixture_of_outcomes_has_their_mean_chance():
    plan = plan_of("cosine")
    fitted = fit(STEPS[:150], curve(plan, 0.3)[:150], plan)
    first, second = fitted.expect(plan, END), fitted.expect(plan, STEPS[100:101])
    for accuracy in (0.2, 0.25, 0.3):
        chance = (first.chance_below(accuracy) + second.chance_below(accuracy)) / 2
        assert mixed([first, second]).chance_below(accuracy) == pytest.approx(chance)
