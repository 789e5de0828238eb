"""Wikitext to plain text: each kind of mark-up, hostile pages, and nothing invented."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.collect.article import FORMULA
from pipeline.collect.wikitext.plain_text import is_redirect, plain_text
from pipeline.collect.wikitext.variants import VARIANTS
from tests.helpers.dumps import MARKED_UP


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        # links
        ("到[[旧桥]]去", "到旧桥去"),
        ("到[[旧桥 (北京)|旧桥]]去", "到旧桥去"),
        ("到[[旧桥|'''老'''桥]]去", "到老桥去"),
        ("看[[:Category:桥|分类]]和[[:en:Bridge]]", "看分类和en:Bridge"),
        ("桥[[Category:桥]][[分类:石桥]][[分類:木橋|橋]][[en:Bridge]][[zh-min-nan:Kiô]]", "桥"),
        ("[[File:a.jpg|thumb|一座[[桥]]，{{le|甲|A}}的[[图]]]]桥", "桥"),
        ("[[文件:a.jpg|缩略图|左]]桥[[檔案:b.jpg]]", "桥"),
        ("看[http://a.b/c 网页]和[http://a.b/]，http://a.b/c", "看网页和，http://a.b/c"),
        ("[[旧桥|[http://a.b 甲]]]", "甲"),
        ("数组a[0]和[甲]", "数组a[0]和[甲]"),
        ("[[没有关上", "[[没有关上"),
        # references, comments, nowiki, other tags
        ('桥<ref>甲</ref>长<ref name=a />百<ref name="b">{{cite|x=[[y]]}}\n* 乙</ref>米', "桥长百米"),
        ("桥<!-- 甲\n乙 -->长", "桥长"),
        ("甲\n<!-- 一行 -->\n乙", "甲乙"),
        ("<nowiki>[[甲]]'''{{乙}}</nowiki>&lt;br&gt;", "[[甲]]'''{{乙}}<br>"),
        ("水<sub>2</sub>，<span style='color:red'>红</span><br/>行", "水2，红\n行"),
        ("甲<div class=a>乙<div>丙</div>丁</div>戊", "甲戊"),
        ("甲<span class=\"noprint\">乙</span>丙<sup class='x reference'>丁</sup>", "甲丙"),
        ("甲<unknown>乙</unknown>", "甲<unknown>乙</unknown>"),
        ("<gallery>\na.jpg|甲\n</gallery>乙<references/>", "乙"),
        ("设<math>x<1</math>，则", f"设{FORMULA}，则"),
        ("甲<ref>没有关上", "甲没有关上"),
        # quotes, lines
        ("'''甲'''和''乙''和'''''丙'''''", "甲和乙和丙"),
        ("''a''<sub>''n''</sub>", "an"),
        ("它的''''引号", "它的'引号"),
        ("== 历史 ==\n桥", "== 历史 ==\n桥"),
        ("* 甲\n** 乙\n# 丙\n: 丁\n; 戊 : 己", "甲\n乙\n丙\n丁\n戊\n己"),
        ("甲\n----\n乙", "甲\n\n乙"),
        ("__NOTOC__甲__無目錄__", "甲"),
        ("甲&nbsp;乙&#20013;&#x6587;&amp;&unknown;&#0;", "甲 乙中文&&unknown;&#0;"),
        # tables
        ('甲\n{| class="a"\n! 乙\n|-\n| \n{|\n| 丙\n|}\n|}\n丁', "甲\n\n丁"),
        ("甲\n{|\n| [[a|b]] || {{c|d}}\n|}戊", "甲\n戊"),
        ("<table><tr><td>甲</td></tr></table>乙", "乙"),
        # templates
        ("{{Infobox|a={{b|c}}|d=[[e|f]]}}甲{{不认识|乙}}", "甲"),
        ("桥（{{lang-en|Bridge}}）长", "桥（英语：Bridge）长"),
        ("桥（{{不认识}}；1900年）、（{{不认识}}）", "桥（1900年）、"),
        ("函数f()和（）", "函数f()和（）"),
        ("{{lang|en|A {{nowrap|B}}}}", "A B"),
        ("{{le|甲|A}}、{{le|甲|A|乙}}、{{tsl|en|A|甲|乙}}、{{Link-ja|丙|B}}", "甲、乙、乙、丙"),
        ("{{模板:Nowrap|1=甲=乙}}、{{ NOWRAP |甲}}、{{nowrap_|甲}}", "甲=乙、甲、甲"),
        ("{{formatnum:1234567.891}}、{{formatnum:-12}}", "1,234,567.891、−12"),
        ("{{PAGENAME}}、{{#if:x|甲|乙}}、{{#if:|甲|乙}}、{{#ifeq:a|a|丙}}、{{#expr:1+1}}", "题、甲、乙、丙、"),
        ("{{{1|甲}}}{{{2}}}", "甲"),
        ("{{甲|[[乙}}", "{{甲|[[乙}}"),
        ("{{div col}}\n* 甲\n{{div col end}}\n乙", "乙"),
        ("{{!}}", "|"),
        # variants
        ("-{甲}-，-{zh-hans:乙;zh-hant:丙}-，-{H|zh-cn:丁;zh-tw:戊}-己", "甲，乙，己"),
        ("-{{{lang|en|A}}}-", "A"),
    ],
)
def test_markup(wikitext, text):
    assert plain_text(wikitext, "题") == text


def test_redirects_are_known_in_both_languages():
    assert is_redirect("#REDIRECT [[甲]]")
    assert is_redirect("#重定向：[[甲]]") is is_redirect("# 重定向 [[甲]]") is False
    assert is_redirect(" #重定向 [[甲]]")


HOSTILE = [
    "{{" * 20_000,
    "[[" * 20_000,
    "{{a|" * 10_000,
    "[[a|" * 5_000 + "{{a|" * 5_000,
    "{{lang|en|" * 10_000 + "}}" * 20_000,
    "{{#if:x|{{a|" * 5_000 + "}}" * 10_000,
    "{{lang|" + "[[a]]|" * 10_000 + "}}",
    "<div>" * 20_000,
    "<ref>" * 20_000,
    "<b>[[" * 10_000,
    "<a b='" * 20_000,
    "<span class=" * 10_000,
    "-{" * 20_000,
    "-{zh:a;" * 10_000 + "}-" * 10_000,
    "-{" + " ;" * 20_000 + "}-",
    "-{" + "zh" + " " * 40_000 + "}-",
    "{|\n" * 10_000,
    "[http://a " * 10_000,
    "[http://" + "a" * 50_000,
    "''a'''b" * 10_000,
    "= " * 20_000,
    "<!--" * 20_000,
    " <!-- -->" * 10_000,
    "（" * 20_000 + "{{a}}",
    "，" * 50_000 + "{{a}}",
    " " * 50_000,
]


@pytest.mark.parametrize("page", HOSTILE, ids=lambda page: page[:12])
def test_hostile_pages_take_no_longer_than_their_length_allows(page):
    began = time.process_time()
    plain_text(page)
    assert time.process_time() - began < 5  # a tenth of a second on an idle core; quadratic rules take minutes


PIECES = [
    *"桥长百米，。（）ab =:*#;-|\n'&_",
    *("{{", "}}", "{{{", "}}}", "[[", "]]", "[", "]", "-{", "}-", "{|", "|}", "|-", "''", "'''", "==", "----", "|"),
    *("<ref>", "</ref>", "<ref name=a/>", "<nowiki>", "</nowiki>", "<div>", "</div>", "<br>", "<span class=noprint>"),
    *("</span>", "<!--", "-->", "<math>", "</math>", "<table>", "</table>", "<gallery>", "</gallery>", "<"),
    *("{{lang|en|", "{{nowrap|", "{{le|", "{{bd|", "{{#if:", "{{不认识|", "File:", "Category:", "en:", "zh-hans:"),
    *("http://a.b/", "[http://a.b ", "__NOTOC__", "\ufdd0", "\x00", "\U0001f600", "1=", "text="),
]
WIKITEXT = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200)


def invents_nothing(wikitext):
    """The text, without white space, is part of the page in its order: nothing comes from elsewhere."""
    text = plain_text(wikitext)
    assert not set(text) & set(map(chr, range(0xFDD0, 0xFDF0)))
    remaining = iter(wikitext)
    for character in text:
        if character.isspace() or character in ADDED or character == FORMULA:
            continue
        assert character in remaining, f"{character!r} of {text!r} is not in {wikitext!r} in this order"


# What the form of a template adds ({{bd}}), beside what its arguments say; "=" of headings may move to both sides.
ADDED = set("（）－/=")


@given(WIKITEXT.filter(lambda text: "&" not in text))
@settings(max_examples=500, deadline=None)
def test_nothing_is_invented(wikitext):
    invents_nothing(wikitext)


@pytest.mark.slow
@given(WIKITEXT.filter(lambda text: "&" not in text))
@settings(max_examples=10_000, deadline=None)
def test_nothing_is_invented_in_ten_thousand_pages(wikitext):
    invents_nothing(wikitext)


@given(WIKITEXT, st.sampled_from(VARIANTS))
@settings(max_examples=200, deadline=None)
def test_plain_text_is_a_fixed_point_of_plain_characters(wikitext, variant):
    """No variant crashes, and text without any mark goes through unchanged."""
    plain_text(wikitext, "题", variant)
    plain = "".join(character for character in wikitext if character.isalnum() or character in "，。")
    assert plain_text(plain, "题", variant) == plain


def test_there_are_forty_marked_up_pages_and_none_leaves_residue():
    pages = [json.loads(line) for line in MARKED_UP.read_text(encoding="utf-8").splitlines()]
    articles = [page for page in pages if ":" not in page["title"] and not is_redirect(page["wikitext"])]
    assert len(articles) >= 40
    for page in articles:
        text = plain_text(page["wikitext"], page["title"])
        assert len(text) > 100
        if "<nowiki>" in page["wikitext"]:  # where mark-up is shown on purpose
            continue
        residue = ("'''", "[[", "]]", "{{", "}}", "{|", "|}", "}-", "<ref", "<div", "<span", "</", "thumb", "&nbsp;")
        assert not [mark for mark in residue if mark in text], page["title"]
