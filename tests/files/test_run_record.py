"""What makes two runs different, also where one was recorded by an earlier version."""

from pipeline.files.run_record import recorded_config, run_differences


def run(**config):
    return {"config": {"lr": 1e-3, **config}, "dataset": {"fingerprint": "f"}, "device": "cpu", "precision": "fp32"}


def test_a_run_of_before_had_a_cosine():
    assert run_differences(run(), run(schedule="cosine")) == {}
    assert run_differences(run(), run(schedule="linear")) == {"schedule": ("cosine", "linear")}


def test_without_settings_nothing_is_made_up():
    assert recorded_config({}) == recorded_config({"config": None}) == recorded_config({"config": []}) == {}
