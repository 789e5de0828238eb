"""Stage 3: pretrain BERT on masked language modelling and next sentence prediction.

    python train_large_100k.py                          # the published run: 100,000 steps on the large dataset
    python train_large_100k.py --preset quickstart --dataset runs/quickstart/dataset.json \\
        --checkpoint-dir runs/quickstart/checkpoints --history runs/quickstart/training_history.json \\
        --final runs/quickstart/final.pth               # minutes on two CPU cores; what `make study` runs

``begin`` below tells the stage from the dataset to the model; how a run goes on from there is the same for every
objective (``pipeline/train/start/conduct.py``, ``pipeline/train/loop.py``). A run that was stopped, however it was
stopped, goes on from its newest checkpoint when the same command is given again, and ends with the numbers of a run
that was never stopped. ``check_progress.py`` reads the history while it grows.

It writes the history, weight checkpoints and the state to resume from, and at the end the final model with its
vocabulary and, beside the history, its right answers in each held-out sequence. Exit code 3: the loss or the gradient
stopped being finite.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import Any

import torch

from pipeline.data.corpora import Corpora, build_corpora
from pipeline.files.dataset import DEFAULT_DATASET, Dataset, read_dataset
from pipeline.files.history import DEFAULT_HISTORY, History
from pipeline.files.vocabulary import write_vocab_txt
from pipeline.formatting import count, percent
from pipeline.model.bert import Bert
from pipeline.stage import run_stage
from pipeline.train.describe import Plan, describe
from pipeline.train.memory import refuse_too_large
from pipeline.train.objectives.masked_lm import MaskedLM
from pipeline.train.run import Run
from pipeline.train.settings import MASKED_PRESETS, Settings
from pipeline.train.start.conduct import Asked, Begun, conduct, write_final
from pipeline.train.start.options import add_trainer_options, check_trainer_options, trainer_parser


def main() -> int:
    return conduct(parse_arguments(), MASKED_PRESETS, describe_bert, begin)


def describe_bert(asked: Asked[Settings]) -> Plan:
    """What the run would be; lengths and passes over the data are known where the dataset is there."""
    path: Path = asked.arguments.dataset
    corpus = split_and_encode(read_dataset(path), path, asked.settings).train if path.exists() else None
    return describe(asked.settings, corpus, asked.precision)


def begin(asked: Asked[Settings], held: contextlib.ExitStack) -> Begun | None:
    """The run where it stands, its files locked until ``held`` is closed; None where it is finished."""
    path, settings, processes, precision = asked.arguments.dataset, asked.settings, asked.processes, asked.precision
    dataset = read_dataset(path)
    planned = asked.planned(path, dataset)
    if asked.is_done(planned):
        return None

    # What is trained on, what is held out, and which sentences have a neighbour.
    if not dataset.documents:
        asked.say(
            "next sentence prediction is off: the dataset lists no documents, so neighbours of sentences are unknown"
        )
    for warning in settings.warnings():
        asked.say(f"warning: {warning}")
    corpora = split_and_encode(dataset, path, settings)
    repeats = len(corpora.splits.repeats)
    if repeats:
        asked.say(f"{count(repeats)} documents nearly repeat held-out text and are left out of training")
    planned["dataset"]["documents"] = {name: len(documents) for name, documents in vars(corpora.splits).items()}
    asked.take_files(held)

    # The model, what it is trained for, and how far it has come.
    torch.manual_seed(settings.seed)
    shape = settings.shape(len(corpora.tokenizer))
    refuse_too_large(shape, processes.device, precision.weights)
    model = Bert(shape).to(processes.device, precision.weights)
    objective = MaskedLM(model, corpora, settings, precision)
    run = asked.start(model, objective, planned, objective.facts(), History())
    return Begun(
        run,
        ready=lambda: write_vocab_txt(run.files.checkpoint_dir / "vocab.txt", dataset.vocab),
        finish=lambda: finish(run, objective, dataset),
    )


def split_and_encode(dataset: Dataset, path: Path, settings: Settings) -> Corpora:
    return build_corpora(
        dataset, path, length=settings.length, mask_rate=settings.mask_rate, held_out=settings.held_out
    )


def finish(run: Run, objective: MaskedLM, dataset: Dataset) -> None:
    """Score all of validation and, once, of test; write the final model, the hits and the finished history."""
    write_vocab_txt(run.files.final.parent / "vocab.txt", dataset.vocab)
    write_final(run, *objective.final_scores())
    test: dict[str, Any] = run.history.run["test"]
    print(
        f"test: MLM {percent(test['mlm_acc'], 1)} of {test['mlm_targets']}, NSP {percent(test['nsp_acc'], 1)}", end="; "
    )
    print(f"{run.files.final} and {run.files.history} are complete")


def parse_arguments() -> argparse.Namespace:
    parser = trainer_parser(__doc__, MASKED_PRESETS)
    files = {
        "--dataset": (DEFAULT_DATASET, "the dataset to train on"),
        "--checkpoint-dir": (Path("checkpoints_100k"), "folder of the checkpoints"),
        "--history": (DEFAULT_HISTORY, "the history, written as the run goes on"),
        "--final": (Path("stage4_large_100k_final.pth"), "the finished model"),
    }
    add_trainer_options(parser, files, MASKED_PRESETS)
    arguments = parser.parse_args()
    check_trainer_options(parser, arguments)
    return arguments


if __name__ == "__main__":
    run_stage(main)
