"""Forecasts of committed runs from their beginnings, with the rest of their learning rate taken from the settings."""

import json

import numpy as np
import pytest

from pipeline.analyse.annealing.calibration import calibration
from pipeline.analyse.annealing.end import ahead
from pipeline.analyse.annealing.planned import kind_of, plan_of
from pipeline.analyse.forecast import averaged, forecast
from pipeline.files.history import History, read_history
from study.runs import history_path


def begun(share, name="ladder_50000", **config):
    """The beginning of a committed run, as it stood in the file while the run went on."""
    whole = read_history(history_path(name))
    count = int(len(whole) * share)
    run = json.loads(json.dumps(whole.run))
    run["config"].update(config)
    return History({key: values[:count] for key, values in whole.records.items()}, run, whole.path), whole


@pytest.mark.parametrize("key", ["mlm_acc", "eval_mlm_acc"])
@pytest.mark.parametrize("share", [0.2, 0.3, 0.5])
def test_the_end_of_a_committed_run_lies_in_the_interval(key, share):
    history, whole = begun(share)
    found = forecast(history, key, None, [], [])
    steps, values = whole.points(key)
    end = values[steps > 0.95 * whole.last_step].mean()
    low, high = found.end.interval
    assert low < end < high
    assert found.end.accuracy == pytest.approx(end, abs=0.025)
    assert (found.end.step, found.end.beyond_run, found.schedule) == (50_000, True, "unfinished")
    assert found.annealing.calibrated
    assert found.models == {}


def test_the_plan_is_the_recorded_rate_and_then_the_settings():
    history, whole = begun(0.3)
    plan = plan_of(history)
    rates = whole.series("lr")
    assert np.interp(whole.steps, plan.steps, plan.rates) == pytest.approx(rates, abs=2e-5 * rates.max())
    found = forecast(history, "mlm_acc", None, [], []).annealing
    assert found.rate_now == pytest.approx(rates[len(history) - 1] / rates.max())
    assert found.rate_at_end == 0
    sums = np.cumsum(rates)
    assert found.progress == pytest.approx(sums[len(history) - 1] / sums[-1], rel=0.02)


def test_another_schedule_gives_another_end():
    """From the same beginning a longer run ends higher; a rate that stays leaves nothing to the law."""
    history, _ = begun(0.3)
    longer, _ = begun(0.3, steps=60_000)
    constant, _ = begun(0.3, schedule="constant")
    assert plan_of(longer).steps[-1] == 60_000
    assert ahead(history, "mlm_acc").at_end().quantile(0.5) < ahead(longer, "mlm_acc").at_end().quantile(0.5)
    assert ahead(constant, "mlm_acc") is None
    mixture = averaged(*constant.points("mlm_acc"))
    assert forecast(constant, "mlm_acc", mixture, [], []).annealing is None


def test_a_run_at_its_end_or_with_a_constant_rate_ahead_has_no_law():
    whole = read_history(history_path("ladder_50000"))
    assert ahead(whole, "mlm_acc") is None
    mixture = averaged(*whole.points("mlm_acc"))
    assert forecast(whole, "mlm_acc", mixture, [], []).annealing is None


def test_a_kind_that_nothing_was_calibrated_on_gets_a_wider_interval_and_is_told():
    history, _ = begun(0.3)
    known = forecast(history, "mlm_acc", None, [], [])
    history.run["columns"] = {
        "accuracy": {"train": "mlm_acc", "of": "next characters"}, "loss": {"train": "loss"}, "rate": "lr",
    }  # fmt: skip
    assert kind_of(history) is None
    other = forecast(history, "mlm_acc", None, [], [])
    assert other.annealing.calibrated is False
    assert np.diff(other.end.interval) > 1.2 * np.diff(known.end.interval)
    assert calibration().unknown.spread > calibration().kinds["masked language model"].spread


def test_a_target_is_reached_when_the_law_passes_it():
    """The chance at the planned end is that of the law; a target below the records was reached in them."""
    history, _ = begun(0.3)
    law = ahead(history, "mlm_acc")
    middle = law.at(law.end).quantile(0.5)
    likely, even, reached, never = forecast(history, "mlm_acc", None, [middle - 0.01, middle, 0.2, 0.6], []).targets
    assert likely.verdict == "reachable"
    assert 15_000 < likely.interval[0] < likely.steps < 50_000
    assert law.at(likely.steps).quantile(0.5) == pytest.approx(middle - 0.01, abs=5e-4)
    assert even.probability == pytest.approx(0.5, abs=0.01)
    assert (reached.verdict, never.verdict) == ("reached", "beyond_every_model")
    assert never.interval == (None, None)
