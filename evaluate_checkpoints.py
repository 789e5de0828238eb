"""Stage 3b: score the kept checkpoints of a run on held-out text, broken down.

    python evaluate_checkpoints.py                  # every checkpoint on the whole validation set
    python evaluate_checkpoints.py --split test     # the finished model on the test set, once
    python evaluate_checkpoints.py --dataset runs/quickstart/dataset.json \\
        --checkpoint-dir runs/quickstart/checkpoints --history runs/quickstart/training_history.json \\
        --output runs/quickstart/checkpoint_evaluation.json

For each checkpoint it gives MLM accuracy and loss by decile of training frequency, by token class and by source, NSP
accuracy against strangers of the same and of any source, and the accuracy by the published rule; once, the same for
guessing by counting. What each number means stands in pipeline/files/scores.py, the format of the output.

Settings and masks are the run's own, read from its history, so the last checkpoint's totals are the history's. Scores
that are there already are kept: run it again, also while training goes on, and only new checkpoints are scored. The
test set is for the finished model only, so that it steers nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from pipeline.data.corpora import Encoding
from pipeline.data.splits import split_by_article
from pipeline.data.tokenizer import Tokenizer
from pipeline.files import checkpoint
from pipeline.files.dataset import DEFAULT_DATASET, Dataset, read_dataset
from pipeline.files.history import DEFAULT_HISTORY, read_history
from pipeline.files.run_record import run_differences
from pipeline.files.scores import DEFAULT_SCORES, FORMAT, SPLITS, read_scores, write_scores
from pipeline.formatting import percent
from pipeline.model.bert import Bert, Shape
from pipeline.model.device import NAMES as DEVICES
from pipeline.model.device import chosen_device
from pipeline.model.precision import NAMES as PRECISIONS
from pipeline.model.precision import Precision
from pipeline.score.evaluator import Evaluator
from pipeline.stage import InputError, run_stage
from pipeline.train.allocator import keep_freed_memory
from pipeline.train.settings import Settings, recorded_settings

TABLE_ROWS = 12


def main() -> int:
    arguments = parse_arguments()
    keep_freed_memory()
    history = read_history(arguments.history)
    run, settings = history.run, recorded_settings(history)
    scores = earlier_scores(arguments, run)
    section = scores.get(arguments.split, {})
    files = checkpoints_to_score(arguments, run, settings)
    dataset = read_dataset(arguments.dataset)
    refuse_other_dataset(arguments, run, dataset)
    known = {entry["step"]: entry["sha256"] for entry in section.get("checkpoints", [])}
    missing = [(step, path) for step, path in files if known.get(step) != checkpoint.recorded_digest(path)]
    if missing:
        score_missing(arguments, scores, settings, dataset, missing)
    else:
        if scores != read_scores(arguments.output):  # the run has gone on: it may have finished since
            write_scores(arguments.output, scores)
        print(f"nothing new to score: {arguments.output} has all {len(files)} checkpoints")
    print("\n".join(table(scores[arguments.split])))
    return 0


def earlier_scores(arguments: argparse.Namespace, run: dict[str, Any]) -> dict[str, Any]:
    """What the output holds of this run, with the run's newest facts; a frame for it where there is no output yet."""
    if not arguments.output.exists():
        return {"format": FORMAT, "run": run}
    scores = read_scores(arguments.output)
    different = run_differences(scores["run"], run)
    if different:
        raise InputError(
            f"{arguments.output}: holds scores of another run ({'; '.join(different)}); give another --output"
        )
    return {**scores, "run": run}


def checkpoints_to_score(
    arguments: argparse.Namespace, run: dict[str, Any], settings: Settings
) -> list[tuple[int, Path]]:
    """(step, path) by step: the weight checkpoints that were asked for, and the final model."""
    every = arguments.every * settings.save_interval
    files = dict(checkpoint.weight_files(arguments.checkpoint_dir))
    last = run.get("stopped_early") or settings.steps
    if arguments.final is not None:
        files[last] = arguments.final
    if not files:
        raise InputError(f"{arguments.checkpoint_dir}: holds no step_<N>.pth; train_large_100k.py writes them")
    if arguments.split == "test":
        if run.get("finished") is None:
            raise InputError(f"{arguments.history}: the run is not finished; the test set is for its final model only")
        if last not in files:
            raise InputError(f"{arguments.checkpoint_dir}: holds no step_{last}.pth; name the final model with --final")
        return [(last, files[last])]
    chosen = [(step, path) for step, path in sorted(files.items()) if step % every == 0 or step == last]
    if not chosen:
        raise InputError(
            f"{arguments.checkpoint_dir}: holds no checkpoint at a multiple of {every} steps; lower --every"
        )
    return chosen


def refuse_other_dataset(arguments: argparse.Namespace, run: dict[str, Any], dataset: Dataset) -> None:
    trained_on = (run.get("dataset") or {}).get("fingerprint")
    if dataset.fingerprint() != trained_on:
        raise InputError(
            f"{arguments.dataset}: is not the dataset of {arguments.history}, whose fingerprint is {trained_on}; "
            "name that one with --dataset"
        )


def score_missing(
    arguments: argparse.Namespace,
    scores: dict[str, Any],
    settings: Settings,
    dataset: Dataset,
    missing: list[tuple[int, Path]],
) -> None:
    """Score the ``missing`` checkpoints into ``scores`` and write them after each."""
    precision = Precision(arguments.precision, torch.device(chosen_device(arguments.device)))
    tokenizer = Tokenizer(dataset.vocab)
    splits = split_by_article(dataset, settings.held_out)
    evaluator = Evaluator(
        Encoding(dataset, tokenizer, settings.length),
        {"validation": splits.validation, "test": splits.test}[arguments.split],
        splits.train,
        settings.seed,
        arguments.examples,
    )
    section = prepared_section(arguments, scores, evaluator)
    model = Bert(settings.shape(len(tokenizer))).to(precision.device, precision.weights)

    total = len(missing) * evaluator.batches
    bar = tqdm(total=total, unit="batch", disable=not sys.stdout.isatty(), file=sys.stdout)
    began = time.perf_counter()
    for number, (step, path) in enumerate(missing, start=1):
        if not path.exists():
            print(f"passing over {path.name}: the trainer's --keep has removed it")
            continue
        load_weights(path, step, model, scores["run"])
        entry = {
            "step": step,
            "file": path.name,
            "sha256": checkpoint.recorded_digest(path),
            "precision": precision.name,
            **evaluator.score_model(model, precision, bar.update),
        }
        others = [other for other in section["checkpoints"] if other["step"] != step]
        section["checkpoints"] = sorted([*others, entry], key=lambda one: one["step"])
        write_scores(arguments.output, scores)
        line = f"step {step}: MLM {percent(entry['mlm']['accuracy'], 1)}, NSP {percent(nsp_accuracy(entry), 1)}"
        if bar.disable:
            left = (time.perf_counter() - began) / number * (len(missing) - number)
            print(f"{line}  ({number} of {len(missing)}, {left:.0f} s left)", flush=True)
        else:
            bar.set_postfix_str(line, refresh=False)
    bar.close()
    print(f"written: {arguments.output}")


def prepared_section(arguments: argparse.Namespace, scores: dict[str, Any], evaluator: Evaluator) -> dict[str, Any]:
    """The section of ``scores`` for this split, made where it is not there: its groups and the counting guesses."""
    section = scores.get(arguments.split)
    if section is None:
        section = {
            "sequences": evaluator.sequences,
            "groups": evaluator.groups(),
            "guesses": evaluator.score_guesses(),
            "checkpoints": [],
        }
        scores[arguments.split] = section
    if section["sequences"] != evaluator.sequences:
        raise InputError(
            f"{arguments.output}: was scored on {section['sequences']} sequences, not {evaluator.sequences}; give "
            "the same --examples, or another --output"
        )
    return section


def load_weights(path: Path, step: int, model: Bert, run: dict[str, Any]) -> None:
    """Take the weights of ``step`` from ``path``, where they are of this very ``run``."""
    content = checkpoint.load(path)
    shape, expected = content.get("shape"), dataclasses.asdict(model.shape)
    facts = {"step": step, "seed": run["seed"], "dataset": run["dataset"]["fingerprint"]}
    if shape != expected or any(content.get(name) != value for name, value in facts.items()):
        held = shape if isinstance(shape, dict) else {}
        names = [field.name for field in dataclasses.fields(Shape) if held.get(field.name) != expected[field.name]]
        different = [f"{name}: {expected[name]} -> {held.get(name)}" for name in names]
        different += [f"{name}: {v} -> {content.get(name)}" for name, v in facts.items() if content.get(name) != v]
        raise InputError(f"{path}: checkpoint belongs to another run ({'; '.join(different)}); name the run's own")
    try:
        model.load_state_dict(content["model"])
    except (KeyError, RuntimeError, AttributeError, TypeError):
        raise InputError(
            f"{path}: holds other weights than this program's model; use the version that wrote it"
        ) from None


def table(section: dict[str, Any]) -> list[str]:
    """Steps against accuracy by a few groups, in percent; the best counting guess in the last line."""
    heads = ("step", "MLM", "Han", "decile 1", "decile 5", "decile 10", "punct.", "NSP", "NSP any", "published")
    checkpoints = section["checkpoints"]
    apart = -(-len(checkpoints) // TABLE_ROWS)
    shown = checkpoints[::-1][::apart][::-1]  # every so many, the last among them
    rows = [
        (
            f"{entry['step']:,}",
            *mlm_columns(entry["mlm"]),
            nsp_accuracy(entry),
            nsp_accuracy(entry, "any_source"),
            entry["mlm"]["published_rule"]["accuracy_summed"],
        )
        for entry in shown
    ]
    guess = section["guesses"]["both"]
    rows.append(("counting", *mlm_columns(guess), None, None, guess["published_rule"]["accuracy"]))
    lines = [[*heads], *([row[0], *(percent(share, 1) for share in row[1:])] for row in rows)]
    return [
        "accuracy on held-out text; deciles of the running Han text by training frequency, 1 the rarest",
        *("".join(f"{cell:>11}" for cell in line) for line in lines),
    ]


def mlm_columns(score: dict[str, Any]) -> list[float | None]:
    tenths = score["by_text_decile"]
    groups = [score["by_class"]["han"], tenths["1"], tenths["5"], tenths["10"], score["by_class"]["punctuation"]]
    return [score["accuracy"], *(group["accuracy"] for group in groups)]


def nsp_accuracy(entry: dict[str, Any], strangers: str = "same_source") -> float | None:
    return entry["nsp"][strangers]["accuracy"] if entry["nsp"] else None


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    files = parser.add_argument_group("files")
    defaults: dict[str, tuple[Path, str]] = {
        "--dataset": (DEFAULT_DATASET, "the dataset that the run was trained on"),
        "--checkpoint-dir": (Path("checkpoints_100k"), "folder of the run's checkpoints"),
        "--history": (DEFAULT_HISTORY, "the run's history"),
        "--output": (DEFAULT_SCORES, "the scores"),
    }
    for option, (path, meaning) in defaults.items():
        files.add_argument(option, type=Path, default=path, metavar="PATH", help=f"{meaning} (default: {path})")
    files.add_argument(
        "--final",
        type=Path,
        metavar="PATH",
        help="the finished model; needed only where the last step is no point of the grid (default: step_<steps>.pth)",
    )
    scope = parser.add_argument_group("what is scored")
    scope.add_argument("--split", choices=SPLITS, default="validation", help="default: %(default)s")
    scope.add_argument("--examples", type=int, metavar="N", help="score only N sequences (default: all of the split)")
    scope.add_argument(
        "--every", type=int, default=1, metavar="K", help="every K-th point of the grid (default: %(default)s, all)"
    )
    running = parser.add_argument_group("running")
    running.add_argument("--device", choices=DEVICES, default="auto", help="default: %(default)s")
    running.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="as in training (default: %(default)s)"
    )
    arguments = parser.parse_args()
    for option in ("examples", "every"):
        value = getattr(arguments, option)
        if value is not None and value < 1:
            parser.error(f"--{option} must be at least 1")
    return arguments


if __name__ == "__main__":
    run_stage(main)
