"""probe_model.py as a user runs it: JSON, report and figure of tiny runs, and what it refuses."""

import json
import re

import pytest

from tests.helpers.in_process import run_here, succeeded
from tests.helpers.tiny import TINY_SETTINGS, training_paths, write_tiny_dataset

PARTS = ("embeddings", "layers", "attention_entropy", "half_precision", "cost")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probed")
    paths = ["--dataset", write_tiny_dataset(folder), *training_paths(folder)]
    succeeded(run_here("train_large_100k.py", *paths, *TINY_SETTINGS))
    return folder


def test_one_model_is_probed(run, tmp_path):
    output = tmp_path / "out" / "probe.json"
    arguments = [run / "final.pth", "--dataset", run / "dataset.json", "--output", output, "--lang", "zh"]
    said = succeeded(run_here("probe_model.py", *arguments))
    [found] = json.loads(output.read_text())["probes"]
    assert (found["step"], found["objective"]) == (12, "masked_lm")
    assert all(found[part] is not None for part in PARTS)
    assert f"{found['parameters']:,}" in said
    numbers = re.search(r"词元：([\d,]+) / ([\d,]+)", said)
    assert numbers.groups() == (str(found["predictability"]["never"]), str(found["predictability"]["tokens"]))
    assert f"{found['attention_entropy'][0]:.3f}" in said
    assert f"{100 * found['half_precision'][0]['coarse']:.3f} %" in said
    assert output.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in output.with_suffix(".svg").read_bytes()


def test_a_run_is_probed_along_its_checkpoints(run, tmp_path):
    arguments = ["--checkpoint-dir", run / "ck", "--dataset", run / "dataset.json", "--output", tmp_path / "p.json"]
    said = succeeded(run_here("probe_model.py", *arguments, "--every", "2"))
    found = json.loads((tmp_path / "p.json").read_text())["probes"]
    assert [each["step"] for each in found] == [4, 12]
    assert found[0]["embeddings"]["mean_norm"] != found[-1]["embeddings"]["mean_norm"]
    assert "probed step_12.pth (2 of 2)" in said
    assert "step 12" in said
    assert (tmp_path / "p.png").exists()


def test_without_text_the_weights_alone_are_probed(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = succeeded(run_here("probe_model.py", run / "final.pth"))
    [found] = json.loads((tmp_path / "runs" / "probe.json").read_text())["probes"]
    assert all(found[part] is None for part in PARTS)
    assert found["predictability"]["tokens"] == 61
    assert "what needs text is not measured" in said
    assert not (tmp_path / "runs" / "probe.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give either CHECKPOINT or --checkpoint-dir"),
        (["{run}/final.pth", "--checkpoint-dir", "{run}/ck"], "give either CHECKPOINT or --checkpoint-dir"),
        (["--checkpoint-dir", "{run}/ck", "--every", "0"], "--every must be at least 1"),
        (["--checkpoint-dir", "{run}/none"], "checkpoints (step_<N>.pth) are missing"),
        (["{run}/none.pth"], "not there"),
        (["{run}/final.pth", "--dataset", "{run}/none.json"], "none.json"),
        (["{run}/final.pth", "--output", "{run}"], "is a folder"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(run, tmp_path, arguments, said):
    output = ["--output", str(tmp_path / "p.json")]
    given = [each.format(run=run) for each in arguments]
    result = run_here("probe_model.py", *output, *given)
    assert result.returncode == 2
    assert said in result.stderr
    assert not list(tmp_path.iterdir())
