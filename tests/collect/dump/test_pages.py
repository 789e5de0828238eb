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
