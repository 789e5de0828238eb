"""The api source against a real MediaWiki on 127.0.0.1 (see tests/helpers/wiki.py): run by make test-wiki.

The large fetch goes through a server that may spoil answers, always at the same port, so that undisturbed, spoilt and
killed runs can be compared byte by byte.
"""

import json
import socket
import sqlite3

import pytest

from pipeline.collect.api.client import Client
from pipeline.files.dataset import read_dataset
from tests.helpers import wiki
from tests.helpers.datasets import files_of
from tests.helpers.fault_server import FAULTS, Faults, FaultServer
from tests.helpers.kills import fetch_with_kills
from tests.helpers.tiny import run_script

pytestmark = pytest.mark.wiki

SENTENCES, HAN = 2_000, 4_600  # sentences are there first, then rare characters are searched for
LARGE_TARGETS = ["--target-sentences", SENTENCES, "--target-vocab", HAN]
SHARE = 0.4  # of the requests that are spoilt; with more, one that fails again and again waits minutes
SILENCE = 3.0  # the time-out of the client in seconds


@pytest.fixture(scope="module")
def url():
    yield wiki.up()
    wiki.down()


@pytest.fixture(scope="module")
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url, folder, *options):
    paths = ["--store", folder / "store.sqlite", "--output", folder / "dataset.json"]
    command = ["rare_char_fetch.py", "--source", "api", "--api", url, "--rate", "60000", *paths, *options]
    return run_script(*command, timeout=1_800)


@pytest.fixture(scope="module")
def whole(url, port, tmp_path_factory):
    """The folder of an undisturbed large fetch."""
    folder = tmp_path_factory.mktemp("whole")
    with FaultServer(url, Faults(0.0, SILENCE), port) as through:
        result = fetch(through.url, folder, *LARGE_TARGETS)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_the_wiki_is_what_the_client_expects(url):
    client = Client(url, "", 60_000, "zh", 60, 300)
    query = {"generator": "search", "gsrsearch": "镇", "gsrwhat": "text", "gsrlimit": 2}
    query |= {"prop": "extracts", "explaintext": 1, "exlimit": 1}
    first = client.ask(**query)
    assert not first.complete
    assert first.resume["excontinue"]
    assert sum(page.extract is not None for page in first.pages) == 1
    resumed = client.ask(**query, **first.resume)
    assert resumed.complete
    assert resumed.resume["gsroffset"] == 2


def test_marked_up_pages(url, tmp_path):
    result = fetch(url, tmp_path, "--strategies", "category", "--target-sentences", "500")
    assert result.returncode == 1, result.stderr
    assert "nothing left to fetch" in result.stdout
    dataset = read_dataset(tmp_path / "dataset.json")
    texts = {}
    for document in dataset.documents:
        texts.setdefault(document.title, []).append(dataset.sentences[document.start : document.start + document.count])
    assert texts["鳜鱼"] == [
        [
            "鳜鱼是一种鱼类，生活在淡水里，体侧有褐色的斑块。",
            "它白天伏在石缝中，夜里出来捕食小鱼。",
            "它的口很大，下颌突出！",
            "渔民说：“清蒸最好。”",
            "也有人把它腌制后再烹煮。",
        ],
        ["禁渔期内不得捕捞。"],
    ]
    assert texts["鱖屬"] == [["鱖屬是輻鰭魚綱的一屬，為淡水魚類，分佈於東亞的河流和湖泊中。"]]
    assert "桂花鱼" not in texts  # it leads to 鳜鱼
    sources = [json.loads(line) for line in (tmp_path / "sources.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["title"] for line in sources} == set(texts)
    assert all(line["license"] == "CC BY-SA 4.0" and line["revid"] and line["url"] for line in sources)


def test_a_variant_is_asked_for_and_recorded(url, tmp_path):
    options = ["--strategies", "category", "--target-sentences", "500", "--variant", "zh-tw"]
    assert fetch(url, tmp_path, *options).returncode == 1
    dataset = read_dataset(tmp_path / "dataset.json")
    assert dataset.metadata["variant"] == "zh-tw"
    assert "禁漁期內不得捕撈。" in dataset.sentences


def test_the_large_fetch(whole):
    dataset = read_dataset(whole / "dataset.json")
    assert len(dataset.sentences) >= SENTENCES
    assert dataset.metadata["vocab_size"] >= HAN
    assert {"生僻字", "姓氏", "地名"} <= set(dataset.metadata["domains"])
    print(f"{len(dataset.sentences)} sentences, {dataset.metadata['vocab_size']} characters")
    with sqlite3.connect(whole / "store.sqlite") as database:
        asked = database.execute("SELECT value FROM meta WHERE key = 'requests'").fetchone()[0]
        pages = database.execute("SELECT count(*) FROM pages").fetchone()[0]
    print(f"{pages} pages, {asked} requests")
    assert pages < int(asked)
    assert len({document.page for document in dataset.documents}) > 100


def test_two_hundred_faults_change_nothing(url, port, whole, tmp_path):
    faults = Faults(SHARE, SILENCE)
    with FaultServer(url, faults, port) as spoilt:
        result = fetch(spoilt.url, tmp_path, *LARGE_TARGETS, "--timeout", SILENCE)
    assert result.returncode == 0, result.stdout + result.stderr
    print(f"{faults.made.total()} faults among {faults.made.total() + faults.passed} requests: {dict(faults.made)}")
    assert faults.made.total() >= 200
    assert set(faults.made) == set(FAULTS)
    assert files_of(tmp_path / "dataset.json") == files_of(whole / "dataset.json")


def test_twenty_kills_change_nothing(url, port, whole, tmp_path):
    faults = Faults(0.0, SILENCE)
    with FaultServer(url, faults, port) as through:
        options = ["--source", "api", "--api", through.url, "--rate", "900", *LARGE_TARGETS]
        paths = ["--store", tmp_path / "store.sqlite", "--output", tmp_path / "dataset.json"]
        fetch_with_kills([*options, *paths], tmp_path / "store.sqlite", faults.texts_asked, 20)
    assert files_of(tmp_path / "dataset.json") == files_of(whole / "dataset.json")
