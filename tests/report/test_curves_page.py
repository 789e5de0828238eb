"""The page of the curves: what it is given to draw is the history, and it follows a run that is going on."""

import builtins
import json
import re

import numpy as np
import pytest

from pipeline.files.history import read_history
from pipeline.report import curves_page as page
from pipeline.report.live import EVERY, LOOK, follow
from pipeline.report.words import report_words
from pipeline.stage import InputError
from tests.helpers.synthetic import make_history

ENGLISH = report_words("en")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Plotly's script is five megabytes and the same every time."""
    monkeypatch.setattr(page, "_plotly", lambda: "/* Plotly */")


def told(text):
    return json.loads(re.search(r"const told = (.*);</script>", text).group(1))


def test_the_page_holds_the_records_and_every_axis_that_the_run_knows():
    history = make_history()
    history.run["flops_per_step"] = 2e9
    history.records["eval_mlm_acc"][3] = None
    given = told(page.curves_page([("a", history)], ENGLISH))
    [run] = given["runs"]
    assert given["across"] == {
        "steps": "optimizer step", "tokens": "tokens", "seconds": "seconds", "flops": "FLOPs"
    }  # fmt: skip
    assert run["across"]["steps"] == history.steps
    assert run["across"]["flops"] == [2e9 * step for step in history.steps]
    assert run["lists"]["eval_mlm_acc"][3] is None
    assert run["lists"]["mlm_acc"] == pytest.approx(history.records["mlm_acc"], rel=1e-4)
    assert [[line["key"] for line in panel["lines"]] for panel in given["panels"]] == [
        ["mlm_acc", "eval_mlm_acc", "eval_mlm_acc_han"], ["loss", "eval_loss"], ["nsp_acc", "eval_nsp_acc"]
    ]  # fmt: skip
    assert given["reload"] is None


def test_runs_stand_beside_each_other_and_names_cannot_break_the_page():
    other = make_history(20)
    for key in ("tokens", "seconds", "nsp_acc"):
        del other.records[key]
    text = page.curves_page([("a</script><b>", make_history()), ("乙", other)], report_words("zh"))
    given = told(text)
    assert [run["name"] for run in given["runs"]] == ["a</script><b>", "乙"]
    assert text.count("</script>") == 3
    assert list(given["runs"][1]["across"]) == ["steps", "flops"]
    assert "nsp_acc" not in given["runs"][1]["lists"]
    assert given["across"]["seconds"] == "秒"


def test_a_chinese_page_has_no_english_words():
    text = page.curves_page([("甲", make_history()), ("乙", make_history(20))], report_words("zh"))
    visible = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    given = told(text)
    names = [line["name"] for panel in given["panels"] for line in panel["lines"]]
    assert re.findall(r">[^<]*[a-z]{4,}[^<]*<", visible) == []
    assert not any(re.search(r"[a-z]{4,}", text) for text in [*names, *given["across"].values()])


def test_a_long_run_is_thinned_by_whole_records(monkeypatch):
    monkeypatch.setattr(page, "MOST_RECORDS", 30)
    history = make_history()
    [run] = told(page.curves_page([("a", history)], ENGLISH))["runs"]
    assert run["across"]["steps"] == history.steps[::4]
    assert run["lists"]["loss"] == pytest.approx(history.records["loss"][::4], rel=1e-4)


def test_without_plotly_the_advice_names_the_file(monkeypatch):
    monkeypatch.undo()
    page._plotly.cache_clear()
    known = builtins.__import__

    def without(name, *more):
        if name.startswith("plotly"):
            raise ImportError(name)
        return known(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install -r requirements-interactive\.txt"):
        page.curves_page([("a", make_history())], ENGLISH)


def test_the_page_is_written_when_the_run_has_gone_on_until_it_is_finished(tmp_path):
    path, output = tmp_path / "h.json", tmp_path / "curves.html"
    make_history(40, finished=False).write(path)
    waits, pages = [], []

    def sleep(seconds):
        waits.append(seconds)
        pages.append(output.read_text(encoding="utf-8"))
        if len(waits) == 3:  # nothing changes while it looks twice
            make_history(60, finished=False).write(path)
        if len(waits) == 4:
            make_history().write(path)

    follow([path], lambda: [("a", read_history(path))], output, ENGLISH, sleep)
    assert waits == [EVERY, LOOK, LOOK, EVERY]
    assert [told(text)["reload"] for text in pages] == [EVERY] * 4
    assert [len(told(text)["runs"][0]["lists"]["loss"]) for text in pages] == [40, 40, 40, 60]
    last = told(output.read_text(encoding="utf-8"))
    assert (last["reload"], len(last["runs"][0]["lists"]["loss"])) == (None, 100)
    assert np.isfinite(last["runs"][0]["lists"]["loss"]).all()
