"""Rates and what is left after a resume: of the process at work, never across the gap."""

import pytest

from pipeline.files.run_record import Resume, note_resume
from pipeline.monitor.progress import measure
from pipeline.monitor.screen import screen
from pipeline.monitor.speed import speed_of
from pipeline.terminal import Surface
from tests.helpers.synthetic import make_history

NOW = 1_000_000.0


def resumed(records_since, *, slow=20.0):
    """50 records of 40 steps, 3 s each, a process that takes ``slow`` seconds a record, and a minute to compile."""
    history = make_history(50 + records_since, finished=False)
    seconds = history.records["seconds"]
    for number in range(50, 50 + records_since):
        seconds[number] = seconds[49] + 60 + slow * (number - 49)
    note_resume(history.run, Resume(2000, "2026-01-05T09:00:00+00:00"))
    return history


def look(history, age=5.0):
    return measure(history, NOW - age, NOW)


@pytest.mark.parametrize("records_since", [0, 1])
def test_until_a_process_can_be_timed_the_speed_before_is_shown_and_marked(records_since):
    found = look(resumed(records_since))
    assert (found.rate_now, found.rate_is_earlier) == (pytest.approx(40 / 3), True)
    left = 4000 - 2000 - 40 * records_since
    assert found.eta_seconds == pytest.approx(left / (40 / 3) - 5)
    assert found.records_since_resume == records_since
    shown = screen(found, Surface(100))
    for fact in ("13.33 steps/s before the resume", "measuring", "left at that speed", "after step 2,000"):
        assert fact in shown
    assert ("5 s ago, no record since" in shown) == (records_since == 0)
    assert "recordsthe last" not in shown.replace(" ", "") or records_since
    assert found.to_json()["resumed"] == {"step": 2000, "at": "2026-01-05T09:00:00+00:00"}


@pytest.mark.parametrize("records_since", [2, 5, 30])
def test_from_the_second_record_on_the_speed_is_of_this_process_without_its_start(records_since):
    found = look(resumed(records_since))
    assert (found.rate_now, found.rate_is_earlier) == (pytest.approx(2.0), False)
    assert found.eta_seconds == pytest.approx((2000 - 40 * records_since) / 2 - 5)
    shown = screen(found, Surface(100))
    assert "2.00 steps/s now" in shown
    assert "resume" not in shown


def test_what_a_resume_does_not_know_of_is_told_by_a_change_of_machine_or_a_branch():
    """Histories of before resumes were recorded."""
    for facts in ({"changes": [{"step": 2000, "setting": "threads", "from": 8, "to": 1}]}, {"branch": {
        "history": "trunk.json", "step": 2000, "sha256": ""}}):  # fmt: skip
        history = resumed(4)
        del history.run["resumed"]
        history.run.update(facts)
        assert speed_of(history).now == pytest.approx(2.0)
    assert speed_of(history).overall == pytest.approx(160 / 140)  # of the branch: its own steps, its start included


def test_the_start_of_a_process_is_not_timed_and_a_single_record_is():
    history = make_history(8, finished=False)
    history.records["seconds"] = [100.0 + 4 * number for number in range(8)]
    assert speed_of(history).now == pytest.approx(10.0)
    assert speed_of(history).overall == pytest.approx(320 / 128)
    one = make_history(1, finished=False)
    assert (speed_of(one).now, speed_of(one).is_earlier) == (pytest.approx(40 / 3), False)
    assert speed_of(make_history(0, finished=False)).now is None


@pytest.mark.parametrize(("age", "state"), [(290, "running"), (310, "stalled")])
def test_a_process_that_has_just_begun_may_compile_for_minutes(age, state):
    assert look(resumed(0), age).state == state
    assert look(resumed(3), 200).state == "stalled"


def test_a_finished_run_is_not_being_measured():
    history = resumed(1)
    history.run["finished"] = "2026-01-05T10:00:00+00:00"
    found = look(history)
    assert not found.rate_is_earlier
    assert "measuring" not in screen(found)
