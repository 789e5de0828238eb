"""The forecast of a run by its schedule: what a step means, how far answers go, targets and choices."""

import dataclasses

import numpy as np
import pytest

from pipeline.analyse.accuracy_curve import accuracy_curve
from pipeline.analyse.annealing.ahead import Known, ahead
from pipeline.analyse.annealing.coming import coming_rate
from pipeline.analyse.annealing.targets import first_passing
from pipeline.analyse.forecast import Asked, averaged, forecast
from pipeline.files.history import History
from pipeline.statistics.schedule import parse_schedule
from tests.helpers.simulated import CURVES, STEPS, ar_noise, published_like
from tests.helpers.synthetic import make_history

LAST = float(STEPS[-1])


def made(curve, seed=1, sigma=0.01, rate=1e-3, **lists):
    accuracy = CURVES[curve] + np.random.default_rng(seed).normal(0, sigma, len(STEPS))
    rates = rate if isinstance(rate, list) else [rate] * len(STEPS)
    return History({"steps": STEPS.astype(int).tolist(), "mlm_acc": accuracy.tolist(), "lr": rates, **lists})


def asked(history, *, targets=(), at=(), **known):
    return forecast(history, "mlm_acc", None, Asked(targets, at, Known(**known)))


@pytest.mark.parametrize("curve", ["log", "power"])
def test_a_constant_rate_is_forecast_on(curve):
    """From the first 40 % of a known curve with noise, its end is met."""
    history = made(curve)
    begun = History({key: values[:120] for key, values in history.records.items()})
    [point] = asked(begun, at=[LAST]).at
    assert point.accuracy == pytest.approx(CURVES[curve][-1], abs=0.04)
    assert (point.beyond_run, point.another_run) == (True, None)


def test_a_late_start_does_not_end_at_the_top():
    """A sigmoid in the step that is over by half of the run and stays at 57 %."""
    truth = 0.05 + 0.52 / (1 + np.exp(-(STEPS / LAST - 0.25) / 0.05))
    generator = np.random.default_rng(2)
    for share in (0.35, 0.5, 1.0):
        history = made("log")
        history.records["mlm_acc"] = (truth + ar_noise(generator, len(STEPS), 0.3, 0.015)).tolist()
        begun = History({key: values[: int(share * 300)] for key, values in history.records.items()})
        last = share * LAST
        [twice] = asked(begun, at=[2 * last]).at
        assert twice.accuracy < 0.75
        assert twice.interval[0] < 0.65


def test_answers_end_at_four_times_the_cumulative_rate_seen():
    history = made("log")
    found = asked(history, at=[3.9 * LAST, 4.1 * LAST])
    assert found.range == pytest.approx(4 * LAST, rel=1e-3)
    assert [point.step for point in found.at] == [3.9 * LAST]
    assert found.unsupported == [4.1 * LAST]


def test_beyond_the_end_of_a_schedule_stands_a_longer_run_and_its_cost():
    history = published_like()
    history.records["seconds"] = [0.5 * step for step in history.steps]
    found = forecast(history, "mlm_acc", None, Asked(at=[50_000, 200_000]))
    before, after = found.at
    assert (before.another_run, before.beyond_run, before.seconds) == (None, False, None)
    assert (after.another_run, after.beyond_run, after.seconds) == (True, True, pytest.approx(100_000))
    assert after.accuracy > found.at[0].accuracy
    assert found.schedule == "annealed"
    assert found.end is None


def test_an_unknown_rate_spans_what_may_come():
    """Without rates the interval reaches from below a rate that stays to above one that falls to nothing."""
    history = made("log")
    bare = History({key: history.records[key] for key in ("steps", "mlm_acc")})
    low, high = asked(bare, at=[2 * LAST]).at[0].interval
    stays = asked(history, at=[2 * LAST]).at[0]
    falls = asked(history, at=[2 * LAST], schedule=parse_schedule("wsd:0.5", steps=int(2 * LAST))).at[0]
    assert low < stays.accuracy < falls.accuracy < high
    assert asked(bare).law.rate_now is None


def test_a_given_schedule_is_the_coming_rate():
    history = made("log")
    found = asked(history, schedule=parse_schedule("linear", steps=40_000))
    assert (found.schedule, found.end.step) == ("unfinished", 40_000)
    assert found.law.rate_at_end == 0
    coming = coming_rate(history, parse_schedule("linear", steps=40_000))
    assert np.interp(35_000, coming.plan.steps, coming.plan.rates) == pytest.approx(1e-3 * 0.5, rel=0.01)


@pytest.mark.parametrize(
    ("curve", "target", "verdict"),
    [("exponential", 0.5, "reached"), ("exponential", 0.9, "beyond_every_model"), ("log", 0.53, "reachable")],
)
def test_verdicts(curve, target, verdict):
    [found] = asked(made(curve), targets=[target]).targets
    assert found.verdict == verdict
    if verdict == "reachable":
        early, late = found.interval
        assert LAST < early < found.steps
        assert early < np.exp((target + 0.3) / 0.08) * 1.1
        assert late is None or late > np.exp((target + 0.3) / 0.08) * 0.9
    if verdict == "beyond_every_model":
        assert found.steps is None
        assert found.probability < 0.1


def test_what_lies_beyond_the_records_is_not_supported():
    """The target that the law passes at the end of its range with a chance of a third."""
    history = made("log")
    outcome = ahead(history, "mlm_acc").outcome(4 * LAST)
    target = outcome.part(outcome.ceilings == 0).quantile(0.5) + 0.003
    [found] = asked(history, targets=[target]).targets
    assert found.verdict == "not_supported"
    assert found.probability == pytest.approx(1 - outcome.chance_below(target), abs=0.01)
    assert 0.1 < found.probability < 0.5
    assert found.steps is None


def test_the_steps_of_a_target_are_where_its_chance_passes_a_tenth_a_half_and_nine_tenths():
    history = made("log", sigma=0.03)
    law = ahead(history, "mlm_acc")
    target = law.outcome(1.5 * LAST).quantile(0.5)
    [found] = asked(history, targets=[target]).targets
    places = [step for step in (found.interval[0], found.steps, found.interval[1]) if step is not None]
    chances = [1 - law.outcome(float(step)).chance_below(target) for step in places]
    assert chances == pytest.approx([0.1, 0.5, 0.9][: len(places)], abs=0.02)
    assert found.steps == pytest.approx(1.5 * LAST, rel=0.01)


def test_where_a_ceiling_decides_the_models_disagree():
    history = made("exponential", sigma=0.003)
    point = asked(history, at=[3 * LAST]).at[0]
    assert point.by_model["ceiling"] < point.by_model["log"]
    between = (point.by_model["ceiling"] + point.by_model["log"]) / 2
    reach = ahead(history, "mlm_acc")
    law = reach.outcome(4 * LAST)
    middle = (law.part(law.ceilings > 0).quantile(0.5) + law.part(law.ceilings == 0).quantile(0.5)) / 2
    [found] = asked(history, targets=[max(middle, between)]).targets
    assert found.verdict == "models_disagree"
    assert found.by_model["ceiling"] is None


def test_a_run_whose_rate_has_still_to_fall_is_given_both_choices():
    """Decaying now takes a quarter of the steps more; going on ends where the plan does. Both say what they cost."""
    history = make_history(60, finished=False)
    history.run["config"]["schedule"] = "wsd:0.2"
    history.records["lr"] = [4e-3] * 60
    found = forecast(history, "mlm_acc", None).choices
    assert (found.decay_now.step, found.go_on.step) == (3000, 4000)
    assert found.go_on.accuracy > found.decay_now.accuracy
    per_step = history.records["seconds"][-1] / 2400
    assert found.decay_now.seconds == pytest.approx(600 * per_step)
    assert found.go_on.seconds == pytest.approx(1600 * per_step)


def test_the_first_twentieth_of_a_run_does_not_tell_its_end():
    """Neither its end nor steps beyond the range are told; what a decay at once would give is."""
    history, plan = made("log"), parse_schedule("cosine", steps=int(20 * LAST))
    targets = [0.6, 0.7, 0.8]
    found = asked(history, targets=targets, schedule=plan)
    assert found.end is None
    assert found.choices.go_on is None
    assert found.choices.decay_now.step == 1.25 * LAST
    assert LAST < found.range < 5 * LAST
    for target in found.targets:
        steps = [step for step in (target.steps, *target.by_model.values(), *target.interval) if step is not None]
        assert all(step <= found.range for step in steps)
    assert any(target.steps for target in found.targets)
    known = Asked(known=Known(schedule=plan))
    assert "still to fall" in accuracy_curve(history, "mlm_acc", None, known).plateau.note


def test_a_trunk_without_a_plan_branches_now_or_later():
    found = asked(made("log")).choices
    assert (found.decay_now.step, found.go_on.step) == (1.25 * LAST, 2.5 * LAST)
    stays = asked(made("log"), at=[1.25 * LAST]).at[0]
    assert found.decay_now.accuracy > stays.accuracy
    assert forecast(published_like(), "mlm_acc", None).choices is None


def test_the_first_passing_is_of_the_smoothed_accuracy():
    accuracy = CURVES["exponential"] + np.random.default_rng(1).normal(0, 0.05, len(STEPS))
    assert first_passing(STEPS, accuracy, 0.3) == pytest.approx(-5000 * np.log(0.27 / 0.42), rel=0.3)
    assert first_passing(STEPS, accuracy, 0.65) is None
    places = np.arange(300)
    for target in (0.2, 0.3, 0.5):  # the mean of a twentieth of the records around each, fewer at the beginning
        smooth = [accuracy[max(0, 2 * place - min(place + min(place, 7), 299)) : place + min(place, 7) + 1].mean()
                  for place in places]  # fmt: skip
        assert first_passing(STEPS, accuracy, target) == STEPS[np.argmax(np.array(smooth) >= target)]


def test_schedules_are_told_apart():
    history = published_like()
    assert coming_rate(history).state == "annealed"
    assert coming_rate(history, parse_schedule("cosine", steps=100_000)).state == "annealed"
    longer = coming_rate(history, parse_schedule("cosine", steps=200_000))
    assert (longer.state, longer.planned, longer.end) == ("unfinished", True, 200_000)
    history.run["config"] = {"steps": 200_000}
    assert (coming_rate(history).state, coming_rate(history).planned) == ("unfinished", False)
    history.run["config"] = {}
    history.records["lr"] = [1e-4] * len(history)
    assert coming_rate(history).state == "constant"
    history.records["lr"] = list(np.linspace(1e-4, 5e-5, len(history)))
    assert coming_rate(history).state == "unknown"
    nothing = coming_rate(History({**history.records, "lr": [0.0] * len(history)}))
    assert (nothing.state, nothing.recorded) == ("unknown", False)


@pytest.mark.parametrize(
    ("last", "schedule"), [(0.04, "annealed"), (0.06, "unknown"), (0.96, "constant"), (0.9, "unknown")]
)
def test_a_rate_has_ended_at_a_twentieth_of_its_peak_and_is_constant_within_a_twentieth(last, schedule):
    history = published_like()
    history.records["lr"] = np.concatenate([np.full(500, 1e-3), np.linspace(1, last, 500) * 1e-3]).tolist()
    assert coming_rate(history).state == schedule


def test_an_unfinished_run_is_forecast_to_its_planned_end():
    history = make_history(60, finished=False)
    found = forecast(history, "mlm_acc", averaged(*history.points("mlm_acc")))
    assert found.schedule == "unfinished"
    assert found.end.step == 4000
    assert sum(model.weight for model in found.models.values()) == pytest.approx(1)
    assert forecast(make_history(), "mlm_acc", None).end is None


def test_too_few_records_or_none_that_differ_are_not_forecast():
    assert averaged(STEPS[:39], CURVES["log"][:39]) is None
    assert averaged(STEPS, np.full(300, 0.3)) is None
    assert forecast(make_history(5), "mlm_acc", None) is None
    assert forecast(make_history(), None, None) is None
    flat = made("log", sigma=0)
    flat.records["mlm_acc"] = [0.3] * len(STEPS)
    assert asked(flat) is None


def test_a_perfect_curve_is_forecast_with_some_width():
    history = made("log", sigma=0)
    low, high = asked(history, at=[1.001 * LAST]).at[0].interval
    assert high - low > 1e-4


def test_every_answer_can_be_written():
    history = make_history(60, finished=False)
    found = forecast(history, "mlm_acc", None, Asked([0.2, 0.9], [3000, 8000]))
    assert all(np.isfinite(value) for value in dataclasses.asdict(found.end)["interval"])
