"""Minutes to an accuracy: our trainer beside a plain loop of the `transformers` library, on the quickstart's text.

    python rare_char_fetch.py --source sample --output runs/quickstart/dataset.json
    python benchmarks/time_to_accuracy.py --json results/benchmarks/time_to_accuracy.json    # at most an hour

Steps per second are not what a user waits for. Both train the quickstart's model (2 layers of 128) on the same batches
and are scored on the same held-out targets, every so many steps; the clock of each stands still while it is scored.

    ours   the quickstart as it is: Muon, 4,000 steps of a cosine
    plain  BertForPreTraining, AdamW, padding to the full length, as the library's examples do. Four learning rates
           start side by side at a constant rate; the first to reach the lowest target is the one that then trains from
           the beginning with a linear decay over all the steps that are left in the hour.

Each runs in a process of its own, in turns of a few seconds, so that a disturbance of the machine hits both. It prints
the seconds of training to each target and their ratio; where plain never gets there, the ratio is more than what is
printed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from benchmarks.trainer import padded, transformers_model
from pipeline.data.corpora import Corpora, build_corpora
from pipeline.data.held_out_questions import HeldOutQuestions, first_with_targets
from pipeline.data.masked_pairs import Batch, TrainingBatches, split_batch
from pipeline.files import atomic
from pipeline.files.dataset import read_dataset
from pipeline.model.bert import Bert
from pipeline.model.precision import Precision
from pipeline.score.held_out import score
from pipeline.stage import run_stage
from pipeline.train.memory import keep_freed_memory
from pipeline.train.objectives.masked_lm import MaskedLM
from pipeline.train.optimizer import Optimizer
from pipeline.train.run_description import processor
from pipeline.train.settings import PRESETS, Settings

RATES = (1e-4, 3e-4, 1e-3, 3e-3)
SCORED_EVERY, SCORED_ON = 50, 4000  # steps, and held-out targets
TURN = 4.0  # seconds
WARM_UP = 100  # steps of plain, as ours
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Reached:
    """A held-out accuracy, after so many steps and seconds of training."""

    step: int
    seconds: float
    accuracy: float


@dataclass(frozen=True)
class Plan:
    """What a contestant is to train. Plain's rate is constant after the warm-up where ``steps`` is 0."""

    contestant: str
    dataset: Path
    settings: Settings
    lr: float
    steps: int


class Contestant:
    """One way to train, in a process of its own, which trains while it has its turn."""

    def __init__(self, plan: Plan) -> None:
        context = multiprocessing.get_context("spawn")
        self.plan = plan
        self.reached: list[Reached] = []
        self.step, self.seconds = 0, 0.0
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, plan), daemon=True)
        self._process.start()
        self._pipe.recv()  # it is ready

    def turn(self) -> None:
        """Train for a few seconds."""
        self._pipe.send(True)
        self.step, self.seconds, reached = self._pipe.recv()
        self.reached += reached

    def end(self) -> None:
        self._process.kill()
        self._process.join()

    @property
    def finished(self) -> bool:
        return bool(self.plan.steps) and self.step >= self.plan.steps

    def steps_per_second(self) -> float:
        """While it trains; 0 before it has begun."""
        return self.step / self.seconds if self.seconds else 0.0

    def seconds_to(self, target: float) -> float | None:
        """Seconds of training until ``target`` was first met; None where it was not."""
        return next((each.seconds for each in self.reached if each.accuracy >= target), None)


def _serve(pipe: Connection, plan: Plan) -> None:
    keep_freed_memory()
    settings = plan.settings
    dataset = read_dataset(plan.dataset)
    corpora = build_corpora(
        dataset, plan.dataset, length=settings.length, mask_rate=settings.mask_rate, held_out=settings.held_out
    )
    questions = first_with_targets(HeldOutQuestions(corpora.validation).batches(), SCORED_ON)
    step_with, scored = CONTESTANTS[plan.contestant](plan, corpora)
    batches = TrainingBatches(corpora.train, settings.effective_batch, settings.batches_seed)
    pipe.send(None)
    step, seconds = 0, 0.0
    while pipe.recv():
        reached = []
        until = seconds + TURN
        while seconds < until and not (plan.steps and step >= plan.steps):
            step += 1
            began = time.perf_counter()
            step_with(step, batches[step])
            seconds += time.perf_counter() - began
            if step % SCORED_EVERY == 0 or step == plan.steps:
                reached.append(Reached(step, seconds, scored(questions)))
        pipe.send((step, seconds, reached))


Step = Callable[[int, Batch], None]
Score = Callable[[list[Batch]], float]


def ours(plan: Plan, corpora: Corpora) -> tuple[Step, Score]:
    settings, precision = plan.settings, Precision("fp32", CPU)
    torch.manual_seed(settings.seed)
    model = Bert(settings.shape(len(corpora.tokenizer))).train()
    objective = MaskedLM(model, corpora, settings, precision)
    optimizer, rates, han = Optimizer(model, settings), settings.rates, corpora.tokenizer.han_ids()

    def step(number: int, batch: Batch) -> None:
        parts = split_batch(batch, settings.accumulation)
        for part in parts:
            optimizer.backward(objective.loss(model, part, parts, 1))
        optimizer.step(rates.rate(number))

    return step, lambda questions: score(model, questions, han, precision).mlm_acc or 0.0


def plain(plan: Plan, corpora: Corpora) -> tuple[Step, Score]:
    from transformers import (
        get_constant_schedule_with_warmup,
        get_linear_schedule_with_warmup,
    )

    settings = plan.settings
    torch.manual_seed(settings.seed)
    model = transformers_model(settings, len(corpora.tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
    if plan.steps:
        schedule = get_linear_schedule_with_warmup(optimizer, WARM_UP, plan.steps)
    else:
        schedule = get_constant_schedule_with_warmup(optimizer, WARM_UP)

    def step(_: int, batch: Batch) -> None:
        model.train()
        tokens, segments, real, labels, next_labels = padded(batch, settings.length, CPU)
        output = model(
            input_ids=tokens,
            token_type_ids=segments,
            attention_mask=real,
            labels=labels,
            next_sentence_label=next_labels,
        )
        output.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()

    @torch.no_grad()
    def scored(questions: list[Batch]) -> float:
        model.eval()
        right = asked = 0
        for batch in questions:
            tokens, segments, real, labels, _ = padded(batch, settings.length, CPU)
            logits = model(input_ids=tokens, token_type_ids=segments, attention_mask=real).prediction_logits
            masked = labels >= 0
            right += int((logits[masked].argmax(-1) == labels[masked]).sum())
            asked += int(masked.sum())
        return right / asked

    return step, scored


CONTESTANTS = {"ours": ours, "plain": plain}


def main() -> int:
    arguments = parse_arguments()
    ends = time.monotonic() + 60 * arguments.minutes
    settings = replace(PRESETS["quickstart"], **({"steps": arguments.steps} if arguments.steps else {}))
    lowest = min(arguments.targets)
    rate, speed = best_rate(arguments.dataset, settings, lowest, ends)
    print(f"plain: {rate:g} is the first of {', '.join(map(str, RATES))} to reach {lowest:.0%}", flush=True)

    left = ends - time.monotonic()
    # Ours takes its part of what is left; the rest is plain's.
    steps = max(int(0.8 * left * speed), 10 * WARM_UP)
    contestants = [
        Contestant(Plan("ours", arguments.dataset, settings, settings.lr, settings.steps)),
        Contestant(Plan("plain", arguments.dataset, settings, rate, steps)),
    ]
    while time.monotonic() < ends and not all(one.finished for one in contestants):
        for one in contestants:
            if not one.finished:
                one.turn()
        if contestants[0].finished and contestants[1].seconds_to(max(arguments.targets)) is not None:
            break
    for one in contestants:
        one.end()
    found = result(arguments.targets, *contestants)
    print(table(found))
    if arguments.json:
        atomic.write_json(arguments.json, found, indent=1)
    return 0


def best_rate(dataset: Path, settings: Settings, target: float, ends: float) -> tuple[float, float]:
    """The rate with which plain first reaches ``target``, in turns, and its steps per second; the most accurate one
    where a third of the time has passed before."""
    trials = [Contestant(Plan("plain", dataset, settings, rate, 0)) for rate in RATES]
    patience = time.monotonic() + (ends - time.monotonic()) / 3
    while time.monotonic() < patience and all(trial.seconds_to(target) is None for trial in trials):
        for trial in trials:
            trial.turn()
    for trial in trials:
        trial.end()
    met = [trial for trial in trials if trial.seconds_to(target) is not None]
    if met:
        best = min(met, key=lambda trial: trial.seconds_to(target) or 0.0)
    else:
        best = max(trials, key=lambda trial: trial.reached[-1].accuracy if trial.reached else 0.0)
    return best.plan.lr, best.steps_per_second()


def result(targets: list[float], our_run: Contestant, plain_run: Contestant) -> dict[str, object]:
    """What is committed: seconds to each target, their ratio, and both curves."""
    rows = []
    for target in sorted(targets):
        mine, theirs = our_run.seconds_to(target), plain_run.seconds_to(target)
        rows.append(
            {
                "target": target,
                "ours_seconds": mine,
                "plain_seconds": theirs,
                "ratio": theirs / mine if mine and theirs else None,
                "ratio_is_more_than": plain_run.seconds / mine if mine and not theirs else None,
            }
        )
    return {
        "machine": processor(),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "scored_on_targets": SCORED_ON,
        "rates_tried": list(RATES),
        "targets": rows,
        "runs": {
            one.plan.contestant: {
                "lr": one.plan.lr,
                "steps": one.plan.steps,
                "steps_per_second": one.steps_per_second(),
                "curve": [asdict(each) for each in one.reached],
            }
            for one in (our_run, plain_run)
        },
    }


def table(found: dict[str, object]) -> str:
    lines = ["held out   ours     plain    ratio"]
    rows = found["targets"]
    assert isinstance(rows, list)
    for row in rows:
        seconds = [f"{row[key]:6.0f} s" if row[key] else "  never" for key in ("ours_seconds", "plain_seconds")]
        ratio = f"{row['ratio']:.1f}" if row["ratio"] else f"> {row['ratio_is_more_than'] or 0:.1f}"
        lines.append(f"{row['target']:8.0%} {seconds[0]} {seconds[1]}    {ratio}")
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--dataset", type=Path, default=Path("runs/quickstart/dataset.json"), help="default: %(default)s"
    )
    parser.add_argument("--minutes", type=float, default=60, help="for all of it (default: %(default)s)")
    parser.add_argument(
        "--targets", type=float, nargs="+", default=[0.2, 0.3, 0.4], help="held-out accuracies (default: 0.2 0.3 0.4)"
    )
    parser.add_argument("--steps", type=int, help="of ours, to rehearse (default: the quickstart's)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write seconds, ratios and curves (default: no)")
    return parser.parse_args()


if __name__ == "__main__":
    run_stage(main)
