"""Articles from text files, and how what is wrong in them is named."""

import bz2
import gzip
import json

import pytest

from pipeline.collect.text_files import read_text_files
from pipeline.stage import InputError

PARAGRAPHS = ["小镇在河边。镇上有一座旧桥。", "桥下的水很清。"]


def write_lines(path, *values):
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


def test_json_lines(tmp_path):
    path = write_lines(
        tmp_path / "town.jsonl",
        {"title": "小镇", "source": "自撰", "license": "CC0", "domain": "地理", "pageid": 7, "revid": 8}
        | {"paragraphs": PARAGRAPHS},
        {"text": "\n".join(PARAGRAPHS)},
    )
    full, bare = read_text_files([path])
    assert (full.title, full.source, full.license, full.domain) == ("小镇", "自撰", "CC0", "地理")
    assert (full.pageid, full.revid, full.paragraphs) == (7, 8, PARAGRAPHS)
    assert (bare.title, bare.source, bare.pageid, bare.paragraphs) == ("", "town", None, PARAGRAPHS)


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path):
    path = tmp_path / "town.json"
    path.write_text('\ufeff\n{"text": "小镇"}\n\n', encoding="utf-8")
    assert [article.paragraphs for article in read_text_files([path])] == [["小镇"]]


def test_plain_text_is_one_article(tmp_path):
    path = tmp_path / "旧桥.txt"
    path.write_text("\n".join(["", f"　　{PARAGRAPHS[0]}", "", PARAGRAPHS[1]]), encoding="utf-8")
    [article] = read_text_files([path])
    assert (article.title, article.source, article.paragraphs) == ("旧桥", "旧桥", PARAGRAPHS)


@pytest.mark.parametrize("name", ["town.jsonl", "town.txt"])
def test_gzip_reads_the_same(tmp_path, name):
    plain = tmp_path / name
    plain.write_text(json.dumps({"title": "小镇", "source": "town", "paragraphs": PARAGRAPHS}), encoding="utf-8")
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read_text_files([packed])) == list(read_text_files([plain]))


def test_what_an_extractor_writes(tmp_path):
    line = {
        "id": "7",
        "revid": "8",
        "url": "https://zh.wikipedia.org/wiki?curid=7",
        "title": "小镇",
        "text": "甲。\n\n乙。",
    }
    (tmp_path / "AA").mkdir()
    path = write_lines(tmp_path / "AA" / "wiki_00", line, line | {"revid": "", "url": "http://[", "id": "x"})
    packed = tmp_path / "wiki_01.bz2"
    packed.write_bytes(bz2.compress(path.read_bytes()))
    article, odd = read_text_files([path])
    assert (article.pageid, article.revid, article.source) == (7, 8, "zh.wikipedia.org")
    assert (article.title, article.url, article.paragraphs) == ("小镇", line["url"], ["甲。", "", "乙。"])
    assert (odd.pageid, odd.revid, odd.source) == (None, None, "wiki_00")
    assert next(read_text_files([packed])) == article


def test_files_come_in_the_order_given(tmp_path):
    paths = [write_lines(tmp_path / f"{name}.jsonl", {"title": name, "text": "小镇"}) for name in "乙甲"]
    assert [article.title for article in read_text_files(paths)] == ["乙", "甲"]


def test_half_a_character_becomes_a_replacement_character(tmp_path):
    path = tmp_path / "town.jsonl"
    path.write_text(r'{"title": "\ud800镇", "text": "小\udc00镇 \ud83d\ude00"}', encoding="utf-8")
    [article] = read_text_files([path])
    assert (article.title, article.paragraphs) == ("\ufffd镇", ["小\ufffd镇 😀"])


GOOD = '{"text": "小镇在河边。"}\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "小镇', "line 2.*broken JSON"),
        ("[" * 100_000, "line 2.*broken JSON"),
        ('{"pageid": ' + "1" * 5000 + "}", "line 2.*broken JSON"),
        ('["小镇"]', "line 2.*JSON object, not list"),
        ("{}", "line 2.*'paragraphs'"),
        ('{"paragraphs": "小镇"}', "line 2.*'paragraphs'"),
        ('{"paragraphs": ["小镇", 1]}', "line 2.*'paragraphs'"),
        ('{"text": 5}', "line 2.*'paragraphs'"),
        ('{"text": "小镇", "title": 5}', "line 2.*'title'.*not int"),
        ('{"text": "小镇", "pageid": "5"}', "line 2.*'pageid'.*'5'"),
        ('{"text": "小镇", "revid": true}', "line 2.*'revid'.*True"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    path = tmp_path / "town.jsonl"
    path.write_text(GOOD + line, encoding="utf-8")
    with pytest.raises(InputError, match=f"town.jsonl {message}"):
        list(read_text_files([path]))


def test_a_bad_file_is_named(tmp_path):
    packed = gzip.compress(GOOD.encode() * 1000)
    (tmp_path / "short.txt.gz").write_bytes(packed[:-9])
    (tmp_path / "flipped.txt.gz").write_bytes(packed[:-8] + bytes(4) + packed[-4:])
    (tmp_path / "gbk.txt").write_bytes("小镇".encode("gbk"))
    (tmp_path / "town.doc").write_text(GOOD, encoding="utf-8")
    (tmp_path / "folder.txt").mkdir()
    for name, message in (
        ("short.txt.gz", "damaged or cut short gz file"),
        ("flipped.txt.gz", "damaged or cut short gz file"),
        ("gbk.txt", "not UTF-8"),
        ("town.doc", "must be .jsonl"),
        ("folder.txt", "folder"),
        ("absent.txt", "not found"),
    ):
        with pytest.raises(InputError, match=f"{name}: .*{message}"):
            list(read_text_files([tmp_path / name]))
