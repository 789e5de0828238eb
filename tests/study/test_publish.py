"""Finished runs of the study go where they are committed, with all that a clone needs to use the model."""

import json
import shutil

import pytest
import torch

from pipeline.export.weights import read_weights
from pipeline.files import checkpoint
from pipeline.files.vocabulary import vocab_txt, vocabulary_digest
from pipeline.model.bert import Bert, Shape
from study import publish
from study.runs import history_path
from study.train import Study
from tests.helpers.checkpoints import weights_content
from tests.helpers.in_process import run_here
from tests.helpers.tiny import ROOT

VOCAB = list("一二三四五六七八九十")
SHAPE = {
    **{"vocab_size": 5 + len(VOCAB), "layers": 1, "hidden": 8, "heads": 2, "ffn": 16, "max_positions": 16},
    **{"dropout": 0.0, "attention_dropout": 0.0, "init_std": 0.02, "head": "bert"},
}


@pytest.fixture
def runs(tmp_path):
    """A finished ``medium`` and a ladder's run that goes on."""
    folder = tmp_path / "runs" / "medium"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / history_path("first_edition/ladder_12500"), folder / "training_history.json")
    (folder / "final_scoring.json").write_text("{}")
    content = weights_content(12_500, dict(Bert(Shape(**SHAPE)).state_dict()))
    checkpoint.save(folder / "final.pth", {**content, "shape": SHAPE, "vocabulary": vocabulary_digest(VOCAB)})
    (folder / "vocab.txt").write_text(vocab_txt(VOCAB))
    (folder / "made.json").write_text(json.dumps({"commits": ["a" * 40, "b" * 40 + "+"]}))
    going = tmp_path / "runs" / "cosine_12500_seed_42"
    going.mkdir()
    history = json.loads((ROOT / history_path("first_edition/ladder_12500")).read_text())
    history["run"]["finished"] = None
    (going / "training_history.json").write_text(json.dumps(history))
    return tmp_path / "runs"


def published(runs, *names):
    return run_here("study/publish.py", *names, "--runs", runs, "--output", runs.parent / "results" / "study")


def test_the_headline_goes_under_the_published_names(runs):
    done = published(runs)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "medium")
    results = runs.parent / "results"
    assert {path.name for path in results.iterdir()} == {
        "study",
        "training_history_100k.json",
        "final_scoring_100k.json",
    }
    assert {path.suffix for path in (results / "study" / "medium").iterdir()} == {
        ".md",
        ".safetensors",
        ".json",
        ".txt",
    }
    assert not (results / "study" / "medium" / "training_history.json").exists()


def test_a_finished_run_is_copied_with_its_model(runs, monkeypatch):
    monkeypatch.setattr(publish, "HEADLINE", "study/another")
    publish.publish(publish.named("medium"), runs / "medium", runs.parent / "results" / "study")
    assert [path.name for path in (runs.parent / "results").iterdir()] == ["study"]
    output = runs.parent / "results" / "study" / "medium"
    for name in ("training_history.json", "final_scoring.json", "vocab.txt"):
        assert (output / name).read_bytes() == (runs / "medium" / name).read_bytes()
    model, whole = read_weights(output / "model.safetensors"), read_weights(runs / "medium" / "final.pth")
    assert (model.step, model.shape, model.vocabulary) == (whole.step, whole.shape, whole.vocabulary)
    for name, tensor in whole.weights.items():
        assert torch.equal(model.weights[name], tensor.half().float())
    readme = (output / "README.md").read_text()
    options = publish.named("medium").options
    assert f"python train_large_100k.py {options} --dataset data/large_wikipedia_dataset.json" in readme
    assert "| 提交 · commits | aaaaaaa, bbbbbbb |" in readme
    assert "12,500" in readme


def test_no_path_of_the_machine_is_committed(runs):
    path = runs / "medium" / "training_history.json"
    history = json.loads(path.read_text())
    history["run"]["dataset"]["path"] = str(publish.ROOT / "data" / "large_wikipedia_dataset.json")
    path.write_text(json.dumps(history))
    assert published(runs, "medium").returncode == 0
    written = json.loads((runs.parent / "results" / "training_history_100k.json").read_text())
    assert written["run"].pop("dataset")["path"] == "data/large_wikipedia_dataset.json"
    history["run"].pop("dataset")
    assert written == history


def test_the_committed_model_can_be_exported_at_once(runs):
    assert published(runs, "medium").returncode == 0
    output = runs.parent / "results" / "study" / "medium"
    done = run_here("export_model.py", output / "model.safetensors", runs.parent / "exported")
    assert (done.returncode, done.stderr) == (0, "")
    assert "step 12500" in done.stdout


def test_a_run_that_goes_on_is_refused(runs):
    done = published(runs, "cosine_12500_seed_42")
    assert done.returncode == 2
    assert "is not finished; train it with study/train.py" in done.stderr
    assert "is not planned" in published(runs, "huge").stderr


def test_a_model_too_large_is_not_left_behind(runs, monkeypatch):
    monkeypatch.setattr(publish, "LARGEST", 100)
    planned = publish.named("medium")
    with pytest.raises(publish.InputError, match="would be larger than 100 bytes"):
        publish.publish(planned, runs / "medium", runs.parent / "results")
    assert (runs.parent / "results" / "medium" / "README.md").exists()
    assert not list((runs.parent / "results").rglob("model*"))


def test_the_driver_notes_each_version_of_the_code_once(tmp_path, monkeypatch):
    study = Study(tmp_path, tmp_path, tmp_path, [])
    for version in ("a", "a", "b"):
        monkeypatch.setattr("study.train.code_version", lambda version=version: version)
        study.note_commit(publish.named("medium"))
    assert publish.commits(tmp_path / "medium") == ["a", "b"]
