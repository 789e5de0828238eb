"""The scan: what lies where, and that the short way for brackets without brackets inside changes nothing."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.collect.wikitext import scan as module
from pipeline.collect.wikitext.scan import scan

PIECES = [*("{{", "}}", "{{{", "}}}", "[[", "]]", "-{", "}-"), *"{}[]|-甲\n", "<b>", "<ref>", "</ref>"]
PIECES += ["<!--", "-->", "<nowiki>", "</nowiki>", "[[甲|乙]]", "{{甲|乙}}", "{{丙}}", "[[丁]]"]
NEVER = re.compile("(?!)(x)|(?!)(y)|" + module._OPENING.removeprefix(f"{module._LINK}|{module._TEMPLATE}|"))
NEVER_INSIDE = re.compile(NEVER.pattern + module._INSIDE.pattern.removeprefix(module._OPENING))


def test_spans_know_where_they_lie():
    page = "甲{{lang|en|[[a|b]]}}<!-- x -->"
    template, comment = scan(page)
    assert page[template.start : template.end] == "{{lang|en|[[a|b]]}}"
    assert [page[place] for place in template.pipes] == ["|", "|"]
    [link] = template.parts
    assert (link.kind, page[slice(*link.inner)]) == ("link", "a|b")
    assert comment.kind == "comment"


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=1_000)
def test_brackets_found_whole_are_those_found_step_by_step(page):
    found = scan(page)
    whole = (module._OUTSIDE, module._INSIDE)
    module._OUTSIDE, module._INSIDE = NEVER, NEVER_INSIDE
    try:
        assert _as_lists(scan(page)) == _as_lists(found)
    finally:
        module._OUTSIDE, module._INSIDE = whole


def _as_lists(spans):
    return [(s.kind, s.start, s.end, s.inner, list(s.pipes), _as_lists(s.parts)) for s in spans]
