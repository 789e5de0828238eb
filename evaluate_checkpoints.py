"""Stage 3b: score the kept checkpoints of a run on held-out text, broken down.

    python evaluate_checkpoints.py                  # every checkpoint on the whole validation set
    python evaluate_checkpoints.py --split test     # the finished model on the test set, once
    python evaluate_checkpoints.py --dataset runs/quickstart/dataset.json \\
        --checkpoint-dir runs/quickstart/checkpoints --history runs/quickstart/training_history.json \\
        --output runs/quickstart/checkpoint_evaluation.json

For each checkpoint it gives MLM accuracy and loss by decile of training frequency, by token class and by source, NSP
accuracy against strangers of the same and of any source, and the accuracy by the published rule; once, the same for
guessing by counting. It also says how close the model is to those guesses, and what it puts into the blanks of a few
fixed sentences. What each number means stands in pipeline/files/scores.py, the format of the output.
`--hf FOLDER` asks a masked language model of the `transformers` library the same questions, bert-base-chinese for one.

Settings and masks are the run's own, read from its history, so the last checkpoint's totals are the history's. Scores
that are there already are kept: run it again, also while training goes on, and only new checkpoints are scored. The
test set is for the finished model only, so that it steers nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from pipeline.command_line import StageParser
from pipeline.data.corpora import Encoding
from pipeline.data.splits import split_by_article
from pipeline.data.tokenizer import Tokenizer
from pipeline.files import checkpoint, lock
from pipeline.files.dataset import DEFAULT_DATASET, read_dataset
from pipeline.files.history import DEFAULT_HISTORY, History, output_folder, read_history
from pipeline.files.scores import SPLITS, CheckpointScore, read_scores, read_scores_of, scores_beside, write_scores
from pipeline.files.vocabulary import vocabulary_digest
from pipeline.formatting import percent
from pipeline.model.bert import Bert
from pipeline.model.device import HELP as DEVICE_HELP
from pipeline.model.device import NAMES as DEVICES
from pipeline.model.device import chosen_device
from pipeline.model.precision import NAMES as PRECISIONS
from pipeline.model.precision import Precision
from pipeline.score.accuracy_table import accuracy_table
from pipeline.score.blanks import fill, fixed_blanks, read_blanks
from pipeline.score.evaluator import Evaluator
from pipeline.score.run_weights import load_run_weights
from pipeline.score.transformers_model import TransformersModel
from pipeline.stage import InputError, run_stage
from pipeline.train.memory import keep_freed_memory
from pipeline.train.settings import Settings, recorded_settings


def main() -> int:
    arguments = parse_arguments()
    with lock.hold(files=[arguments.output]):  # two that add to the same scores would lose some
        return evaluate(arguments)


def evaluate(arguments: argparse.Namespace) -> int:
    keep_freed_memory()

    # What was trained, and which of its checkpoints are to be scored.
    history = read_history(arguments.history)
    settings = recorded_settings(history, Settings)
    scores = read_scores_of(arguments.output, history.run)
    blanks = read_blanks(arguments.sentences) if arguments.sentences else fixed_blanks()
    files = checkpoints_to_score(arguments, history, settings)
    dataset = read_dataset(arguments.dataset)
    fingerprint = dataset.fingerprint()
    trained_on = history.facts.text("dataset", "fingerprint")
    if fingerprint != trained_on:
        raise InputError(
            f"{arguments.dataset}: differs from the dataset of {arguments.history}, whose fingerprint is {trained_on}; "
            "name that one with --dataset"
        )
    scored = scores.split(arguments.split)
    known = scored.digests() if scored else {}
    missing = [(step, path) for step, path in files if known.get(step) != checkpoint.recorded_digest(path)]
    others = [folder for folder in arguments.hf if not scored or folder.resolve().name not in (scored.others or {})]
    if scored and not missing and not others and scored.available is not None:
        scored.refuse_other_examples(arguments.output, min(arguments.examples or scored.available, scored.available))
        scored.refuse_other_sentences(arguments.output, blanks)
        if scores != read_scores(arguments.output):  # the run has gone on: it may have finished since
            write_scores(arguments.output, scores)
        print(f"nothing new to score: {arguments.output} has all {len(files)} checkpoints")
        print("\n".join(accuracy_table(scored)))
        return 0

    # The questions: the held-out sequences, pairs and masks that the trainer scores, grouped.
    tokenizer = Tokenizer(dataset.vocab)
    splits = split_by_article(dataset, settings.held_out)
    held_out = splits.validation if arguments.split == "validation" else splits.test
    encoding = Encoding(dataset, tokenizer, settings.length)
    evaluator = Evaluator(encoding, held_out, splits.train, arguments.examples)
    scored = scored or replace(evaluator.unanswered(), sentences=blanks)
    scored.refuse_other_questions(arguments.output, evaluator.sequences, evaluator.questions)
    scored.refuse_other_sentences(arguments.output, blanks)

    # The answers: one checkpoint after the other, written as soon as they are there.
    precision = Precision(arguments.precision, torch.device(chosen_device(arguments.device)))
    model = Bert(settings.shape(len(tokenizer))).to(precision.device, precision.weights)
    progress = Progress(len(missing) + len(others), evaluator.batches)
    for step, path in missing:
        if not path.exists():
            progress.passed_over(path)
            continue
        digest = load_run_weights(path, model, step, history.run, vocabulary_digest(dataset.vocab))
        mlm, nsp, counting = evaluator.score_model(model, precision, progress.batch)
        filled = fill(model, tokenizer, blanks, precision)
        entry = CheckpointScore(step, path.name, digest, precision.name, mlm, nsp, counting, filled)
        scored = scored.with_checkpoint(entry)
        write_scores(arguments.output, scores.with_split(arguments.split, scored))
        progress.scored(f"step {entry.step}", mlm.accuracy, nsp.same_source.accuracy if nsp else None)
    for folder in others:
        asked = TransformersModel(folder, tokenizer.tokens, precision.device)
        mlm = evaluator.score_transformers(asked, progress.batch)
        scored = replace(scored, others={**(scored.others or {}), folder.resolve().name: mlm})
        write_scores(arguments.output, scores.with_split(arguments.split, scored))
        progress.scored(f"{folder.resolve().name} ({asked.shared_characters} shared characters)", mlm.accuracy, None)
    progress.close()
    print(f"written: {arguments.output}")
    print("\n".join(accuracy_table(scored)))
    return 0


def checkpoints_to_score(arguments: argparse.Namespace, history: History, settings: Settings) -> list[tuple[int, Path]]:
    """(step, path) by step: the weight checkpoints that were asked for, and the final model."""
    folder, every = arguments.checkpoint_dir, arguments.every * settings.save_interval
    files = dict(checkpoint.weight_files(folder))
    last = history.facts.count("stopped_early") or settings.steps
    if arguments.final is not None:
        files[last] = arguments.final
    if not files:
        raise InputError(f"{folder}: checkpoints (step_<N>.pth) are missing; train_large_100k.py writes them")
    if arguments.split == "test":
        if history.facts.text("finished") is None:
            raise InputError(f"{arguments.history}: the run is not finished; the test set is for its final model only")
        if last not in files:
            raise InputError(f"{folder}: step_{last}.pth is missing; name the final model with --final")
        return [(last, files[last])]
    always = {last, *settings.early_steps}
    chosen = [(step, path) for step, path in sorted(files.items()) if step % every == 0 or step in always]
    if not chosen:
        raise InputError(f"{folder}: none of its checkpoints is at a multiple of {every} steps; lower --every")
    return chosen


class Progress:
    """A bar of batches on a terminal, one line a checkpoint elsewhere."""

    def __init__(self, checkpoints: int, batches: int) -> None:
        self._bar = tqdm(total=checkpoints * batches, unit="batch", disable=not sys.stdout.isatty(), file=sys.stdout)
        self._checkpoints = checkpoints
        self._done = 0
        self._began = time.perf_counter()

    def batch(self) -> None:
        """One more batch is answered."""
        self._bar.update()

    def passed_over(self, path: Path) -> None:
        self._done += 1
        print(f"passing over {path.name}: the trainer's --keep has removed it")

    def scored(self, name: str, mlm: float | None, nsp: float | None) -> None:
        """The model called ``name`` is scored, with these accuracies."""
        self._done += 1
        line = f"{name}: MLM {percent(mlm, 1)}, NSP {percent(nsp, 1)}"
        if not self._bar.disable:
            self._bar.set_postfix_str(line, refresh=False)
            return
        left = (time.perf_counter() - self._began) / self._done * (self._checkpoints - self._done)
        print(f"{line}  ({self._done} of {self._checkpoints}, {left:.0f} s left)", flush=True)

    def close(self) -> None:
        self._bar.close()


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    files = parser.add_argument_group("files")
    defaults: dict[str, tuple[Path, str]] = {
        "--dataset": (DEFAULT_DATASET, "the dataset that the run was trained on"),
        "--checkpoint-dir": (Path("checkpoints_100k"), "folder of the run's checkpoints"),
        "--history": (DEFAULT_HISTORY, "the run's history"),
    }
    for option, (path, meaning) in defaults.items():
        files.add_argument(
            option,
            type=Path,
            default=path,
            metavar="DIR" if option.endswith("-dir") else "FILE",
            help=f"{meaning} (default: {path})",
        )
    files.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the scores (default: checkpoint_evaluation_X.json beside training_history_X.json, "
        "checkpoint_evaluation.json beside any other name; under runs/committed for a history in results)",
    )
    files.add_argument(
        "--final",
        type=Path,
        metavar="FILE",
        help="the finished model; needed only where the last step is not a multiple of --save-interval "
        "(default: step_<steps>.pth)",
    )
    scope = parser.add_argument_group("what is scored")
    scope.add_argument("--split", choices=SPLITS, default="validation", help="default: %(default)s")
    scope.add_argument(
        "--examples", type=int, metavar="COUNT", help="score only so many sequences (default: all of the split)"
    )
    scope.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="COUNT",
        help="every so many-th point of the grid, and all early checkpoints (default: %(default)s, all)",
    )
    scope.add_argument(
        "--sentences",
        type=Path,
        metavar="FILE",
        help="sentences whose blanks are filled at every checkpoint, one a line, as 北京是中国的首[都]。 or 首[MASK] "
        "(default: eight of our own)",
    )
    scope.add_argument(
        "--hf",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="ask masked language models of transformers the same questions (default: none)",
    )
    running = parser.add_argument_group("running")
    running.add_argument("--device", choices=DEVICES, default="auto", help=DEVICE_HELP)
    running.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="as in training (default: %(default)s)"
    )
    arguments = parser.parse_args()
    for option in ("examples", "every"):
        value = getattr(arguments, option)
        if value is not None and value < 1:
            parser.error(f"--{option} must be at least 1")
    arguments.output = arguments.output or output_folder(arguments.history) / scores_beside(arguments.history).name
    return arguments


if __name__ == "__main__":
    run_stage(main)
