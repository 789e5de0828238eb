"""Stage 3: pretrain BERT on masked language modelling and next sentence prediction.

    python train_large_100k.py                          # the published run: 100,000 steps on the large dataset
    python train_large_100k.py --preset quickstart --dataset runs/quickstart/dataset.json \\
        --checkpoint-dir runs/quickstart/checkpoints --history runs/quickstart/training_history.json \\
        --final runs/quickstart/final.pth               # minutes on two CPU cores; what `make study` runs

The whole training loop is in ``train`` below. A run that was stopped, however it was stopped, goes on from its newest
checkpoint when the same command is given again, and ends with the numbers of a run that was never stopped.
``check_progress.py`` reads the history while it grows.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from pipeline.baselines.counting import CountingGuesses
from pipeline.data.corpora import Corpora, build_corpora
from pipeline.data.masked_pairs import NO_PAIR, Batch, TrainingBatches, counts, held_out_batches, split_batch
from pipeline.files import checkpoint
from pipeline.files.dataset import DEFAULT_DATASET, Dataset, read_dataset
from pipeline.files.history import DEFAULT_HISTORY, History, parse_history, read_history
from pipeline.files.vocabulary import write_vocab_txt
from pipeline.formatting import now, percent
from pipeline.model import dropout
from pipeline.model.bert import Bert, shape_of, to_device
from pipeline.model.device import chosen_device
from pipeline.model.loss import Totals
from pipeline.model.precision import NAMES, Precision
from pipeline.score.held_out import SCORING_BATCH, published_log, score
from pipeline.stage import INTERRUPTED, InputError, StopSignal, run_stage
from pipeline.statistics.early_stop import EarlyStop
from pipeline.train.allocator import keep_freed_memory
from pipeline.train.describe import describe, flops_of_step
from pipeline.train.gradient_watch import Health
from pipeline.train.optimizer import Optimizer, learning_rate
from pipeline.train.processes import Processes
from pipeline.train.run_description import describe_run, refuse_other_run, run_differences
from pipeline.train.settings import PRESET_NOTES, Settings, add_settings, chosen_settings
from pipeline.train.tensorboard import TensorBoard

PUBLISHED_MICRO_BATCH = 32  # sequences, whose accuracy the published run logged


@dataclass
class Run:
    """What one run trains, on what, and how far it has come."""

    settings: Settings
    processes: Processes
    precision: Precision
    model: Bert
    optimizer: Optimizer
    batches: TrainingBatches
    validation: list[Batch]
    han: np.ndarray  # bool [V]
    totals: Totals
    health: Health
    history: History
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0

    @property
    def device(self) -> torch.device:
        return self.processes.device

    @property
    def last_step(self) -> int:
        """Where the run ends: the last step of the schedule, or the one at which ``--early-stop`` ended it."""
        return self.history.run["stopped_early"] or self.settings.steps


def main() -> int:
    arguments = parse_arguments()
    settings = chosen_settings(arguments)
    keep_freed_memory()
    with Processes(chosen_device(arguments.device)) as processes:
        precision = Precision(arguments.precision, processes.device)
        if arguments.describe:
            return print_description(settings, precision, arguments.dataset)
        return processes.leave(train_on(read_dataset(arguments.dataset), settings, processes, precision, arguments))


def print_description(settings: Settings, precision: Precision, path: Path) -> int:
    corpus = build_corpora(read_dataset(path), settings, path).train if path.exists() else None
    print(json.dumps(describe(settings, corpus, precision), indent=1))
    return 0


def train_on(
    dataset: Dataset, settings: Settings, processes: Processes, precision: Precision, arguments: argparse.Namespace
) -> int:
    if not dataset.documents and processes.first:
        print("next sentence prediction is off: the dataset has no documents, so no sentence has a known neighbour")
    corpora = build_corpora(dataset, settings, arguments.dataset)
    tokenizer = corpora.tokenizer
    torch.manual_seed(settings.seed)
    model = Bert(shape_of(settings, len(tokenizer))).to(processes.device, precision.weights)
    run = Run(
        settings=settings,
        processes=processes,
        precision=precision,
        model=model,
        optimizer=Optimizer(model, settings, scaled=precision.name == "fp16"),
        batches=TrainingBatches(corpora.train, settings.effective_batch, settings.seed),
        validation=held_out_batches(corpora.validation, settings.eval_examples, SCORING_BATCH, settings.seed),
        han=tokenizer.han_ids(),
        totals=Totals(tokenizer.han_ids(), processes.device),
        health=Health(processes.device, skips_overflow=precision.name == "fp16"),
        history=History(),
    )
    guesses = CountingGuesses(corpora.train)
    run.history.run = {
        **describe_run(arguments.preset, settings, arguments.dataset, dataset, corpora.splits, precision),
        "processes": processes.count,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "train_examples": len(corpora.train),
        "flops_per_step": flops_of_step(settings, run.batches),
        "eval_counts": counts(run.validation, run.han),
        "guesses": guesses.accuracies(run.validation, run.han),
    }
    if arguments.resume and finished(arguments, run):
        if processes.first:
            print(f"already finished: {arguments.history} and {arguments.final}; remove them to train again")
        return 0
    if arguments.resume:
        resume(arguments, run)
    elif processes.first:
        checkpoint.clear(arguments.checkpoint_dir)
    processes.wait()

    if processes.first:
        write_vocab_txt(arguments.checkpoint_dir / "vocab.txt", dataset.vocab)
    if not train(run, arguments):
        return INTERRUPTED
    if processes.first:
        finish(run, arguments, corpora, guesses, dataset.vocab)
    return 0


def train(run: Run, arguments: argparse.Namespace) -> bool:
    """The training loop. Returns whether it reached the last step; False when a signal stopped it, after saving."""
    settings, processes, device = run.settings, run.processes, run.device
    if arguments.compile or (arguments.compile is None and device.type == "cuda"):
        run.model.compile(dynamic=True)
    model = processes.parallel(run.model).train()
    stopped = StopSignal()
    quiet = not (processes.first and sys.stdout.isatty())
    bar = tqdm(total=settings.steps, initial=run.step, unit="step", disable=quiet, file=sys.stdout)
    log = TensorBoard(arguments.tensorboard if processes.first else None, run.step)
    clock = time.perf_counter() - run.seconds
    with ThreadPoolExecutor(max_workers=1) as worker:
        # The worker lays out the next step's batch while this one is computed.
        upcoming = worker.submit(micro_batches, run, run.step + 1)
        stopping = False
        while run.step < run.last_step and not stopping:
            step = run.step + 1
            parts = upcoming.result()
            upcoming = worker.submit(micro_batches, run, step + 1)

            # The loss is a mean over the whole optimizer step, so how it is cut into micro-batches changes nothing.
            # DDP averages gradients over the processes, which share the step: hence the factor.
            targets = max(sum(len(part.labels) for part in parts), 1) / processes.count
            pairs = max(sum(int((part.next_labels != NO_PAIR).sum()) for part in parts), 1) / processes.count
            mine = range(processes.rank, len(parts), processes.count)
            for number in mine:
                dropout.seed(dropout_seed(settings.seed, step, number))
                inputs = to_device(parts[number], settings.heads, device)
                with processes.synchronized(model, last=number == mine[-1]):
                    with run.precision.autocast():
                        mlm_logits, next_logits = model(inputs)
                    mlm_loss, nsp_loss = run.totals.add(mlm_logits, next_logits, inputs)
                    run.optimizer.backward(mlm_loss / targets + nsp_loss / pairs)
            run.health.note(step, run.optimizer.step(learning_rate(step, settings)))
            run.step = step
            run.tokens += sum(len(part.tokens) for part in parts)
            run.seconds = time.perf_counter() - clock

            stopping = processes.any(bool(stopped))
            if step % settings.log_interval == 0 or step == settings.steps:
                record(run, arguments, bar, log)
                if settings.early_stop and processes.any(gains_too_little(run)):
                    run.history.run["stopped_early"] = step
            if step % settings.save_interval == 0 or step == run.last_step or stopping:
                save(run, arguments)
            run.seconds = time.perf_counter() - clock
            bar.update()
    bar.close()
    if run.step < run.last_step and processes.first:
        print(f"stopped by a signal after step {run.step}, which is saved; the same command goes on from there")
    return run.step == run.last_step


def micro_batches(run: Run, step: int) -> list[Batch]:
    return split_batch(run.batches[step], run.processes.micro_batches(run.settings.accumulation))


def dropout_seed(seed: int, step: int, number: int) -> int:
    """A seed for each micro-batch, so that dropout does not depend on what ran before."""
    return int(np.random.SeedSequence((seed, step, number)).generate_state(1, np.uint64)[0] >> 1)


def record(run: Run, arguments: argparse.Namespace, bar: tqdm[Any], log: TensorBoard) -> None:
    """Append the means since the last record and the score on the validation subset; start the next sums."""
    refuse_divergence(run, arguments)
    run.processes.collect(run.totals.sums)
    norm = run.health.take_mean()
    if not run.processes.first:
        return
    trained = run.totals.means()
    run.totals.sums.zero_()
    held_out = score(run.model, run.validation, run.han, run.precision)
    dropout.seed(dropout_seed(run.settings.seed, run.step, PUBLISHED_MICRO_BATCH))
    sample = run.batches.from_step(run.step + 1, PUBLISHED_MICRO_BATCH)
    entry = {
        "steps": run.step,
        "mlm_acc": trained["mlm_acc"],
        "nsp_acc": trained["nsp_acc"],
        "loss": trained["loss"],
        "lr": learning_rate(run.step, run.settings),
        "mlm_targets": trained["mlm_targets"],
        "nsp_pairs": trained["nsp_pairs"],
        "eval_mlm_acc": held_out["mlm_acc"],
        "eval_mlm_acc_han": held_out["mlm_acc_han"],
        "eval_nsp_acc": held_out["nsp_acc"],
        "eval_loss": held_out["loss"],
        **published_log(run.model, sample, run.han, run.precision),
        "grad_norm": norm,
        "tokens": run.tokens,
        "seconds": round(run.seconds, 3),
    }
    run.history.append(entry)
    run.history.write(arguments.history)
    log.write(entry)
    line = (
        f"loss {trained['loss']:.3f}  MLM {percent(trained['mlm_acc'], 1)}  held out {percent(held_out['mlm_acc'], 1)}"
    )
    if bar.disable:
        rate = run.step / run.seconds
        left = (run.settings.steps - run.step) / rate
        print(f"step {run.step}/{run.settings.steps}  {line}  {rate:.1f} steps/s  {left:.0f} s left", flush=True)
    else:
        bar.set_postfix_str(line, refresh=False)


def gains_too_little(run: Run) -> bool:
    """Whether the rule of pipeline/statistics/early_stop.py ends the run at its newest record."""
    records, targets = run.history.records, run.history.run["eval_counts"]["mlm_targets"]
    return run.processes.first and EarlyStop(run.settings.early_stop).stops(
        records["steps"], records["eval_mlm_acc"], targets
    )


def refuse_divergence(run: Run, arguments: argparse.Namespace) -> None:
    """Stop at a loss or gradient that is not finite, before anything of it is written."""
    step = run.health.first_bad_step()
    if step:
        examples = ", ".join(map(str, run.batches[step].examples[:8]))
        good = checkpoint.newest_state(arguments.checkpoint_dir)
        raise InputError(
            f"loss or gradient is not finite at step {step} (examples {examples}, ...); "
            f"{f'the last good checkpoint is {good}' if good else 'there is no checkpoint from before it'}; "
            "try a lower --lr or a longer --warmup"
        )


def save(run: Run, arguments: argparse.Namespace) -> None:
    """Write the weights at a point of the grid, and the full state."""
    refuse_divergence(run, arguments)
    run.processes.collect(run.totals.sums)
    if not run.processes.first:
        return
    if run.step % run.settings.save_interval == 0:
        checkpoint.save(arguments.checkpoint_dir / f"step_{run.step}.pth", weights(run))
        if arguments.keep:
            checkpoint.rotate(arguments.checkpoint_dir, arguments.keep)
    checkpoint.save_state(arguments.checkpoint_dir, full_state(run))


def finish(
    run: Run,
    arguments: argparse.Namespace,
    corpora: Corpora,
    guesses: CountingGuesses,
    vocab: list[str],
) -> None:
    """Score all of validation and, once, of test, beside the counting guesses on the same targets; write the model."""
    for name, corpus in (("validation", corpora.validation), ("test", corpora.test)):
        batches = held_out_batches(corpus, None, SCORING_BATCH, run.settings.seed)
        run.history.run[name] = score(run.model, batches, run.han, run.precision)
        run.history.run[name]["guesses"] = guesses.accuracies(batches, run.han)
    run.history.run["finished"] = now()
    checkpoint.save(arguments.final, weights(run))
    write_vocab_txt(arguments.final.parent / "vocab.txt", vocab)
    run.history.write(arguments.history)
    test = run.history.run["test"]
    print(
        f"test: MLM {percent(test['mlm_acc'], 1)} of {test['mlm_targets']}, NSP {percent(test['nsp_acc'], 1)}", end="; "
    )
    print(f"{arguments.final} and {arguments.history} are complete")


def weights(run: Run) -> dict[str, Any]:
    """The model, the sizes to build it with, and which run it is of."""
    return {
        "step": run.step,
        "config": dataclasses.asdict(run.model.shape),
        "seed": run.settings.seed,
        "dataset": run.history.run["dataset"]["fingerprint"],
        "model": run.model.state_dict(),
    }


def full_state(run: Run) -> dict[str, Any]:
    """Everything the next steps depend on. Batches and dropout depend on (seed, step) alone and need no state."""
    return {
        **weights(run),
        "optimizer": run.optimizer.state_dict(),
        "sums": run.totals.sums,
        "health": run.health.state,
        "tokens": run.tokens,
        "seconds": run.seconds,
        "history": run.history.to_json(),
    }


def resume(arguments: argparse.Namespace, run: Run) -> None:
    """Take up the newest checkpoint of this same run, if there is one. Another run's files are refused."""
    if arguments.history.exists():
        refuse_other_run(arguments.history, read_history(arguments.history).run, run.history.run)
    state = checkpoint.load_newest_state(arguments.checkpoint_dir)
    if state is None:
        return
    saved = parse_history(json.loads(state["history"]), arguments.checkpoint_dir / f"state_{state['step']}.pth")
    refuse_other_run(arguments.checkpoint_dir, saved.run, run.history.run)
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    if run.processes.first:
        run.totals.sums.copy_(state["sums"])
    run.health.state.copy_(state["health"])
    run.step, run.tokens, run.seconds = state["step"], state["tokens"], state["seconds"]
    run.history = saved
    if run.processes.first:
        run.history.write(arguments.history)
        print(f"resuming after step {run.step}")


def finished(arguments: argparse.Namespace, run: Run) -> bool:
    """Whether the history and the final model of this very run are complete."""
    if not arguments.history.exists() or not arguments.final.exists():
        return False
    recorded = read_history(arguments.history).run
    return not run_differences(recorded, run.history.run) and recorded.get("finished") is not None


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
        "--history": (DEFAULT_HISTORY, "the history, written at every record"),
        "--final": (Path("stage4_large_100k_final.pth"), "the finished model"),
    }
    for option, (path, meaning) in defaults.items():
        files.add_argument(option, type=Path, default=path, metavar="PATH", help=f"{meaning} (default: {path})")
    running = parser.add_argument_group("running")
    running.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: %(default)s")
    running.add_argument(
        "--precision",
        choices=NAMES,
        default="auto",
        help="auto: bf16 or fp16 on CUDA, fp32 on the CPU; fp64 is for tests of exactness (default: %(default)s)",
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
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the newest checkpoint (the default); --no-resume removes this run's checkpoints first",
    )
    add_settings(parser)
    running.add_argument(
        "--describe", action="store_true", help="print what the run would be, as JSON, and train nothing (default: no)"
    )
    arguments = parser.parse_args()
    if arguments.keep < 0:
        parser.error("--keep must not be negative")
    return arguments


if __name__ == "__main__":
    run_stage(main)
