"""What of a wiki's plain-text extract becomes text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.api.extracts import extract_paragraphs
from pipeline.collect.article import FORMULA, LEFT_OUT


def test_headings_empty_sections_and_reference_lists_are_dropped():
    text = "引言。\n\n\n== 习性 ==\n白天睡觉。\n\n\n=== 空 ===\n\n\n== 参考文献 ==\n\n某书。\n=== 书 ===\n又一本。"
    text += "\n\n\n== 保护 ==\n禁渔。\n\n\n== 外部链接 ==\n某站"
    assert extract_paragraphs(text) == ["引言。", "白天睡觉。", LEFT_OUT, "禁渔。"]


LINES = [
    (["甲桥建于1900年", "", "。后来拆了。"], ["甲桥建于1900年。后来拆了。"]),
    (["甲桥很长，", "很旧。", "乙桥、", "丙桥"], ["甲桥很长，很旧。", "乙桥、丙桥"]),
    (["他说：“好", "”。"], ["他说：“好”。"]),
    (["甲", "== 乙 ==", "，丙"], ["甲", "，丙"]),
    (["甲，", "== 参考文献 ==", "乙", "== 丙 ==", "丁"], ["甲，", LEFT_OUT, "丁"]),
    (["甲桥", "乙桥"], ["甲桥", "乙桥"]),  # two items of a list, or one sentence: an extract does not tell
]


@pytest.mark.parametrize(("lines", "paragraphs"), LINES)
def test_a_line_that_cannot_begin_a_paragraph_goes_on_with_the_one_before(lines, paragraphs):
    assert extract_paragraphs("\n".join(lines)) == paragraphs


def test_a_section_of_a_list_is_cut_at_every_level():
    text = "甲。\n= 參考文獻 =\n某书。\n== 书 ==\n又一本。\n= 乙 =\n丙。"
    assert extract_paragraphs(text) == ["甲。", LEFT_OUT, "丙。"]


def test_a_formula_leaves_a_mark_in_its_sentence():
    formula = "\n  \n    \n      \n        x\n      \n    \n    {\\displaystyle x^{2}}\n  \n"
    text = f"设{formula}为整数。它是正的。\n\n\n== 证明 ==\n由{formula}\n\n\n== 应用 ==\n很多。"
    assert extract_paragraphs(text) == [f"设{FORMULA}为整数。它是正的。", f"由{FORMULA}", "很多。"]
    assert extract_paragraphs(formula + "是首项。") == [f"{FORMULA}是首项。"]


@given(st.text(alphabet="=天。 \n参考文献{\\displaystyle}", max_size=120))
def test_no_text_is_invented(text):
    for paragraph in extract_paragraphs(text):
        assert paragraph.strip() == paragraph or paragraph == LEFT_OUT
        for part in paragraph.split(FORMULA):
            assert part == LEFT_OUT or "".join(part.split()) in "".join(text.split())
