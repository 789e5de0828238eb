"""Articles from a dump: what they say of themselves, which pages are left out, and that all cores give one order."""

import json
import subprocess
import sys

import pytest

from pipeline.collect.dump.articles import read_dump
from pipeline.files.dataset import read_dataset
from tests.helpers.dumps import BOMB, page, write_dump, write_marked_up
from tests.helpers.tiny import ROOT, run_script


@pytest.fixture(scope="module")
def marked_up(tmp_path_factory):
    return write_marked_up(tmp_path_factory.mktemp("dump") / "wiki.xml")


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
        page("辛", "辛可以指：\n* [[己]]\n__消歧義__", 7),
        page("空", "{{不认识}}", 5),
        page("丙", "丙是一座桥。", 6),
    )
    assert [article.title for article in read_dump([path], processes=1)] == ["丙"]


def test_two_processes_yield_what_one_does_in_the_same_order(marked_up, monkeypatch):
    monkeypatch.setattr("pipeline.collect.dump.articles._BATCH", 2_000)  # characters: some twenty batches
    alone = list(read_dump([marked_up, marked_up], processes=1))
    assert len(alone) >= 80
    assert list(read_dump([marked_up, marked_up], processes=2)) == alone


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


def test_a_reader_that_has_enough_ends_its_processes_quietly(tmp_path, marked_up):
    """A stage takes SIGTERM for a request to end; the processes it starts must not, for that is how they are ended.

    All batches but the first take a minute; one of them has been begun.
    """
    program = """
import sys, time
from pathlib import Path
from pipeline.collect.dump import articles
from pipeline.stage import run_stage

dump, begun = map(Path, sys.argv[1:])
articles._BATCH = 2_000
first, *_ = next(articles._batches([dump]))
clean_pages = articles.clean_pages

def clean(pages, variant):
    if pages[0].pageid != first.pageid:
        begun.touch()
        time.sleep(60)
    return clean_pages(pages, variant)

articles.clean_pages = clean

def main():
    reading = articles.read_dump([dump], processes=2)
    print(next(reading).pageid)
    while not begun.exists():
        time.sleep(0.01)
    return 0

run_stage(main)
"""
    command = [sys.executable, "-c", program, str(marked_up), str(tmp_path / "begun")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert int(result.stdout) > 0
