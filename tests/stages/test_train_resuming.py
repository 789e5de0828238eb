"""What a training run makes of the files that it finds: its own, those of another run, damaged, incomplete ones."""

import dataclasses
import json
import shutil
import signal
from datetime import datetime, timezone

import pytest
import torch

from pipeline.files import checkpoint
from pipeline.files.history import read_history
from pipeline.files.run_record import Resume, newest_resume
from pipeline.statistics.schedule import parse_schedule
from pipeline.train.settings import Settings, recorded_settings
from tests.helpers.in_process import run_here, succeeded, train_here
from tests.helpers.stopping import signalled_at
from tests.helpers.tiny import TINY_SETTINGS, run_script, training_paths, write_tiny_dataset


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished run of 12 steps; its folder. Checkpoints at 4, 8 and 12, states of 8 and 12."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    succeeded(train_here(folder, write_tiny_dataset(folder.parent), *TINY_SETTINGS))
    return folder


@pytest.fixture
def run(whole, tmp_path):
    """A copy of the finished run, to change at will."""
    shutil.copy(whole.parent / "dataset.json", tmp_path)
    return shutil.copytree(whole, tmp_path / "run")


def train(folder, *more):
    return train_here(folder, folder.parent / "dataset.json", *TINY_SETTINGS, *more)


def refused(folder, said, *more):
    """The run is refused in one line that says ``said``, and nothing in its folder has changed. Gives the line."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = train(folder, *more)
    assert result.returncode == 2, result.stdout
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return result.stderr


def remove(folder, *names):
    for name in names:
        (folder / name).unlink()
        (folder / f"{name}.json").unlink(missing_ok=True)


def back_to_step_8(folder):
    """As if the run had been killed at its last step."""
    remove(folder, "final.pth", "ck/state_12.pth", "ck/step_12.pth")


def assert_same_run(folder, other):
    one, two = (read_history(place / "history.json") for place in (folder, other))
    assert {**one.records, "seconds": []} == {**two.records, "seconds": []}
    assert one.run["test"] == two.run["test"]
    final, expected = (checkpoint.load(place / "final.pth")["model"] for place in (folder, other))
    assert all(torch.equal(final[name], expected[name]) for name in expected)


# --- already finished


def change_final(folder, **changes):
    checkpoint.save(folder / "final.pth", {**checkpoint.load(folder / "final.pth"), **changes})


@pytest.mark.parametrize("name", ["seed", "lr"])
def test_a_final_model_of_another_run_is_refused(run, name):
    config = checkpoint.load(run / "final.pth")["config"]
    change_final(run, config={**config, name: 43})
    refused(run, f"final.pth: belongs to another run ({name}: 43 -> ")
    (run / "history.json").unlink()
    refused(run, f"final.pth: belongs to another run ({name}: 43 -> ")
    shutil.rmtree(run / "ck")
    refused(run, f"final.pth: belongs to another run ({name}: 43 -> ")


@pytest.mark.parametrize("content", [b"", b"somebody's"])
def test_a_file_that_is_not_a_model_is_not_overwritten(run, content):
    (run / "final.pth").write_bytes(content)
    refused(run, "final.pth: is damaged, or not a model of this program")


def test_an_earlier_model_in_the_place_of_the_final_one_is_not_the_end(run, whole):
    for end in ("", ".json"):
        shutil.copy(run / "ck" / f"step_4.pth{end}", run / f"final.pth{end}")
    assert "already finished" not in succeeded(train(run))
    assert_same_run(run, whole)


def test_a_final_model_that_was_cut_off_from_its_sidecar_is_written_again(run, whole):
    (run / "final.pth.json").unlink()
    assert "already finished" not in succeeded(train(run))
    assert_same_run(run, whole)


# --- starting over


def test_a_run_whose_checkpoints_are_gone_starts_over_on_request_only(run, whole):
    shutil.rmtree(run / "ck")
    assert "already finished" in succeeded(train(run))
    gone = "the run came to step 12, but its full states (state_<N>.pth) are missing or damaged"
    remove(run, "history.json")
    refused(run, gone)
    remove(run, "final.pth")
    shutil.copy(whole / "history.json", run)
    assert "begin again with --no-resume" in refused(run, gone)
    assert "resuming" not in succeeded(train(run, "--no-resume"))
    assert_same_run(run, whole)


def test_weights_without_a_state_start_over_on_request_only(run):
    remove(run, "final.pth", "history.json", "ck/state_8.pth", "ck/state_12.pth")
    refused(run, "the run came to step 12")
    remove(run, "ck/step_8.pth", "ck/step_12.pth")  # as if killed before the first state was written
    assert "resuming" not in succeeded(train(run))


def test_weights_of_another_run_are_not_mixed_in(run):
    remove(run, "final.pth", "history.json", "ck/state_8.pth", "ck/state_12.pth")
    refused(run, "step_12.pth: belongs to another run (seed: 42 -> 43)", "--seed", "43")


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(run, whole):
    """Its history has one record, and nothing else was written."""
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    first = {key: values[:1] for key, values in history.items() if key != "run"}
    shutil.rmtree(run / "ck")
    remove(run, "final.pth")
    started = {**history["run"], "finished": None, "validation": None, "test": None}
    (run / "history.json").write_text(json.dumps({**first, "run": started}), encoding="utf-8")
    succeeded(train(run))
    assert_same_run(run, whole)


@pytest.mark.parametrize("line", ["step 3/12", "step 9/12"])
def test_a_new_start_that_is_killed_does_not_look_finished(run, whole, line):
    arguments = ("--dataset", run.parent / "dataset.json", *training_paths(run), *TINY_SETTINGS, "--no-resume")
    result = signalled_at(line, signal.SIGKILL, "train_large_100k.py", arguments)
    assert result.returncode == -signal.SIGKILL
    assert not (run / "final.pth").exists()
    again = train(run)
    assert "already finished" not in succeeded(again)
    assert_same_run(run, whole)


def test_a_new_start_replaces_another_run(run, whole):
    succeeded(train(run, "--no-resume", "--seed", "43", "--steps", "2"))
    assert read_history(run / "history.json").run["seed"] == 43
    assert list((run / "ck").glob("step_*")) == []
    assert (run / "final.pth").read_bytes() != (whole / "final.pth").read_bytes()


# --- places that cannot be written


@pytest.mark.parametrize("option", ["--history", "--final"])
@pytest.mark.parametrize("place", ["folder", "file/below", "/proc/nowhere/file"])
def test_a_place_that_cannot_be_written_is_found_at_the_start(tmp_path, option, place):
    write_tiny_dataset(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    result = train(tmp_path / "run", option, tmp_path / place)
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {tmp_path / place}: ")
    assert result.stderr.count("\n") == 1
    assert "step" not in result.stdout
    assert not (tmp_path / "run" / "ck").exists() or not list((tmp_path / "run" / "ck").iterdir())


@pytest.mark.parametrize("name", ["vocab.txt", "ck/vocab.txt", "final_scoring.json"])
def test_so_is_a_folder_in_the_place_of_what_stands_beside(tmp_path, name):
    write_tiny_dataset(tmp_path)
    (tmp_path / "run" / name).mkdir(parents=True)
    assert f"{tmp_path / 'run' / name}: is a folder" in train(tmp_path / "run").stderr
    assert not (tmp_path / "run" / "history.json").exists()


# --- the history


@pytest.mark.parametrize("content", [None, "", '{"steps": [3, 6'])
def test_a_missing_or_damaged_history_is_restored_from_the_newest_state(run, whole, content):
    back_to_step_8(run)
    (run / "history.json").unlink() if content is None else (run / "history.json").write_text(content)
    state = "was missing" if content is None else "was damaged"
    assert f"history.json: {state}; restored from state_8.pth" in succeeded(train(run))
    assert_same_run(run, whole)


def test_a_damaged_history_of_a_finished_run_is_restored(run, whole):
    (run / "history.json").write_text("{")
    assert "already finished" not in succeeded(train(run))
    assert_same_run(run, whole)
    assert read_history(run / "history.json").run["finished"] is not None


def test_a_damaged_history_without_a_state_is_left_alone(run):
    (run / "history.json").write_text("{")
    shutil.rmtree(run / "ck")
    refused(run, "broken JSON")
    remove(run, "final.pth")
    refused(run, "there is no state to restore it from")


# --- odd states


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"history": "{"}, "the history in it is damaged"),
        ({"history": "[]"}, "the history in it is damaged"),
        ({"model": {}}, "does not fit the model and optimizer"),
        ({"sums": torch.zeros(3)}, "does not fit the model and optimizer"),
        ({"gradients": torch.zeros(2, 2)}, "does not fit the model and optimizer"),
        ({"optimizer": {}}, "does not fit the model and optimizer"),
        ({"optimizer": {"parts": [1], "scaler": {}}}, "does not fit the model and optimizer"),
    ],
)
def test_a_state_with_odd_content_is_named(run, changes, said):
    back_to_step_8(run)
    path = run / "ck" / "state_8.pth"
    checkpoint.save(path, {**checkpoint.load(path), **changes})
    assert f"{path}: {said}" in refused(run, "use another state")


def test_moments_of_wrong_shapes_are_named(run):
    back_to_step_8(run)
    path = run / "ck" / "state_8.pth"
    state = checkpoint.load(path)
    for moments in state["optimizer"]["parts"][0]["state"].values():
        moments["exp_avg"] = moments["exp_avg"].reshape(-1, 1)
    checkpoint.save(path, state)
    refused(run, "does not fit the model and optimizer")


# --- speed


def test_a_resumed_run_tells_the_speed_of_its_own_process(run):
    """As if the steps before had taken a thousand seconds: what is left is told from the steps since."""
    back_to_step_8(run)
    path = run / "ck" / "state_8.pth"
    checkpoint.save(path, {**checkpoint.load(path), "seconds": 1000.0})
    output = succeeded(train(run))
    history = read_history(run / "history.json")
    [resumed] = history.run["resumed"]
    assert resumed["step"] == 8
    assert abs(datetime.now(timezone.utc) - datetime.fromisoformat(resumed["at"])).total_seconds() < 600
    assert newest_resume(history.run) == Resume(**resumed)
    step_9 = output[output.index("step 9/12") :].split()
    taken = history.records["seconds"][history.steps.index(9)] - 1000
    shown = float(step_9[step_9.index("steps/s") - 1])
    assert 1 / shown == pytest.approx(taken, rel=0.01, abs=0.0011)  # the file rounds to a thousandth of a second


# --- changed settings


def changed(*options):
    return [*options, "--change-settings"]


def test_changed_settings_are_taken_up_on_request_and_recorded(run, whole):
    back_to_step_8(run)
    lower = ("--lr", "1e-4", "--clip", "0.5", "--dropout", "0.2", "--weight-decay", "0.1")
    assert "--change-settings to go on with these" in refused(run, "lr: 0.001 -> 0.0001", *lower)
    output = succeeded(train(run, *changed(*lower)))
    assert "from here on lr is 0.0001, was 0.001" in output
    history, before = read_history(run / "history.json"), read_history(whole / "history.json")
    assert history.run["changes"] == [
        {"step": 8, "setting": "dropout", "from": 0.1, "to": 0.2},
        {"step": 8, "setting": "lr", "from": 1e-3, "to": 1e-4},
        {"step": 8, "setting": "weight_decay", "from": 0.01, "to": 0.1},
        {"step": 8, "setting": "clip", "from": 1.0, "to": 0.5},
    ]
    settings = recorded_settings(history, Settings)
    assert (settings.lr, settings.clip, settings.dropout, settings.weight_decay) == (1e-4, 0.5, 0.2, 0.1)
    assert [values[:2] for key, values in history.records.items() if key != "seconds"] == [
        values[:2] for key, values in before.records.items() if key != "seconds"
    ]
    rate = parse_schedule("cosine", steps=12, peak=1e-4, warmup=2)
    assert history.records["lr"][2:] == [rate.rate(9), rate.rate(12)]
    assert history.records["loss"][3] != before.records["loss"][3]
    assert checkpoint.load(run / "final.pth")["config"] == dataclasses.asdict(settings)
    assert "already finished" in succeeded(train(run, *changed(*lower)))
    assert "already finished" in succeeded(train(run, *lower))
    refused(run, "lr: 0.0001 -> 0.001")


def test_a_change_that_was_killed_before_its_first_checkpoint_is_made_again(run):
    """By the same command; the history was ahead of the state that it goes on from, once more."""
    back_to_step_8(run)
    lower = changed("--lr", "1e-4")
    arguments = ("--dataset", run.parent / "dataset.json", *training_paths(run), *TINY_SETTINGS, *lower)
    assert signalled_at("step 9/12", signal.SIGKILL, "train_large_100k.py", arguments).returncode == -signal.SIGKILL
    succeeded(train(run, *lower))
    assert [change["step"] for change in read_history(run / "history.json").run["changes"]] == [8]


def test_only_what_can_be_changed_in_mid_run_is(run):
    back_to_step_8(run)
    refused(run, "another run (hidden: 16 -> 32)", *changed("--hidden", "32", "--lr", "1e-4"))
    refused(run, "batch_size: 4 -> 8", *changed("--batch-size", "8"))
    assert "give one of them" in train(run, *changed("--no-resume")).stderr
    output = succeeded(train(run, *changed("--batch-size", "8", "--accumulation", "1")))
    assert "from here on accumulation is 1, was 2" in output


def test_a_run_that_has_ended_cannot_be_changed(run):
    refused(run, "the run has ended at step 12", *changed("--lr", "1e-4"))


def test_every_stage_reads_a_run_with_changed_settings(run):
    back_to_step_8(run)
    succeeded(train(run, *changed("--dropout", "0.2", "--lr", "1e-4")))
    history = ("--history", run / "history.json")
    files = ("--dataset", run.parent / "dataset.json", "--checkpoint-dir", run / "ck", "--output", run / "scores.json")
    scored = run_here("evaluate_checkpoints.py", *history, *files)
    assert [line.split()[1] for line in succeeded(scored).splitlines() if line.startswith("step ")] == [
        "4:",
        "8:",
        "12:",
    ]
    for name, dropout in (("ck/step_8.pth", 0.1), ("final.pth", 0.2)):
        folder = run / f"export_{dropout}"
        assert "facts of the run" in succeeded(run_here("export_model.py", run / name, folder, *history))
        assert json.loads((folder / "config.json").read_text())["hidden_dropout_prob"] == dropout
        card = (folder / "README.md").read_text(encoding="utf-8")
        assert ("lr 0.001 to 0.0001 after step 8" in card) == (name == "final.pth")
        assert f"peak learning rate {0.001 if dropout == 0.1 else 0.0001}" in card
    assert "finished" in succeeded(run_here("check_progress.py", *history))
    succeeded(run_here("analyze_100k.py", *history, "--scores", run / "scores.json", "--output", run / "analysis.json"))


def test_scores_of_before_a_change_are_kept(run):
    remove(run, "final.pth")
    remove(run, "ck/state_12.pth", "ck/step_12.pth")
    evaluate = ("evaluate_checkpoints.py", "--dataset", run.parent / "dataset.json", "--checkpoint-dir", run / "ck")
    evaluate = (*evaluate, "--history", run / "history.json", "--output", run / "scores.json")
    succeeded(run_here(*evaluate))
    succeeded(train(run, *changed("--lr", "1e-4")))
    output = succeeded(run_here(*evaluate))
    assert "step 12:" in output
    assert "step 8:" not in output


def test_a_change_of_threads_is_recorded(run):
    back_to_step_8(run)
    path = run / "ck" / "state_8.pth"
    state = checkpoint.load(path)
    history = json.loads(state["history"])
    threads = history["run"]["threads"]
    history["run"]["threads"] = threads + 1
    checkpoint.save(path, {**state, "history": json.dumps(history)})
    assert f"from here on threads is {threads}, was {threads + 1}" in succeeded(train(run))
    found = read_history(run / "history.json").run
    assert found["threads"] == threads
    assert found["changes"] == [{"step": 8, "setting": "threads", "from": threads + 1, "to": threads}]


# --- locales


def test_an_ascii_locale_does_not_lose_a_run(tmp_path):
    """Chinese names of files, where neither the file system's encoding nor stdout's has Chinese characters."""
    folder = tmp_path / "训练"
    folder.mkdir()
    dataset = write_tiny_dataset(folder).rename(folder / "数据.json")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    paths = ["--checkpoint-dir", folder / "检查点", "--history", folder / "历史.json", "--final", folder / "模型.pth"]
    arguments = ("--dataset", dataset, *paths, *TINY_SETTINGS)
    result = run_script("train_large_100k.py", *arguments, environment=ascii_only)
    assert result.returncode == 0, result.stderr
    assert read_history(folder / "历史.json").run["dataset"]["path"] == str(dataset)
    assert checkpoint.load(folder / "模型.pth")["step"] == 12
    assert "already finished" in succeeded(run_here("train_large_100k.py", *arguments))


def test_a_run_of_before_there_were_objectives_goes_on(run, whole):
    """Its state and its history name none; then it is of masked language modelling."""
    for name in ("final.pth", "ck/state_12.pth"):
        (run / name).unlink()
        (run / f"{name}.json").unlink()
    path = run / "ck" / "state_8.pth"
    content = checkpoint.load(path)
    history = json.loads(content["history"])
    assert content.pop("objective") == history["run"].pop("objective") == "masked_lm"
    content.pop("format")
    checkpoint.save(path, {**content, "history": json.dumps(history)})
    recorded = json.loads((run / "history.json").read_text(encoding="utf-8"))
    del recorded["run"]["objective"]
    (run / "history.json").write_text(json.dumps(recorded), encoding="utf-8")
    assert "resuming after step 8" in succeeded(train(run))
    one, two = (checkpoint.load(folder / "final.pth")["model"] for folder in (run, whole))
    assert all(torch.equal(one[name], two[name]) for name in two)
