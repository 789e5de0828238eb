"""Histories that lack lists, or count epochs in fractions: everything that is left is analysed and reported."""

from pathlib import Path

import pytest

from pipeline.analyse.schema.analysis import Analysis
from pipeline.analyse.whole_analysis import Questions, analyse
from pipeline.files.history import PUBLISHED_KEYS, History, check_steps
from pipeline.files.typed_json import from_json, to_json
from pipeline.report.console.report import Report
from tests.helpers.synthetic import make_history


def with_lists(*names: str, records: int = 60) -> History:
    """A history of these lists and the steps alone, without a ``run`` object."""
    whole = make_history(records)
    return History({name: whole.records[name] for name in ("steps", *names)})


def analysed(history: History, *beside: History) -> Analysis:
    """The analysis as it is read back from its file; it can be reported in both languages."""
    several = [(Path(f"{number}.json"), each) for number, each in enumerate((history, *beside))] if beside else []
    found = analyse(history, beside[0] if beside else None, "now", Questions(beside=several))
    for language in ("en", "zh"):
        assert all(Report(language).lines(Path("h.json"), found))
    return from_json(Analysis, to_json(found), "analysis.json")


def test_of_the_loss_alone_the_loss_is_analysed():
    history = with_lists("loss", "eval_loss", "lr")
    found = analysed(history, with_lists("loss"))
    assert (found.training.pearson.r, found.held_out, found.early_stop, found.goal_achieved) == (None,) * 4
    assert (found.nsp.training, found.cost.training) == (None, None)
    assert found.loss_stats.initial == history.records["loss"][0]
    assert found.overfit is not None
    assert found.overfit.accuracy is None
    assert found.overfit.loss is not None
    assert found.several is not None
    assert [run.end_accuracy for run in found.several.histories] == [None, None]


def test_of_held_out_accuracy_alone_that_is_analysed():
    found = analysed(with_lists("eval_mlm_acc"), with_lists("eval_mlm_acc"))
    assert found.training.pearson.r is None
    assert found.held_out is not None
    assert found.held_out.pearson.r is not None
    assert found.early_stop is not None
    assert found.early_stop.key == "eval_mlm_acc"
    assert found.several is not None
    assert [run.key for run in found.several.histories] == ["eval_mlm_acc"] * 2
    assert found.several.histories[0].end_accuracy is not None


@pytest.mark.parametrize("key", PUBLISHED_KEYS[1:])
def test_a_history_without_one_list_is_analysed(key):
    found = analysed(with_lists(*(name for name in (*PUBLISHED_KEYS[1:], "eval_mlm_acc") if name != key)))
    assert found.data_points == 60
    assert (found.training.pearson.r is None) == (key == "mlm_acc")
    assert (found.nsp.training is None) == (key == "nsp_acc")
    assert (found.loss_stats.final is None) == (key == "loss")


def test_steps_may_be_fractions_of_epochs():
    history = with_lists("mlm_acc", "eval_mlm_acc", "loss")
    thirds = [number / 3 for number in range(1, 61)]
    history.records["steps"] = check_steps(history.path, thirds)
    history.records["loss"][10] = float("nan")
    found = analysed(history)
    assert found.total_steps == 20
    assert found.training.horizon.first[0].until == 1.0
    [anomaly] = [entry for entry in found.anomalies if entry.kind == "nan"]
    assert anomaly.steps == [11 / 3]
    whole = [line for line in Report("en").lines(Path("h.json"), found) if "anomaly" in line and "nan" in line]
    assert "steps 3.67 to 3.67" in whole[0]


def test_an_accuracy_below_zero_is_a_finding():
    history = with_lists("mlm_acc", "loss")
    history.records["mlm_acc"][3] = -0.25
    found = [entry for entry in analysed(history).anomalies if entry.kind == "negative"]
    assert [(entry.key, entry.count, entry.steps) for entry in found] == [("mlm_acc", 1, [160])]
