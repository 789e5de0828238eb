"""The final scoring between the stages."""

import dataclasses
import json
from pathlib import Path

import pytest

from pipeline.files.final_scoring import (
    FORMAT,
    FinalScoring,
    SequenceScores,
    final_scoring_beside,
    read_final_scoring,
    write_final_scoring,
)
from pipeline.stage import InputError

ASKED = SequenceScores(
    questions="ab" * 32, article=[3, 3, 8], targets=[4, 0, 7], hits=[1, 0, 7], pair_hits=[1, None, 0]
)
SCORING = FinalScoring(FORMAT, 42, "cd" * 32, 12_000, ASKED, dataclasses.replace(ASKED, pair_hits=[]))


def test_a_scoring_comes_back_as_it_was(tmp_path):
    write_final_scoring(tmp_path / "scoring.json", SCORING)
    assert read_final_scoring(tmp_path / "scoring.json") == SCORING


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), 2, "not a final scoring of format 1"),
        (("validation", "hits"), [1, 0], "validation must be consistent, but its lists differ in length"),
        (("test", "targets"), [4, 0, 6], "a sequence has more hits than targets"),
        (("test", "hits"), [1, 0, -1], "a sequence has more hits than targets"),
        (("validation", "article"), [3, "3", 8], r"validation.article\[1\] must be a whole number"),
        (("seed",), None, "seed must be a whole number"),
    ],
)
def test_a_damaged_scoring_is_refused(tmp_path, place, value, message):
    path = tmp_path / "scoring.json"
    write_final_scoring(path, SCORING)
    content = json.loads(path.read_text())
    part = content
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message) as refused:
        read_final_scoring(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_scoring_is_named(tmp_path):
    with pytest.raises(InputError, match=r"scoring\.json: the final scoring is not there; the trainer writes it"):
        read_final_scoring(tmp_path / "scoring.json")


@pytest.mark.parametrize(
    ("history", "scoring"),
    [
        ("runs/training_history_100k.json", "runs/final_scoring_100k.json"),
        ("runs/training_history.json", "runs/final_scoring.json"),
        ("mine.json", "final_scoring.json"),
    ],
)
def test_it_stands_beside_the_history(history, scoring):
    assert final_scoring_beside(Path(history)) == Path(scoring)
