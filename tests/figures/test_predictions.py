"""predictions: the answers to fixed sentences, in the figure and in the page's table, as the scores have them."""

import dataclasses

import pytest
from matplotlib.colors import to_hex

from pipeline.figures import style
from pipeline.figures.predictions import predictions, sentence
from pipeline.files.scores import Blank, Filled, Scores
from pipeline.report.answers import answers
from pipeline.words import Words
from tests.helpers.drawn import texts
from tests.helpers.scores import checkpoint_score, mlm_score, validation_scores

SAY = Words("en", {})
BLANKS = [Blank("北京是中国的首", "。", "都"), Blank("他说", "话", None)]
CAPITAL = [Filled(["的", "都"], [0.25, 0.1], 0.1), Filled(["实", "真"], [0.5, 0.2])]
RIGHT = [Filled(["都", "的"], [0.9, 0.01], 0.9), Filled(["实", "真"], [0.6, 0.2])]


@pytest.fixture
def scores():
    entries = [
        dataclasses.replace(checkpoint_score(step, mlm_score(0.1)), filled=filled)
        for step, filled in ((100, CAPITAL), (2500, RIGHT), (3000, None))
    ]
    found = validation_scores(entries, {})
    return dataclasses.replace(found, validation=dataclasses.replace(found.validation, sentences=BLANKS))


def test_each_cell_is_the_likeliest_character_and_its_probability(scores):
    figure = predictions(scores.validation, SAY, "Any Chinese")
    shown = texts(figure)
    assert [text for text in shown if text.startswith("step")] == ["step 100", "step 2.5K"]  # 3,000 has no answers
    assert [text for text in shown if "%" in text] == ["25 %", "90 % ✓", "50 %", "60 %"]
    assert [text for text in shown if len(text) == 1] == ["的", "都", "实", "实"]
    assert "北京是中国的首［都］。" in shown
    assert "他说［＿］话" in shown


def test_the_right_answer_has_a_frame_a_tick_and_bold_letters(scores):
    [axes] = predictions(scores.validation, SAY, "Any Chinese").axes
    [frame] = axes.patches
    assert to_hex(frame.get_edgecolor()).upper() == style.HAN
    left, top, right, bottom = frame.get_x(), frame.get_y(), frame.get_x() + frame.get_width(), frame.get_y() + 1
    inside = [text.get_text() for text in axes.texts if left < text.get_position()[0] < right
              and top < text.get_position()[1] < bottom]  # fmt: skip
    assert inside == ["都", "90 % ✓"]
    assert [text.get_text() for text in axes.texts if text.get_weight() == "bold"] == ["都"]


def test_chinese_letters_are_drawn_in_a_font_that_has_them(scores):
    [axes] = predictions(scores.validation, SAY, "Any Chinese").axes
    for text in axes.texts:
        if any("\u4e00" <= letter <= "\u9fff" for letter in text.get_text()):
            assert text.get_fontfamily() == [style.LATIN, "Any Chinese"]


def test_without_a_font_or_answers_there_is_no_figure(scores):
    assert predictions(scores.validation, SAY, None) is None
    bare = [dataclasses.replace(entry, filled=None) for entry in scores.validation.checkpoints]
    assert predictions(dataclasses.replace(scores.validation, checkpoints=bare), SAY, "Any Chinese") is None


def test_the_table_needs_no_font(scores):
    [table] = answers(scores, SAY)
    assert table.columns == ["", "step 100", "step 2,500"]
    assert table.rows == [
        ["北京是中国的首［都］。", "的 25 % (都 10.00 %)", "都 90 % ✓"],
        ["他说［＿］话", "实 50 %", "实 60 %"],
    ]
    assert not answers(None, SAY)
    assert not answers(Scores(1, {}), SAY)


def test_a_long_sentence_is_cut_around_its_blank():
    long = Blank("一" * 30, "二" * 30, "中")
    shown = sentence(long)
    assert "［中］" in shown
    assert (len(shown), shown[0], shown[-1]) == (20, "…", "…")
    assert sentence(Blank("一" * 30, "", "中")).endswith("［中］")
    assert not sentence(Blank("", "二" * 30, "中")).startswith("…")
