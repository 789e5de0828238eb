"""The dump and Parquet readers: what they yield, what they leave out, and what they refuse."""

import bz2
import gzip
import json
import lzma
import sys
import tracemalloc
from html import escape
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from pipeline.collect.dump.articles import read_dump
from pipeline.collect.dump.pages import read_pages
from pipeline.collect.dump.parquet import read_parquet
from pipeline.files.dataset import read_dataset
from pipeline.stage import InputError
from tests.helpers.tiny import run_script

MARKED_UP = Path(__file__).parents[1] / "helpers" / "marked_up_pages.jsonl"
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="zh">
  <siteinfo><sitename>维基</sitename><base>https://zh.example.org/wiki/Wikipedia:%E9%A6%96%E9%A1%B5</base></siteinfo>
"""


def page(title, text, number=1, ns=0, redirect=""):
    target = f'<redirect title="{redirect}" />' if redirect else ""
    return (
        f"<page><title>{escape(title)}</title><ns>{ns}</ns><id>{number}</id>{target}<revision><id>{number + 1000}</id>"
        f"<contributor><username>某人</username><id>77</id></contributor><format>text/x-wiki</format>"
        f'<text bytes="9" xml:space="preserve">{escape(text)}</text><sha1>x</sha1></revision></page>\n'
    )


def write_dump(path, *pages):
    content = (HEAD + "".join(pages) + "</mediawiki>\n").encode()
    pack = {".bz2": bz2.compress, ".gz": gzip.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(content))
    return path


@pytest.fixture(scope="module")
def marked_up(tmp_path_factory):
    pages = [json.loads(line) for line in MARKED_UP.read_text(encoding="utf-8").splitlines()]
    dumped = [
        page(each["title"], each["wikitext"], number, ns=10 if each["title"].startswith("Template:") else 0)
        for number, each in enumerate(pages, start=1)
    ]
    return write_dump(tmp_path_factory.mktemp("dump") / "wiki.xml", *dumped)


def test_an_article_says_where_it_is_from(tmp_path):
    text = "'''旧桥'''长[[百米]]。<ref>甲</ref>\n\n它很美。\n\n== 参考文献 ==\n* 《桥》\n"
    path = write_dump(tmp_path / "wiki.xml", page("旧桥 (某地)", text, 5))
    [article] = read_dump([path], processes=1)
    assert (article.title, article.paragraphs) == ("旧桥 (某地)", ["旧桥长百米。", "它很美。"])
    assert (article.pageid, article.revid, article.source) == (5, 1005, "zh.example.org")
    assert article.url == "https://zh.example.org/wiki/%E6%97%A7%E6%A1%A5_(%E6%9F%90%E5%9C%B0)"
    assert "Creative Commons" in article.license


def test_other_namespaces_redirects_and_disambiguation_pages_are_left_out(tmp_path):
    path = write_dump(
        tmp_path / "wiki.xml",
        page("Template:甲", "甲甲甲甲甲", 1, ns=10),
        page("乙", "#REDIRECT [[丙]]", 2, redirect="丙"),
        page("丁", "#重定向 [[丙]]", 3),
        page("戊", "戊可以指：\n* [[己]]\n{{消歧义}}", 4),
        page("空", "{{不认识}}", 5),
        page("丙", "丙是一座桥。", 6),
    )
    assert [article.title for article in read_dump([path], processes=1)] == ["丙"]


@pytest.mark.parametrize(("ending", "packer"), [("bz2", bz2), ("gz", gzip), ("xz", lzma)])
def test_packed_dumps_read_the_same(tmp_path, marked_up, ending, packer):
    packed = tmp_path / f"wiki.xml.{ending}"
    packed.write_bytes(packer.compress(marked_up.read_bytes()))
    assert list(read_pages(packed)) == list(read_pages(marked_up))


def test_two_processes_yield_what_one_does_in_the_same_order(marked_up, monkeypatch):
    monkeypatch.setattr("pipeline.collect.dump.articles._BATCH", 2_000)  # characters: some twenty batches
    alone = list(read_dump([marked_up, marked_up], processes=1))
    assert len(alone) >= 80
    assert list(read_dump([marked_up, marked_up], processes=2)) == alone


def test_memory_does_not_grow_with_the_dump(tmp_path):
    def peak(copies):
        text = "".join(page(f"桥{n}", "桥长百米。" * 2_000, n + 1) for n in range(20))
        path = write_dump(tmp_path / f"{copies}.xml", *[text] * copies)
        tracemalloc.start()
        for _ in read_pages(path):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(40) < peak(8) + 2_000_000  # 24 MB of pages against 5


BOMB = '<!DOCTYPE m [<!ENTITY a "桥桥桥桥桥桥桥桥桥桥">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"{BOMB}]><mediawiki><page><title>&i;</title></page></mediawiki>", "document type"),
        ('<!DOCTYPE m SYSTEM "file:///etc/passwd"><mediawiki/>', "document type"),
        (HEAD + page("甲", "乙"), "line 4"),  # cut short
        (HEAD + "<page><title>甲</page></mediawiki>", "mismatched tag"),
        (HEAD + "<page><title>&nbsp;</title></page></mediawiki>", "undefined entity"),
        (HEAD + "<page><title>\x01</title></page></mediawiki>", "invalid token"),
        (HEAD + "<page><ns>0</ns><id>1</id></page></mediawiki>", "lacks a title"),
        (HEAD + "<page><title>甲</title><id>x</id></page></mediawiki>", "lacks a title or a number"),
        ("<rss><channel/></rss>", "<rss>"),
        ("", "no element found"),
        ("桥", "broken XML"),
    ],
)
def test_a_bad_dump_is_refused_in_one_line(tmp_path, content, words):
    path, output = tmp_path / "wiki.xml", tmp_path / "dataset.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=f"wiki.xml: .*{words}"):
        list(read_pages(path))
    assert not output.exists()


def test_a_bad_file_is_refused(tmp_path):
    whole = write_dump(tmp_path / "whole.xml", page("甲", "乙" * 5000))
    (tmp_path / "short.xml.bz2").write_bytes(bz2.compress(whole.read_bytes())[:-20])
    (tmp_path / "short.xml.gz").write_bytes(gzip.compress(whole.read_bytes())[:-20])
    (tmp_path / "plain.xml.bz2").write_bytes(whole.read_bytes())
    (tmp_path / "plain.xml.gz").write_bytes(whole.read_bytes())
    (tmp_path / "folder.xml").mkdir()
    (tmp_path / "dump.sql").write_bytes(whole.read_bytes())
    for name, words in (
        ("short.xml.bz2", "cut short bz2 file"),
        ("short.xml.gz", "cut short gz file"),
        ("plain.xml.bz2", "cut short bz2 file"),
        ("plain.xml.gz", "cut short gz file"),
        ("folder.xml", "folder"),
        ("dump.sql", "must be .xml"),
        ("absent.xml", "not found"),
    ):
        with pytest.raises(InputError, match=f"{name}: .*{words}"):
            list(read_dump([tmp_path / name], processes=1))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"requirements-parquet.txt"):
        list(read_parquet([tmp_path / "train.parquet"]))


def test_the_script_reads_a_dump_and_refuses_a_bomb(tmp_path, marked_up):
    output = tmp_path / "dataset.json"
    result = run_script("rare_char_fetch.py", "--dump", marked_up, "--output", output)
    assert (result.returncode, result.stderr) == (0, "")
    before = output.read_bytes()
    dataset = read_dataset(output)
    assert len({document.page for document in dataset.documents}) >= 40
    assert dataset.metadata["sources"] == ["zh.example.org"]
    used = [json.loads(line) for line in (tmp_path / "sources.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(line["url"].startswith("https://zh.example.org/wiki/%") and line["revid"] > 1000 for line in used)

    bomb = tmp_path / "bomb.xml"
    bomb.write_text(f"{BOMB}]><mediawiki><page><title>&i;</title></page></mediawiki>", encoding="utf-8")
    for arguments in (["--dump", bomb], ["--source", "dump"], ["--source", "dump", bomb, "--variant", "zh-xx"]):
        result = run_script("rare_char_fetch.py", *arguments, "--output", output)
        assert result.returncode == 2, result.stdout
        assert len(result.stderr.splitlines()) == 1
        assert output.read_bytes() == before


def test_parquet(tmp_path):
    rows = {
        "id": ["7", "8"],
        "url": ["https://zh.wikipedia.org/wiki/%E6%A1%A5", "https://zh.wikipedia.org/wiki/%E6%B2%B3"],
        "title": ["桥", "河"],
        "text": ["桥长百米。\n\n它很美。\n", "河水很清。"],
    }
    path = tmp_path / "train.parquet"
    parquet.write_table(pyarrow.table(rows), path)
    bridge, river = read_parquet([path])
    assert (bridge.title, bridge.pageid, bridge.paragraphs) == ("桥", 7, ["桥长百米。", "它很美。"])
    assert (river.source, river.url) == ("zh.wikipedia.org", rows["url"][1])

    (tmp_path / "cut.parquet").write_bytes(path.read_bytes()[:-9])
    parquet.write_table(pyarrow.table({"id": ["7"], "text": ["桥"]}), tmp_path / "other.parquet")
    parquet.write_table(pyarrow.table(rows | {"id": ["七", "八"]}), tmp_path / "ids.parquet")
    parquet.write_table(pyarrow.table(rows | {"text": [None, "河"]}), tmp_path / "null.parquet")
    for name, words in (
        ("cut.parquet", "no whole Parquet file"),
        ("other.parquet", "no column url, title"),
        ("ids.parquet", "'七' is no page number"),
        ("null.parquet", "text None"),
        ("absent.parquet", "not there"),
    ):
        with pytest.raises(InputError, match=f"{name}: .*{words}"):
            list(read_parquet([tmp_path / name]))
