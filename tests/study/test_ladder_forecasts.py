"""Forecasts of a longer run: from finished shorter ones alone, before it begins, and never replaced."""

import json
import shutil

import pytest

from pipeline.analyse.annealing.ahead import Known
from pipeline.analyse.forecast import Asked, forecast
from pipeline.files.history import History, read_history
from pipeline.stage import InputError
from study import train
from study.ladder_forecasts import forecast_of, ladder_path, late_mean
from study.plan import named
from study.runs import history_path
from tests.helpers.tiny import ROOT, run_script


@pytest.fixture(scope="module")
def shorter():
    return [read_history(history_path(name)) for name in ("first_edition/ladder_25000", "first_edition/ladder_12500")]


def test_it_is_the_forecast_of_the_analysis_given_the_other_runs(shorter):
    found = forecast_of(shorter, 50_000)
    longest, other = shorter
    for key, end in found.ends.items():
        late = late_mean(*longest.points(key))
        asked = Asked([late + 0.02], [50_000], Known(beside=[other]))
        expected = forecast(longest, key, None, asked)
        assert (end.expected, end.interval) == (expected.at[0].accuracy, expected.at[0].interval)
        assert found.targets[key] == expected.targets[0]
        assert found.targets[key].another_run
    assert set(found.ends) == {"mlm_acc", "eval_mlm_acc"}
    assert [run.steps for run in found.shorter] == [12_500, 25_000]


def test_the_late_mean_is_that_of_the_last_twentieth(shorter):
    steps, accuracy = shorter[0].points("mlm_acc")
    assert late_mean(steps, accuracy) == pytest.approx(accuracy[steps > 23_750].mean())


def test_what_it_cannot_say_is_refused(shorter):
    with pytest.raises(InputError, match="has 25,000 steps already"):
        forecast_of(shorter, 25_000)
    with pytest.raises(InputError, match="says nothing about 200,000 steps; give longer runs"):
        forecast_of(shorter, 200_000)
    unfinished = History(shorter[1].records, {**shorter[1].run, "finished": None}, shorter[1].path)
    with pytest.raises(InputError, match="is not finished"):
        forecast_of([shorter[0], unfinished], 50_000)


def test_the_driver_writes_it_once_before_a_run_of_the_ladder(tmp_path):
    study = train.Study(tmp_path / "runs", tmp_path, tmp_path / "forecasts", [])
    path = ladder_path(study.forecasts, 25_000)
    longer = named("cosine_25000_seed_42")
    study.forecast_from_shorter(longer)  # nothing is finished
    finished = study.history(named("cosine_12500_seed_42"))
    finished.parent.mkdir(parents=True)
    shutil.copy(ROOT / history_path("first_edition/ladder_12500"), finished)
    study.forecast_from_shorter(named("cosine_12500_seed_42"))
    study.forecast_from_shorter(named("cosine_25000_seed_43"))
    assert not study.forecasts.exists()
    study.forecast_from_shorter(longer)
    written = json.loads(path.read_text())
    assert (written["steps"], [run["steps"] for run in written["shorter"]]) == (25_000, [12_500])
    study.forecast_from_shorter(longer)
    assert json.loads(path.read_text()) == written
    done = run_script("study/ladder_forecasts.py", finished, "--longer", 25_000, "--folder", study.forecasts)
    assert (done.returncode, "a forecast that was made is not changed" in done.stderr) == (2, True)
