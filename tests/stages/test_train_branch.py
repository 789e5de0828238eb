"""Branches: runs that begin with another run's first steps, on a tiny dataset."""

import hashlib
import shutil
import signal
import subprocess

import pytest
import torch

from pipeline.files import checkpoint
from pipeline.files.dataset import write_dataset
from pipeline.files.history import read_history
from tests.helpers.in_process import succeeded, train_here
from tests.helpers.stopping import signalled_at
from tests.helpers.tiny import ROOT, TINY_SETTINGS, tiny_dataset, training_paths, write_tiny_dataset
from tests.helpers.torchrun import torchrun_command

SETTINGS = (*TINY_SETTINGS, "--dropout", "0.1")  # a record each 3 steps, a state each 4, warm-up to step 2


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_tiny_dataset(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trunk(tmp_path_factory, dataset):
    """Nine steps at a constant rate, all three states kept: its folder."""
    folder = tmp_path_factory.mktemp("trunk")
    options = ("--schedule", "constant", "--steps", "9", "--keep-states", "4", "--data-seed", "5")
    succeeded(train_here(folder, dataset, *SETTINGS, *options))
    return folder


@pytest.fixture(scope="module")
def branch(tmp_path_factory, dataset, trunk):
    """From step 4 of the trunk to step 10, with a decay over all that is left: its folder."""
    folder = tmp_path_factory.mktemp("branch")
    said = succeeded(train_here(folder, dataset, *from_state(trunk, 4), "--steps", "10"))
    assert said.startswith(f"branching from step 4 of {trunk / 'history.json'}\n")
    return folder


def from_state(folder, step):
    return ("--branch-from", folder / "ck" / f"state_{step}.pth")


def assert_same_run(folder, other):
    """Bitwise the same records, but for the clock, the same scores and final weights."""
    one, two = (read_history(place / "history.json") for place in (folder, other))
    assert {**one.records, "seconds": None} == {**two.records, "seconds": None}
    assert one.run["test"] == two.run["test"]
    final, expected = (checkpoint.load(place / "final.pth")["model"] for place in (folder, other))
    assert all(torch.equal(final[name], expected[name]) for name in expected)


def test_a_branch_is_the_run_that_had_its_schedule_from_the_start(tmp_path, dataset, branch):
    """It begins between two records, so that also the sums since the last one are the trunk's."""
    whole = (*SETTINGS, "--schedule", "wsd:0.6", "--steps", "10", "--data-seed", "5")
    succeeded(train_here(tmp_path / "run", dataset, *whole))
    assert_same_run(branch, tmp_path / "run")


def test_a_branch_records_its_trunk_and_leaves_it_alone(dataset, trunk, branch):
    before = {path: path.read_bytes() for path in trunk.rglob("*") if path.is_file()}
    mine, theirs = read_history(branch / "history.json"), read_history(trunk / "history.json")
    assert {key: values[:1] for key, values in mine.records.items()} == {
        key: values[:1] for key, values in theirs.records.items()
    }
    state = trunk / "ck" / "state_4.pth"
    digest = hashlib.sha256(state.read_bytes()).hexdigest()
    assert mine.run["branch"] == {"history": str(trunk / "history.json"), "step": 4, "sha256": digest}
    assert mine.run["config"] == {**theirs.run["config"], "steps": 10, "schedule": "wsd:0.6"}
    assert mine.run["preset"] == theirs.run["preset"]
    assert "branch" not in theirs.run
    again = train_here(branch, dataset, *from_state(trunk, 4), "--steps", "10")
    assert "already finished" in succeeded(again)
    assert before == {path: path.read_bytes() for path in trunk.rglob("*") if path.is_file()}


def test_a_killed_branch_ends_as_if_it_had_not_been(tmp_path, dataset, trunk, branch):
    """Killed after its first own state it goes on from there; before it, from the trunk's once more."""
    folder = tmp_path / "run"
    options = (*from_state(trunk, 4), "--steps", "10")
    arguments = ("--dataset", dataset, *training_paths(folder), *options)
    result = signalled_at("step 9/10", signal.SIGKILL, "train_large_100k.py", arguments)
    assert result.returncode == -signal.SIGKILL
    said = succeeded(train_here(folder, dataset, *options))
    assert ("resuming after step 8\n" in said, "branching" in said) == (True, False)
    assert_same_run(folder, branch)

    folder = tmp_path / "again"
    arguments = ("--dataset", dataset, *training_paths(folder), *options)
    signalled_at("step 6/10", signal.SIGKILL, "train_large_100k.py", arguments)
    assert succeeded(train_here(folder, dataset, *options)).startswith("branching from step 4 of ")
    assert_same_run(folder, branch)


@pytest.mark.parametrize(
    ("first", "state", "longer"),
    [
        (("--schedule", "constant", "--steps", "9"), 9, ("--schedule", "constant", "--steps", "12")),
        # The state where the decay begins is always kept, so that the run can be made longer.
        (("--schedule", "wsd:0.7", "--steps", "9"), 3, ("--schedule", "wsd:0.2", "--steps", "12")),
        # Until the end of its warm-up a cosine does not depend on its length.
        (("--steps", "9", "--keep-states", "2"), 2, ("--schedule", "cosine", "--steps", "12")),
    ],
)
def test_a_run_is_made_longer(tmp_path, dataset, first, state, longer):
    succeeded(train_here(tmp_path / "short", dataset, *SETTINGS, *first))
    succeeded(train_here(tmp_path / "long", dataset, *from_state(tmp_path / "short", state), *longer))
    succeeded(train_here(tmp_path / "whole", dataset, *SETTINGS, *longer))
    assert_same_run(tmp_path / "long", tmp_path / "whole")


def test_a_branch_of_a_branch(tmp_path, dataset, trunk):
    """In the constant part of a longer branch."""
    longer = ("--schedule", "constant", "--steps", "12", "--save-interval", "5")
    succeeded(train_here(tmp_path / "first", dataset, *from_state(trunk, 4), *longer))
    succeeded(train_here(tmp_path / "second", dataset, *from_state(tmp_path / "first", 10), "--steps", "12"))
    records = [read_history(tmp_path / name / "history.json").records for name in ("first", "second")]
    assert [values[:3] for key, values in records[0].items() if key != "seconds"] == [
        values[:3] for key, values in records[1].items() if key != "seconds"
    ]
    assert read_history(tmp_path / "second" / "history.json").run["branch"]["step"] == 10


@pytest.mark.slow
def test_two_processes_branch_as_one_does(tmp_path):
    """Of a trunk of one process; the losses agree to 1e-9 in float64, also of the record that the branch begins in."""
    dataset = write_tiny_dataset(tmp_path)
    exact = ("--precision", "fp64", "--dropout", "0", "--attention-dropout", "0")
    succeeded(train_here(tmp_path / "trunk", dataset, *TINY_SETTINGS, *exact, "--schedule", "constant", "--steps", "5"))
    options = (*from_state(tmp_path / "trunk", 4), "--steps", "10", "--precision", "fp64")
    succeeded(train_here(tmp_path / "one", dataset, *options))
    command = torchrun_command(tmp_path / "two", *TINY_SETTINGS, *options)
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("branching from step 4") == 1
    one, two = (read_history(tmp_path / name / "history.json") for name in ("one", "two"))
    for key in ("loss", "eval_loss", "grad_norm", "mlm_targets", "tokens"):
        assert one.records[key] == pytest.approx(two.records[key], rel=0, abs=1e-9), key


@pytest.mark.parametrize(
    ("state", "options", "said"),
    [
        (4, ("--steps", "10", "--seed", "43"), "its run differs from this one (seed: 42 -> 43)"),
        (4, ("--steps", "10", "--data-seed", "6"), "(data_seed: 5 -> 6)"),
        (4, ("--steps", "10", "--hidden", "32", "--lr", "0.1"), "(hidden: 16 -> 32; lr: 0.001 -> 0.1); a branch may"),
        (4, ("--steps", "10", "--precision", "fp64"), "(precision: fp32 -> fp64)"),
        (4, ("--steps", "4"), "--steps 4 must be more than the 4 that "),
        (4, ("--steps", "10", "--schedule", "cosine"), "rates of this run (--schedule cosine, --steps 10) depend on"),
        (4, ("--steps", "10", "--schedule", "wsd:0.9"), "depend on its length from step 2 on"),
        (4, ("--steps", "10", "--schedule", "wsd"), "--schedule wsd must be"),
        (5, ("--steps", "10"), "state_5.pth: not there"),
        (4, (), "--branch-from needs --steps"),
        (4, ("--steps", "10", "--preset", "small"), "takes all other settings from its trunk, no --preset"),
    ],
)
def test_what_cannot_be_a_branch(tmp_path, dataset, trunk, state, options, said):
    result = train_here(tmp_path / "run", dataset, *from_state(trunk, state), *options)
    assert result.returncode == 2
    assert said in result.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_another_dataset_is_not_the_trunks(tmp_path, trunk):
    write_dataset(tmp_path / "dataset.json", tiny_dataset(articles=20))
    result = train_here(tmp_path / "run", tmp_path / "dataset.json", *from_state(trunk, 4), "--steps", "10")
    assert result.returncode == 2
    assert "(dataset: " in result.stderr


def test_weights_alone_are_not_enough(tmp_path, dataset, trunk):
    weights = trunk / "ck" / "step_4.pth"
    result = train_here(tmp_path / "run", dataset, "--branch-from", weights, "--steps", "10")
    assert result.returncode == 2
    assert "step_4.pth: its 'optimizer' is missing" in result.stderr


@pytest.mark.parametrize("schedule", ["cosine", "linear", "wsd:0.5"])
def test_a_rate_that_has_begun_to_fall_belongs_to_one_length(tmp_path, dataset, schedule):
    succeeded(train_here(tmp_path / "trunk", dataset, *SETTINGS, "--steps", "6", "--schedule", schedule))
    result = train_here(tmp_path / "run", dataset, *from_state(tmp_path / "trunk", 4), "--steps", "10")
    assert result.returncode == 2
    said = f"the rates of the run of that state (--schedule {schedule}, --steps 6) depend on its length from step"
    assert said in result.stderr
    assert "branch from a state of a constant rate" in result.stderr


@pytest.mark.parametrize("taken", ["--checkpoint-dir", "--history"])
@pytest.mark.parametrize("more", [(), ("--no-resume",)])
def test_a_branch_is_never_written_over_its_trunk(tmp_path, dataset, trunk, taken, more):
    before = {path: path.read_bytes() for path in trunk.rglob("*") if path.is_file()}
    place = trunk / ("ck" if taken == "--checkpoint-dir" else "history.json")
    result = train_here(tmp_path / "run", dataset, *from_state(trunk, 4), "--steps", "10", taken, place, *more)
    assert result.returncode == 2
    assert f"{taken} {place} is the trunk's" in result.stderr
    assert before == {path: path.read_bytes() for path in trunk.rglob("*") if path.is_file()}


def test_other_states_are_other_branches(tmp_path, dataset, trunk, branch):
    """The same settings from another state: what stands there is refused, not continued."""
    folder = shutil.copytree(branch, tmp_path / "run")
    result = train_here(folder, dataset, *from_state(trunk, 8), "--steps", "10", "--schedule", "wsd:0.2")
    assert result.returncode == 2
    assert "branch: " in result.stderr
