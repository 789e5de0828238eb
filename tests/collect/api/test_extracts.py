"""What of a wiki's plain-text extract becomes text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.api.extracts import extract_paragraphs, is_list_section
from pipeline.collect.article import FORMULA, LEFT_OUT


def test_headings_empty_sections_and_reference_lists_are_dropped():
    text = "引言。\n\n\n== 习性 ==\n白天睡觉。\n\n\n=== 空 ===\n\n\n== 参考文献 ==\n\n某书。\n=== 书 ===\n又一本。"
    text += "\n\n\n== 保护 ==\n禁渔。\n\n\n== 外部链接 ==\n某站"
    assert extract_paragraphs(text) == ["引言。", "白天睡觉。", LEFT_OUT, "禁渔。"]


@pytest.mark.parametrize("heading", ["参考文献", "注释与参考文献", "註釋", "参考资料、注释", "外部連結", "參見"])
def test_sections_of_lists(heading):
    assert is_list_section(heading)
    assert extract_paragraphs(f"== {heading} ==\n某书。") == []


@pytest.mark.parametrize("heading", ["参考系", "注释学", "历史", "来源与演变", "与"])
def test_sections_of_text(heading):
    assert not is_list_section(heading)
    assert extract_paragraphs(f"== {heading} ==\n正文。") == ["正文。"]


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
            assert part == LEFT_OUT or part in text.replace(" ", " ")
