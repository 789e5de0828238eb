"""The number of CPU threads, by trial or by wish, and the notice of a busy machine."""

import argparse
import itertools
import json

import pytest
import torch

from pipeline.train import threads
from pipeline.train.threads import AUTO, BusyMachine, number_of_threads, timed
from tests.helpers.in_process import succeeded, train_here
from tests.helpers.tiny import TINY_SETTINGS, write_tiny_dataset


@pytest.fixture(autouse=True)
def _same_threads_afterwards():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_option():
    assert [number_of_threads(text) for text in ("auto", "1", "16")] == [AUTO, 1, 16]
    for text in ("0", "-1", "two", "1.5", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="neither a number from 1 on nor auto"):
            number_of_threads(text)


def test_the_median_is_of_the_rounds_after_the_first(monkeypatch):
    """By a clock on which one thread takes 9, 1, 2, 3 and 30 seconds, two threads always 4."""
    taken = {1: iter([9, 1, 2, 3, 30]), 2: itertools.repeat(4)}
    now = [0.0]
    monkeypatch.setattr(threads.time, "perf_counter", lambda: now[0])

    def compute():
        now[0] += next(taken[torch.get_num_threads()])

    assert timed(compute, [1, 2]) == {1: 2.5, 2: 4}


def run_facts(folder):
    return json.loads((folder / "history.json").read_text())["run"]


def test_auto_finds_a_number_keeps_it_on_resume_and_changes_no_number(tmp_path, monkeypatch):
    """Two threads are made to look faster, so that digits can be compared with a run that was told to take two."""
    dataset = write_tiny_dataset(tmp_path)
    monkeypatch.setattr(threads, "candidates", lambda: [1, 2])
    monkeypatch.setattr(threads, "timed", lambda compute, counts: (compute(), {n: 0.5 / n for n in counts})[1])
    output = succeeded(train_here(tmp_path / "tried", dataset, *TINY_SETTINGS, "--threads", "auto"))
    assert "threads: 2 (a micro-batch took with 1: 500 ms, 2: 250 ms)" in output
    found = run_facts(tmp_path / "tried")
    assert (found["threads"], found["threads_tried"]) == (2, {"1": 0.5, "2": 0.25})

    succeeded(train_here(tmp_path / "told", dataset, *TINY_SETTINGS, "--threads", "2"))
    assert run_facts(tmp_path / "told")["threads"] == 2
    records = [json.loads((tmp_path / name / "history.json").read_text()) for name in ("tried", "told")]
    assert records[0]["loss"] == records[1]["loss"]
    assert records[0]["mlm_targets"] == records[1]["mlm_targets"]

    # Went on from the state at step 8: what the trial found then, whatever it would find now.
    for path in ("step_12.pth", "state_12.pth"):
        (tmp_path / "tried" / "ck" / path).unlink()
    (tmp_path / "tried" / "final.pth").unlink()
    monkeypatch.setattr(threads, "timed", lambda *_: {1: 0.1, 2: 0.9})
    torch.set_num_threads(1)
    output = succeeded(train_here(tmp_path / "tried", dataset, *TINY_SETTINGS, "--threads", "auto"))
    assert "resuming after step 8" in output
    assert "a micro-batch took" not in output
    assert run_facts(tmp_path / "tried")["threads"] == torch.get_num_threads() == 2


def write_times(folder, *times):
    """Nanoseconds that each thread ran, waited, and its time slices."""
    for number, (ran, waited) in enumerate(times):
        (folder / str(number)).mkdir(exist_ok=True)
        (folder / str(number) / "schedstat").write_text(f"{ran} {waited} 7\n")


def test_a_busy_machine_is_noticed_once(tmp_path):
    torch.set_num_threads(2)
    write_times(tmp_path, (10, 500), (10, 500))
    machine = BusyMachine(tmp_path)
    write_times(tmp_path, (90, 518), (90, 518))  # waited 36 of 196 since then
    assert machine.advice() is None
    write_times(tmp_path, (170, 540), (170, 540))  # 44 of 204
    assert "waited 22% of the time for a core" in machine.advice()
    write_times(tmp_path, (171, 900), (171, 900))
    assert machine.advice() is None


def test_one_thread_has_nobody_to_wait_for(tmp_path):
    torch.set_num_threads(1)
    machine = BusyMachine(tmp_path)
    write_times(tmp_path, (1, 1000))
    assert machine.advice() is None


def test_a_system_that_does_not_say_is_quiet(tmp_path):
    torch.set_num_threads(2)
    machine = BusyMachine(tmp_path / "missing")
    assert machine.advice() is None
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "schedstat").write_text("")
    assert BusyMachine(tmp_path).advice() is None
