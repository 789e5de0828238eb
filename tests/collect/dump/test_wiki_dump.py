"""The dump reader against MediaWiki's own plain-text extracts of the same pages: run by make test-wiki.

The wiki is one of its own (see tests/helpers/wiki.py), with the extensions that Wikipedia has for formulas, source
code, verse and image maps, and holds the marked-up pages, the templates they use (some are missing on purpose), and
plain pages.
"""

import json
import sqlite3
from contextlib import closing
from statistics import mean

import pytest
from rapidfuzz.distance import Indel

from pipeline.collect.api.client import Client
from pipeline.collect.api.extracts import extract_paragraphs
from pipeline.collect.dump.articles import read_dump
from pipeline.collect.dump.pages import read_pages
from pipeline.collect.wikitext.plain_text import is_redirect, plain_text
from tests.helpers import wiki
from tests.helpers.dumps import MARKED_UP

pytestmark = pytest.mark.wiki

PLAIN = 300  # of the plain pages; the benchmark compares them all
LANGUAGES = ("en", "ja", "ko", "fr", "de", "es", "vi", "nl", "zh-min-nan", "zh-classical", "be-x-old")
EXTENSIONS = """
$wgNamespaceAliases['F'] = NS_FILE;
wfLoadExtension( 'Math' );
$wgMathValidModes = [ 'source' ];
$wgDefaultUserOptions['math'] = 'source';
$wgMathDisableTexFilter = 'always';
wfLoadExtension( 'ImageMap' );
wfLoadExtension( 'Poem' );
wfLoadExtension( 'SyntaxHighlight_GeSHi' );
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The pages of the dump, and MediaWiki's extract of each, by title."""
    lines = MARKED_UP.read_text(encoding="utf-8").splitlines()
    pages = [(page["title"], page["wikitext"]) for page in map(json.loads, lines)]
    plain = [page for _, page in zip(range(PLAIN), wiki.large_pages(), strict=False)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiki, "FOLDER", wiki.ROOT / "runs" / "wiki-dump")
        patch.setattr(wiki, "SETTINGS", wiki.SETTINGS + EXTENSIONS)
        wiki.install_packages()
        wiki.make_wiki()
        with closing(sqlite3.connect(wiki.FOLDER / "db" / "zhwiki.sqlite", timeout=60)) as database:
            database.executemany(
                "INSERT OR IGNORE INTO interwiki (iw_prefix, iw_url, iw_api, iw_wikiid, iw_local, iw_trans) "
                "VALUES (?, ?, '', '', 1, 0)",
                [(language, f"https://{language}.example.org/wiki/$1") for language in LANGUAGES],
            )
            database.commit()
        wiki.load([*pages, *plain])
        url = wiki.serve()
        try:
            dump = tmp_path_factory.mktemp("dump") / "wiki.xml"
            wiki.maintenance("dumpBackup.php", "--current", "--quiet", f"--output=file:{dump}")
            found = [page for page in read_pages(dump) if not is_redirect(page.text)]
            client = Client(url, "", 60_000, "zh", 120, 300)
            query = {"prop": "extracts", "explaintext": 1, "exsectionformat": "wiki", "exlimit": 1}
            extracts = {}
            for page in found:
                [answered] = client.ask(**query, pageids=page.pageid).pages
                extracts[page.title] = answered.extract
        finally:
            wiki.down()
    return dump, found, extracts, {title for title, _ in pages}


def lines(text):
    return "\n".join(line for line in ("".join(each.split()) for each in text.split("\n")) if line)


def test_the_text_is_that_of_mediawiki(compared):
    _, pages, extracts, marked_up = compared
    scores = {True: [], False: []}
    for page in pages:
        score = Indel.normalized_similarity(lines(plain_text(page.text, page.title)), lines(extracts[page.title]))
        scores[page.title in marked_up].append(score)
    assert len(scores[True]) >= 40
    assert len(scores[False]) >= 200
    assert mean(scores[True]) >= 0.95
    assert mean(scores[False]) >= 0.995


def test_dump_and_api_give_the_same_articles(compared):
    dump, _, extracts, marked_up = compared
    articles = [article for article in read_dump([dump]) if article.title not in marked_up]
    same = [article.paragraphs == extract_paragraphs(extracts[article.title]) for article in articles]
    assert len(same) >= 200
    assert mean(same) >= 0.98
