"""The analysis file: odd histories, and the way to the file and back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.analyse.schema.analysis import Analysis, read_analysis, write_analysis
from pipeline.analyse.schema.anomalies import AnomalyReference
from pipeline.analyse.whole_analysis import Questions, analyse
from pipeline.files.history import read_history
from pipeline.files.typed_json import from_json, to_json
from pipeline.stage import InputError
from tests.helpers.synthetic import make_history
from tests.helpers.tiny import ROOT

NAN = float("nan")


def test_a_perfect_line_has_a_finite_analysis():
    history = make_history(50)
    history.records["mlm_acc"] = [0.001 * number for number in range(50)]
    result = analyse(history, None, "now")
    assert result.pearson_correlation == pytest.approx(1)
    json.dumps(to_json(result), allow_nan=False)


@pytest.mark.filterwarnings("error")
def test_what_is_constant_but_for_rounding_is_analysed_as_what_is_constant():
    def history(spread, seed):
        made, generator = make_history(60), np.random.default_rng(seed)
        for key, value in (("mlm_acc", 0.3), ("eval_mlm_acc", 0.3), ("loss", 3.0), ("eval_loss", 3.0)):
            made.records[key] = (value * (1 + spread * generator.integers(-1, 2, 60))).tolist()
        made.run["seed"] = seed
        return made

    def found(spread):
        runs = [(Path(f"{seed}.json"), history(spread, seed)) for seed in range(3)]
        questions = Questions(targets=[0.5], at=[9000.0], references=[history(spread, 5)], beside=runs)
        return analyse(runs[0][1], history(spread, 6), "now", questions)

    assert len(set(history(2e-16, 0).records["mlm_acc"])) > 1
    exact, rounded = found(0.0), found(2e-16)
    assert rounded.anomalies == exact.anomalies != []
    assert (rounded.training.pearson, rounded.held_out.pearson) == (exact.training.pearson, exact.held_out.pearson)
    of_rounded, of_exact = rounded.training, exact.training
    assert (of_rounded.fits, of_rounded.forecast) == ({}, None) == (of_exact.fits, of_exact.forecast)
    assert rounded.several.r == exact.several.r
    assert [each.rho for each in rounded.several.histories] == [None] * 3


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([0.1, 0.2, 0.25, 0.3, NAN, float("inf"), -float("inf")]), min_size=1, max_size=14))
def test_any_values_give_an_analysis_that_json_can_hold(values):
    history = make_history(len(values))
    for key in ("mlm_acc", "loss", "eval_mlm_acc"):
        history.records[key] = list(values)
    result = analyse(history, history, "now")
    json.dumps(to_json(result), allow_nan=False)
    assert sum(found.count for found in result.anomalies if found.key == "loss") == sum(
        not np.isfinite(value) for value in values
    )


def test_values_that_are_no_numbers_are_reported_and_left_out():
    history = make_history(30)
    clean = replace(history, records={key: values[2:] for key, values in history.records.items()})
    history.records["mlm_acc"][:2] = [NAN, float("inf")]
    result = analyse(history, None, "now")
    assert result.pearson_correlation == pytest.approx(analyse(clean, None, "now").pearson_correlation)
    assert [(entry.key, entry.kind, entry.steps) for entry in result.anomalies] == [
        ("mlm_acc", "nan", [40]),
        ("mlm_acc", "inf", [80]),
    ]


def test_nulls_are_no_anomaly():
    history = make_history(30)
    history.records["eval_mlm_acc"][::2] = [None] * 15
    result = analyse(history, None, "now")
    assert result.anomalies == []
    assert result.held_out.horizon.first[-1].records == 15


def test_an_analysis_is_read_back_as_it_was_written(tmp_path):
    history, path = make_history(), tmp_path / "analysis.json"
    questions = Questions(targets=[0.2, 0.9], at=[5000.0], references=[history])
    result = analyse(history, make_history(50), "now", questions)
    write_analysis(path, result)
    assert read_analysis(path, history) == result


def later(history):
    """The same number of records and, of constant accuracy, the same undefined r; another last step."""
    history.records["steps"][-1] += 40


def thinner(history):
    """Without one record in the middle: the same last step and undefined r, another number of records."""
    history.records = {key: values[:50] + values[51:] for key, values in history.records.items()}


def other_accuracy(history):
    history.records["mlm_acc"][0] += 0.01


@pytest.mark.parametrize(("change", "accuracy"), [(later, 0.25), (thinner, 0.25), (other_accuracy, None)])
def test_an_analysis_of_another_history_is_refused(tmp_path, change, accuracy):
    history, path = make_history(), tmp_path / "analysis.json"
    if accuracy is not None:
        history.records["mlm_acc"] = [accuracy] * 100
    write_analysis(path, analyse(history, None, "now"))
    change(history)
    with pytest.raises(InputError, match="another history, or of this one before it grew"):
        read_analysis(path, history)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda value: value.clear(), "timestamp must be a string, but is missing"),
        (lambda value: value.update(pearson=3), "pearson must be an object, not 3"),
        (
            lambda value: value["pearson"].update(interval_iid="wide"),
            "pearson.interval_iid must be a list of 2 or null, not 'wide'",
        ),
        (lambda value: value["held_out"].update(r="high"), "held_out.r must be a number or null, not 'high'"),
        (lambda value: value["held_out"]["fits"].update(quartic=value["fits"]["log"]), "unknown curve 'quartic'"),
        (lambda value: value["fits"]["linear"].update(parameters=[]), "fits.linear.parameters must be an object"),
        (lambda value: value["fits"]["log"]["parameters"].pop("a"), "fits.log.parameters must be a, b"),
        (lambda value: value["plateau"].update(state="flat"), "plateau.state must be one of"),
        (lambda value: value["early_stop"]["rule"].update(window=3), "early_stop.rule must be consistent, but"),
        (
            lambda value: value["comparison_with_50k"].pop("50k_pearson_r"),
            "comparison_with_50k.50k_pearson_r must be a",
        ),
    ],
)
def test_an_analysis_of_another_shape_is_refused_by_its_key(tmp_path, spoil, message):
    history = make_history(20)
    value = to_json(analyse(history, None, "now"))
    spoil(value)
    path = tmp_path / "analysis.json"
    path.write_text(json.dumps(value))
    with pytest.raises(InputError) as refused:
        read_analysis(path, history)
    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)
    assert "analyze_100k.py" in str(refused.value)


def test_the_keys_stand_where_they_always_stood():
    """The first nine are the published file's; ``held_out`` holds the keys of ``pearson`` itself."""
    value = to_json(analyse(make_history(), make_history(50), "now"))
    assert list(value) == [
        "timestamp", "total_steps", "data_points", "pearson_correlation", "r_squared", "mlm_stats", "loss_stats",
        "comparison_with_50k", "goal_achieved", "pearson", "fits", "horizon", "slope_per_10k_steps", "forecast",
        "plateau", "held_out", "nsp", "overfit", "anomalies", "anomaly_rule", "cost", "early_stop", "several",
        "checkpoints",
    ]  # fmt: skip
    curve = ["fits", "horizon", "slope_per_10k_steps", "forecast", "plateau"]
    assert list(value["held_out"]) == [*value["pearson"], *curve]
    assert list(value["comparison_with_50k"])[:4] == [
        "50k_pearson_r", "100k_pearson_r", "improvement", "improvement_percentage",
    ]  # fmt: skip
    assert list(value["comparison_with_50k"]["common_horizon"])[:3] == ["until", "baseline", "this_run"]
    assert list(value["cost"]["training"]["quarters"][0])[:3] == ["after", "until", "points"]


def test_files_that_an_earlier_version_wrote_are_read_and_written_unchanged():
    """The committed analyses: with and without a baseline, of seeds, of settings, with scores of checkpoints."""
    found = []
    for path in sorted((ROOT / "results").rglob("analysis*.json")):
        value = json.loads(path.read_text(encoding="utf-8"))
        found.append(from_json(Analysis, value, path))
        assert to_json(found[-1]) == value
    assert any(analysis.several for analysis in found)
    assert any(analysis.comparison_with_50k.whole for analysis in found)
    assert any(analysis.checkpoints for analysis in found)
    history = read_history(ROOT / "results" / "training_history_100k.json")
    assert read_analysis(ROOT / "results" / "analysis_100k_result.json", history) in found


def test_every_question_has_its_answer():
    history = make_history()
    questions = Questions(targets=[0.2, 0.9], at=[5000.0], references=[history], beside=[])
    result = analyse(history, None, "now", questions)
    for part in (result.training, result.held_out):
        assert [entry.target for entry in part.forecast.targets] == [0.2, 0.9]
        assert [entry.step for entry in part.forecast.at] == [5000]
        assert part.slope_per_10k_steps.overall > 0
        assert part.plateau.state is not None
    assert result.anomaly_rule.reference == AnomalyReference(histories=1, alpha=0.01)
    assert result.anomaly_rule.false_alarms_per_run == pytest.approx(0.06)
    assert result.several is result.checkpoints is None
    json.dumps(to_json(result), allow_nan=False)
