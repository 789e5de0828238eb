"""Stage 3: pretrain BERT on masked language modelling and next sentence prediction.

    python train_large_100k.py                          # the published run: 100,000 steps on the large dataset
    python train_large_100k.py --preset quickstart --dataset runs/quickstart/dataset.json \\
        --checkpoint-dir runs/quickstart/checkpoints --history runs/quickstart/training_history.json \\
        --final runs/quickstart/final.pth               # minutes on two CPU cores; what `make study` runs

``train_bert`` below tells the stage from the dataset to the final scores; the loop itself is
``pipeline/train/loop.py``. A run that was stopped, however it was stopped, goes on from its newest checkpoint when the
same command is given again, and ends with the numbers of a run that was never stopped. ``check_progress.py`` reads the
history while it grows.

It writes the history, weight checkpoints and the state to resume from, and at the end the final model with its
vocabulary and, beside the history, its right answers in each held-out sequence. Exit code 3: the loss or the gradient
stopped being finite.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

import torch

from pipeline.data.corpora import Corpora, build_corpora
from pipeline.files import checkpoint
from pipeline.files.checkpoint_names import KeptStates, parse_kept_states
from pipeline.files.dataset import DEFAULT_DATASET, Dataset, read_dataset
from pipeline.files.final_scoring import FORMAT as SCORING_FORMAT
from pipeline.files.final_scoring import FinalScoring, final_scoring_beside, write_final_scoring
from pipeline.files.history import DEFAULT_HISTORY, History
from pipeline.files.run_record import CHANGEABLE
from pipeline.files.vocabulary import write_vocab_txt
from pipeline.formatting import count, now, percent
from pipeline.model.bert import Bert
from pipeline.model.device import HELP as DEVICE_HELP
from pipeline.model.device import NAMES as DEVICES
from pipeline.model.device import chosen_device
from pipeline.model.precision import NAMES as PRECISIONS
from pipeline.model.precision import Precision
from pipeline.stage import run_stage
from pipeline.train.branch import Trunk, begin_branch, read_trunk
from pipeline.train.describe import describe
from pipeline.train.gradient_watch import GradientWatch
from pipeline.train.loop import train
from pipeline.train.memory import keep_freed_memory, refuse_too_large
from pipeline.train.objectives.masked_lm import MaskedLM
from pipeline.train.optimizer import Optimizer
from pipeline.train.processes import Processes
from pipeline.train.resuming import is_finished, record_machine, resume, start_over
from pipeline.train.run import Run, RunFiles
from pipeline.train.run_description import describe_run
from pipeline.train.settings import (
    DEFAULT_PRESET,
    PRESET_NOTES,
    Settings,
    add_settings,
    chosen_settings,
    given_settings,
)
from pipeline.train.threads import number_of_threads, set_threads


def main() -> int:
    arguments = parse_arguments()
    trunk = read_trunk(arguments.branch_from) if arguments.branch_from else None
    settings = trunk.settings_with(given_settings(arguments)) if trunk else chosen_settings(arguments)
    keep_freed_memory()
    with Processes(chosen_device(arguments.device)) as processes:
        precision = Precision(arguments.precision, processes.device)
        if arguments.describe:
            return processes.leave(print_description(settings, precision, arguments.dataset) if processes.first else 0)
        return processes.leave(train_bert(settings, processes, precision, trunk, arguments))


def print_description(settings: Settings, precision: Precision, path: Path) -> int:
    """Print what the run would be; lengths and passes over the data are known where the dataset is there."""
    corpus = split_and_encode(read_dataset(path), path, settings).train if path.exists() else None
    print(json.dumps(dataclasses.asdict(describe(settings, corpus, precision)), indent=1))
    return 0


def train_bert(
    settings: Settings, processes: Processes, precision: Precision, trunk: Trunk | None, arguments: argparse.Namespace
) -> int:
    """The whole stage; returns the exit code."""
    with contextlib.ExitStack() as held:
        with processes.together() as facts:
            begun = begin(settings, processes, precision, trunk, arguments, held)
            facts["finished"] = begun is None
            if begun is not None:
                facts.update(begun[0].shared_facts())
        if begun is None:
            return 0
        run, objective, dataset = begun
        if processes.first:
            write_vocab_txt(run.files.checkpoint_dir / "vocab.txt", dataset.vocab)
        compiled = processes.device.type == "cuda" if arguments.compile is None else arguments.compile
        interrupted = train(run, compiled=compiled, tensorboard=arguments.tensorboard)
        if interrupted:
            return interrupted
        if processes.first:
            finish(run, objective, dataset)
        return 0


def begin(
    settings: Settings,
    processes: Processes,
    precision: Precision,
    trunk: Trunk | None,
    arguments: argparse.Namespace,
    held: contextlib.ExitStack,
) -> tuple[Run, MaskedLM, Dataset] | None:
    """The run where it stands, its files locked until ``held`` is closed; None where it is finished."""
    processes.refuse_idle(settings.effective_batch)
    dataset = read_dataset(arguments.dataset)
    files = RunFiles(
        arguments.checkpoint_dir, arguments.history, arguments.final, arguments.keep, arguments.keep_states
    )
    preset = trunk.history.run["preset"] if trunk else arguments.preset or DEFAULT_PRESET
    planned = describe_run(preset, settings, arguments.dataset, dataset, precision)
    if trunk:
        planned["branch"] = trunk.facts()
        trunk.refuse_unless_shared(settings, files, planned)
    if arguments.resume and is_finished(files, planned):
        if processes.first:
            print(f"already finished: {files.history} and {files.final}; --no-resume trains it again")
        return None

    # What is trained on, what is held out, and which sentences have a neighbour.
    if not dataset.documents and processes.first:
        print("next sentence prediction is off: the dataset lists no documents, so neighbours of sentences are unknown")
    if processes.first:
        for warning in settings.warnings():
            print(f"warning: {warning}", flush=True)
    corpora = split_and_encode(dataset, arguments.dataset, settings)
    if corpora.splits.repeats and processes.first:
        print(
            f"{count(len(corpora.splits.repeats))} documents nearly repeat held-out text and are left out of training"
        )
    planned["dataset"]["documents"] = {name: len(documents) for name, documents in vars(corpora.splits).items()}
    if processes.first:
        files.refuse_unwritable()
        held.enter_context(files.held())

    # The model, what it is trained for, and how it steps.
    torch.manual_seed(settings.seed)
    shape = settings.shape(len(corpora.tokenizer))
    refuse_too_large(shape, processes.device, precision.weights)
    model = Bert(shape).to(processes.device, precision.weights)
    objective = MaskedLM(model, corpora, settings, precision)
    half = precision.name == "fp16"  # its gradients overflow now and then; such a step is skipped
    run = Run(
        settings=settings,
        files=files,
        processes=processes,
        precision=precision,
        objective=objective,
        optimizer=Optimizer(model, settings, scaled=half),
        gradients=GradientWatch(processes.device, skips_overflow=half),
        history=History(run={**planned, "processes": processes.count, **objective.facts()}),
    )
    resumed = arguments.resume and resume(run, change_settings=arguments.change_settings)
    if not arguments.resume and processes.first:
        start_over(files)
    if trunk and run.step == 0:
        begin_branch(run, trunk)
    run.history.run["keep_states"] = str(run.kept_states)
    set_threads(run, arguments.threads)
    record_machine(run, resumed=resumed)
    return run, objective, dataset


def split_and_encode(dataset: Dataset, path: Path, settings: Settings) -> Corpora:
    return build_corpora(
        dataset, path, length=settings.length, mask_rate=settings.mask_rate, held_out=settings.held_out
    )


def finish(run: Run, objective: MaskedLM, dataset: Dataset) -> None:
    """Score all of validation and, once, of test; write the final model, the hits and the finished history."""
    files, facts = run.files, run.history.run
    means, hits = objective.final_scores()
    facts.update(means)
    facts["finished"] = now()
    checkpoint.save(files.final, run.weights())
    write_vocab_txt(files.final.parent / "vocab.txt", dataset.vocab)
    fingerprint = facts["dataset"]["fingerprint"]
    scoring = FinalScoring(SCORING_FORMAT, run.settings.seed, fingerprint, run.step, hits["validation"], hits["test"])
    write_final_scoring(final_scoring_beside(files.history), scoring)
    run.history.write(files.history)
    test: dict[str, Any] = facts["test"]
    print(
        f"test: MLM {percent(test['mlm_acc'], 1)} of {test['mlm_targets']}, NSP {percent(test['nsp_acc'], 1)}", end="; "
    )
    print(f"{files.final} and {files.history} are complete")


def kept_states(text: str) -> KeptStates:
    try:
        return parse_kept_states(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parse_arguments() -> argparse.Namespace:
    presets = "\n".join(f"  {name:<12} {note}" for name, note in PRESET_NOTES.items())
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"presets:\n{presets}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    files = parser.add_argument_group("files")
    defaults: dict[str, tuple[Path, str]] = {
        "--dataset": (DEFAULT_DATASET, "the dataset to train on"),
        "--checkpoint-dir": (Path("checkpoints_100k"), "folder of the checkpoints"),
        "--history": (DEFAULT_HISTORY, "the history, written as the run goes on"),
        "--final": (Path("stage4_large_100k_final.pth"), "the finished model"),
    }
    for option, (path, meaning) in defaults.items():
        files.add_argument(option, type=Path, default=path, metavar="PATH", help=f"{meaning} (default: {path})")
    running = parser.add_argument_group("running")
    running.add_argument("--device", choices=DEVICES, default="auto", help=DEVICE_HELP)
    running.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="auto: bf16 or fp16 on CUDA, fp32 on the CPU; fp64 is for tests of exactness (default: %(default)s)",
    )
    running.add_argument(
        "--threads",
        type=number_of_threads,
        metavar="N|auto",
        help="CPU threads; auto finds the fastest number by a trial of seconds and keeps it when the run goes on; the "
        "last digits depend on it (default: what OMP_NUM_THREADS says, else one for each core)",
    )
    running.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        help="torch.compile the model (default: on CUDA only; on a CPU it needs a C++ compiler)",
    )
    running.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="write the records for TensorBoard too (default: no)"
    )
    running.add_argument(
        "--keep", type=int, default=0, metavar="N", help="keep only the newest N weight checkpoints (default: 0, all)"
    )
    running.add_argument(
        "--keep-states",
        type=kept_states,
        default=KeptStates(),
        metavar="STEPS",
        help="full states, three times as large, that stay besides the newest two, to branch from: 12500,25000 or "
        "every:5000 (default: of a wsd run the one where its rate begins to fall, else none)",
    )
    running.add_argument(
        "--branch-from",
        type=Path,
        metavar="STATE",
        help="begin with a run's full state (state_<N>.pth) of a constant rate and go on to --steps, by default with a "
        "decay over all that is left; settings and records before it are the run's (default: begin with step 1)",
    )
    running.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the newest checkpoint (the default); --no-resume first removes what lies there of a run: its "
        "final model, checkpoints and history",
    )
    running.add_argument(
        "--change-settings",
        action="store_true",
        help=f"go on from the newest checkpoint with other values of {', '.join(CHANGEABLE)}; batch_size and "
        "accumulation too, where their product stays (default: a run with other settings is refused)",
    )
    add_settings(parser)
    running.add_argument(
        "--describe", action="store_true", help="print what the run would be, as JSON, and train nothing (default: no)"
    )
    arguments = parser.parse_args()
    if arguments.keep < 0:
        parser.error("--keep must not be negative")
    if arguments.branch_from and (arguments.preset or not arguments.steps):
        parser.error("--branch-from needs --steps and takes all other settings from its trunk, no --preset")
    if arguments.change_settings and not arguments.resume:
        parser.error("--change-settings goes on with a run, --no-resume begins a new one: give one of them")
    return arguments


if __name__ == "__main__":
    run_stage(main)
