"""Training jobs that end, or lose what they print to, in ways nobody planned."""

import signal
import subprocess
import sys

import pytest

from pipeline.files import checkpoint
from pipeline.files.history import read_history
from pipeline.train.objectives.masked_lm import MaskedLM
from tests.helpers.in_process import run_here, succeeded, train_here
from tests.helpers.stopping import paused_at, signalled_at
from tests.helpers.tiny import ROOT, TINY_SETTINGS, training_paths, write_tiny_dataset


@pytest.fixture
def dataset(tmp_path):
    return write_tiny_dataset(tmp_path)


@pytest.fixture
def arguments(dataset, tmp_path):
    return ["--dataset", dataset, *training_paths(tmp_path / "run"), *TINY_SETTINGS]


def test_without_a_reader_training_goes_on_to_the_end(tmp_path, arguments):
    """As with `| head -1`: the reader of stdout and stderr is gone after the first record."""
    command = [sys.executable, "train_large_100k.py", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"step 3/12")
    process.stdout.close()
    assert process.wait(timeout=300) == 0
    history = read_history(tmp_path / "run" / "history.json")
    assert history.steps == [3, 6, 9, 12]
    assert history.run["finished"] is not None
    assert checkpoint.load(tmp_path / "run" / "final.pth")["step"] == 12


def test_a_signal_in_the_last_step_is_not_forgotten(tmp_path, dataset, arguments):
    """The scoring, which may take longer than the grace that a cluster gives, is left to the next run."""
    result = signalled_at("step 12/12", signal.SIGTERM, "train_large_100k.py", arguments)
    assert (result.returncode, result.stderr) == (143, "")
    assert "stopped by a signal after step 12, which is saved" in result.stdout
    assert not (tmp_path / "run" / "final.pth").exists()
    output = succeeded(train_here(tmp_path / "run", dataset, *TINY_SETTINGS))
    assert output.startswith("resuming after step 12\ntest: MLM")


@pytest.mark.parametrize(("where", "resumed"), [("loss", ""), ("final_scores", "resuming after step 12\n")])
def test_a_signal_outside_the_steps_ends_the_run_at_once(tmp_path, dataset, monkeypatch, where, resumed):
    """In the first step, which is where a model is compiled, and in the final scoring."""

    def interrupted(*_):
        signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(MaskedLM, where, interrupted)
        result = train_here(tmp_path / "run", dataset, *TINY_SETTINGS)
    assert (result.returncode, result.stderr) == (143, "interrupted; run the same command again to go on\n")
    assert not (tmp_path / "run" / "final.pth").exists()
    assert succeeded(train_here(tmp_path / "run", dataset, *TINY_SETTINGS)).startswith(resumed or "step 3/12")
    assert read_history(tmp_path / "run" / "history.json").run["finished"] is not None


def test_two_trainers_do_not_share_files(tmp_path, dataset, arguments):
    """One waits at the record of step 6; whatever the other would write too, it ends at once and changes nothing."""
    run, other = tmp_path / "run", tmp_path / "other"
    with paused_at("step 6/12", "train_large_100k.py", arguments) as (process, _):
        before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
        shared = dict(zip(("--checkpoint-dir", "--history", "--final"), training_paths(run)[1::2], strict=True))
        for option, path in shared.items():
            result = train_here(other, dataset, *TINY_SETTINGS, option, path, "--no-resume")
            assert (result.returncode, result.stdout) == (2, "")
            assert result.stderr.startswith(f"error: {path}: process {process.pid} on ")
            assert "train_large_100k.py --dataset" in result.stderr
            assert result.stderr.count("\n") == 1
        assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before

        # Scoring what there is meanwhile is a use of the checkpoints that the evaluator names.
        kept = ("--checkpoint-dir", run / "ck", "--history", run / "history.json")
        succeeded(run_here("evaluate_checkpoints.py", "--dataset", dataset, *kept, "--output", other / "scores.json"))
        process.communicate(timeout=300)
    assert process.returncode == 0
    assert read_history(run / "history.json").steps == [3, 6, 9, 12]
    assert not list(tmp_path.rglob(".*lock"))
