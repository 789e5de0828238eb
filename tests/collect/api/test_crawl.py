"""The crawl over a small wiki of our own: what it takes, where it stops, and that kills and faults change nothing."""

import json
import sqlite3
import time

import pytest
import tenacity

from pipeline.collect.api import client as client_module
from pipeline.collect.api import strategies as strategies_module
from pipeline.collect.api.client import AT_ONCE, Client
from pipeline.collect.api.crawl import NOTHING_LEFT, TARGETS_MET, Crawl
from pipeline.collect.api.store import Store, progress
from pipeline.collect.api.strategies import make_strategies
from pipeline.collect.api.topics import TOPICS
from pipeline.collect.compiler import Compiler, Limits
from pipeline.stage import InputError
from tests.helpers.datasets import files_of
from tests.helpers.fake_api import FakeApi, FakePage, FakeWiki, small_wiki
from tests.helpers.fault_server import FAULTS, Faults, FaultServer
from tests.helpers.kills import fetch_with_kills
from tests.helpers.tiny import run_script

LIMITS = Limits(5, 200, 1, target_sentences=60, target_vocab=300)
ALL = Limits(5, 200, 1, 10_000, 10_000)
STRATEGIES = ("search", "category", "rare")


class Killed(Exception):
    """Stands for SIGKILL: nothing after it is done."""


def crawl(url, path, limits=LIMITS, names=STRATEGIES, *, kill_after=None, floor=2, patience=60.0, timeout=30.0):
    """One run in this process; the compiler and the reason. ``kill_after`` that many transactions it is broken off."""
    client = Client(url, "", 60_000, "zh", timeout, patience)
    store = Store(path, "http://wiki", "zh")
    left = kill_after
    begin = store.transaction

    def counted():
        nonlocal left
        if left is not None:
            if left == 0:
                raise Killed
            left -= 1
        return begin()

    store.transaction = counted
    compiler = Compiler(limits)
    try:
        strategies = make_strategies(list(names), store, compiler.counts, 3, floor)
        reason = Crawl(store, client, compiler, strategies, lambda: None).run()
    finally:
        store.close()
    return compiler, reason


def outcome(compiler):
    """What the run makes: the dataset but for its date, and the list of sources."""
    dataset = compiler.dataset()
    dataset.metadata.pop("created")
    return dataset.fingerprint(), dataset.metadata, compiler.used


def rows(path, query):
    with sqlite3.connect(path) as database:
        return database.execute(query).fetchall()


def frontier(path):
    return rows(path, "SELECT position, pageid, title, topic, strategy, outcome FROM frontier ORDER BY position")


@pytest.fixture
def api():
    with FakeApi(small_wiki()) as served:
        yield served


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    """Six topics and a standard table of 60 characters, because a search for each of 8,105 takes minutes."""
    few = [topic for topic in TOPICS if topic.name in ("姓氏", "河流", "鱼类", "鸟类", "青铜器", "纺织")]
    monkeypatch.setattr(strategies_module, "TOPICS", few)
    table = tuple("水鱼中的了一不是人有" + "".join(chr(0x4E80 + number) for number in range(50)))
    monkeypatch.setattr(strategies_module, "standard_characters", lambda: table)
    monkeypatch.setattr(strategies_module, "standard_levels", lambda: dict.fromkeys(table, 1))


@pytest.fixture
def hasty(monkeypatch):
    """No waiting between tries."""
    monkeypatch.setattr(client_module, "_backoff", tenacity.wait_fixed(0.01))


def test_everything_is_taken_where_the_targets_cannot_be_met(api, tmp_path):
    path = tmp_path / "store.sqlite"
    compiler, reason = crawl(api.url, path, ALL, ("search", "category", "random"))
    assert reason == NOTHING_LEFT
    outcomes = {pageid: outcome for _, pageid, _, _, _, outcome in frontier(path)}
    whole = {pageid for pageid, page in api.wiki.pages.items() if page.ns == 0 and page.text and page.redirect is None}
    assert {pageid for pageid, outcome in outcomes.items() if outcome == "stored"} == whole - {5}
    assert outcomes[6] == "empty"
    assert 5 not in outcomes  # a page that only tells meanings apart
    assert 4 not in outcomes  # a redirect: its target is listed
    assert len(set(api.wiki.texts_asked())) == len(api.wiki.texts_asked())
    assert progress(path).reason == NOTHING_LEFT
    assert all(used.pageid and used.revid == 1000 + used.pageid and used.url for used in compiler.used)
    assert compiler.dataset().metadata["license"] == "CC BY-SA 4.0"
    assert compiler.dataset().metadata["sources"] == ["zh.example.org"]


def test_reference_lists_split_the_document(api, tmp_path):
    compiler, _ = crawl(api.url, tmp_path / "s.sqlite", ALL, ("search", "category"))
    dataset = compiler.dataset()
    pieces = [document for document in dataset.documents if document.title == "鳜鱼"]
    texts = [dataset.sentences[piece.start : piece.start + piece.count] for piece in pieces]
    assert texts == [["鳜鱼生活在淡水里。"], ["清蒸最好吃。"]]


def test_it_stops_at_the_first_page_that_meets_both_targets(api, tmp_path):
    path = tmp_path / "store.sqlite"
    compiler, reason = crawl(api.url, path)
    assert reason == TARGETS_MET
    shorter = Compiler(LIMITS)
    store = Store(path, "http://wiki", "zh")
    taken = [Crawl(store, None, None, {}, None)._article(page) for page in store.pages()]
    store.close()
    for article in taken[:-1]:
        shorter.add(article)
    assert compiler.enough()
    assert not shorter.enough()
    facts = progress(path)
    assert (facts.pages, facts.sentences, facts.distinct_han) == (
        len(taken),
        len(compiler.sentences),
        compiler.han,
    )
    assert facts.finished
    assert facts.reason == TARGETS_MET


def test_a_finished_store_is_only_compiled(api, tmp_path):
    first, _ = crawl(api.url, tmp_path / "s.sqlite")
    asked = len(api.wiki.asked)
    again, reason = crawl(api.url, tmp_path / "s.sqlite")
    assert (outcome(again), reason, len(api.wiki.asked)) == (outcome(first), TARGETS_MET, asked)


def test_higher_targets_go_on_from_a_finished_store(api, tmp_path):
    crawl(api.url, tmp_path / "s.sqlite")
    more, _ = crawl(api.url, tmp_path / "s.sqlite", Limits(5, 200, 1, 120, 300))
    assert len(more.sentences) >= 120
    assert len(set(api.wiki.texts_asked())) == len(api.wiki.texts_asked())


def test_broken_off_after_every_single_transaction(tmp_path):
    with FakeApi(small_wiki()) as api:
        whole, _ = crawl(api.url, tmp_path / "whole.sqlite")
        expected = outcome(whole), frontier(tmp_path / "whole.sqlite")
    for transactions in range(1, 10_000):
        path = tmp_path / f"{transactions}.sqlite"
        with FakeApi(small_wiki()) as api:
            try:
                crawl(api.url, path, kill_after=transactions)
            except Killed:
                stored = {pageid for (pageid,) in rows(path, "SELECT pageid FROM pages")}
                before = len(api.wiki.texts_asked())
                compiler, _ = crawl(api.url, path)
                assert (outcome(compiler), frontier(path)) == expected
                assert not stored & set(api.wiki.texts_asked()[before:])
                path.unlink()
            else:
                break
    assert transactions > 15


def test_never_more_than_three_at_once_and_who_asks_is_said(api, tmp_path):
    crawl(api.url, tmp_path / "s.sqlite")
    assert 1 <= api.wiki.most_at_once <= AT_ONCE
    for _, headers in api.wiki.asked:
        assert headers["User-Agent"].startswith("chinese-bert-training-dynamics/")
        assert "requests/" in headers["User-Agent"]
        assert headers["Accept-Encoding"] == "gzip"


@pytest.mark.usefixtures("hasty")
def test_every_kind_of_fault_changes_nothing(tmp_path):
    more = Limits(5, 200, 1, 150, 500)
    with FakeApi(small_wiki()) as api:
        whole, _ = crawl(api.url, tmp_path / "whole.sqlite", more)
    kinds = [kind for kind in FAULTS if kind not in ("silence", "drops")]  # those take time; see below
    faults = Faults(0.5, 1.0, kinds=kinds)
    with FakeApi(small_wiki()) as api, FaultServer(api.url, faults) as spoilt:
        compiler, _ = crawl(spoilt.url, tmp_path / "spoilt.sqlite", more)
        assert outcome(compiler) == outcome(whole)
        assert frontier(tmp_path / "spoilt.sqlite") == frontier(tmp_path / "whole.sqlite")
    assert set(faults.made) == set(kinds)
    assert progress(tmp_path / "spoilt.sqlite").retries == faults.made.total()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("kind", ["silence", "drops"])
def test_a_server_that_says_nothing_or_drips_is_given_up(api, tmp_path, kind):
    faults = Faults(1.0, 0.3, kinds=[kind])
    began = time.monotonic()
    with FaultServer(api.url, faults) as spoilt, pytest.raises(InputError, match="no good answer within 0 s"):
        crawl(spoilt.url, tmp_path / "s.sqlite", patience=0.1, timeout=0.3)
    assert time.monotonic() - began < 20


def test_half_read_batches_are_kept(api, tmp_path):
    """The continue object and the pages so far are in the store before the second part is asked for."""
    seen = []
    answer = api.wiki.answer

    def spy(params):
        if "ppcontinue" in params:
            seen.append(rows(tmp_path / "s.sqlite", "SELECT resume, found FROM tasks WHERE found != 'null'"))
        return answer(params)

    api.wiki.answer = spy
    crawl(api.url, tmp_path / "s.sqlite")
    assert seen
    for [(resume, found)] in seen:
        assert json.loads(resume)["ppcontinue"] == "3"
        assert len(json.loads(found)) > 3


def test_rare_asks_for_exactly_what_is_below_the_floor(tmp_path):
    page = FakePage("水鱼", "水鱼是鳖的别名，不是鱼。")
    with FakeApi(FakeWiki({1: page})) as api:
        compiler, _ = crawl(api.url, tmp_path / "s.sqlite", Limits(5, 200, 1, 100, 100), ("rare",), floor=2)
        searched = [params["gsrsearch"] for params, _ in api.wiki.asked if params.get("generator") == "search"]
    assert compiler.counts["鱼"] == 2
    # 水 is the first of the table, and its page brings 鱼 twice: only what is once or never there is searched for.
    wanted = [f'"{character}"' for character in strategies_module.standard_characters() if character not in "鱼是"]
    assert searched == [*wanted, *(f'"{character}"' for character in sorted("别名鳖"))]


def test_categories_are_found_in_either_script_and_walked_to_the_limit(tmp_path):
    pages = {
        1: FakePage("Category:丝绸", "", (), ns=14),
        2: FakePage("Category:甲", "", ("丝绸",), ns=14),
        3: FakePage("Category:乙", "", ("甲",), ns=14),
        4: FakePage("Category:丙", "", ("乙", "丝绸"), ns=14),
        5: FakePage("Category:丁", "", ("丙",), ns=14),
        11: FakePage("绫", "绫是一种丝织品。", ("甲",)),
        12: FakePage("罗", "罗是另一种丝织品。", ("乙",)),
        13: FakePage("锦", "锦是彩色的丝织品。", ("丁",)),
    }
    wiki = FakeWiki(pages)
    titles = wiki._titles
    wiki._titles = lambda title: titles(title.replace("絲綢", "丝绸"))
    with FakeApi(wiki) as api:
        compiler, reason = crawl(api.url, tmp_path / "s.sqlite", Limits(5, 200, 1, 100, 100), ("category",))
    assert reason == NOTHING_LEFT
    assert {used.title for used in compiler.used} == {"绫", "罗", "锦"}
    assert compiler.dataset().metadata["domains"] == ["纺织"]
    walked = [params["gcmtitle"] for params, _ in wiki.asked if params.get("generator") == "categorymembers"]
    assert len(walked) == len(set(walked))


def test_random_keeps_its_draw(api, tmp_path):
    compiler, reason = crawl(api.url, tmp_path / "s.sqlite", names=("random",))
    assert reason == TARGETS_MET
    assert compiler.dataset().metadata["domains"] == ["随机"]


COMMAND = ["--source", "api", "--rate", "60000", "--target-sentences", "60", "--target-vocab", "300", "--min-freq", "1"]


def test_the_script_from_start_to_end(api, tmp_path):
    options = [*COMMAND, "--api", api.url, "--store", tmp_path / "s.sqlite", "--output", tmp_path / "d.json"]
    result = run_script("rare_char_fetch.py", *options)
    assert result.returncode == 0, result.stderr
    assert "targets met" in result.stdout
    assert "still rare" in result.stdout
    dataset = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert dataset["metadata"]["variant"] == "zh"
    assert dataset["metadata"]["api"] == api.url
    assert len(dataset["metadata"]["rare_characters"]) > 7_000
    lines = (tmp_path / "sources.jsonl").read_text(encoding="utf-8").splitlines()
    used = {document["pageid"] for document in dataset["documents"]}
    assert {json.loads(line)["pageid"] for line in lines} == used
    asked = len(api.wiki.asked)
    again = run_script("rare_char_fetch.py", *options)
    assert (again.returncode, len(api.wiki.asked)) == (0, asked)
    later = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    later["metadata"]["created"] = dataset["metadata"]["created"]
    assert later == dataset
    missed = run_script("rare_char_fetch.py", *options, "--target-sentences", "100000", "--strategies", "search")
    assert missed.returncode == 1
    assert "target missed" in missed.stdout


@pytest.mark.slow
def test_twenty_kills_at_random_moments(tmp_path):
    """The fetch is slowed down, so that no run between two kills is the last."""
    with FakeApi(small_wiki(500)) as api:
        options = [*COMMAND, "--target-sentences", "900", "--target-vocab", "2000", "--api", api.url, "--rate", "500"]
        whole = [*options, "--store", tmp_path / "a.sqlite", "--output", tmp_path / "a" / "d.json"]
        result = run_script("rare_char_fetch.py", *whole)
        assert result.returncode == 0, result.stderr
        killed = [*options, "--store", tmp_path / "b.sqlite", "--output", tmp_path / "b" / "d.json"]
        fetch_with_kills(killed, tmp_path / "b.sqlite", api.wiki.texts_asked, 20)
    assert files_of(tmp_path / "a" / "d.json") == files_of(tmp_path / "b" / "d.json")
    assert frontier(tmp_path / "a.sqlite") == frontier(tmp_path / "b.sqlite")
