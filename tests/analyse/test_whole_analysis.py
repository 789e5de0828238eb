"""The analysis file: odd histories, and the way to the file and back."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.analyse.whole_analysis import Questions, analyse, read_trends, trend
from pipeline.stage import InputError
from tests.helpers.synthetic import make_history

NAN = float("nan")


def test_a_perfect_line_has_a_finite_analysis():
    history = make_history(50)
    history.records["mlm_acc"] = [0.001 * number for number in range(50)]
    result = analyse(history, None, "now")
    assert result["pearson_correlation"] == pytest.approx(1)
    json.dumps(result, allow_nan=False)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([0.1, 0.2, 0.25, 0.3, NAN, float("inf"), -float("inf")]), min_size=1, max_size=14))
def test_any_values_give_an_analysis_that_json_can_hold(values):
    history = make_history(len(values))
    for key in ("mlm_acc", "loss", "eval_mlm_acc"):
        history.records[key] = list(values)
    result = analyse(history, history, "now")
    json.dumps(result, allow_nan=False)
    assert sum(found["count"] for found in result["anomalies"] if found["key"] == "loss") == sum(
        not np.isfinite(value) for value in values
    )


def test_values_that_are_no_numbers_are_reported_and_left_out():
    history = make_history(30)
    clean = replace(history, records={key: values[2:] for key, values in history.records.items()})
    history.records["mlm_acc"][:2] = [NAN, float("inf")]
    result = analyse(history, None, "now")
    assert result["pearson_correlation"] == pytest.approx(analyse(clean, None, "now")["pearson_correlation"])
    assert [(entry["key"], entry["kind"], entry["steps"]) for entry in result["anomalies"]] == [
        ("mlm_acc", "nan", [40]),
        ("mlm_acc", "inf", [80]),
    ]


def test_nulls_are_no_anomaly():
    history = make_history(30)
    history.records["eval_mlm_acc"][::2] = [None] * 15
    result = analyse(history, None, "now")
    assert result["anomalies"] == []
    assert result["held_out"]["horizon"]["first"][-1]["records"] == 15


def test_an_analysis_is_read_back_as_it_was_written(tmp_path):
    history = make_history()
    path = tmp_path / "analysis.json"
    path.write_text(json.dumps(analyse(history, None, "now")))
    assert read_trends(path, history) == (trend(history, "mlm_acc"), trend(history, "eval_mlm_acc"))
    with pytest.raises(InputError, match="another history"):
        read_trends(path, make_history(99))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value.clear(),
        lambda value: value.update(pearson=3),
        lambda value: value["pearson"].update(interval_iid="wide"),
        lambda value: value["held_out"].update(fits={"quartic": {}}),
        lambda value: value["fits"]["linear"].update(parameters=[]),
    ],
)
def test_an_analysis_of_another_shape_is_refused(tmp_path, spoil):
    history = make_history(20)
    value = analyse(history, None, "now")
    spoil(value)
    path = tmp_path / "analysis.json"
    path.write_text(json.dumps(value))
    with pytest.raises(InputError, match=r"analyze_100k\.py"):
        read_trends(path, history)


def test_every_question_has_its_answer():
    history = make_history()
    questions = Questions(targets=[0.2, 0.9], at=[5000.0], references=[history], beside=[])
    result = analyse(history, None, "now", questions)
    for part in (result, result["held_out"]):
        assert [entry["target"] for entry in part["forecast"]["targets"]] == [0.2, 0.9]
        assert [entry["step"] for entry in part["forecast"]["at"]] == [5000]
        assert part["slope_per_10k_steps"]["overall"] > 0
        assert part["plateau"]["state"] is not None
    assert result["anomaly_rule"]["reference"] == {"histories": 1, "alpha": 0.01}
    assert result["anomaly_rule"]["false_alarms_per_run"] == pytest.approx(0.02)
    assert result["several"] is result["checkpoints"] is None
    json.dumps(result, allow_nan=False)
