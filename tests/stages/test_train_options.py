"""Options of the training script that change what is kept, what is written beside the history, or how is computed."""

import json

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.data.splits import split_by_article
from pipeline.data.tokenizer import Tokenizer
from pipeline.files import checkpoint
from pipeline.files.dataset import read_dataset
from pipeline.files.history import read_history
from tests.helpers.in_process import run_here, succeeded, train_here
from tests.helpers.tiny import TINY_SETTINGS, write_tiny_dataset


@pytest.fixture
def dataset(tmp_path):
    return write_tiny_dataset(tmp_path)


@pytest.mark.parametrize(("keep", "kept"), [(0, [2, 4, 6, 8, 10, 12]), (1, [12]), (3, [8, 10, 12])])
def test_keep_keeps_so_many_weight_checkpoints(tmp_path, dataset, keep, kept):
    succeeded(train_here(tmp_path / "run", dataset, *TINY_SETTINGS, "--save-interval", "2", "--keep", keep))
    folder = tmp_path / "run" / "ck"
    assert [step for step, _ in checkpoint.weight_files(folder)] == kept
    assert all(checkpoint.load(path)["step"] == step for step, path in checkpoint.weight_files(folder))
    names = [f"step_{step}.pth" for step in kept] + ["state_10.pth", "state_12.pth"]
    expected = sorted([*names, *(f"{name}.json" for name in names), "vocab.txt"])
    assert sorted(path.name for path in folder.iterdir()) == expected


def test_early_checkpoints_and_kept_states_stay_and_change_no_number(tmp_path, dataset):
    plain = (*TINY_SETTINGS, "--save-interval", "6", "--dropout", "0.1")
    more = ("--early-checkpoints", "--keep", "1", "--keep-states", "5,every:9", "--schedule", "wsd:0.5")
    succeeded(train_here(tmp_path / "plain", dataset, *plain, "--schedule", "wsd:0.5"))
    succeeded(train_here(tmp_path / "run", dataset, *plain, *more))
    folder = tmp_path / "run" / "ck"
    assert [step for step, _ in checkpoint.weight_files(folder)] == [0, 1, 2, 4, 8, 12]
    # Beside those asked for and the newest two (9 and 12), the one where the rate begins to fall: 6.
    assert [step for step, _ in checkpoint.numbered(folder, "state")] == [5, 6, 9, 12]
    assert checkpoint.load(folder / "state_5.pth")["history_path"] == str(tmp_path / "run" / "history.json")
    one, two = (read_history(tmp_path / name / "history.json") for name in ("plain", "run"))
    assert {**one.records, "seconds": None} == {**two.records, "seconds": None}
    assert two.run["keep_states"] == "5,6,every:9"
    first, last = (checkpoint.load(folder / f"step_{step}.pth")["model"] for step in (0, 12))

    zeros = [name for name, tensor in first.items() if name.endswith("bias") and not tensor.any()]
    assert len(zeros) > 3
    assert any(last[name].any() for name in zeros)

    paths = ("--dataset", dataset, "--checkpoint-dir", folder, "--history", tmp_path / "run" / "history.json")
    succeeded(run_here("evaluate_checkpoints.py", *paths, "--output", tmp_path / "scores.json", "--every", "2"))
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))["validation"]["checkpoints"]
    assert [entry["step"] for entry in scores] == [0, 1, 2, 4, 8, 12]


def test_the_data_seed_is_of_the_batches_and_the_seed_of_the_weights(tmp_path, dataset):
    runs = {"both": (), "same": ("--data-seed", "42"), "data": ("--data-seed", "7"), "weights": ("--seed", "43")}
    runs["weights"] += ("--data-seed", "42")
    found = {}
    for name, seeds in runs.items():
        more = ("--steps", "6", "--early-checkpoints", "--dropout", "0.1", *seeds)
        succeeded(train_here(tmp_path / name, dataset, *TINY_SETTINGS, *more))
        history = read_history(tmp_path / name / "history.json")
        begin = checkpoint.load(tmp_path / name / "ck" / "step_0.pth")["model"]
        found[name] = (history.records, torch.cat([tensor.flatten() for tensor in begin.values()]))
    (records, begin), (data, begin_of_data), (weights, begin_of_weights) = (
        found[name] for name in ("both", "data", "weights")
    )
    same = found["same"][0]
    assert {**same, "seconds": None} == {**records, "seconds": None}
    assert torch.equal(begin, begin_of_data)
    assert not torch.equal(begin, begin_of_weights)
    for batches in ("tokens", "mlm_targets", "nsp_pairs"):
        assert records[batches] == weights[batches]
    assert records["tokens"] != data["tokens"]
    assert len({run["loss"][-1] for run in (records, data, weights)}) == 3


@pytest.mark.parametrize("states", ["0", "all", "every:"])
def test_states_that_cannot_be_kept(tmp_path, dataset, states):
    result = train_here(tmp_path / "run", dataset, *TINY_SETTINGS, "--keep-states", states)
    assert result.returncode == 2
    assert f"argument --keep-states: {states!r} must be steps" in result.stderr


def test_the_end_is_recorded_and_saved_and_the_lines_say_what_the_records_say(tmp_path, dataset):
    """Seven steps, a record each three, a checkpoint each four."""
    more = ("--steps", "7", "--init-std", "0.3", "--lr", "1e-2")
    *lines, last = succeeded(train_here(tmp_path / "run", dataset, *TINY_SETTINGS, *more)).splitlines()
    history = read_history(tmp_path / "run" / "history.json")
    assert history.records["steps"] == [3, 6, 7]
    assert [step for step, _ in checkpoint.weight_files(tmp_path / "run" / "ck")] == [4]
    assert checkpoint.newest_state(tmp_path / "run" / "ck") == tmp_path / "run" / "ck" / "state_7.pth"
    assert checkpoint.load(tmp_path / "run" / "final.pth")["step"] == 7
    keys = ("steps", "loss", "mlm_acc", "eval_mlm_acc", "seconds")
    for line, record in zip(lines, zip(*(history.records[key] for key in keys), strict=True), strict=True):
        step, loss, trained, held_out, seconds = record
        said = f"step {step}/7  loss {loss:.3f}  MLM {100 * trained:.1f} %  held out {100 * held_out:.1f} %  "
        assert line.startswith(said)
        rate, unit, left, *rest = line.removeprefix(said).split()
        assert (unit, rest) == ("steps/s", ["s", "left"])
        assert float(rate) == pytest.approx(step / seconds, rel=0.02, abs=0.06)
        assert float(left) == pytest.approx((7 - step) * seconds / step, rel=0.02, abs=0.51)
    test = history.run["test"]
    scores = f"test: MLM {100 * test['mlm_acc']:.1f} % of {test['mlm_targets']}, NSP {100 * test['nsp_acc']:.1f} %; "
    assert last.startswith(scores)


def test_the_schedule_is_what_the_records_say(tmp_path, dataset):
    """Two steps of warm-up, one rate to step 6, and a decay over the last six: 1 - sqrt(x) of the peak."""
    succeeded(train_here(tmp_path / "run", dataset, *TINY_SETTINGS, "--schedule", "wsd:0.5"))
    history = read_history(tmp_path / "run" / "history.json")
    assert history.records["lr"] == pytest.approx([1e-3, 1e-3, 1e-3 * (1 - 0.5**0.5), 0.0], rel=1e-12, abs=1e-20)
    assert history.run["config"]["schedule"] == "wsd:0.5"


def test_a_schedule_nobody_knows_and_a_warm_up_that_never_ends(tmp_path, dataset):
    refused = train_here(tmp_path / "run", dataset, *TINY_SETTINGS, "--schedule", "wsd")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--schedule wsd must be cosine, linear, constant or wsd:SHARE" in refused.stderr
    said = succeeded(train_here(tmp_path / "run", dataset, *TINY_SETTINGS, "--steps", "4", "--warmup", "4"))
    assert said.startswith("warning: --warmup 4 does not end before step 4, the last")


def scalars(folder):
    """{name: [(step, value), ...]} of what TensorBoard shows of the event files in ``folder``."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_tensorboard_shows_the_records(tmp_path, dataset):
    succeeded(train_here(tmp_path / "run", dataset, *TINY_SETTINGS, "--tensorboard", tmp_path / "events"))
    records = read_history(tmp_path / "run" / "history.json").records
    shown = scalars(tmp_path / "events")
    for key in set(records) - {"steps"}:
        pairs = zip(records["steps"], records[key], strict=True)
        expected = [pair for pair in pairs if pair[1] is not None]
        assert np.array(shown.pop(key, [])) == pytest.approx(np.array(expected), rel=1e-6), key
    assert shown == {}


def test_tensorboard_after_a_resume_shows_each_step_once(tmp_path, dataset):
    """The run was killed after the record of step 9 and goes on from the checkpoint of step 8."""
    run, events = tmp_path / "run", ("--tensorboard", tmp_path / "events")
    succeeded(train_here(run, dataset, *TINY_SETTINGS, *events))
    for name in ("final.pth", "ck/state_12.pth"):
        (run / name).unlink()
        (run / f"{name}.json").unlink()
    (run / "history.json").unlink()
    assert "resuming after step 8" in succeeded(train_here(run, dataset, *TINY_SETTINGS, *events))
    assert [step for step, _ in scalars(tmp_path / "events")["seconds"]] == [3, 6, 9, 12]


def test_seconds_go_on_after_a_resume(tmp_path, dataset):
    """The checkpoint of step 8 says that a quarter of an hour had passed."""
    run = tmp_path / "run"
    succeeded(train_here(run, dataset, *TINY_SETTINGS))
    for path in (run / "final.pth", run / "history.json", run / "ck" / "state_12.pth"):
        path.unlink()
    state = checkpoint.load(run / "ck" / "state_8.pth")
    del state["format"]
    checkpoint.save(run / "ck" / "state_8.pth", {**state, "seconds": 900.0})
    succeeded(train_here(run, dataset, *TINY_SETTINGS))
    before, then, after, end = read_history(run / "history.json").records["seconds"]
    assert before < then < 900 < after < end < 960


# In float32 the second step overflows at this rate.
DIVERGING = ("--lr", "1e38", "--warmup", "0")


@pytest.mark.parametrize(("records", "grid", "good"), [(12, 1, "state_1.pth"), (12, 12, None), (3, 12, None)])
def test_divergence_is_noticed_before_anything_of_it_is_written(tmp_path, dataset, records, grid, good):
    more = ("--log-interval", records, "--save-interval", grid)
    result = train_here(tmp_path / "run", dataset, *TINY_SETTINGS, *DIVERGING, *more)
    assert result.returncode != 0
    content = read_dataset(dataset)
    train = split_by_article(content, 0.1).train
    corpus = PairCorpus(content.sentences, train, Tokenizer(content.vocab), 32, 0.15, True)
    examples = ", ".join(map(str, TrainingBatches(corpus, 8, 42)[2].examples[:8]))
    assert f"not finite at step 2 (examples {examples}, ...)" in result.stderr
    assert ("no checkpoint was written before it" if good is None else good) in result.stderr
    written = {path.name for path in (tmp_path / "run").rglob("*.*") if path.suffix != ".json"}
    assert written == {"vocab.txt"} if good is None else {"vocab.txt", "step_1.pth", "state_1.pth"}
    assert not (tmp_path / "run" / "history.json").exists()


@pytest.mark.parametrize(("precision", "least", "most"), [("fp32", 1e-9, 1e-5), ("bf16", 1e-5, 2e-2)])
def test_a_precision_is_what_training_and_scoring_compute_in(tmp_path, dataset, precision, least, most):
    """The same weights, for the rate is next to nothing: losses differ from float64's by what the format rounds off."""
    settings = (*TINY_SETTINGS, "--dropout", "0", "--attention-dropout", "0", "--lr", "1e-30", "--init-std", "0.3")
    for name in ("fp64", precision):
        succeeded(train_here(tmp_path / name, dataset, *settings, "--precision", name))
    exact, found = (read_history(tmp_path / name / "history.json") for name in ("fp64", precision))
    assert (exact.run["precision"], found.run["precision"]) == ("fp64", precision)
    for key in ("loss", "eval_loss"):
        errors = [abs(one / other - 1) for one, other in zip(found.records[key], exact.records[key], strict=True)]
        assert least < max(errors) < most, key
    assert least < abs(found.run["test"]["loss"] / exact.run["test"]["loss"] - 1) < most

    scores = evaluated(tmp_path / precision, dataset, precision)
    assert scores["mlm"]["loss"] == pytest.approx(found.run["validation"]["mlm_loss"], rel=1e-7)
    assert (
        least < abs(scores["mlm"]["loss"] / evaluated(tmp_path / precision, dataset, "fp64")["mlm"]["loss"] - 1) < most
    )


def evaluated(run, dataset, precision):
    """What evaluate_checkpoints.py says of the last checkpoint of ``run``."""
    output = run / f"scores_{precision}.json"
    paths = (
        "--dataset",
        dataset,
        "--checkpoint-dir",
        run / "ck",
        "--history",
        run / "history.json",
        "--output",
        output,
    )
    succeeded(run_here("evaluate_checkpoints.py", *paths, "--precision", precision))
    return json.loads(output.read_text(encoding="utf-8"))["validation"]["checkpoints"][-1]
