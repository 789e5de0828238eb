"""verify_dataset.py, run as a user would."""

import json
import os
import subprocess
import sys

import pytest

from pipeline.files.dataset import write_dataset
from pipeline.judge.checks import CHECKS
from tests.helpers.tiny import ROOT, run_script
from tests.judge.test_checks import good

LENIENT = [part for check in CHECKS for part in (f"--{check.option}=" + ("-1e9" if check.minimum else "1e9"),)]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "dataset.json"
    write_dataset(path, good())
    return path


def verify(*arguments):
    return run_script("verify_dataset.py", *arguments)


def test_a_good_dataset_passes_and_is_reported(tmp_path, path):
    report_path = tmp_path / "report.json"
    result = verify(path, *LENIENT, "--report", report_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    verdicts = [line for line in lines[:-1] if not line.startswith("lacks: ")]
    assert [line.split()[:2] for line in verdicts] == [["pass", check.name] for check in CHECKS]
    assert lines[-1].endswith(f"{len(CHECKS)} of {len(CHECKS)} checks passed")

    report = json.loads(report_path.read_text(encoding="utf-8"))
    assert report["passed"] is True
    assert report["fingerprint"] == good().fingerprint()
    [sentences] = [check for check in report["checks"] if check["name"] == "sentences"]
    assert sentences["value"] == len(good().sentences)
    assert (sentences["bound"], sentences["threshold"], sentences["passed"]) == ("at least", -1e9, True)
    counted = report["statistics"]
    assert counted["sentences"] == len(good().sentences)
    assert sum(source["sentences"] for source in counted["sources"].values()) == counted["sentences"]
    assert sum(source["characters"] for source in counted["sources"].values()) == counted["characters"]
    pairs = sum(document.count - 1 for document in good().documents)
    assert sum(source["pairs"] for source in counted["sources"].values()) == pairs
    articles = len({document.page for document in good().documents})
    assert sum(source["articles"] for source in counted["sources"].values()) == articles


def test_the_report_is_complete_where_nobody_reads_the_table(tmp_path, path):
    """As with `| head -1`: the first line that is printed finds no reader."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [
        sys.executable,
        "-u",
        "verify_dataset.py",
        str(path),
        "--report",
        str(tmp_path / "report.json"),
        *LENIENT,
    ]
    assert subprocess.run(command, cwd=ROOT, stdout=writing, check=False).returncode == 0
    os.close(writing)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["passed"] is True


def test_a_report_without_text_holds_no_sentence(tmp_path, path):
    reports = []
    for options in ((), ("--no-text",)):
        assert verify(path, *options, "--report", tmp_path / "report.json").returncode == 1
        reports.append((tmp_path / "report.json").read_text(encoding="utf-8"))
    quoted = [sentence[:20] for sentence in good().sentences if sentence[:20] in reports[0]]
    assert quoted
    assert not [sentence for sentence in quoted if sentence in reports[1]]
    assert json.loads(reports[0])["statistics"] == json.loads(reports[1])["statistics"]


def test_defaults_are_those_of_the_real_study(tmp_path, path):
    report_path = tmp_path / "report.json"
    result = verify(path, "--report", report_path)
    assert result.returncode == 1
    assert "at least 325,000" in result.stdout
    assert "at least 10,000" in result.stdout
    report = json.loads(report_path.read_text(encoding="utf-8"))
    assert report["passed"] is False
    failed = {check["name"] for check in report["checks"] if not check["passed"]}
    assert failed >= {"sentences", "han", "common-han", "han-share", "articles", "pairs", "level-1", "level-2"}
    assert not failed & {"shortest", "longest", "duplicates", "markup", "vocab-errors", "slice-errors", "private-use"}


def test_one_failing_check_fails_the_dataset_and_says_what_it_found(path):
    dataset = good()
    dataset.sentences[7] = "旧桥在[[小镇]]的北面。"
    write_dataset(path, dataset)
    result = verify(path, *LENIENT, "--max-markup", "0")
    assert result.returncode == 1
    [line] = [number for number, line in enumerate(result.stdout.splitlines()) if line.startswith("FAIL")]
    assert "sentences[7]: 旧桥在[[小镇]]的北面。" in result.stdout.splitlines()[line + 1]
    assert verify(path, *LENIENT, "--max-markup", "0.01").returncode == 0


def test_the_published_format_is_read_and_what_it_lacks_is_said(tmp_path):
    path = tmp_path / "published.json"
    path.write_text(json.dumps({"sentences": good().sentences, "vocab": ["次"]}, ensure_ascii=False), encoding="utf-8")
    result = verify(path, *LENIENT)
    assert result.returncode == 1
    assert "lacks: no documents" in result.stdout
    assert result.stdout.count("      no documents") == 5


def test_sentences_in_no_document_are_found(path):
    dataset = good()
    dataset.documents = dataset.documents[:-1]
    write_dataset(path, dataset)
    result = verify(path, *LENIENT, "--max-slice-errors", "0")
    assert result.returncode == 1
    assert "in no document" in result.stdout


DOCUMENT = {"title": "", "page": 0, "start": 0, "count": 9}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["not there", "rare_char_fetch.py"]),
        ("", ["broken JSON", "line 1"]),
        ('{"sentences": ["天地。"],\n "vocab": [\n', ["broken JSON", "line 3"]),
        ("[]", ["JSON object"]),
        ('{"sentences": [], "vocab": []}', ["is empty"]),
        ('{"sentences": [5], "vocab": ["天"]}', ["sentences[0]", "int"]),
        ('{"sentences": "天地。", "vocab": ["天"]}', ["'sentences'", "list"]),
        (json.dumps({"sentences": ["a"], "vocab": ["a"], "documents": [DOCUMENT]}), ["documents[0]", "0 to 9"]),
    ],
)
def test_bad_input_is_refused_and_no_report_written(tmp_path, content, words):
    path, report = tmp_path / "dataset.json", tmp_path / "report.json"
    report.write_text("old", encoding="utf-8")
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = verify(path, "--report", report)
    assert result.returncode == 2, result.stdout + result.stderr
    [line] = result.stderr.splitlines()
    for word in ("error:", str(path), *words):
        assert word in line
    assert result.stdout == ""
    assert report.read_text(encoding="utf-8") == "old"


def test_the_report_may_not_replace_the_dataset(path):
    before = path.read_bytes()
    assert verify(path, *LENIENT, "--report", path).returncode == 2
    assert path.read_bytes() == before


def test_a_threshold_must_be_a_number(path):
    for bad in ("many", "nan", "inf"):
        assert verify(path, "--min-han", bad).returncode == 2
