"""Several runs on one page: what differs, how they end and what shorter runs foretold, held to the histories."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.analyse.schema.side_by_side import FinalDifference
from pipeline.analyse.side_by_side import compare_runs
from pipeline.analyse.side_by_side.compare_runs import several
from pipeline.analyse.side_by_side.ladder_forecasts import ladder_forecasts
from pipeline.analyse.whole_analysis import analyse
from pipeline.report.console.report import Report
from pipeline.report.page import report_page
from pipeline.report.several import several_tables
from pipeline.report.words import report_words
from tests.helpers.drawn import draw, write_inputs
from tests.helpers.pages import Page
from tests.helpers.said import is_said, numbers_in
from tests.helpers.synthetic import make_history

SAY = {language: report_words(language) for language in ("en", "zh")}


@pytest.fixture(scope="module")
def runs():
    """Two runs of other lengths and seeds, and the first of another learning rate."""
    short, long = make_history(30, total=1200), make_history(60, total=2400, noise=3)
    long.run["config"]["seed"] = long.run["seed"] = 43
    return [("short", Path("a/short.json"), short), ("long", Path("b/long.json"), long)]


@pytest.fixture(scope="module")
def found(runs):
    return several([(path, history) for _, path, history in runs])


@pytest.fixture(scope="module")
def tables(runs):
    return several_tables(runs, analyse(runs[0][2], None, "now"), list(SAY.values()))


def table(tables, language, title):
    [one] = [each for each in tables[language] if each.title == SAY[language](title)]
    return one


@pytest.mark.parametrize("language", SAY)
def test_the_settings_that_differ_and_no_others(tables, language):
    settings = table(tables, language, "Settings that differ")
    assert settings.columns == ["", "short", "long"]
    steps, seed = {"en": ("steps", "seed"), "zh": ("步数", "种子")}[language]
    assert settings.rows == [[steps, "1,200", "2,400"], [seed, "42", "43"]]


@pytest.mark.parametrize("language", SAY)
def test_how_they_end_and_how_far_apart(tables, found, language):
    ends = table(tables, language, "Runs side by side").rows
    assert [row[0] for row in ends] == ["short", "long"]
    for row, run in zip(ends, found.histories, strict=True):
        assert is_said(numbers_in(row[2])[0], 100 * run.end_accuracy)
        assert all(map(is_said, numbers_in(row[3]), (100 * end for end in run.end_interval)))
    [apart] = table(tables, language, "Differences between the runs").rows
    [difference] = [each for each in found.differences if each.metric == "end_accuracy"]
    assert apart[0] == "long − short"
    assert is_said(apart[2], 100 * difference.difference)
    assert all(map(is_said, numbers_in(apart[3]), (100 * end for end in difference.interval)))


@pytest.mark.parametrize("language", SAY)
def test_final_scorings_of_tokens_and_of_pairs(runs, found, language):
    """On the page and on the screen; without an interval where the text is one article alone."""
    first, second = (run.label for run in found.histories)
    tokens = FinalDifference(first, second, "test", 1, 900, 0.0123, None, "articles", None)
    pairs = FinalDifference(first, second, "validation", 9, 80, -0.02, (-0.05, 0.01), "articles", None, "pairs")
    analysis = replace(analyse(runs[0][2], None, "now"), several=replace(found, final=[tokens, pairs]))
    told = several_tables(runs, analysis, list(SAY.values()))
    rows = table(told, language, "Differences between the runs").rows[-2:]
    assert [row[2:4] for row in rows] == [["+1.23", "-"], ["-2.00", "-5.00 … +1.00"]]
    assert [row[1] for row in rows] == {"en": ["final scoring, test", "final scoring, validation, sentence pairs"],
                                        "zh": ["最终打分，测试", "最终打分，验证，句对"]}[language]  # fmt: skip
    lines = [line for line in Report(language).lines(Path("h.json"), analysis) if line.startswith(f"  {second} ")][-2:]
    assert [numbers_in(line) for line in lines] == [["+1.23", "1"], ["-2.00", "95", "-5.00", "+1.00", "9"]]


@pytest.mark.parametrize("language", SAY)
def test_the_ladder_with_what_was_reached(tables, runs, language):
    rows = table(tables, language, "The ladder and its forecasts").rows
    forecasts = ladder_forecasts([history for *_, history in runs])
    assert [each.steps for each in forecasts] == [2400, 4800]
    for row, each in zip(rows, forecasts, strict=True):
        told = [each.accuracy, *each.interval, *([each.reached] if each.reached else [])]
        assert is_said(numbers_in(row[0])[0], each.steps)
        written = [number for cell in row[2:] for number in numbers_in(cell)]
        assert all(is_said(*pair) for pair in zip(written, (100 * value for value in told), strict=True))
    assert rows[1][1] == "1,200 + 2,400"


def test_the_comparison_of_the_analysis_is_taken_where_it_is_of_these_runs(runs, found, monkeypatch):
    made = []
    monkeypatch.setattr(compare_runs, "several", lambda pairs: made.append(pairs) or found)
    analysis = replace(analyse(runs[0][2], None, "now"), several=found)
    told = several_tables(runs, analysis, [SAY["en"]])
    assert made == []
    assert table(told, "en", "Runs side by side").rows[1][0] == "long"
    several_tables(runs[::-1], analysis, [SAY["en"]])
    assert len(made) == 1


def test_the_page_of_several_histories_has_them(runs, tmp_path):
    (_, _, first), (_, _, second) = runs
    options = write_inputs(tmp_path, first)
    second.write(tmp_path / "second.json")
    options.insert(2, tmp_path / "second.json")
    [drawn] = draw(tmp_path / "out", *options).pages.values()
    names = [each.title for each in Page(drawn).tables]
    assert names[:4] == ["Settings that differ", "Runs side by side", "Differences between the runs",
                         "The ladder and its forecasts"]  # fmt: skip


@pytest.mark.parametrize("language", SAY)
def test_wide_tables_say_that_they_scroll_on_a_phone(tables, runs, language):
    say, (_, _, history) = SAY[language], runs[0]
    analysis = analyse(history, None, "now")
    for shown, wide in ((tables[language], True), (tables[language][:1], False)):
        made = report_page(history.facts, "n", history, analysis, {}, shown, say, english_figures=False)
        assert (say("Wide tables scroll sideways.") in made) == wide
