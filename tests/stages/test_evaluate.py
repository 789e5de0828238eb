"""The scoring of checkpoints, run as a user would, on a tiny run."""

import itertools
import json
import os
import shutil
import subprocess
import sys

import pytest

from pipeline.files import checkpoint, lock
from pipeline.files.dataset import write_dataset
from pipeline.files.history import read_history
from tests.helpers.in_process import run_here, succeeded, train_here
from tests.helpers.tiny import ROOT, TINY_SETTINGS, run_script, tiny_dataset

STEPS = [4, 8, 12]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run whose held-out articles have pairs in both sources: its folder."""
    folder = tmp_path_factory.mktemp("trained")
    write_dataset(folder / "dataset.json", tiny_dataset(articles=60))
    succeeded(train_here(folder, folder / "dataset.json", *TINY_SETTINGS, "--held-out", "0.2"))
    return folder


@pytest.fixture(scope="module")
def scored(trained):
    """The scores of all its checkpoints on validation, and of the last one on test, the stage run as a user would."""
    for split in ("validation", "test"):
        succeeded(run_script("evaluate_checkpoints.py", *options(trained), "--split", split))
    return trained / "scores.json"


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the run, without scores, to change at will."""
    shutil.copytree(trained, tmp_path / "run", ignore=shutil.ignore_patterns("scores.json"))
    return tmp_path / "run"


def options(folder):
    return [
        "--dataset", folder / "dataset.json", "--checkpoint-dir", folder / "ck", "--history", folder / "history.json",
        "--output", folder / "scores.json",
    ]  # fmt: skip


def evaluate(folder, *more):
    return run_here("evaluate_checkpoints.py", *options(folder), *more)


@pytest.fixture
def complaint(run):
    """Run the stage with further options; it must end with exit code 2; gives what it says on stderr."""

    def of(*more):
        result = evaluate(run, *more)
        assert result.returncode == 2
        return result.stderr

    return of


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_totals_are_the_histories(trained, scored):
    run, scores = read_history(trained / "history.json").run, read(scored)
    assert scores["run"] == run
    assert [entry["step"] for entry in scores["validation"]["checkpoints"]] == STEPS
    assert [entry["step"] for entry in scores["test"]["checkpoints"]] == STEPS[-1:]
    for split in ("validation", "test"):
        section, recorded = scores[split], run[split]
        entry = section["checkpoints"][-1]
        mlm, nsp = entry["mlm"], entry["nsp"]["same_source"]
        assert recorded["nsp_pairs"] > 0
        assert (mlm["accuracy"], mlm["targets"]) == (recorded["mlm_acc"], recorded["mlm_targets"])
        assert mlm["by_class"]["han"]["accuracy"] == recorded["mlm_acc_han"]
        assert mlm["by_class"]["han"]["targets"] == recorded["mlm_targets_han"]
        assert (nsp["accuracy"], nsp["pairs"]) == (recorded["nsp_acc"], recorded["nsp_pairs"])
        assert mlm["loss"] == pytest.approx(recorded["mlm_loss"], rel=1e-6)
        for name, accuracies in recorded["guesses"].items():
            assert section["guesses"][name]["accuracy"] == accuracies["all"]
            assert section["guesses"][name]["by_class"]["han"]["accuracy"] == accuracies["han"]


def test_groups_stand_beside_the_scores(scored):
    section = read(scored)["validation"]
    for score in [*section["guesses"].values(), *(entry["mlm"] for entry in section["checkpoints"])]:
        for kind, groups in section["groups"].items():
            assert {name: group["targets"] for name, group in groups.items()} == {
                name: group["targets"] for name, group in score[kind].items()
            }
    deciles = section["groups"]["by_text_decile"].values()
    ranges = [(one["lowest_frequency"], one["highest_frequency"]) for one in deciles if one["training_characters"]]
    assert ranges == sorted(ranges)
    assert set(section["groups"]["by_source"]) == {"甲", "乙"}


def test_without_a_reader_every_checkpoint_is_scored(run, scored):
    """As with `| head`: nobody reads stdout and stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "evaluate_checkpoints.py", *map(str, options(run))]
    assert subprocess.run(command, cwd=ROOT, stdout=writing, stderr=writing, check=False).returncode == 0
    os.close(writing)
    assert read(run / "scores.json")["validation"] == read(scored)["validation"]


def test_two_evaluators_do_not_share_their_scores(run, complaint):
    with lock.hold(files=[run / "scores.json"]):
        assert f"{run / 'scores.json'}: process {os.getpid()} on" in complaint()
    assert not (run / "scores.json").exists()


def test_running_again_does_nothing(trained, scored):
    before = scored.read_bytes()
    result = evaluate(trained)
    assert result.returncode == 0
    assert "nothing new to score" in result.stdout
    assert scored.read_bytes() == before


def table_of(result):
    """The rows of the printed table as lists of cells, eleven columns wide, the heads first."""
    lines = result.stdout.splitlines()
    heads = next(number for number, line in enumerate(lines) if line.split()[:2] == ["step", "MLM"])
    return [[line[at : at + 11].strip() for at in range(0, len(line), 11)] for line in lines[heads:]]


def test_the_table_says_what_the_file_holds(run, scored):
    """Every accuracy in the file is given a value of its own, so that no column can stand for another."""
    scores, places = read(scored), itertools.count(1)

    def spread(value):
        for key, part in value.items():
            if key == "accuracy" or key.startswith("accuracy_"):
                value[key] = next(places) / 1000
            for entry in part if isinstance(part, list) else [part]:
                if isinstance(entry, dict):
                    spread(entry)

    def percent(share):
        return f"{100 * share:.1f} %"

    def columns(mlm):
        tenths, classes = mlm["by_text_decile"], mlm["by_class"]
        scripts = (mlm["by_script"]["simplified only"], mlm["by_script"]["traditional only"])
        groups = (classes["han"], tenths["1"], tenths["5"], tenths["10"], *scripts, classes["punctuation"])
        return [percent(group["accuracy"]) for group in (mlm, *groups)]

    section = scores["validation"]
    spread(section)
    (run / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    heads, *rows, last = table_of(evaluate(run))
    names = ["step", "MLM", "Han", "decile 1", "decile 5", "decile 10", "simpl.", "trad.", "punct.", "NSP", "NSP any",
                 "published"]  # fmt: skip
    assert heads == names
    for row, entry in zip(rows, section["checkpoints"], strict=True):
        nsp = [percent(entry["nsp"][kind]["accuracy"]) for kind in ("same_source", "any_source")]
        published = percent(entry["mlm"]["published_rule"]["accuracy_summed"])
        assert row == [str(entry["step"]), *columns(entry["mlm"]), *nsp, published]
    guess = section["guesses"]["both"]
    assert last == ["counting", *columns(guess), "-", "-", percent(guess["published_rule"]["accuracy"])]


def test_a_long_table_shows_every_so_many_and_the_last(tmp_path):
    dataset = tmp_path / "dataset.json"
    write_dataset(dataset, tiny_dataset(articles=60))
    succeeded(train_here(tmp_path, dataset, *TINY_SETTINGS, "--steps", "15", "--save-interval", "1"))
    result = evaluate(tmp_path, "--examples", "4")
    shown = [row[0] for row in table_of(result)[1:]]
    assert shown == [*(str(step) for step in range(1, 16, 2)), "counting"]
    assert [entry["step"] for entry in read(tmp_path / "scores.json")["validation"]["checkpoints"]] == [*range(1, 16)]


def test_a_run_that_was_stopped_early_ends_where_it_stopped(tmp_path):
    dataset = tmp_path / "dataset.json"
    write_dataset(dataset, tiny_dataset(articles=60))
    still = (
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
    )
    succeeded(train_here(tmp_path, dataset, *TINY_SETTINGS, *still))
    end = read_history(tmp_path / "history.json").run["stopped_early"]
    assert end < 60
    more = ("--split", "test", "--final", tmp_path / "final.pth")
    succeeded(evaluate(tmp_path, *more))
    found = [(entry["step"], entry["file"]) for entry in read(tmp_path / "scores.json")["test"]["checkpoints"]]
    assert found == [(end, "final.pth")]


def test_only_what_is_new_is_scored(run, scored, complaint):
    """As while training goes on: the last checkpoint comes later, and the history has gone on by then."""
    history = read(run / "history.json")
    unfinished = {**history, "run": {**history["run"], "finished": None, "validation": None, "test": None}}
    (run / "history.json").write_text(json.dumps(unfinished), encoding="utf-8")
    (run / "ck" / "step_12.pth").rename(run / "later.pth")
    assert evaluate(run).returncode == 0
    early = read(run / "scores.json")
    assert [entry["step"] for entry in early["validation"]["checkpoints"]] == STEPS[:2]
    assert "not finished" in complaint("--split", "test")

    (run / "later.pth").rename(run / "ck" / "step_12.pth")
    (run / "history.json").write_text(json.dumps(history), encoding="utf-8")
    result = evaluate(run)
    assert result.returncode == 0
    assert "step 12:" in result.stdout
    assert "step 4:" not in result.stdout
    late = read(run / "scores.json")
    assert late["validation"] == read(scored)["validation"]
    assert late["run"]["finished"] is not None


def test_a_checkpoint_that_was_trained_again_is_scored_again(run, complaint):
    assert evaluate(run, "--examples", "8").returncode == 0
    content = checkpoint.load(run / "ck" / "step_8.pth")
    content["model"]["decoder.bias"][7] += 50
    checkpoint.save(run / "ck" / "step_8.pth", {key: value for key, value in content.items() if key != "format"})
    result = evaluate(run, "--examples", "8")
    assert result.returncode == 0
    assert "step 8:" in result.stdout
    assert "step 12:" not in result.stdout
    assert [entry["step"] for entry in read(run / "scores.json")["validation"]["checkpoints"]] == STEPS

    before = (run / "scores.json").read_bytes()
    for other in (("--examples", "9"), ()):  # nothing is new, but not as many questions are asked
        assert "was scored on 8 sequences" in complaint(*other)
    (run / "ck" / "step_8.pth.json").unlink()
    shutil.copy(run / "ck" / "step_12.pth.json", run / "ck" / "step_8.pth.json")
    assert "SHA-256" in complaint("--examples", "8")  # the file and its sidecar do not match
    assert (run / "scores.json").read_bytes() == before
    assert "was scored on 8 sequences" in complaint("--examples", "9")


def test_scores_of_other_questions_are_not_added_to(run, scored, complaint):
    """As many sequences, but other masks: what the questions of before depended on was the seed."""
    scores = read(scored)
    assert scores["validation"]["questions"] == read(run / "final_scoring.json")["validation"]["questions"]
    for other in ("ab" * 32, None):
        scores["validation"]["questions"] = other
        scores["validation"]["checkpoints"] = scores["validation"]["checkpoints"][:2]
        if other is None:
            del scores["validation"]["questions"]
        (run / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
        before = (run / "scores.json").read_bytes()
        assert "scores.json: was scored on other sequences or masks" in complaint()
        assert (run / "scores.json").read_bytes() == before


def test_an_exported_model_scores_as_its_checkpoint_does(run, scored, complaint, tmp_path):
    shutil.copy(scored, run / "scores.json")
    succeeded(run_here("export_model.py", run / "final.pth", tmp_path / "exported"))
    result = evaluate(run, "--hf", tmp_path / "exported")
    succeeded(result)
    assert "exported (" in result.stdout
    assert "step 12:" not in result.stdout  # its scores are there already
    section = read(run / "scores.json")["validation"]
    own = section["checkpoints"][-1]["mlm"]
    exported = section["others"]["exported"]
    assert (exported["targets"], exported["accuracy"]) == (own["targets"], own["accuracy"])
    for key in ("by_text_decile", "by_source"):
        assert {name: group["accuracy"] for name, group in exported[key].items()} == {
            name: group["accuracy"] for name, group in own[key].items()
        }
    assert [row[0] for row in table_of(result)][-2:] == ["exported", "counting"]
    assert "nothing new to score" in evaluate(run, "--hf", tmp_path / "exported").stdout
    assert "config.json is missing" in complaint("--hf", tmp_path)


def test_sentences_of_the_users_own_are_filled_at_every_checkpoint(run, complaint, tmp_path):
    (tmp_path / "mine.txt").write_text("春[天]第一次。\n山中的[MASK]飞了。\n", encoding="utf-8")
    mine = ("--sentences", tmp_path / "mine.txt", "--examples", "8")
    succeeded(evaluate(run, *mine))
    section = read(run / "scores.json")["validation"]
    assert [blank.get("right") for blank in section["sentences"]] == ["天", None]
    for entry in section["checkpoints"]:
        first, second = entry["filled"]
        assert 0 < first["right"] < 1
        assert second["right"] is None
        for filled in (first, second):
            assert len(filled["characters"]) == len(filled["probabilities"]) == 5
            assert filled["probabilities"] == sorted(filled["probabilities"], reverse=True)
    assert "nothing new to score" in evaluate(run, *mine).stdout
    assert "has other sentences with blanks" in complaint("--examples", "8")


def test_every_and_final(run, complaint):
    (run / "ck" / "step_12.pth").unlink()
    result = evaluate(run, "--every", "2", "--final", run / "final.pth", "--examples", "8")
    assert result.returncode == 0, result.stderr
    found = [(entry["step"], entry["file"]) for entry in read(run / "scores.json")["validation"]["checkpoints"]]
    assert found == [(8, "step_8.pth"), (12, "final.pth")]
    assert "--final" in complaint("--split", "test")


def change_history(run, **changes):
    history = read(run / "history.json")
    history["run"] = {**history["run"], **changes}
    (run / "history.json").write_text(json.dumps(history), encoding="utf-8")


def no_history(run):
    (run / "history.json").unlink()


def published_history(run):
    text = '{"steps": [100], "mlm_acc": [0.2], "nsp_acc": [0.5], "loss": [8.9], "lr": [1e-6]}'
    (run / "history.json").write_text(text, encoding="utf-8")


def unknown_setting(run):
    change_history(run, config={**read(run / "history.json")["run"]["config"], "wings": 2})


def bad_setting(run):
    change_history(run, config={**read(run / "history.json")["run"]["config"], "length": "long"})


def other_dataset(run):
    write_dataset(run / "dataset.json", tiny_dataset(articles=59))


def corrupt_checkpoint(run):
    path = run / "ck" / "step_4.pth"
    path.write_bytes(path.read_bytes()[:-100])


def no_checkpoints(run):
    shutil.rmtree(run / "ck")


def foreign_checkpoint(run):
    content = checkpoint.load(run / "ck" / "step_4.pth")
    content["shape"]["hidden"] = 32
    del content["format"]
    checkpoint.save(run / "ck" / "step_4.pth", content)


def checkpoint_of_another_seed(run):
    content = checkpoint.load(run / "ck" / "step_4.pth")
    content["seed"] = 43
    del content["format"]
    checkpoint.save(run / "ck" / "step_4.pth", content)


def checkpoint_of_another_vocabulary(run):
    content = checkpoint.load(run / "ck" / "step_4.pth")
    checkpoint.save(run / "ck" / "step_4.pth", {**content, "vocabulary": "0" * 64})


def checkpoint_with_a_text_for_a_step(run):
    content = checkpoint.load(run / "ck" / "step_4.pth")
    checkpoint.save(run / "ck" / "step_4.pth", {**content, "step": "4"})


def misnamed_checkpoint(run):
    for end in ("", ".json"):
        (run / "ck" / f"step_8.pth{end}").replace(run / "ck" / f"step_4.pth{end}")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_history, "is not there"),
        (published_history, "records no settings"),
        (unknown_setting, "wings"),
        (bad_setting, "length"),
        (other_dataset, "differs from the dataset of"),
        (corrupt_checkpoint, "SHA-256"),
        (no_checkpoints, "checkpoints (step_<N>.pth) are missing"),
        (foreign_checkpoint, "hidden: 16 -> 32"),
        (checkpoint_of_another_seed, "seed: 42 -> 43"),
        (checkpoint_of_another_vocabulary, "vocabulary: "),
        (checkpoint_with_a_text_for_a_step, "'step' is of type str"),
        (misnamed_checkpoint, "step: 4 -> 8"),
    ],
)
def test_bad_input_is_refused_and_the_output_left_alone(run, complaint, spoil, said):
    spoil(run)
    scores = {"format": 1, "run": read(run / "history.json").get("run", {}) if spoil is not no_history else {}}
    (run / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    before = (run / "scores.json").read_bytes()
    said_so = complaint()
    assert said in said_so
    assert said_so.count("\n") == 1
    assert (run / "scores.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "broken JSON"),
        ('{"steps": []}', "not a file of checkpoint scores"),
        ('{"format": 1, "run": {"config": {"lr": 1}}}', "another run"),
    ],
)
def test_another_file_is_not_overwritten(run, complaint, content, said):
    (run / "scores.json").write_text(content, encoding="utf-8")
    assert said in complaint()
    assert (run / "scores.json").read_text(encoding="utf-8") == content


@pytest.mark.parametrize("arguments", [["--every", "0"], ["--split", "train"]])
def test_bad_arguments(run, complaint, arguments):
    assert arguments[0] in complaint(*arguments)
    assert not (run / "scores.json").exists()


def test_without_documents_there_is_no_nsp(tmp_path):
    dataset = tiny_dataset()
    bare = {"sentences": dataset.sentences, "vocab": dataset.vocab}
    (tmp_path / "dataset.json").write_text(json.dumps(bare, ensure_ascii=False), encoding="utf-8")
    succeeded(train_here(tmp_path, tmp_path / "dataset.json", *TINY_SETTINGS))
    result = evaluate(tmp_path)
    assert result.returncode == 0, result.stderr
    assert read(tmp_path / "scores.json")["validation"]["checkpoints"][-1]["nsp"] is None
