"""train_causal_lm.py as a user runs it: exact resuming, exact cuts of a step, what it writes, what it refuses."""

import json
import shutil

import pytest
import torch

from pipeline.data.alphabet import alphabet_from
from pipeline.data.causal_text import build_causal_corpora
from pipeline.data.raw_text import read_raw_text
from pipeline.files import checkpoint
from pipeline.files.final_scoring import read_final_scoring
from pipeline.files.history import read_history
from tests.helpers.causal import SETTINGS, causal_paths, tiny_text, train_causal, write_tiny_text
from tests.helpers.in_process import run_here, succeeded, train_here
from tests.helpers.siblings import run_siblings
from tests.helpers.tiny import TINY_SETTINGS, write_tiny_dataset

EXACT = ("--precision", "fp64", "--dropout", "0", "--attention-dropout", "0", "--log-interval", "1")
SCRIPT = "import runpy; runpy.run_path('train_causal_lm.py', run_name='__main__')"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished run of 10 steps, with dropout; its folder, the text beside it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    succeeded(train_causal(folder, write_tiny_text(folder.parent)))
    return folder


@pytest.fixture
def run(whole, tmp_path):
    """A copy of the finished run, to change at will."""
    shutil.copy(whole.parent / "text.txt", tmp_path)
    return shutil.copytree(whole, tmp_path / "run")


def text_of(folder):
    return folder.parent / "text.txt"


def refused(result, said):
    """Exit code 2 and one line that says ``said``."""
    assert result.returncode == 2, result.stderr
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def assert_same_run(one, two):
    histories = [read_history(folder / "history.json") for folder in (one, two)]
    assert len({json.dumps({**history.records, "seconds": 0}) for history in histories}) == 1
    assert histories[0].run["test"] == histories[1].run["test"]
    for name in ("final.pth", "best.pth"):
        models = [checkpoint.load(folder / name)["model"] for folder in (one, two)]
        assert all(torch.equal(models[0][key], models[1][key]) for key in models[0])


def test_a_run_cut_off_goes_on_bit_by_bit(run, whole):
    for name in ("final.pth", "ck/state_10.pth", "best.pth"):
        (run / name).unlink()
        (run / f"{name}.json").unlink()
    assert "resuming after step 6" in succeeded(train_causal(run, text_of(run)))
    assert_same_run(run, whole)
    assert "already finished" in succeeded(train_causal(run, text_of(run)))


def test_what_is_written(whole):
    history = read_history(whole / "history.json")
    assert history.steps == [5, 10]
    assert history.run["objective"] == "causal_lm"
    assert history.columns.accuracy.train == "next_acc"
    assert history.columns.pairs is None
    assert history.missing() == ()
    final = checkpoint.load(whole / "final.pth")
    alphabet = alphabet_from(final["alphabet"])
    assert alphabet is not None
    assert set(alphabet.characters) <= set(tiny_text())
    assert final["vocabulary"] == alphabet.digest() == history.run["dataset"]["vocab_sha256"]
    assert len(alphabet) == final["shape"]["vocab_size"] == history.run["dataset"]["vocab"]
    assert sorted(path.name for path in (whole / "ck").glob("*.pth")) == ["state_10.pth", "state_6.pth", "step_6.pth"]


def test_the_best_model_is_that_of_the_lowest_held_out_loss(tmp_path):
    """At a rate that is far too high the loss rises again."""
    more = ("--lr", "0.5", "--warmup", "0", "--log-interval", "1", "--schedule", "constant")
    succeeded(train_causal(tmp_path, write_tiny_text(tmp_path), *more))
    losses = read_history(tmp_path / "history.json").records["eval_loss"]
    best = checkpoint.load(tmp_path / "best.pth")["step"]
    assert losses[best - 1] == min(losses)
    assert best < 10


def test_the_test_is_scored_document_by_document(whole):
    scoring = read_final_scoring(whole / "final_scoring.json")
    test = read_history(whole / "history.json").run["test"]
    corpora = build_causal_corpora(
        read_raw_text([text_of(whole)]), "here", level="char", white_space=True, length=24, held_out=0.2
    )
    lengths = [len(article.text) + 1 for article in corpora.test.articles]
    assert scoring.test.targets == lengths
    assert scoring.test.article == [article.page for article in corpora.test.articles]
    assert sum(scoring.test.hits) == round(test["next_acc"] * test["next_targets"])
    assert test["characters"] == sum(lengths) - len(lengths)


def losses(folder):
    records = read_history(folder / "history.json").records
    return [records[key] for key in ("loss", "eval_loss", "next_acc", "grad_norm")]


def assert_losses_close(folder, other):
    for one, two in zip(losses(folder), losses(other), strict=True):
        assert len(one) == 10
        assert one == pytest.approx(two, rel=0, abs=1e-9)


def test_accumulation_is_exact(tmp_path):
    text = write_tiny_text(tmp_path)
    for name, batch, parts in (("whole", 6, 1), ("cut", 2, 3), ("uneven", 1, 6)):
        succeeded(train_causal(tmp_path / name, text, *EXACT, "--batch-size", batch, "--accumulation", parts))
    assert_losses_close(tmp_path / "cut", tmp_path / "whole")
    assert_losses_close(tmp_path / "uneven", tmp_path / "whole")


def test_two_processes_are_exact(tmp_path):
    """Three micro-batches of two windows, shared by two processes as four."""
    text = write_tiny_text(tmp_path)
    exact = (*EXACT, "--batch-size", "2", "--accumulation", "3")
    succeeded(train_causal(tmp_path / "one", text, *exact))
    arguments = ["--text", text, *causal_paths(tmp_path / "two"), *SETTINGS, *exact]
    for result in run_siblings(tmp_path, SCRIPT, [arguments] * 2):
        succeeded(result)
    assert_losses_close(tmp_path / "one", tmp_path / "two")
    one, two = (read_history(tmp_path / name / "history.json") for name in ("one", "two"))
    assert one.records["tokens"] == two.records["tokens"]
    assert two.run["processes"] == 2


def test_the_projects_dataset_is_trained_on_without_white_space(tmp_path):
    dataset = write_tiny_dataset(tmp_path)
    succeeded(run_here("train_causal_lm.py", "--dataset", dataset, *causal_paths(tmp_path), *SETTINGS))
    history = read_history(tmp_path / "history.json")
    assert history.run["text"]["held_out_by"] == "document"
    assert history.has("eval_next_acc_han")
    assert history.run["test"]["words"] is None
    assert history.run["test"]["bits_per_byte"] < history.run["test"]["bits_per_character"]
    assert json.loads(dataset.read_text(encoding="utf-8"))["vocab"] == list(
        checkpoint.load(tmp_path / "final.pth")["alphabet"]["characters"]
    )


def test_samples_are_printed_and_change_no_number(run, whole):
    more = ("--sample-length", "7", "--prompt", "the cat", "--prompt", "a dog")
    said = succeeded(train_causal(run, text_of(run), *more, "--no-resume"))
    samples = [line for line in said.splitlines() if line.startswith("  ")]
    assert [line.partition(" | ")[0] for line in samples] == ["  the cat", "  a dog"] * 2
    assert_same_run(run, whole)


def test_describe(tmp_path):
    text = write_tiny_text(tmp_path)
    plan = json.loads(succeeded(train_causal(tmp_path, text, "--describe")))
    assert plan["parameters"] == 5504
    assert plan["tokens"] == 10 * 6 * 24
    assert plan["epochs"] == pytest.approx(60 / 56)
    assert not (tmp_path / "ck").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--prompt", "Zoo", "--sample-length", "5"), "--prompt: the model does not know 'Z'"),
        (("--prompt", "a" * 24, "--sample-length", "5"), "--prompt: has 24 characters"),
        (("--length", "33"), "--length 33 exceeds --max-positions 32"),
        (("--length", "2000", "--max-positions", "2000"), "fewer than one window of --length 2000"),
        (("--held-out-text", "missing.txt", "missing.txt"), "missing.txt: not found"),
    ],
)
def test_bad_input(tmp_path, more, said):
    refused(train_causal(tmp_path, write_tiny_text(tmp_path), *more), said)
    assert not (tmp_path / "ck").exists()


def test_runs_of_two_objectives_keep_apart(run, tmp_path):
    dataset = write_tiny_dataset(tmp_path)
    other = "objective: causal_lm -> masked_lm"
    refused(train_here(run, dataset, *TINY_SETTINGS), other)
    masked = tmp_path / "masked"
    succeeded(train_here(masked, dataset, *TINY_SETTINGS))
    refused(train_causal(masked, text_of(run)), "objective: masked_lm -> causal_lm")
    (masked / "history.json").unlink()
    refused(train_causal(masked, text_of(run)), "objective: masked_lm -> causal_lm")

    of_masked = "is of a masked language model (train_large_100k.py)"
    of_causal = "is of a causal language model (train_causal_lm.py)"
    branch = ("--branch-from", masked / "ck" / "state_12.pth", "--steps", "20")
    new = tmp_path / "new"
    refused(run_here("train_causal_lm.py", "--text", text_of(run), *causal_paths(new), *branch), of_masked)
    refused(train_here(new, dataset, "--branch-from", run / "ck" / "state_10.pth", "--steps", "20"), of_causal)
    paths = ("--dataset", dataset, "--checkpoint-dir", run / "ck", "--history", run / "history.json")
    refused(run_here("evaluate_checkpoints.py", *paths, "--output", new / "scores.json"), of_causal)


def test_it_can_be_branched(tmp_path):
    text = write_tiny_text(tmp_path)
    succeeded(train_causal(tmp_path / "trunk", text, "--schedule", "constant"))
    paths = ("--text", text, "--sample-length", "0", *causal_paths(tmp_path / "branch"))
    branch = ("--branch-from", tmp_path / "trunk" / "ck" / "state_6.pth", "--steps", "12")
    succeeded(run_here("train_causal_lm.py", *paths, *branch))
    trunk, branched = (read_history(tmp_path / name / "history.json") for name in ("trunk", "branch"))
    assert branched.steps == [5, 10, 12]
    assert branched.records["loss"][0] == trunk.records["loss"][0]


@pytest.mark.slow
def test_a_compiled_run_gives_the_same_numbers(tmp_path):
    text = write_tiny_text(tmp_path)
    for name in ("no-compile", "compile"):
        succeeded(train_causal(tmp_path / name, text, *EXACT, f"--{name}"))
    for one, two in zip(losses(tmp_path / "no-compile"), losses(tmp_path / "compile"), strict=True):
        assert one == pytest.approx(two, rel=0, abs=1e-6)
