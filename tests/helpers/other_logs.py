"""Logs as other trainers write them, of one invented run: what each kind of file looks like, written here by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

EPOCHS = 12
A_EPOCH = 50  # steps
EVERY = 10  # steps between records of training


def loss(step: float) -> float:
    return round(1.5 + 4 / (1 + step / 40), 4)


def rate(step: float) -> float:
    return round(1e-3 * (1 - step / (EPOCHS * A_EPOCH + 1)), 8)


def held_out_loss(step: float) -> float:
    return round(loss(step) + 0.1, 4)


def held_out(step: float) -> float:
    return round(0.6 - 0.5 / (1 + step / 100), 4)


def training_steps() -> list[int]:
    return list(range(EVERY, EPOCHS * A_EPOCH + 1, EVERY))


def ends_of_epochs() -> list[int]:
    return list(range(A_EPOCH, EPOCHS * A_EPOCH + 1, A_EPOCH))


def trainer_state(path: Path) -> None:
    """Hugging Face: entries of training and of evaluation apart, at the same step too, and a summary at the end."""
    entries: list[dict[str, Any]] = []
    for step in training_steps():
        entries.append({"epoch": step / A_EPOCH, "grad_norm": 1.25, "learning_rate": rate(step), "loss": loss(step),
                        "step": step})  # fmt: skip
        if step in ends_of_epochs():
            entries.append({"epoch": step / A_EPOCH, "eval_accuracy": held_out(step), "eval_loss": held_out_loss(step),
                            "eval_runtime": 12.5, "eval_samples_per_second": 80.0, "step": step})  # fmt: skip
    last = EPOCHS * A_EPOCH
    entries.append({"epoch": float(EPOCHS), "step": last, "total_flos": 1.5e15, "train_loss": 2.25,
                    "train_runtime": 3600.5, "train_samples_per_second": 9.1})  # fmt: skip
    state = {"best_metric": None, "epoch": float(EPOCHS), "global_step": last, "log_history": entries,
             "max_steps": last, "num_train_epochs": EPOCHS}  # fmt: skip
    path.write_text(json.dumps(state, indent=2), encoding="utf-8")


def plain_csv(path: Path) -> None:
    rows = [f"{step},{loss(step)},{rate(step)},{held_out(step) if step in ends_of_epochs() else ''},"
            f"{held_out_loss(step) if step in ends_of_epochs() else ''}" for step in training_steps()]  # fmt: skip
    path.write_text("\n".join(["step,loss,lr,val_acc,val_loss", *rows]) + "\n", encoding="utf-8")


def lightning_csv(path: Path) -> None:
    """Lightning: a row for each call of a logger, so several a step, and each with a few cells."""
    rows = []
    for step in training_steps():
        epoch = (step - 1) // A_EPOCH
        rows.append(f"{epoch},{rate(step)},{step},{loss(step)},,,")
        if step in ends_of_epochs():
            rows.append(f"{epoch},,{step},,,{held_out(step)},{held_out_loss(step)}")
            rows.append(f"{epoch},,{step},,{loss(step) + 0.5},,")
    path.write_text(
        "\n".join(["epoch,lr-AdamW,step,train_loss_step,train_loss_epoch,val_acc,val_loss", *rows]), "utf-8"
    )


def wandb_csv(path: Path) -> None:
    """Weights & Biases: a chart exported, with the name of the run before each metric and its range beside it."""
    names = ["train/loss", "eval/loss", "eval/accuracy", "train/learning_rate"]
    header = ["Step"] + [f"fine-dust-7 - {name}{end}" for name in names for end in ("", "__MIN", "__MAX")]
    lines = [",".join(f'"{name}"' for name in header)]
    for step in training_steps():
        at_end = step in ends_of_epochs()
        values = [loss(step), held_out_loss(step) if at_end else "", held_out(step) if at_end else "", rate(step)]
        lines.append(",".join(f'"{cell}"' for cell in [step, *(value for value in values for _ in range(3))]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def keras_csv(path: Path) -> None:
    """Keras' CSVLogger: an epoch a row, counted from 0."""
    rows = [f"{epoch},{held_out(step) / 2},{rate(step)},{loss(step)},{held_out(step)},{held_out_loss(step)}"
            for epoch, step in enumerate(ends_of_epochs())]  # fmt: skip
    path.write_text("\n".join(["epoch,accuracy,learning_rate,loss,val_accuracy,val_loss", *rows]), encoding="utf-8")


def timm_csv(path: Path) -> None:
    """timm's summary.csv: epochs from 0, accuracies in percent."""
    rows = [f"{epoch},{loss(step)},{held_out_loss(step)},{100 * held_out(step)},{95.5},{rate(step)}"
            for epoch, step in enumerate(ends_of_epochs())]  # fmt: skip
    path.write_text("\n".join(["epoch,train_loss,eval_loss,eval_top1,eval_top5,lr", *rows]), encoding="utf-8")


def deit_lines(path: Path) -> None:
    """DeiT's log.txt: JSON lines, an epoch each, counted from 0, accuracies in percent."""
    lines = [
        {"train_lr": rate(step), "train_loss": loss(step), "test_loss": held_out_loss(step),
         "test_acc1": 100 * held_out(step), "test_acc5": 95.5, "epoch": epoch, "n_parameters": 5_000_000}
        for epoch, step in enumerate(ends_of_epochs())
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def mmcv_lines(path: Path) -> None:
    """mmcv: ``iter`` begins again in every epoch; records of validation have the number of batches validated."""
    lines: list[dict[str, Any]] = [{"env_info": "sys.platform: linux", "seed": None, "exp_name": "faster_rcnn.py"}]
    for step in training_steps():
        epoch = (step - 1) // A_EPOCH + 1
        lines.append({"mode": "train", "epoch": epoch, "iter": step - (epoch - 1) * A_EPOCH, "lr": rate(step),
                      "memory": 3000, "loss_cls": 0.5, "acc": 92.5, "loss": loss(step), "time": 0.4})  # fmt: skip
        if step in ends_of_epochs():
            lines.append({"mode": "val", "epoch": epoch, "iter": 625, "lr": rate(step), "bbox_mAP": held_out(step),
                          "bbox_mAP_50": 0.9})  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def mmengine_lines(path: Path) -> None:
    """mmengine: records of validation have the epoch in ``step``, accuracies in percent."""
    lines: list[dict[str, Any]] = []
    for step in training_steps():
        epoch = (step - 1) // A_EPOCH + 1
        lines.append({"lr": rate(step), "data_time": 0.01, "loss": loss(step), "time": 0.4, "epoch": epoch,
                      "iter": step, "memory": 3000, "step": step})  # fmt: skip
        if step in ends_of_epochs():
            lines.append({"accuracy/top1": 100 * held_out(step), "accuracy/top5": 95.5, "step": epoch})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def mmengine_by_iterations(path: Path) -> None:
    """mmengine without epochs: records of validation have the iteration in ``step``, scores in percent."""
    lines: list[dict[str, Any]] = []
    for step in training_steps():
        lines.append({"lr": rate(step), "data_time": 0.01, "loss": loss(step), "decode.acc_seg": 92.5, "time": 0.4,
                      "iter": step, "memory": 3000, "step": step})  # fmt: skip
        if step in ends_of_epochs():
            lines.append({"aAcc": 81.5, "mIoU": 100 * held_out(step), "mAcc": 52.5, "data_time": 0.1, "time": 0.2,
                          "step": step})  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def fairseq_log(path: Path) -> None:
    """fairseq: JSON after the words of a log, every value a text, losses in bits."""
    lines = ["2026-01-05 10:00:00 | INFO | fairseq.trainer | begin training epoch 1"]
    for step in training_steps():
        entry = {"epoch": 1, "update": str(step / A_EPOCH), "loss": str(loss(step)), "ppl": str(2 ** loss(step)),
                 "wps": "9000", "lr": str(rate(step)), "num_updates": str(step), "train_wall": "12"}  # fmt: skip
        lines.append(f"2026-01-05 10:00:00 | INFO | train_inner | {json.dumps(entry)}")
        if step in ends_of_epochs():
            told = {"epoch": 1, "valid_loss": str(held_out_loss(step)), "valid_num_updates": str(step)}
            lines.append(f"2026-01-05 10:00:00 | INFO | valid | {json.dumps(told)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def keras_lists(path: Path) -> None:
    """Keras' ``history.history``: lists, an epoch each, and nothing that counts them."""
    steps = ends_of_epochs()
    lists = {"loss": [loss(step) for step in steps], "val_loss": [held_out_loss(step) for step in steps],
             "val_accuracy": [held_out(step) for step in steps]}  # fmt: skip
    path.write_text(json.dumps(lists), encoding="utf-8")


def rows_of_splits(path: Path) -> None:
    """A row for each part of the data, which a column names."""
    lines = [f"{step},{split},{value}" for step in ends_of_epochs()
             for split, value in (("train", loss(step)), ("val", held_out_loss(step)))]  # fmt: skip
    path.write_text("\n".join(["iter,split,loss", *lines]), encoding="utf-8")


def tensorboard_csv(folder: Path) -> None:
    """TensorBoard's downloads: a file for each tag of each run, named after both."""
    folder.mkdir(exist_ok=True)
    tags: list[tuple[str, Callable[[float], float], list[int]]] = [
        ("run-train-tag-epoch_loss", loss, training_steps()),
        ("run-validation-tag-epoch_loss", held_out_loss, ends_of_epochs()),
        ("run-validation-tag-epoch_accuracy", held_out, ends_of_epochs()),
        ("run-train-tag-learning_rate", rate, training_steps()),
    ]
    for name, value, steps in tags:
        rows = [f"{1_600_000_000 + step / 2},{step},{value(step)}" for step in steps]
        (folder / f"{name}.csv").write_text("\n".join(["Wall time,Step,Value", *rows]) + "\n", encoding="utf-8")
