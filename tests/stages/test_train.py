"""The training script, run as a user would, on a tiny dataset."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from pipeline.files import checkpoint
from pipeline.files.dataset import write_dataset
from pipeline.files.history import FURTHER_KEYS, PUBLISHED_KEYS, read_history
from pipeline.statistics.early_stop import EarlyStop
from tests.helpers.in_process import run_here, train_here
from tests.helpers.stopping import signalled_at
from tests.helpers.tiny import ROOT, TINY_SETTINGS, run_script, tiny_dataset, training_paths, write_tiny_dataset
from tests.helpers.torchrun import processes_of, torchrun_command


def train(folder, *more):
    """In this process: torch takes seconds to load. What is stopped from outside runs in one of its own."""
    return train_here(folder, folder.parent / "dataset.json", *TINY_SETTINGS, *more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never stopped, by the script as a user would start it: its folder."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    dataset = write_tiny_dataset(folder.parent)
    paths = ("--dataset", dataset, *training_paths(folder))
    result = run_script("train_large_100k.py", *paths, *TINY_SETTINGS, "--dropout", "0.1")
    assert result.returncode == 0, result.stderr
    return folder


def assert_same_run(folder, other):
    """Bitwise the same records, but for the clock, and the same final weights."""
    one, two = (read_history(place / "history.json") for place in (folder, other))
    for key in one.records:
        if key != "seconds":
            assert one.records[key] == two.records[key], key
    assert one.run["test"] == two.run["test"]
    final, expected = (checkpoint.load(place / "final.pth")["model"] for place in (folder, other))
    assert all(torch.equal(final[name], expected[name]) for name in expected)


def test_history_as_the_contract_says(whole):
    history = read_history(whole / "history.json")
    assert history.records["steps"] == [3, 6, 9, 12]
    assert set(history.records) == {*PUBLISHED_KEYS, *FURTHER_KEYS}
    assert all(0 <= accuracy <= 1 for accuracy in history.records["mlm_acc"] + history.records["eval_mlm_acc"])
    assert history.records["tokens"] == sorted(set(history.records["tokens"]))
    assert history.run["config"]["steps"] == 12
    assert history.run["finished"] is not None
    assert torch.backends.cpu.get_cpu_capability() in history.run["processor"]
    assert (history.run["device"], history.run["precision"]) == ("cpu", "fp32")
    assert history.run["test"]["nsp_pairs"] > 0
    assert set(history.run["test"]["guesses"]) == {"commonest", "left", "both"}
    assert json.loads((whole / "history.json").read_text(encoding="utf-8"))["run"]["seed"] == 42


def test_checkpoints_as_the_contract_says(whole):
    assert [step for step, _ in checkpoint.weight_files(whole / "ck")] == [4, 8, 12]
    assert sorted(path.name for path in (whole / "ck").glob("state_*.pth")) == ["state_12.pth", "state_8.pth"]
    assert "optimizer" not in checkpoint.load(whole / "ck" / "step_4.pth")
    assert (whole / "ck" / "vocab.txt").read_text(encoding="utf-8").splitlines()[:5] == [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
    ]  # fmt: skip


def test_running_again_does_nothing(whole):
    before = {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    result = train(whole, "--dropout", "0.1")
    assert result.returncode == 0
    assert "already finished" in result.stdout
    assert before == {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}


def test_same_seed_same_numbers_and_other_seed_others(whole, tmp_path):
    write_tiny_dataset(tmp_path)
    assert train(tmp_path / "again", "--dropout", "0.1").returncode == 0
    assert_same_run(tmp_path / "again", whole)
    assert train(tmp_path / "other", "--dropout", "0.1", "--seed", "43").returncode == 0
    other = read_history(tmp_path / "other" / "history.json")
    assert other.records["loss"] != read_history(whole / "history.json").records["loss"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_saves_and_the_next_run_goes_on(whole, tmp_path, number, code):
    """It comes at the record of step 6, in a step that ends with neither a record nor a checkpoint of the grid."""
    dataset, folder = write_tiny_dataset(tmp_path), tmp_path / "run"
    arguments = ("--dataset", dataset, *training_paths(folder), *TINY_SETTINGS, "--dropout", "0.1")
    result = signalled_at("step 6/12", number, "train_large_100k.py", arguments)
    assert (result.returncode, result.stderr) == (code, "")
    assert "stopped by a signal after step 7, which is saved" in result.stdout
    assert checkpoint.newest_state(folder / "ck") == folder / "ck" / "state_7.pth"
    assert checkpoint.load(folder / "ck" / "state_7.pth")["step"] == 7
    assert read_history(folder / "history.json").records["steps"] == [3, 6]
    assert not (folder / "final.pth").exists()
    again = train(folder, "--dropout", "0.1")
    assert again.returncode == 0
    assert "resuming after step 7" in again.stdout
    assert_same_run(folder, whole)


def test_a_history_that_is_ahead_of_its_checkpoint_is_cut_back_at_once(whole, tmp_path):
    """Killed again right after it resumed, the run must not leave records of steps that it will take once more."""
    folder = shutil.copytree(whole, tmp_path / "run")
    for name in ("final.pth", "ck/state_12.pth"):
        (folder / name).unlink()
    assert read_history(folder / "history.json").records["steps"] == [3, 6, 9, 12]
    dataset = write_tiny_dataset(tmp_path)
    arguments = ("--dataset", dataset, *training_paths(folder), *TINY_SETTINGS, "--dropout", "0.1")
    result = signalled_at("resuming after step 8", signal.SIGKILL, "train_large_100k.py", arguments)
    assert result.returncode == -signal.SIGKILL
    assert read_history(folder / "history.json").records["steps"] == [3, 6]


def test_sigkill_again_and_again(whole, tmp_path):
    """After a record and before the next checkpoint, right after resuming, and later: each time in mid run."""
    dataset, folder = write_tiny_dataset(tmp_path), tmp_path / "run"
    arguments = ("--dataset", dataset, *training_paths(folder), *TINY_SETTINGS, "--dropout", "0.1")
    for line in ("step 6/12", "resuming after step 4", "step 9/12"):
        result = signalled_at(line, signal.SIGKILL, "train_large_100k.py", arguments)
        assert result.returncode == -signal.SIGKILL
        assert line in result.stdout
        assert read_history(folder / "history.json").run["finished"] is None
    assert "resuming after step 8" in train(folder, "--dropout", "0.1").stdout
    assert_same_run(folder, whole)


@pytest.mark.slow
def test_25_sigkills(tmp_path):
    """At random moments, from before the first record to the last write, over several epochs."""
    write_tiny_dataset(tmp_path)
    longer = ("--steps", "60", "--dropout", "0.1")
    assert train(tmp_path / "whole", *longer).returncode == 0
    run, rng = tmp_path / "killed", random.Random(1)
    command = [
        sys.executable, "train_large_100k.py", "--dataset", tmp_path / "dataset.json", *training_paths(run),
        *TINY_SETTINGS, *longer,
    ]  # fmt: skip
    in_mid_run = 0
    for _ in range(25):
        process = subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        # The first line is printed once training has begun (or has ended already).
        if rng.random() < 0.8:
            process.stdout.readline()
            time.sleep(rng.random() * 0.15)
        else:
            time.sleep(rng.random() * 2)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=300)
        if (run / "history.json").exists():  # whatever the moment, it is whole
            in_mid_run += read_history(run / "history.json").run["finished"] is None
    assert in_mid_run >= 3
    assert train(run, *longer).returncode == 0
    assert_same_run(run, tmp_path / "whole")


def test_another_run_is_refused_by_name_and_left_alone(whole, tmp_path):
    before = {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    result = train(whole, "--dropout", "0.1", "--lr", "0.5", "--hidden", "32")
    assert result.returncode == 2
    assert "lr: 0.001 -> 0.5" in result.stderr
    assert "hidden: 16 -> 32" in result.stderr
    result = train(whole, "--dropout", "0.1", "--precision", "fp64")
    assert (result.returncode, "precision: fp32 -> fp64" in result.stderr) == (2, True)
    result = run_here(
        "train_large_100k.py", "--dataset", whole.parent / "dataset.json", "--checkpoint-dir", whole / "ck",
        "--history", tmp_path / "elsewhere.json", "--final", tmp_path / "final.pth", *TINY_SETTINGS, "--dropout", "0.2",
    )  # fmt: skip
    assert result.returncode == 2
    assert "dropout: 0.1 -> 0.2" in result.stderr
    assert before == {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    assert not (tmp_path / "elsewhere.json").exists()


def test_another_dataset_is_refused(whole, tmp_path):
    write_dataset(tmp_path / "dataset.json", tiny_dataset(articles=20))
    result = train_here(whole, tmp_path / "dataset.json", *TINY_SETTINGS, "--dropout", "0.1")
    assert result.returncode == 2
    assert "dataset: " in result.stderr


def test_no_resume_begins_again(whole, tmp_path):
    """And leaves nothing of the longer run that stood there."""
    write_tiny_dataset(tmp_path)
    folder = tmp_path / "run"
    assert train(folder, "--steps", "18", "--save-interval", "2").returncode == 0
    result = train(folder, "--dropout", "0.1", "--no-resume")
    assert result.returncode == 0, result.stderr
    assert_same_run(folder, whole)
    assert [step for step, _ in checkpoint.weight_files(folder / "ck")] == [4, 8, 12]
    assert sorted(path.name for path in (folder / "ck").glob("state_*.pth")) == ["state_12.pth", "state_8.pth"]


def test_published_format_trains_mlm_alone(tmp_path):
    dataset = tiny_dataset()
    bare = {"sentences": dataset.sentences, "vocab": dataset.vocab}
    (tmp_path / "dataset.json").write_text(json.dumps(bare, ensure_ascii=False), encoding="utf-8")
    result = train(tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert "next sentence prediction is off" in result.stdout
    history = read_history(tmp_path / "run" / "history.json")
    assert history.records["nsp_acc"] == [None] * 4
    assert history.records["nsp_pairs"] == [0] * 4
    assert history.run["test"]["nsp_acc"] is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not there"),
        ("", "broken JSON"),
        ('{"sentences": ["甲乙', "broken JSON"),
        ("[]", "must be a JSON object"),
        ('{"sentences": [], "vocab": []}', "is empty"),
        ('{"sentences": [1], "vocab": []}', "sentences[0]"),
        ('{"sentences": ["甲乙丙"], "vocab": ["甲乙"]}', "vocab[0]"),
        ('{"sentences": ["甲乙丙"], "vocab": ["甲"]}', "at least three"),
    ],
)
def test_bad_datasets(tmp_path, content, said):
    if content is not None:
        (tmp_path / "dataset.json").write_text(content, encoding="utf-8")
    result = train(tmp_path / "run")
    assert result.returncode == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--heads", "5"], ["--steps", "0"], ["--lr", "nan"], ["--length", "99"], ["--preset", "none"], ["--keep", "-1"]],
)
def test_bad_arguments(tmp_path, arguments):
    write_tiny_dataset(tmp_path)
    result = train(tmp_path / "run", *arguments)
    assert result.returncode == 2
    assert arguments[0] in result.stderr
    assert not (tmp_path / "run").exists()


def test_a_foreign_history_is_not_overwritten(tmp_path):
    write_tiny_dataset(tmp_path)
    history = tmp_path / "run" / "history.json"
    history.parent.mkdir()
    published = '{"steps": [100], "mlm_acc": [0.2], "nsp_acc": [0.5], "loss": [8.9], "lr": [1e-6]}'
    history.write_text(published)
    result = train(tmp_path / "run")
    assert result.returncode == 2
    assert "belongs to another run" in result.stderr
    assert history.read_text() == published


def test_early_stop_ends_a_run_that_learns_nothing(tmp_path):
    write_tiny_dataset(tmp_path)
    still = [
        "--lr",
        "1e-9",
        "--schedule",
        "constant",
        "--steps",
        "60",
        "--log-interval",
        "1",
        "--save-interval",
        "40",
        "--early-stop",
        "8",
    ]
    result = train(tmp_path / "run", *still)
    assert result.returncode == 0, result.stderr
    history = read_history(tmp_path / "run" / "history.json")
    end = history.records["steps"][-1]
    assert history.run["stopped_early"] == end < 60
    assert history.run["eval_counts"]["mlm_targets"] > history.run["eval_counts"]["mlm_targets_han"] > 0
    assert EarlyStop(8).stopping_step(
        history.records["steps"], history.records["eval_mlm_acc"], history.run["eval_counts"]["mlm_targets"]
    ) == end  # fmt: skip
    assert checkpoint.load(tmp_path / "run" / "final.pth")["step"] == end
    assert history.run["test"] is not None
    assert "already finished" in train(tmp_path / "run", *still).stdout

    # Killed after the decision and before the end: it is not trained further.
    (tmp_path / "run" / "final.pth").unlink()
    assert train(tmp_path / "run", *still).returncode == 0
    assert read_history(tmp_path / "run" / "history.json").records == history.records


def test_divergence_names_the_steps(tmp_path):
    write_tiny_dataset(tmp_path)
    result = train(tmp_path / "run", "--lr", "1e38", "--warmup", "0")
    assert result.returncode == 3
    assert "not finite at step" in result.stderr
    assert "no checkpoint was written before it" in result.stderr


EXACT = ("--precision", "fp64", "--dropout", "0", "--attention-dropout", "0")


def losses(folder):
    records = read_history(folder / "history.json").records
    return [records[key] for key in ("loss", "eval_loss", "mlm_acc", "grad_norm")]


def assert_losses_close(folder, other):
    for one, two in zip(losses(folder), losses(other), strict=True):
        assert one == pytest.approx(two, rel=0, abs=1e-9)


def test_accumulation_is_exact(tmp_path):
    """8 x 4 and 32 x 1 are the same optimizer steps: 50 of them, recorded one by one."""
    write_tiny_dataset(tmp_path)
    shared = ("--steps", "50", "--log-interval", "1", "--save-interval", "50", *EXACT)
    for folder, batch, accumulation in (("cut", 8, 4), ("whole", 32, 1)):
        result = train(tmp_path / folder, *shared, "--batch-size", batch, "--accumulation", accumulation)
        assert result.returncode == 0, result.stderr
    assert len(losses(tmp_path / "cut")[0]) == 50
    assert_losses_close(tmp_path / "cut", tmp_path / "whole")


@pytest.mark.slow
def test_two_processes_are_exact(tmp_path):
    """torchrun with two processes takes the same optimizer steps as one process, and only one of them writes."""
    write_tiny_dataset(tmp_path)
    shared = ("--steps", "30", "--log-interval", "5", "--batch-size", "4", "--accumulation", "3", *EXACT)
    assert train(tmp_path / "one", *shared).returncode == 0
    result = torchrun(tmp_path / "two", *shared)
    assert result.returncode == 0, result.stderr
    assert_losses_close(tmp_path / "one", tmp_path / "two")
    one, two = (read_history(tmp_path / name / "history.json") for name in ("one", "two"))
    for key in ("steps", "mlm_targets", "nsp_pairs", "tokens"):
        assert one.records[key] == two.records[key], key
    assert two.run["processes"] == 2


@pytest.mark.slow
def test_two_processes_resume_after_a_kill(tmp_path):
    write_tiny_dataset(tmp_path)
    shared = ("--steps", "200", "--log-interval", "20", "--save-interval", "20", "--dropout", "0.1")
    assert torchrun(tmp_path / "whole", *shared).returncode == 0
    process = subprocess.Popen(
        torchrun_command(tmp_path / "killed", *shared), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("step 60/200"):
        assert process.poll() is None
    for pid in processes_of(tmp_path / "killed"):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=300)
    assert read_history(tmp_path / "killed" / "history.json").run["finished"] is None
    result = torchrun(tmp_path / "killed", *shared)
    assert result.returncode == 0, result.stderr
    assert "resuming after step" in result.stdout
    assert_same_run(tmp_path / "killed", tmp_path / "whole")


def torchrun(folder, *more):
    command = torchrun_command(folder, *more)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
def test_a_compiled_run_gives_the_same_numbers(tmp_path):
    write_tiny_dataset(tmp_path)
    for folder, compiled in (("eager", "--no-compile"), ("compiled", "--compile")):
        result = train(tmp_path / folder, *EXACT, compiled)
        assert result.returncode == 0, result.stderr
    for one, two in zip(losses(tmp_path / "eager"), losses(tmp_path / "compiled"), strict=True):
        assert one == pytest.approx(two, rel=0, abs=1e-6)


def test_bfloat16_trains(tmp_path):
    write_tiny_dataset(tmp_path)
    result = train(tmp_path / "run", "--precision", "bf16")
    assert result.returncode == 0, result.stderr
    assert read_history(tmp_path / "run" / "history.json").run["precision"] == "bf16"


def test_fp16_on_the_cpu_is_refused(tmp_path):
    write_tiny_dataset(tmp_path)
    result = train(tmp_path / "run", "--precision", "fp16", "--device", "cpu")
    assert result.returncode == 2
    assert "fp16 needs a CUDA device" in result.stderr


def test_a_full_disk_is_a_clear_error_and_the_run_goes_on_later(whole, tmp_path):
    """A file size limit stands in for a full disk: writes beyond it fail with an error."""
    write_tiny_dataset(tmp_path)
    folder = tmp_path / "run"
    arguments = [*training_paths(folder), *TINY_SETTINGS, "--dropout", "0.1", "--dataset", tmp_path / "dataset.json"]
    limited = """
import resource, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
sys.argv[0] = "train_large_100k.py"
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    command = list(map(str, [sys.executable, "-c", limited, *arguments]))
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 2
    assert "state_4.pth: File too large" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(folder.rglob("*.tmp"))
    assert read_history(folder / "history.json").records["steps"] == [3]
    assert train(folder, "--dropout", "0.1").returncode == 0
    assert_same_run(folder, whole)
