"""rare_char_fetch.py, run as a user would."""

import gzip
import json

import pytest

from pipeline.files.dataset import read_dataset
from tests.helpers.tiny import run_script

ARTICLES = [
    {"title": "小镇", "paragraphs": ["小镇在河边，住着三百户人家。镇上有一座旧桥。", "桥下的水很清，能看见鱼。"]},
    {"title": "雪山", "text": "雪山在小镇北面。\n山顶终年有雪。\n镇上有一座旧桥。"},
]


@pytest.fixture
def town(tmp_path):
    path = tmp_path / "town.jsonl"
    path.write_text("".join(json.dumps(article, ensure_ascii=False) + "\n" for article in ARTICLES), encoding="utf-8")
    return path


def fetch(*arguments):
    return run_script("rare_char_fetch.py", *arguments)


def assert_refused(result, *words):
    """Exit code 2, and one line on stderr that holds ``words``."""
    assert result.returncode == 2, result.stdout + result.stderr
    [line] = result.stderr.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert str(word) in line


def test_sample(tmp_path):
    output = tmp_path / "dataset.json"
    result = fetch("--source", "sample", "--output", output)
    assert (result.returncode, result.stderr) == (0, "")
    dataset = read_dataset(output)
    assert len(dataset.sentences) > 23_500
    assert len({document.page for document in dataset.documents}) == 120
    assert f"{len(dataset.sentences):,}" in result.stdout
    assert f"{dataset.metadata['vocab_size']:,}" in result.stdout
    assert str(output) in result.stdout
    assert dataset.metadata["vocab_size"] > 3_900
    assert (tmp_path / "vocab.txt").read_text(encoding="utf-8").split("\n")[5:-1] == dataset.vocab


def test_text_in_both_spellings(tmp_path, town):
    results = [
        fetch("--source", "text", town, "--output", tmp_path / "a.json"),
        fetch("--source", "text", "--text", town, "--output", tmp_path / "b.json"),
    ]
    assert [result.returncode for result in results] == [0, 0]
    one, two = (read_dataset(tmp_path / name) for name in ("a.json", "b.json"))
    assert one.fingerprint() == two.fingerprint()
    assert one.sentences == [
        "小镇在河边，住着三百户人家。",
        "镇上有一座旧桥。",
        "桥下的水很清，能看见鱼。",
        "雪山在小镇北面。",
        "山顶终年有雪。",
    ]
    assert [(document.title, document.count) for document in one.documents] == [("小镇", 3), ("雪山", 2)]
    assert one.metadata["deduplication_rate"] == 1 / 6


def test_limits_and_several_files(tmp_path, town):
    more = tmp_path / "旧桥.txt.gz"
    more.write_bytes(gzip.compress("旧桥有三个桥洞。\n".encode()))
    output = tmp_path / "dataset.json"
    limits = ["--min-length", "8", "--max-length", "12", "--min-freq", "3"]
    assert fetch("--source", "text", town, more, *limits, "--output", output).returncode == 0
    dataset = read_dataset(output)
    assert dataset.sentences == ["镇上有一座旧桥。", "桥下的水很清，能看见鱼。", "雪山在小镇北面。", "旧桥有三个桥洞。"]
    assert dataset.vocab == ["。", "桥"]
    assert dataset.metadata["min_freq"] == 3


def test_every_article_used_is_listed(tmp_path, town):
    with town.open("a", encoding="utf-8") as file:
        file.write(
            '{"title": "空", "text": "无。"}\n{"title": "新桥", "text": "新桥去年才建好。", "pageid": 7, "revid": 8}\n'
        )
    assert fetch("--source", "text", town, "--output", tmp_path / "dataset.json").returncode == 0
    lines = (tmp_path / "sources.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["title"] for line in lines] == ["小镇", "雪山", "新桥"]
    assert {"title", "pageid", "revid", "url", "source", "license"} == set(json.loads(lines[2]))
    assert (json.loads(lines[2])["pageid"], json.loads(lines[2])["revid"]) == (7, 8)


def test_a_target_that_is_reached_ends_the_reading(tmp_path, town):
    output = tmp_path / "dataset.json"
    assert fetch("--source", "text", town, "--target-sentences", "3", "--output", output).returncode == 0
    assert len(read_dataset(output).sentences) == 3


def test_a_target_that_is_missed_is_said_and_the_dataset_written(tmp_path, town):
    output = tmp_path / "dataset.json"
    targets = ["--target-sentences", "7", "--target-vocab", "20"]
    result = fetch("--source", "text", town, *targets, "--output", output)
    assert result.returncode == 1
    assert "5 of 7 sentences; 2 are missing" in result.stdout
    assert result.stdout.count("target missed") == 1
    assert len(read_dataset(output).sentences) == 5


def damaged(tmp_path, town, kind):
    """A damaged source file, and what the message must hold."""
    text = town.read_text(encoding="utf-8")
    packed = gzip.compress(text.encode() * 50)
    name, data, words = {
        "broken JSON": ("town.jsonl", text + text[:40], ["line 3", "broken JSON"]),
        "half-written": ("town.jsonl", text[:-20], ["line 2", "broken JSON"]),
        "wrong type": ("town.jsonl", text + "[1]\n", ["line 3", "list"]),
        "wrong type inside": ("town.jsonl", '{"paragraphs": [1]}', ["line 1", "paragraphs"]),
        "empty": ("town.jsonl", "", ["no Chinese sentence"]),
        "no Chinese": ("town.txt", "Nothing to read here.\n", ["no Chinese sentence"]),
        "not UTF-8": ("town.txt", "小镇在河边。".encode("gbk"), ["not UTF-8"]),
        "truncated gzip": ("town.jsonl.gz", packed[:-20], ["cut short gz file"]),
        "not gzip": ("town.jsonl.gz", text, ["damaged"]),
        "unknown kind": ("town.pdf", text, [".jsonl"]),
    }[kind]
    path = tmp_path / "damaged" / name
    path.parent.mkdir()
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path, [path, *words]


KINDS = ["broken JSON", "half-written", "wrong type", "wrong type inside", "empty", "no Chinese", "not UTF-8"]
KINDS += ["truncated gzip", "not gzip", "unknown kind"]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_refused_and_nothing_overwritten(tmp_path, town, kind):
    path, words = damaged(tmp_path, town, kind)
    output = tmp_path / "out" / "dataset.json"
    output.parent.mkdir()
    output.write_text("old", encoding="utf-8")
    assert_refused(fetch("--source", "text", path, "--output", output), *words)
    assert output.read_text(encoding="utf-8") == "old"
    assert list(output.parent.iterdir()) == [output]


def test_missing_files_and_odd_arguments_are_refused(tmp_path, town):
    absent = tmp_path / "absent.txt"
    output = ["--output", tmp_path / "out" / "dataset.json"]
    assert_refused(fetch("--source", "text", absent, *output), absent, "not found")
    assert_refused(fetch("--source", "text", tmp_path, *output), tmp_path)
    assert_refused(fetch("--source", "text", *output), "FILE")
    assert_refused(fetch(town, *output), "--source text")
    assert_refused(fetch("--source", "text", town, *output, "--min-length", "9", "--max-length", "8"), "--min-length")
    assert_refused(fetch("--source", "text", town, "--output", tmp_path), tmp_path, "folder")
    assert_refused(fetch("--source", "text", town, "--min-freq", "99", *output), "--min-freq")
    for bad in (["--min-length", "0"], ["--target-vocab", "many"], ["--source", "nowhere"]):
        assert fetch("--source", "text", town, *bad, *output).returncode == 2
    assert not (tmp_path / "out").exists()


def test_a_bare_command_is_told_what_to_give_and_writes_nothing(tmp_path):
    for options in ([], ["--min-length", "6"]):
        result = run_script("rare_char_fetch.py", *options, cwd=tmp_path)
        assert_refused(result, "--contact", "--dump", "--parquet", "--text", "--source sample")
    assert list(tmp_path.iterdir()) == []


def test_the_sample_has_a_name_of_its_own(tmp_path):
    wikipedia = tmp_path / "data" / "large_wikipedia_dataset.json"
    for name in (wikipedia, wikipedia.with_name("vocab.txt"), wikipedia.with_name("sources.jsonl")):
        name.parent.mkdir(exist_ok=True)
        name.write_text("old", encoding="utf-8")
    options = ["--source", "sample", "--target-sentences", "10"]
    assert run_script("rare_char_fetch.py", *options, cwd=tmp_path).returncode == 0
    assert len(read_dataset(tmp_path / "data" / "sample" / "dataset.json").sentences) >= 10
    assert {path.read_text(encoding="utf-8") for path in wikipedia.parent.glob("*.*")} == {"old"}


def test_a_contact_or_an_address_means_the_api(tmp_path):
    store = ["--store", tmp_path / "s.sqlite", "--output", tmp_path / "d.json"]
    assert_refused(fetch("--contact", "me", *store), "--contact me")
    assert_refused(fetch("--api", "http://wiki.example.org/w/api.php", *store), "--contact is needed")
    assert list(tmp_path.iterdir()) == []


def test_the_source_is_never_overwritten(tmp_path, town):
    before = town.read_bytes()
    assert_refused(fetch("--source", "text", town, "--output", town), town, "overwritten")
    words = tmp_path / "vocab.txt"
    words.write_text("小镇在河边。\n", encoding="utf-8")
    assert_refused(fetch("--source", "text", words, "--output", tmp_path / "dataset.json"), words, "overwritten")
    sources = tmp_path / "sources.jsonl"
    sources.write_bytes(before)
    assert_refused(fetch("--source", "text", sources, "--output", tmp_path / "dataset.json"), sources, "overwritten")
    assert town.read_bytes() == sources.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path, town):
    (tmp_path / "file").write_text("", encoding="utf-8")
    output = tmp_path / "file" / "dataset.json"
    assert_refused(fetch("--source", "text", town, "--output", output), tmp_path / "file")
