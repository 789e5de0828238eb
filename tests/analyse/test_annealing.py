"""Forecasts of committed runs from their beginnings, with the rest of their learning rate taken from the settings."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.analyse.annealing.ahead import Known, ahead
from pipeline.analyse.annealing.calibration import Calibration, ClusterGain, calibration
from pipeline.analyse.annealing.coming import coming_rate, kind_of
from pipeline.analyse.annealing.references import learned_gain
from pipeline.analyse.forecast import Asked, forecast, loss_forecast, same_setting
from pipeline.files.history import History, read_history
from study.runs import history_path


def whole(name):
    return read_history(history_path(name))


def begun(share, name="first_edition/ladder_50000", **config):
    """The beginning of a committed run, as it stood in the file while the run went on, and the whole of it."""
    history = whole(name)
    count = int(len(history) * share)
    run = json.loads(json.dumps(history.run))
    run["config"].update(config)
    return History({key: values[:count] for key, values in history.records.items()}, run, history.path), history


def end_of(history, key):
    steps, values = history.points(key)
    return values[steps > 0.95 * history.last_step].mean()


@pytest.mark.parametrize("key", ["mlm_acc", "eval_mlm_acc"])
@pytest.mark.parametrize("share", [0.2, 0.3, 0.5])
def test_the_end_of_a_committed_run_lies_in_the_interval(key, share):
    history, run = begun(share)
    found = forecast(history, key, None)
    low, high = found.end.interval
    assert low < end_of(run, key) < high
    assert found.end.accuracy == pytest.approx(end_of(run, key), abs=0.025)
    assert (found.end.step, found.end.beyond_run, found.schedule) == (50_000, True, "unfinished")
    assert found.law.calibrated
    assert found.models == {}


def test_the_plan_is_the_recorded_rate_and_then_the_settings():
    history, run = begun(0.3)
    plan = coming_rate(history).plan
    rates = run.series("lr")
    assert np.interp(run.steps, plan.steps, plan.rates) == pytest.approx(rates, abs=2e-5 * rates.max())
    law = forecast(history, "mlm_acc", None).law
    assert law.rate_now == pytest.approx(rates[len(history) - 1] / rates.max())
    assert law.rate_at_end == 0
    sums = np.cumsum(rates)
    assert law.progress == pytest.approx(sums[len(history) - 1] / sums[-1], rel=0.02)


def test_another_schedule_gives_another_end():
    """From the same beginning a longer run ends higher, and a rate that stays ends lower."""
    ends = [
        forecast(begun(0.3, **config)[0], "mlm_acc", None).end.accuracy
        for config in ({"schedule": "constant"}, {}, {"steps": 60_000})
    ]
    assert ends == sorted(ends)
    assert ends[1] - ends[0] > 0.02


def test_a_kind_that_nothing_was_calibrated_on_gets_a_wider_interval_and_is_told():
    history, _ = begun(0.3)
    known = forecast(history, "mlm_acc", None)
    history.run["columns"] = {
        "accuracy": {"train": "mlm_acc", "of": "next characters"}, "loss": {"train": "loss"}, "rate": "lr",
    }  # fmt: skip
    assert kind_of(history) is None
    other = forecast(history, "mlm_acc", None)
    assert other.law.calibrated is False
    assert np.diff(other.end.interval) > 1.15 * np.diff(known.end.interval)
    named = forecast(history, "mlm_acc", None, Asked(known=Known(kind="masked language model")))
    assert named.end == known.end


def test_the_gain_of_a_kind_is_the_geometric_mean_of_its_clusters():
    law = replace(calibration().law, stretch=0.8)
    entries = [ClusterGain("a", "x", 3, 0.2), ClusterGain("b", "x", 1, 0.4), ClusterGain("c", "y", 9, 0.1)]
    found = Calibration(law, entries, {}, [])
    assert found.gain("x").mean == pytest.approx(np.sqrt(0.08))
    within = np.log(2) / np.sqrt(2)  # of two values, ddof 1
    assert found.gain("x").spread == pytest.approx(np.sqrt(0.08) * within * np.sqrt(1.5))
    assert found.gain("y").spread == pytest.approx(0.1 * within * np.sqrt(2))
    assert found.gain("z") == found.gain(None)
    mean = (np.sqrt(0.08) + 0.1) / 2
    assert found.gain("z").mean == pytest.approx(mean)
    between = (np.sqrt(0.08) - 0.1) / np.sqrt(2)
    assert found.gain("z").spread == pytest.approx(np.hypot(between, within * mean) * np.sqrt(1.5))
    assert found.leaving_out(cluster="a").gain("x").mean == pytest.approx(0.4)
    assert not found.leaving_out(kind="x").known("x")


def test_finished_references_tell_the_gain():
    """Seeds of one setting: what one shows of the gain narrows the forecast of another; a quarter of it is kept."""
    history, run = begun(0.3, "first_edition/seed_42")
    references = [whole("first_edition/seed_43"), whole("first_edition/seed_44")]
    known = calibration()
    points = [(reference, *reference.points("mlm_acc")) for reference in references]
    learned = learned_gain(points, known.gain("masked language model"), known.law)
    assert 0.15 < learned.mean < 0.6
    assert learned.spread >= 0.25 * learned.mean
    found = forecast(history, "mlm_acc", None, Asked(known=Known(references=references)))
    assert found.law.references == 2
    assert found.end.accuracy == pytest.approx(end_of(run, "mlm_acc"), abs=0.025)
    assert np.diff(found.end.interval) < np.diff(forecast(history, "mlm_acc", None).end.interval)
    assert learned_gain([(history, *history.points("mlm_acc"))], known.gain(None), known.law) is None


@pytest.mark.parametrize(("key", "near"), [("mlm_acc", 0.01), ("eval_mlm_acc", 0.02)])
def test_two_shorter_runs_tell_what_a_longer_one_gives(key, near):
    """25,000 and 50,000 steps of the ladder forecast its 100,000, with seconds; the interval holds it."""
    shorter = [whole("first_edition/ladder_50000"), whole("first_edition/ladder_25000")]
    beside = same_setting(shorter[0], shorter)
    assert len(beside) == 1
    found = forecast(shorter[0], key, None, Asked(at=[100_000], known=Known(beside=beside)))
    [point] = found.at
    longest = whole("first_edition/100k")
    assert point.another_run
    assert point.accuracy == pytest.approx(end_of(longest, key), abs=near)
    assert point.interval[0] < end_of(longest, key) < point.interval[1]
    assert point.seconds == pytest.approx(longest.records["seconds"][-1], rel=0.15)
    assert point.tokens == pytest.approx(longest.records["tokens"][-1], rel=0.02)
    assert found.law.runs == 2


def test_one_run_alone_is_wide_about_longer_ones():
    """Runs of one length do not show how length counts; of our ladder's ten such forecasts nine hold the end."""
    ladder = {12_500: "ladder_12500", 25_000: "ladder_25000", 50_000: "ladder_50000", 100_000: "100k"}
    ladder = {steps: f"first_edition/{name}" for steps, name in ladder.items()}
    held = []
    for shorter, name in ladder.items():
        for longer in (steps for steps in ladder if shorter < steps <= 4 * shorter):
            for key in ("mlm_acc", "eval_mlm_acc"):
                [point] = forecast(whole(name), key, None, Asked(at=[longer])).at
                held.append(point.interval[0] < end_of(whole(ladder[longer]), key) < point.interval[1])
    assert (sum(held), len(held)) == (9, 10)


def test_runs_of_another_setting_are_not_put_under_one_law():
    """The 50,000 steps on the small dataset differ in the dataset, the offline sample in the model."""
    assert same_setting(whole("first_edition/100k"), [whole("50k"), whole("long")]) == []


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_the_loss_is_forecast_too(share):
    """In its own unit, the lower end of the interval first, near the end of the committed run."""
    history, run = begun(share)
    found = loss_forecast(history, "loss", Asked(at=[40_000]))
    low, high = found.end.interval
    assert low < found.end.loss < high
    assert found.end.loss == pytest.approx(end_of(run, "loss"), abs=0.25)
    assert found.end.loss < found.at[0].loss
    assert found.law.kind == "masked language model, loss"
    assert loss_forecast(history, None, Asked()) is None


def test_a_target_is_reached_when_the_law_passes_it():
    """The chance at the planned end is that of the law; a target below the records was reached in them."""
    history, _ = begun(0.3)
    law = ahead(history, "mlm_acc")
    middle = law.outcome(50_000).quantile(0.5)
    likely, reached, never = forecast(history, "mlm_acc", None, Asked([middle - 0.01, 0.2, 0.6])).targets
    assert (likely.verdict, likely.another_run) == ("reachable", None)
    assert 15_000 < likely.interval[0] < likely.steps < 50_000
    assert law.outcome(likely.steps).quantile(0.5) == pytest.approx(middle - 0.01, abs=1e-3)
    assert (reached.verdict, never.verdict) == ("reached", "beyond_every_model")
    assert never.interval == (None, None)


def test_a_target_beyond_the_plan_asks_for_a_longer_run():
    history, _ = begun(0.5)
    law = ahead(history, "mlm_acc")
    target = law.outcome(80_000).quantile(0.5)
    [found] = forecast(history, "mlm_acc", None, Asked([target])).targets
    assert found.another_run
    assert found.steps == pytest.approx(80_000, rel=0.03)
    assert found.seconds == pytest.approx(found.steps * history.records["seconds"][-1] / history.last_step)
