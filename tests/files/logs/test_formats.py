"""Each kind of log gives the same run: its losses, its held-out values, its learning rates, each at its step."""

import json
import math

import pytest

from pipeline.files.logs.choices import Choices
from pipeline.files.logs.read_log import read_log
from pipeline.stage import InputError
from tests.helpers import other_logs as logs

STEPS, ENDS = logs.training_steps(), logs.ends_of_epochs()
NUMBERED = list(range(1, logs.EPOCHS + 1))


def values_at(history, key):
    """(step, value) of the records with a value."""
    return [(step, value) for step, value in zip(history.steps, history.records[key], strict=True) if value is not None]


def at(steps, value, *, of=None):
    return [(step, pytest.approx(value(source), abs=1e-9)) for step, source in zip(of or steps, steps, strict=True)]


# writer, name of the file, steps of training, of the ends of epochs; by role the column, or None
BY_STEP = {"loss": "loss", "lr": "lr", "held_out": "val_acc", "held_out_loss": "val_loss"}
FORMATS = [
    (logs.trainer_state, "trainer_state.json", STEPS, ENDS,
     {"loss": "loss", "lr": "learning_rate", "held_out": "eval_accuracy", "held_out_loss": "eval_loss"}),
    (logs.plain_csv, "log.csv", STEPS, ENDS, BY_STEP),
    (logs.lightning_csv, "metrics.csv", STEPS, ENDS, {**BY_STEP, "loss": "train_loss_step", "lr": "lr-AdamW"}),
    (logs.wandb_csv, "export.csv", STEPS, ENDS,
     {"loss": "fine-dust-7 - train/loss", "lr": "fine-dust-7 - train/learning_rate",
      "held_out": "fine-dust-7 - eval/accuracy", "held_out_loss": "fine-dust-7 - eval/loss"}),
    (logs.deit_lines, "log.txt", NUMBERED, NUMBERED,
     {"loss": "train_loss", "lr": "train_lr", "held_out": "test_acc1", "held_out_loss": "test_loss"}),
    (logs.timm_csv, "summary.csv", NUMBERED, NUMBERED,
     {"loss": "train_loss", "lr": "lr", "held_out": "eval_top1", "held_out_loss": "eval_loss"}),
    (logs.keras_csv, "training.log", NUMBERED, NUMBERED,
     {"loss": "loss", "lr": "learning_rate", "held_out": "val_accuracy", "held_out_loss": "val_loss"}),
    (logs.keras_lists, "history.json", NUMBERED, NUMBERED,
     {"loss": "loss", "held_out": "val_accuracy", "held_out_loss": "val_loss"}),
    (logs.mmcv_lines, "20260105.log.json", [step / logs.A_EPOCH for step in STEPS], NUMBERED,
     {"loss": "loss", "lr": "lr", "held_out": "val/bbox_mAP"}),
    (logs.mmengine_lines, "scalars.json", STEPS, ENDS,
     {"loss": "loss", "lr": "lr", "held_out": "val/accuracy/top1"}),
    (logs.mmengine_by_iterations, "vis_data.json", STEPS, ENDS,
     {"loss": "loss", "lr": "lr", "held_out": "val/mIoU"}),
    (logs.fairseq_log, "train.log", STEPS, ENDS,
     {"loss": "train/loss", "lr": "train/lr", "held_out_loss": "valid/valid_loss"}),
    (logs.tensorboard_csv, "exported", STEPS, ENDS,
     {"loss": "train/epoch_loss", "lr": "train/learning_rate", "held_out": "validation/epoch_accuracy",
      "held_out_loss": "validation/epoch_loss"}),
]  # fmt: skip


@pytest.mark.parametrize(("write", "name", "steps", "ends", "roles"), FORMATS, ids=[each[1] for each in FORMATS])
def test_a_log_is_read_with_every_value_at_its_step(tmp_path, write, name, steps, ends, roles):
    write(tmp_path / name)
    history = read_log(tmp_path / name)
    columns = history.columns
    found = {"loss": columns.loss.train, "lr": columns.rate, "held_out": columns.accuracy.held_out,
             "held_out_loss": columns.loss.held_out}  # fmt: skip
    assert {role: key for role, key in found.items() if history.has(key)} == roles
    sources = STEPS if len(steps) == len(STEPS) else ENDS
    expected = {
        "loss": at(sources, logs.loss, of=steps),
        "lr": at(sources, logs.rate, of=steps),
        "held_out": at(ENDS, logs.held_out, of=ends),
        "held_out_loss": at(ENDS, logs.held_out_loss, of=ends),
    }
    for role, key in roles.items():
        assert values_at(history, key) == expected[role], role
    assert columns.pairs is None
    whole = steps == NUMBERED and name != "history.json"
    assert columns.step == ("epoch" if whole or name.endswith(".log.json") else "step")
    shown = history.notes[0].say()
    assert all(f"{role}={key}" in shown for role, key in roles.items())


def test_hugging_face_says_how_long_the_run_will_be_and_its_summary_is_not_a_record(tmp_path):
    logs.trainer_state(tmp_path / "t.json")
    history = read_log(tmp_path / "t.json")
    assert history.facts.count("config", "steps") == logs.EPOCHS * logs.A_EPOCH
    assert "train_loss" not in history.records
    assert history.records["grad_norm"][0] == 1.25
    assert history.missing() == ("training accuracy", "time")


def test_training_accuracy_of_keras_is_the_one_without_a_part(tmp_path):
    logs.keras_csv(tmp_path / "k.csv")
    history = read_log(tmp_path / "k.csv")
    assert history.accuracy == "accuracy"
    assert history.records["accuracy"][3] == pytest.approx(logs.held_out(ENDS[3]) / 2)


def test_training_accuracy_of_openmmlab_is_in_percent(tmp_path):
    logs.mmcv_lines(tmp_path / "m.json")
    history = read_log(tmp_path / "m.json")
    assert (history.accuracy, history.records["acc"][0]) == ("acc", 0.925)
    assert "acc: in percent, divided by 100" in [note.say() for note in history.notes]


def test_losses_in_bits_are_known_by_the_perplexity(tmp_path):
    logs.fairseq_log(tmp_path / "f.log")
    assert read_log(tmp_path / "f.log").columns.loss.unit == "bits"
    entries = [{"step": step, "loss": 2.0, "ppl": math.exp(2.0)} for step in (1, 2)]
    (tmp_path / "n.json").write_text(json.dumps(entries), encoding="utf-8")
    assert read_log(tmp_path / "n.json").columns.loss.unit == "nats"


def test_of_a_perplexity_alone_the_logarithm_is_the_loss(tmp_path):
    (tmp_path / "p.csv").write_text("step,val_ppl\n10,20\n20,10\n30,0\n", encoding="utf-8")
    history = read_log(tmp_path / "p.csv")
    assert history.held_out_loss == "log val_ppl"
    assert history.points("log val_ppl")[1].tolist() == [math.log(20), math.log(10)]
    assert "val_ppl: a perplexity; its logarithm is the loss" in [note.say() for note in history.notes]


def test_a_column_may_say_which_data_a_row_is_about(tmp_path):
    logs.rows_of_splits(tmp_path / "s.csv")
    history = read_log(tmp_path / "s.csv")
    assert (history.loss, history.held_out_loss) == ("train/loss", "val/loss")
    assert values_at(history, "val/loss") == at(ENDS, logs.held_out_loss)
    assert history.steps == ENDS


def test_time_comes_from_the_clock(tmp_path):
    logs.tensorboard_csv(tmp_path / "t")
    history = read_log(tmp_path / "t")
    assert values_at(history, "seconds") == [(step, (step - 10) / 2) for step in STEPS]


def test_one_exported_tag_that_its_file_does_not_name_is_asked_for(tmp_path):
    path = tmp_path / "tensorboard.csv"
    path.write_text("Wall time,Step,Value\n1600000000.0,100,0.1\n1600000010.0,200,0.2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"tensorboard\.csv: .* it has Wall time, Step, Value; name them, as in "
                                         r"--columns loss='Value' .*held_out"):  # fmt: skip
        read_log(path)
    history = read_log(path, Choices({"held_out": "Value"}))
    assert (history.held_out, history.steps, history.records["Value"]) == ("Value", [100, 200], [0.1, 0.2])
    triples = tmp_path / "tensorboard.json"
    triples.write_text("[[1600000000.0, 100, 0.1], [1600000010.0, 200, 0.2]]", encoding="utf-8")
    assert read_log(triples, Choices({"held_out": "Value"})).records == history.records


def test_our_own_lists_as_csv_keep_their_meaning(tmp_path):
    path = tmp_path / "ours.csv"
    path.write_text("steps,mlm_acc,nsp_acc,eval_mlm_acc,loss,lr\n10,0.1,0.5,,3,0.1\n20,0.2,0.5,0.3,2,0.1\n", "utf-8")
    history = read_log(path)
    assert (history.accuracy, history.held_out, history.loss, history.rate) == ("mlm_acc", "eval_mlm_acc", "loss", "lr")
    assert history.columns.pairs is not None
    assert history.steps == [10, 20]


def test_objects_inside_objects_are_columns_too(tmp_path):
    entries = [{"step": step, "train": {"loss": 3.0 - step}, "val": {"accuracy": step / 10}} for step in (1, 2)]
    (tmp_path / "n.jsonl").write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    history = read_log(tmp_path / "n.jsonl")
    assert history.records == {"steps": [1, 2], "train/loss": [2.0, 1.0], "val/accuracy": [0.1, 0.2]}
