"""A run in progress: when its history is written."""

from types import SimpleNamespace

import pytest

from pipeline.files.history import FURTHER_KEYS, PUBLISHED_KEYS, History, read_history
from pipeline.train import run as run_module
from pipeline.train.run import WRITE_EVERY, WRITE_SHARE, Run, RunFiles


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(run_module.time, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture
def run(tmp_path):
    files = RunFiles(tmp_path, tmp_path / "history.json", tmp_path / "final.pth")
    return Run(None, files, None, None, None, None, None, History())


def append(run, step):
    run.history.append({**dict.fromkeys(PUBLISHED_KEYS + FURTHER_KEYS), "steps": step})


def written(run):
    return read_history(run.files.history).steps


def test_the_history_is_written_every_few_seconds_however_many_records_there_are(run, clock):
    append(run, 1)
    run.write_history(at_once=False)
    assert written(run) == [1]
    for step in (2, 3):
        append(run, step)
        clock.seconds += WRITE_EVERY / 2 - 0.1
        run.write_history(at_once=False)
        assert written(run) == [1]
    clock.seconds += 0.3
    run.write_history(at_once=False)
    assert written(run) == [1, 2, 3]


def test_the_pause_grows_with_the_time_that_writing_takes(run, clock, monkeypatch):
    write = History.write

    def slow(history, path):
        write(history, path)
        clock.seconds += 0.2

    monkeypatch.setattr(History, "write", slow)
    append(run, 1)
    run.write_history(at_once=False)
    append(run, 2)
    clock.seconds += 0.2 / WRITE_SHARE - 0.1
    run.write_history(at_once=False)
    assert written(run) == [1]
    clock.seconds += 0.2
    run.write_history(at_once=False)
    assert written(run) == [1, 2]


@pytest.mark.usefixtures("clock")
def test_it_is_written_at_once_where_that_is_asked(run):
    for step in (1, 2, 3):
        append(run, step)
        run.write_history(at_once=True)
        assert written(run) == list(range(1, step + 1))
