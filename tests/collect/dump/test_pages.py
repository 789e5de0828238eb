"""Pages of a dump: packed or not, streamed, and what is refused."""

import bz2
import gzip
import lzma
import tracemalloc

import pytest

from pipeline.collect.dump.articles import read_dump
from pipeline.collect.dump.pages import read_pages
from pipeline.stage import InputError
from tests.helpers.dumps import BOMB, HEAD, page, write_dump, write_marked_up


@pytest.fixture(scope="module")
def marked_up(tmp_path_factory):
    return write_marked_up(tmp_path_factory.mktemp("dump") / "wiki.xml")


@pytest.mark.parametrize(("ending", "packer"), [("bz2", bz2), ("gz", gzip), ("xz", lzma)])
def test_packed_dumps_read_the_same(tmp_path, marked_up, ending, packer):
    packed = tmp_path / f"wiki.xml.{ending}"
    packed.write_bytes(packer.compress(marked_up.read_bytes()))
    assert list(read_pages(packed)) == list(read_pages(marked_up))


def dumped(tmp_path, *pages):
    return list(read_pages(write_dump(tmp_path / "wiki.xml", *pages)))


def test_further_slots_of_a_revision_are_not_the_article(tmp_path):
    slot = "<content><role>mediainfo</role><origin>9</origin><model>wikibase-mediainfo</model>"
    slot += "<format>application/json</format><text>{}</text></content></revision>"
    [read] = dumped(tmp_path, page("桥", "桥长百米。").replace("</revision>", slot))
    assert (read.text, read.revid) == ("桥长百米。", 1001)


def test_of_several_revisions_the_last_is_read_whole(tmp_path):
    last = "</revision><revision><id>2000</id></revision>"
    [read] = dumped(tmp_path, page("桥", "旧文").replace("</revision>", last))
    assert (read.text, read.revid) == ("", 2000)
    last = "</revision><revision><id>2000</id><text>新文</text></revision>"
    [read] = dumped(tmp_path, page("桥", "旧文").replace("</revision>", last))
    assert (read.text, read.revid) == ("新文", 2000)


@pytest.mark.parametrize(
    ("model", "kind"),
    [("json", "application/json"), ("javascript", "text/javascript"), ("", "text/css"), ("Scribunto", "text/plain")],
)
def test_pages_that_are_not_wikitext_are_left_out(tmp_path, model, kind):
    other = page("数据", "{}", 2).replace(
        "<format>text/x-wiki</format>", f"<model>{model}</model><format>{kind}</format>"
    )
    plain = page("河", "河很宽。", 3).replace("<format>text/x-wiki</format>", "")
    assert [read.title for read in dumped(tmp_path, page("桥", "桥很长。", 1), other, plain)] == ["桥", "河"]


def test_where_no_namespace_is_numbered_the_title_tells(tmp_path):
    titles = ["桥", "Template:甲", "模板:甲", "樣板:甲", "user talk:甲", "分類:桥", "Re:桥", "项目:甲", "2:00"]
    pages = [page(title, "桥很长。", number).replace("<ns>0</ns>", "") for number, title in enumerate(titles, start=1)]
    assert [read.title for read in dumped(tmp_path, *pages)] == ["桥", "Re:桥", "项目:甲", "2:00"]
    named = "<siteinfo><namespaces><namespace key='0' /><namespace key='102'>项目</namespace></namespaces></siteinfo>"
    assert [read.title for read in dumped(tmp_path, named, *pages)] == ["桥", "Re:桥", "2:00"]
    assert len(dumped(tmp_path, page("模板:桥", "桥很长。"))) == 1  # numbered 0


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
