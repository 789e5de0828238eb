"""The dump reader against MediaWiki's own plain-text extracts of the same pages: run by make test-wiki.

The wiki is one of its own, see tests/helpers/wiki.py.
"""

import json
from statistics import mean

import pytest
from rapidfuzz.distance import Indel

from pipeline.collect.api.client import Client
from pipeline.collect.api.extracts import extract_paragraphs
from pipeline.collect.api.html_text import html_text
from pipeline.collect.dump.articles import read_dump
from pipeline.collect.dump.pages import read_pages
from pipeline.collect.wikitext.plain_text import is_redirect, plain_text
from tests.collect.wikitext import test_lines
from tests.helpers import wiki
from tests.helpers.dumps import MARKED_UP
from tests.helpers.wiki_pages import plain_pages

pytestmark = pytest.mark.wiki

PLAIN = 300  # plain pages; the benchmark compares more
# The cases of mark-up are pages too, for MediaWiki to judge; not those of what unknown templates leave ("gaps").
CASES = [case for kind, cases in test_lines.CASES.items() if kind != "gaps" for case in cases]
NOTHING = ("Template:X", "<noinclude>leaves nothing</noinclude>")
UNLIKE = {  # what these have in them, MediaWiki 1.39 shows otherwise
    "d.jpg": "names a file that is missing, where there is no picture",
    "%ff": "is no link there, nor here, but keeps its brackets",
    "__DISAMBIG__": "takes the extension Disambiguator; a table of contents ends the paragraph",
    "乙</nowiki>": "as text, where nothing was opened; so are other end tags of extensions",
    "<quiz": "takes the extension Quiz",
    "<translate>": "takes the extension Translate",
    "ZH-TW": "cuts rules at codes in small letters alone",
    "zh-CN:": "the same",
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The dump, its pages, MediaWiki's plain-text extract and that in HTML of each, and which are full of mark-up."""
    dump = tmp_path_factory.mktemp("dump") / "wiki.xml"
    with wiki.as_marked_up_wiki("wiki-cases"):  # not the benchmark's, which has other pages
        cases = [(f"案{number}", wikitext) for number, (wikitext, _) in enumerate(CASES)]
        url = wiki.up_marked_up(dump, [*plain_pages(PLAIN), NOTHING, *cases])
        try:
            found = [page for page in read_pages(dump) if not is_redirect(page.text)]
            client = Client(url, "", 60_000, "zh", 120, 300)
            plain, html = {}, {}
            for page in found:
                query = {"prop": "extracts", "exlimit": 1, "pageids": page.pageid}
                [answered] = client.ask(**query).pages
                html[page.title] = answered.extract
                [answered] = client.ask(**query, explaintext=1, exsectionformat="wiki").pages
                plain[page.title] = answered.extract
        finally:
            wiki.down()
    marked_up = {json.loads(line)["title"] for line in MARKED_UP.read_text("utf-8").splitlines()}
    return dump, found, plain, html, marked_up


def lines(text):
    return "\n".join(line for line in ("".join(each.split()) for each in text.split("\n")) if line)


def test_the_text_is_that_of_mediawiki(compared):
    _, pages, plain, _, marked_up = compared
    scores = {True: [], False: []}
    for page in pages:
        if page.title.startswith("案"):
            continue
        score = Indel.normalized_similarity(lines(plain_text(page.text, page.title)), lines(plain[page.title]))
        scores[page.title in marked_up].append(score)
    assert len(scores[True]) >= 40
    assert len(scores[False]) >= 200
    assert mean(scores[True]) >= 0.95
    assert mean(scores[False]) >= 0.995


def test_mark_up_shows_what_it_does_there(compared):
    _, _, _, html, _ = compared
    judged = 0
    for number, (wikitext, text) in enumerate(CASES):
        if not any(mark in wikitext for mark in UNLIKE):
            judged += 1
            assert lines(html_text(html[f"案{number}"])) == lines(text), wikitext
    assert judged >= 40


def test_dump_and_api_give_the_same_articles(compared):
    dump, _, _, html, marked_up = compared
    same = {True: [], False: []}
    alike = []
    for article in read_dump([dump]):
        if article.title.startswith("案"):
            continue
        paragraphs = extract_paragraphs(html_text(html[article.title]))
        same[article.title in marked_up].append(article.paragraphs == paragraphs)
        if article.title in marked_up:
            alike.append(Indel.normalized_similarity("\n".join(article.paragraphs), "\n".join(paragraphs)))
    assert len(same[False]) >= 200
    assert mean(same[False]) >= 0.98
    assert len(alike) >= 40
    assert mean(same[True]) >= 0.6  # where no template is missing and no formula comes as source
    assert mean(alike) >= 0.97
