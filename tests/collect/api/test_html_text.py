"""From a wiki's extract in HTML to lines: what MediaWiki 1.39 made of the wikitext beside each case."""

import pytest

from pipeline.collect.api.extracts import extract_paragraphs
from pipeline.collect.api.html_text import html_text
from pipeline.collect.article import FORMULA
from pipeline.collect.wikitext.plain_text import plain_text

REPORT = "\n<!-- \nNewPP limit report\nCPU time usage: 0.069 seconds\n-->\n"
CASES = [
    (
        "甲桥是一座\n很长的石桥，\n建于1900年。",
        "<p>甲桥是一座\n很长的石桥，\n建于1900年。\n</p>",
        ["甲桥是一座很长的石桥，建于1900年。"],
    ),
    ("桥很长。\n\n河很宽。", "<p>桥很长。\n</p><p>河很宽。\n</p>", ["桥很长。", "河很宽。"]),
    ("甲<ref>x</ref>\n<ref>y</ref>\n。乙", "<p>甲\n\n。乙\n</p>", ["甲。乙"]),
    ("The old\nbridge\n很长", "<p>The old\nbridge\n很长\n</p>", ["The old bridge很长"]),
    (
        "* 甲\n** 乙\n* 丙\n丁\n戊",
        "<ul><li>甲\n<ul><li>乙</li></ul></li>\n<li>丙</li></ul>\n<p>丁\n戊\n</p>",
        ["甲", "乙", "丙", "丁戊"],
    ),
    ("; 甲 : 乙\n: 丙", "<dl><dt>甲</dt>\n<dd>乙</dd>\n<dd>丙</dd></dl>", ["甲", "乙", "丙"]),
    ("甲<br>乙<br/>\n丙\n----\n丁", "<p>甲<br>乙<br>\n丙\n</p><hr>\n<p>丁\n</p>", ["甲", "乙", "丙", "丁"]),
    ("<pre>a\n b</pre>丙", "<pre>a\n b</pre><p>丙\n</p>", ["a", "b", "丙"]),
    (
        "<blockquote>\n甲\n乙\n</blockquote>\n丙",
        "<blockquote><p>\n甲\n乙\n</p></blockquote>\n<p>丙\n</p>",
        ["甲乙", "丙"],
    ),
    (
        "甲\n== ''乙'' ==\n丙\n== 参考文献 ==\n* 丁\n== 戊 ==\n己",
        '<p>甲\n</p>\n<h2><span id="乙"><i>乙</i></span></h2>\n<p>丙\n</p>\n<h2><span>参考文献</span></h2>\n'
        "<ul><li>丁</li></ul>\n<h2>戊</h2>\n<p>己\n</p>",
        ["甲", "丙", "\f", "己"],
    ),
    ("a&lt;b&gt;、<b>c</b>&nbsp;&#x20BB7;", "<p>a&lt;b&gt;、<b>c</b>\u00a0𠮷\n</p>", ["a<b>、c 𠮷"]),
    ("== 甲<br>乙 ==\n丙", "<h2><span>甲<br>乙</span></h2>\n<p>丙\n</p>", ["丙"]),
    ("<center>甲</center>乙\n丙", "<center>甲</center><p>乙\n丙\n</p>", ["甲", "乙丙"]),
]


@pytest.mark.parametrize(("wikitext", "html", "paragraphs"), CASES)
def test_both_routes_give_the_same_paragraphs(wikitext, html, paragraphs):
    assert extract_paragraphs(html_text(html + REPORT)) == paragraphs
    assert extract_paragraphs(plain_text(wikitext)) == paragraphs


def test_a_formula_leaves_a_mark_in_its_sentence():
    formula = (
        '<span><span><math alttext="{\\displaystyle x}"><semantics><mi>x</mi>\n<annotation>x</annotation></semantics>'
    )
    html = f"<p>设{formula}</math></span></span>为整数。\n</p>"
    assert extract_paragraphs(html_text(html)) == [f"设{FORMULA}为整数。"]


def test_a_heading_is_one_line():
    assert html_text("<h2><span>参考<br>文献</span></h2>\n<h3>甲\n</h3>") == "== 参考文献 ==\n=== 甲 ==="


def test_a_page_of_nothing_is_empty():
    assert not html_text(REPORT).strip()
    assert not html_text("<p><br></p>\n<style>a{}</style>" + REPORT).strip()


def test_text_that_is_not_closed_is_kept():
    assert html_text("<ul><li>甲<p>乙\n丙<li>丁").split("\n") == ["甲", "乙丙", "丁"]
    assert html_text("</p></ul>甲<p>乙").split("\n")[-2:] == ["甲", "乙"]


def test_plain_text_stays_as_it_is():
    text = "引言\n又一行。\n\n\n== 习性 ==\n白天睡觉。"
    assert html_text(text) == text
