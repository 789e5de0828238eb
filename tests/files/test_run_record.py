"""What makes two runs different, also where one was recorded by an earlier version."""

import pytest

from pipeline.files.run_record import Resume, newest_resume, note_resume, recorded_config, run_differences


def run(**config):
    return {"config": {"lr": 1e-3, **config}, "dataset": {"fingerprint": "f"}, "device": "cpu", "precision": "fp32"}


def test_a_run_of_before_had_a_cosine():
    assert run_differences(run(), run(schedule="cosine")) == {}
    assert run_differences(run(), run(schedule="linear")) == {"schedule": ("cosine", "linear")}


def test_without_settings_nothing_is_made_up():
    assert recorded_config({}) == recorded_config({"config": None}) == recorded_config({"config": []}) == {}


def test_the_newest_resume_counts_and_makes_no_difference():
    recorded = run()
    assert newest_resume(recorded) is None
    for step in (40, 80):
        note_resume(recorded, Resume(step, "2026-01-05T08:00:00+00:00"))
    assert newest_resume(recorded) == Resume(80, "2026-01-05T08:00:00+00:00")
    assert len(recorded["resumed"]) == 2
    assert run_differences(run(), recorded) == {}


@pytest.mark.parametrize("odd", [5, [], [5], [{"step": 4}], [{"step": "4", "at": "now"}]])
def test_what_is_not_a_resume_is_passed_over(odd):
    assert newest_resume({"resumed": odd}) is None
