"""The file of scores: what is written is read back, what the committed files say is kept, and bad files are refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.files.scores import FORMAT, Scores, read_scores, read_scores_of, spaced, write_scores
from pipeline.files.typed_json import to_json
from pipeline.stage import InputError
from tests.helpers.scores import RISING, checkpoint_score, mlm_score

COMMITTED = sorted((Path(__file__).resolve().parents[2] / "results").rglob("checkpoint_evaluation*.json"))


def test_there_and_back(tmp_path):
    write_scores(tmp_path / "s.json", RISING)
    assert read_scores(tmp_path / "s.json") == RISING
    assert "test" not in json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))


def kept(before, after):
    """Whether every key and value of ``before`` is in ``after``; the further ones of ``after`` must be null."""
    if isinstance(before, dict):
        further = after.keys() - before.keys()
        return all(after[key] is None for key in further) and all(kept(before[key], after[key]) for key in before)
    if isinstance(before, list):
        return all(kept(*pair) for pair in zip(before, after, strict=True))
    return type(before) is type(after) and before == after


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_files_are_read_whole(path):
    assert kept(json.loads(path.read_text(encoding="utf-8")), to_json(read_scores(path)))


def test_there_are_committed_files():
    assert COMMITTED


def test_a_checkpoint_takes_its_place_by_step_and_replaces_an_earlier_one():
    scored = replace(RISING.validation, checkpoints=[])
    for step, accuracy in ((800, 0.3), (400, 0.2), (800, 0.5), (600, 0.4)):
        scored = scored.with_checkpoint(checkpoint_score(step, mlm_score(accuracy)))
    assert [(entry.step, entry.mlm.accuracy) for entry in scored.checkpoints] == [(400, 0.2), (600, 0.4), (800, 0.5)]
    assert scored.digests() == {step: f"{step:064x}" for step in (400, 600, 800)}


@pytest.mark.parametrize(("name", "other"), [("validation", "test"), ("test", "validation")])
def test_a_split_is_put_under_its_name(name, other):
    scores = Scores(FORMAT, {}).with_split(name, RISING.validation)
    assert scores.split(name) is getattr(scores, name) is RISING.validation
    assert scores.split(other) is getattr(scores, other) is None


def test_scores_of_a_run_have_its_newest_facts(tmp_path):
    path = tmp_path / "s.json"
    begun = {"config": {"lr": 1.0}, "finished": None}
    assert read_scores_of(path, begun) == Scores(FORMAT, begun)
    write_scores(path, replace(RISING, run=begun))
    ended = {**begun, "finished": "now"}
    assert read_scores_of(path, ended) == replace(RISING, run=ended)
    with pytest.raises(InputError, match=r"s\.json: holds scores of another run \(lr: 1\.0 -> 2\.0\)"):
        read_scores_of(path, {"config": {"lr": 2.0}})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.pop("format"), "not a file of checkpoint scores of format 1"),
        (lambda file: file.update(format=2), "not a file of checkpoint scores of format 1"),
        (lambda file: file.pop("run"), "run must be an object, but is missing"),
        (lambda file: file.update(validation=[]), "validation must be an object or null, not list"),
        (lambda file: file["validation"].pop("sequences"), "validation.sequences must be a whole number, but is"),
        (
            lambda file: file["validation"]["checkpoints"][1]["mlm"].pop("by_class"),
            "validation.checkpoints[1].mlm.by_class must be an object, but is missing; move the file away",
        ),
        (
            lambda file: file["validation"]["guesses"]["left"].update(accuracy="0.14"),
            "validation.guesses.left.accuracy must be a number or null, not '0.14'",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path, spoil, said):
    value = to_json(RISING)
    spoil(value)
    (tmp_path / "s.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_scores(tmp_path / "s.json")
    assert said in str(error.value)
    assert str(tmp_path / "s.json") in str(error.value)


@pytest.mark.parametrize(
    ("steps", "most", "shown"),
    [
        ([1, 10, 100, 1000], 4, [1, 10, 100, 1000]),
        ([1, 10, 90, 100, 110, 1000, 10_000], 5, [1, 10, 100, 1000, 10_000]),
        ([0, 400, 800, 1200, 1600, 2000, 2400, 2800], 4, [0, 400, 1200, 2800]),
        ([500, 1000], 6, [500, 1000]),
        ([], 6, []),
    ],
)
def test_checkpoints_are_thinned_evenly_by_the_logarithm_of_their_steps(steps, most, shown):
    checkpoints = [checkpoint_score(step, mlm_score(0.1)) for step in steps]
    assert [entry.step for entry in spaced(checkpoints, most)] == shown
