"""The training script as several processes: none is left behind, and all save when the system ends them."""

import dataclasses
import os
import signal
import subprocess

import pytest

from pipeline.files import checkpoint
from pipeline.files.dataset import write_dataset
from pipeline.files.history import read_history
from tests.helpers.in_process import train_here
from tests.helpers.siblings import run_siblings
from tests.helpers.tiny import ROOT, TINY_SETTINGS, tiny_dataset, training_paths, write_tiny_dataset
from tests.helpers.torchrun import processes_of, torchrun_command

SCRIPT = "import runpy; runpy.run_path('train_large_100k.py', run_name='__main__')"


def options(folder, dataset, *more):
    return ["--dataset", dataset, *training_paths(folder), *TINY_SETTINGS, *more]


def train(tmp_path, *arguments):
    """One process for each list of arguments: exit codes, and what each said on stderr."""
    results = run_siblings(tmp_path, SCRIPT, arguments)
    return [result.returncode for result in results], [result.stderr for result in results]


@pytest.fixture
def dataset(tmp_path):
    return write_tiny_dataset(tmp_path)


def test_more_processes_than_sequences_in_a_step(tmp_path, dataset):
    """Eight processes would share six sequences."""
    own = options(tmp_path / "run", dataset, "--batch-size", "3", "--accumulation", "2")
    codes, errors = train(tmp_path, *[own] * 8)
    assert codes == [2] * 8
    assert errors[0].startswith("error: 8 processes share the 6 sequences of a step")
    assert errors[0].count("\n") == 1
    assert errors[1:] == [""] * 7
    assert not (tmp_path / "run").exists()


def test_nodes_without_a_shared_folder_are_told_so(tmp_path, dataset):
    """The first finds its checkpoint, the second is on another machine and does not: it would begin at step 1."""
    first, second = tmp_path / "first", tmp_path / "second"
    train_here(first, dataset, *TINY_SETTINGS)
    for name in ("final.pth", "ck/state_12.pth"):
        (first / name).unlink()
    codes, errors = train(tmp_path, options(first, dataset), options(second, dataset))
    assert codes == [2, 2]
    assert " differ (step: 8 and 0); give all the same command" in errors[0]
    assert errors[0].count("\n") == 1
    assert errors[1] == ""
    assert not (second / "ck").exists()


def test_nodes_with_other_settings_or_data_are_told_so(tmp_path, dataset):
    other = dataclasses.replace(tiny_dataset(), metadata={})
    other.sentences[0] = other.sentences[0].replace("第", "弟")
    other.vocab.append("弟")
    write_dataset(tmp_path / "other.json", other)
    second = options(tmp_path / "second", tmp_path / "other.json", "--lr", "0.5", "--seed", "7")
    codes, errors = train(tmp_path, options(tmp_path / "first", dataset), second)
    assert codes == [2, 2]
    for said in ("lr: 0.001 and 0.5", "seed: 42 and 7", f"dataset: {tiny_dataset().fingerprint()} and "):
        assert said in errors[0]
    assert errors[1] == ""


def test_a_node_that_lacks_the_dataset_ends_all(tmp_path, dataset):
    missing = tmp_path / "absent.json"
    codes, errors = train(tmp_path, options(tmp_path / "run", dataset), options(tmp_path / "run", missing))
    assert codes == [2, 2]
    assert errors[0].startswith("error: process 1 on ")
    assert f": {missing}: " in errors[0]
    assert errors[1] == ""


def test_divergence_is_said_once(tmp_path, dataset):
    own = options(tmp_path / "run", dataset, "--lr", "1e38", "--warmup", "0")
    codes, errors = train(tmp_path, own, own)
    assert codes == [3, 3]
    assert "not finite at step" in errors[0]
    assert errors[1] == ""


ENDLESS = ("--steps", "1000000", "--log-interval", "20", "--save-interval", "1000000")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.usefixtures("dataset")
def test_a_cluster_ends_all_processes_of_torchrun_and_nothing_is_lost(tmp_path, number):
    """Slurm and Kubernetes send the signal to every process; torchrun passes on what it got itself; and again."""
    run, pipe = tmp_path / "run", subprocess.PIPE
    process = subprocess.Popen(torchrun_command(run, *ENDLESS), cwd=ROOT, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("step 20/"):
        assert process.poll() is None
    workers = [pid for pid in processes_of(run) if pid != process.pid]
    assert len(workers) == 2
    for pid in (*workers, process.pid, *workers):
        os.kill(pid, number)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 1, errors
    assert "Traceback" not in output
    assert processes_of(run) == [], errors
    [said] = [line for line in output.splitlines() if line.startswith("stopped by a signal after step ")]
    step = int(said.split()[6].rstrip(","))
    assert checkpoint.load(run / "ck" / f"state_{step}.pth")["step"] == step
    assert read_history(run / "history.json").steps == list(range(20, step + 1, 20))
