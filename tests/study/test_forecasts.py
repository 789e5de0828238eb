"""Committed forecasts: made from the first records alone, and never replaced."""

import hashlib
import json
import sys

import pytest

from pipeline.analyse.forecast import forecast
from pipeline.files.history import History, read_history
from pipeline.stage import InputError
from study import forecasts
from study.runs import history_path


def part(count, name="first_edition/ladder_25000"):
    whole = read_history(history_path(name))
    return History({key: values[:count] for key, values in whole.records.items()}, whole.run, whole.path)


@pytest.fixture
def write(tmp_path, monkeypatch):
    def written(history, percent):
        history.write(tmp_path / "h.json")
        options = ["--run", "long_one", "--percent", str(percent), "--folder", str(tmp_path / "made")]
        monkeypatch.setattr(sys, "argv", ["forecasts.py", str(tmp_path / "h.json"), *options])
        assert forecasts.main() == 0
        return tmp_path / "made" / f"long_one_{percent}.json"

    return written


def test_a_forecast_is_of_the_first_records_alone(write):
    found = json.loads(write(part(120), 30).read_text())
    first = part(75)
    for key, end in found["ends"].items():
        expected = forecast(first, key, None).end
        assert (end["expected"], tuple(end["interval"])) == (expected.accuracy, expected.interval)
    assert set(found["ends"]) == {"mlm_acc", "eval_mlm_acc"}
    records = json.dumps(first.records, sort_keys=True).encode()
    assert found["records_sha256"] == hashlib.sha256(records).hexdigest()
    assert (found["last_step"], found["last_step_recorded"], found["records"]) == (7500, 12_000, 75)
    assert json.loads(found["settings"]) == {"schedule": "cosine", "steps": 25_000, "lr": 0.001, "warmup": 1000}
    assert len(found["code"].rstrip("+")) == 40


def test_a_forecast_that_was_made_stays(write):
    path = write(part(60), 20)
    before = path.read_bytes()
    with pytest.raises(InputError, match="is not changed"):
        write(part(61), 20)
    assert path.read_bytes() == before


def test_a_run_that_is_not_there_yet_waits(write, tmp_path):
    with pytest.raises(InputError, match="is at step 7,400, and 30 % are 7,500 steps; wait"):
        write(part(74), 30)
    assert not list(tmp_path.rglob("*_30.json"))
