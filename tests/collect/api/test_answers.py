"""What is read from the JSON of an answer, and what is taken for malformed."""

import pytest

from pipeline.collect.api.answers import (
    Answer,
    Site,
    WikiPage,
    answer_of_json,
    dump_pages,
    merge_pages,
    page_of_json,
    read_pages,
)

FULL = {"pageid": 5, "ns": 0, "title": "鱼", "index": 2, "pageprops": {"disambiguation": ""}, "missing": True}
FULL |= {"lastrevid": 9, "canonicalurl": "http://x/鱼", "extract": "鱼。"}


def test_a_page_has_what_was_said_and_none_for_the_rest():
    assert page_of_json(FULL) == WikiPage(5, 0, "鱼", 2, True, True, 9, "http://x/鱼", "鱼。")
    assert page_of_json({"title": "半\ud800"}) == WikiPage(title="半\ufffd")
    assert page_of_json({"pageprops": {}}).disambiguation is False


def test_pages_come_back_from_their_json():
    pages = [page_of_json(FULL), WikiPage(title="鱼", ns=14, missing=False), WikiPage()]
    assert read_pages(dump_pages(pages)) == pages
    assert read_pages(dump_pages(None)) is None


def test_parts_of_a_batch_are_joined_by_page():
    pages = {}
    first = [{"pageid": 5, "ns": 0, "title": "鱼"}, {"ns": 14, "title": "Category:鱼"}, {"ns": 0, "title": "无"}]
    merge_pages(pages, answer_of_json({"query": {"pages": first}}))
    merge_pages(pages, answer_of_json({"query": {"pages": [{"pageid": 5, "extract": "鱼。"}]}}))
    assert sorted(pages) == [-2, 5]
    assert pages[5] == WikiPage(pageid=5, ns=0, title="鱼", extract="鱼。")
    assert (pages[-2].pageid, pages[-2].title) == (-2, "Category:鱼")


def test_what_a_wiki_says_of_itself():
    general = {"base": "http://zh.example.org/wiki/首页", "generator": "MediaWiki 1.39", "sitename": "例"}
    rights = {"text": "", "url": "http://cc/"}
    answer = answer_of_json({"batchcomplete": True, "query": {"general": general, "rightsinfo": rights}})
    assert answer == Answer(complete=True, site=Site("zh.example.org", "http://cc/", "MediaWiki 1.39"))
    assert answer_of_json({"query": {"general": {"sitename": "例"}}}).site == Site("例", "", "")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"query": []}, "'query' is list, not dict"),
        ({"query": {"pages": {}}}, "'pages' is dict, not list"),
        ({"query": {"pages": [5]}}, "a page is int"),
        ({"query": {"pages": [{"pageid": "5"}]}}, "'pageid' is str, not int"),
        ({"query": {"pages": [{"pageid": True}]}}, "'pageid' is bool, not int"),
        ({"continue": "x"}, "'continue' is str"),
    ],
)
def test_an_answer_in_another_form_is_malformed(value, words):
    with pytest.raises(ValueError, match=words):
        answer_of_json(value)
