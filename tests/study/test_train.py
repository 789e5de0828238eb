"""The plan of the study is one that the trainer takes, and its driver goes on from wherever it was stopped."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import train_large_100k
from pipeline.files.final_scoring import read_final_scoring
from pipeline.files.history import read_history
from pipeline.files.scores import read_scores
from pipeline.stage import InputError
from pipeline.train.settings import MASKED_PRESETS, chosen_settings
from study import plan, train
from study.plan import PLAN, Planned, branch_point, named
from tests.helpers.tiny import ROOT, write_tiny_dataset

TINY = (
    "--layers 1 --hidden 16 --heads 2 --ffn 32 --max-positions 32 --length 32 --held-out 0.1 --eval-targets 60 "
    "--batch-size 4 --warmup 2 --log-interval 1 --save-interval 4"
)


@pytest.mark.parametrize("planned", PLAN, ids=lambda planned: planned.name)
def test_the_trainer_takes_every_option(planned, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train_large_100k.py", *planned.options.split()])
    settings = chosen_settings(train_large_100k.parse_arguments(), MASKED_PRESETS)
    assert settings.warmup < (planned.branch_at or settings.steps) <= settings.steps
    if planned.trunk:
        trunk = named(planned.trunk)
        assert PLAN.index(trunk) < PLAN.index(planned)
        kept = trunk.options.partition("--keep-states ")[2].split(",")
        assert str(planned.branch_at) in kept
        assert planned.options == f"--steps {settings.steps}"  # all else is the trunk's


def test_names_are_different():
    assert len({planned.name for planned in PLAN}) == len(PLAN)


def test_a_branch_decays_over_the_last_fifth():
    assert [branch_point(budget) for budget in plan.BUDGETS] == [10_000, 20_000, 40_000, 80_000]


@pytest.fixture
def study(tmp_path, monkeypatch):
    write_tiny_dataset(tmp_path).rename(tmp_path / "large_wikipedia_dataset.json")
    planned = (
        Planned(
            "trunk", f"--preset small --schedule constant --steps 8 --keep-states 8 {TINY}", threads=2, scored=False
        ),
        Planned("branch", "--steps 12", trunk="trunk", branch_at=8),
    )
    monkeypatch.setattr(train, "PLAN", planned)
    monkeypatch.setattr(plan, "PLAN", planned)
    monkeypatch.setattr(train, "LOOK_EVERY", 0.2)
    return train.Study(tmp_path / "runs", tmp_path, tmp_path / "forecasts", []), *planned


def test_a_trunk_and_its_branch_are_trained_and_scored(study):
    made, trunk, branch = study
    with pytest.raises(InputError, match="branch: branches from trunk, which is not finished"):
        made.make(branch)
    assert [made.make(trunk), made.make(branch)] == [0, 0]
    assert [made.state(trunk), made.state(branch)] == ["finished", "finished"]
    folder = made.folder / "branch"
    assert read_history(folder / "training_history.json").run["branch"]["step"] == 8
    assert [read_history(made.history(planned)).run["threads"] for planned in (trunk, branch)] == [2, 1]
    assert read_final_scoring(folder / "final_scoring.json").step == 12
    scores = read_scores(folder / "checkpoint_evaluation.json")
    assert [one.step for one in scores.validation.checkpoints] == [12]
    assert [one.step for one in scores.test.checkpoints] == [12]
    assert read_scores(made.folder / "trunk" / "checkpoint_evaluation.json").validation is None
    before = (folder / "training_history.json").stat().st_mtime_ns
    assert made.make(branch) == 0
    assert (folder / "training_history.json").stat().st_mtime_ns == before


@pytest.mark.slow
def test_stopped_by_a_signal_it_saves_and_goes_on_and_forecasts_are_written(tmp_path):
    """The first look that finds 20 % of the steps writes the forecast; the end is not known by then."""
    write_tiny_dataset(tmp_path).rename(tmp_path / "large_wikipedia_dataset.json")
    command = [sys.executable, "study/train.py", "cosine_12500_seed_42", "--folder", tmp_path / "runs"]
    seldom = TINY.replace("--log-interval 1 --save-interval 4", "--log-interval 25 --save-interval 500")
    command += ["--data", tmp_path, "--forecasts", tmp_path / "forecasts", "--more", seldom]
    history = tmp_path / "runs" / "cosine_12500_seed_42" / "training_history.json"
    driver = "import sys, runpy; sys.argv = sys.argv[1:]; from study import train; train.LOOK_EVERY = 1.0; "
    driver += "train.run_stage(train.main)"
    command = [sys.executable, "-c", driver, *command[1:]]
    with subprocess.Popen(list(map(str, command)), cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        until = time.monotonic() + 240
        written = tmp_path / "forecasts" / "cosine_12500_seed_42_20.json"
        while not written.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    found = json.loads(written.read_text(encoding="utf-8"))
    assert found["last_step"] == 2500
    reached = read_history(history)
    assert 2500 <= reached.last_step < 12_500
    assert reached.run["finished"] is None
    states = (history.parent / "checkpoints").glob("state_*.pth")
    assert max(int(path.stem.partition("_")[2]) for path in states) >= reached.last_step
