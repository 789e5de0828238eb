"""`make gpu`, rehearsed on the CPU: the schedule is sized by the rate, and what stopped in time goes on."""

import gzip
import json
import sys

import pytest

from pipeline.files.final_scoring import read_final_scoring
from pipeline.files.history import read_history
from pipeline.files.scores import read_scores
from pipeline.stage import InputError
from study import gpu
from study.gpu import Trial, steps_that_fit
from tests.helpers.tiny import write_tiny_dataset

STOPPED = 143  # by the signal that a shell gives this number
TINY = "--layers 1 --hidden 16 --heads 2 --ffn 32 --max-positions 32 --length 32 --held-out 0.1 --eval-targets 60"


@pytest.mark.parametrize(
    ("rate", "start", "minutes", "steps"),
    [
        (50.0, 20.0, 10, 25_400),  # 600 - 72 - 20 seconds
        (50.0, 20.0, 2, 3500),  # the least reserve: 120 - 30 - 20
        (4.0, 20.0, 4, 760),  # whole tens below a thousand
    ],
)
def test_steps_that_fit(rate, start, minutes, steps):
    assert steps_that_fit(Trial(rate, start), 60 * minutes) == steps


def test_too_little_time_is_refused():
    with pytest.raises(InputError, match=r"^1\.0 minutes are too few for 100 steps"):
        steps_that_fit(Trial(1.0, 20.0), 60)


@pytest.fixture
def rehearsal(tmp_path, monkeypatch):
    """A function that runs a part on the CPU with a packed dataset, in so many minutes."""
    dataset = tmp_path / "dataset.json.gz"
    dataset.write_bytes(gzip.compress(write_tiny_dataset(tmp_path).read_bytes()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(gpu, "TRIAL_STEPS", 20)
    monkeypatch.setattr(gpu, "TRIAL_RECORD", 5)
    monkeypatch.setattr(gpu, "SMALLEST_RESERVE", 8.0)
    monkeypatch.setattr(gpu, "SCORING_SHARE", 0.4)  # of a minute and a half on a machine that others use too

    def run(part, minutes, *more):
        paths = ["--folder", tmp_path / "gpu", "--checkpoints", tmp_path / "ck", "--dataset", dataset]
        options = ["--device", "cpu", "--preset", "quickstart", "--more", TINY, "--minutes", minutes, *more]
        monkeypatch.setattr(sys, "argv", ["gpu.py", part, *map(str, (*paths, *options))])
        return gpu.main()

    return run, tmp_path / "gpu"


@pytest.mark.slow
def test_a_run_as_long_as_the_time_allows_and_its_scores(rehearsal):
    run, folder = rehearsal
    codes = (run("train", 1.5) for _ in range(4))  # a machine that others use too may be late: then it goes on
    assert next(code for code in codes if code != STOPPED) == 0
    plan = json.loads((folder / "plan.json").read_text())
    history = read_history(folder / "training_history.json")
    assert history.last_step == plan["steps"] >= 100
    assert history.run["finished"]
    assert history.run["config"]["batch_size"] == 128
    assert history.records["lr"][-1] == pytest.approx(0, abs=1e-9)
    assert read_final_scoring(folder / "final_scoring.json").step == plan["steps"]
    [scored] = read_scores(folder / "checkpoint_evaluation.json").validation.checkpoints
    assert scored.step == plan["steps"]


@pytest.mark.slow
def test_what_is_late_is_stopped_with_its_state_and_goes_on(rehearsal):
    run, folder = rehearsal
    often = f"{TINY} --log-interval 2"  # a machine that others use too makes few steps in that time
    folder.mkdir()
    (folder / "plan.json").write_text('{"steps": 4000}')
    assert run("train", 0.3, "--more", often) == STOPPED
    reached = read_history(folder / "training_history.json").last_step
    assert 0 < reached < 4000
    (folder / "plan.json").write_text('{"steps": 4000}')
    assert run("train", 0.3, "--more", often) == STOPPED
    assert reached < read_history(folder / "training_history.json").last_step < 4000


@pytest.mark.slow
def test_the_causal_run(rehearsal):
    run, folder = rehearsal
    assert run("causal", 2, "--more", f"{TINY} --steps 12 --warmup 3 --log-interval 4 --sample-length 0") == 0
    history = read_history(folder / "causal" / "training_history.json")
    assert history.steps == [4, 8, 12]
    assert (history.run["objective"], history.run["config"]["batch_size"]) == ("causal_lm", 32)


@pytest.mark.slow
def test_check_measures_and_writes_it_down(rehearsal):
    run, folder = rehearsal
    small = "--rounds 1 --batch-size 2 --without transformers published"
    assert run("check", 4, "--benchmark", small) == 0
    found = json.loads((folder / "check.json").read_text())
    assert found["device_tests_passed"] is True
    assert found["steps_per_second"] > 0
    assert any("ours" in line for line in found["benchmark"])
    assert any(line.startswith("grids ") for line in found["attention"])


def test_an_older_torch_is_refused(rehearsal, monkeypatch):
    run, _ = rehearsal
    monkeypatch.setattr(gpu.torch, "__version__", "2.10.1+cpu")
    with pytest.raises(InputError, match=r"torch 2\.10\.1\+cpu: this needs torch 2\.11 or newer"):
        run("check", 1)


def test_without_a_gpu_a_rehearsal_is_named(rehearsal, monkeypatch):
    run, _ = rehearsal
    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no CUDA device is visible; --device cpu rehearses"):
        run("train", 1, "--device", "cuda")
