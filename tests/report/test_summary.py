"""The table that visualize_results.py ends with, in both languages."""

import re

import pytest

from pipeline.analyse.whole_analysis import analyse
from pipeline.formatting import columns_of
from pipeline.report.console.summary import summary, summary_words
from tests.helpers.said import numbers_in
from tests.helpers.synthetic import make_history


@pytest.fixture(scope="module")
def runs():
    histories = [make_history(60), make_history(60, finished=False)]
    return [(history, analyse(history, None, "now")) for history in histories]


def test_both_languages_have_the_same_numbers_and_the_chinese_one_no_english(runs, tmp_path):
    for history, analysis in runs:
        figures = [tmp_path / "a.png"]
        english, chinese = (summary(history, analysis, figures, summary_words(each)) for each in ("en", "zh"))
        assert len(english.splitlines()) == len(chinese.splitlines())
        for one, two in zip(english.splitlines(), chinese.splitlines(), strict=True):
            assert numbers_in(one) == numbers_in(two)
        assert set(re.findall(r"[A-Za-z]{2,}", chinese.replace(str(tmp_path), ""))) <= {"MLM", "NSP", "Pearson", "png"}
        assert "根据左右邻字猜测" in chinese


def test_the_cells_of_a_table_stand_below_one_another(runs):
    history, analysis = runs[0]
    for language in ("en", "zh"):
        lines = summary(history, analysis, [], summary_words(language)).splitlines()
        ends = {columns_of(line) for line in lines[2:8] if line.count("  ") >= 2 and "NSP" not in line}
        assert len(ends) == 1, lines
