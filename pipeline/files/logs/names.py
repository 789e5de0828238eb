"""What the name of a column says: which data it is about, and what it measures.

Trainers agree on words, not on their order: ``train_loss``, ``loss/train``, ``Train Loss``, ``trainLoss`` and, exported
from a chart of several runs, ``my run - train/loss`` are one thing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Part = Literal["train", "held_out", "test", None]
Measure = Literal["accuracy", "loss", "perplexity", "rate", "step", "epoch", "clock", "seconds", "tokens", "grad_norm"]

TRAIN = {"train", "training", "trainer"}
HELD_OUT = {"val", "valid", "validation", "eval", "evaluation", "dev", "heldout"}
TEST = {"test", "testing"}
STEPS = ("global_step", "optimizer_step", "num_updates", "steps", "step", "iteration", "iterations", "iters", "iter",
         "iter_num", "updates", "update")  # fmt: skip
EPOCHS = ("epoch", "epochs")
CUMULATIVE: dict[Measure, set[str]] = {
    "clock": {"wall_time", "walltime", "timestamp"},  # absolute, in seconds
    "seconds": {"seconds", "runtime", "elapsed", "elapsed_time", "elapsed_seconds", "time_elapsed"},
    "tokens": {"tokens", "num_tokens", "total_tokens", "tokens_seen", "num_input_tokens_seen", "consumed_tokens"},
}
LOSSES = {"loss", "losses", "nll", "xent", "crossentropy", "bce", "mse"}
PERPLEXITIES = {"ppl", "perplexity"}
ACCURACIES = {"acc", "accuracy", "accuracies", "accu"}
TOP_ONE = {"top1", "acc1", "prec1", "precision1", "accuracy1"}
# Scores beside accuracy, the best first. They are taken on held-out data, whether or not the name says so.
OTHER_SCORES = {"f1": 2, "em": 2, "exact": 2, "miou": 2, "map": 3, "ap": 3, "aacc": 3, "auc": 3, "auroc": 3, "map50": 3,
                "macc": 4}  # fmt: skip
PERCENT = TOP_ONE | {"percent", "pct"}  # in percent as a rule
PLAIN = {"step", "epoch", "total", "mean", "avg", "average", "running", "smoothed"}  # words that change little
# Weights & Biases exports the least and the greatest of each chart's points as ``loss__MIN`` and ``loss__MAX``.
NOT_THE_METRIC = {"per", "second", "seconds", "sec", "time", "eta", "samples", "accumulation", "min", "max", "std",
                  "best", "count", "num", "scale", "weight", "top5", "acc5", "prec5"}  # fmt: skip
MEANS = ("mIoU", "mAP", "mAcc", "aAcc")  # capitals that begin no word
OF_OTHER_SCORES = 1000  # ranks from here on are theirs
RUN = " - "  # between the name of a run and that of its metric, in W&B's exports


@dataclass(frozen=True)
class Meaning:
    """``rank`` is 0 for the plainest name of a measure and grows with every word beside it."""

    part: Part
    measure: Measure
    rank: int = 0
    run: str = ""  # whose metric it is, in an export of several runs


@lru_cache(maxsize=4096)
def meaning_of(name: str) -> Meaning | None:
    """What ``name`` says; None where it says nothing that is known."""
    run, found, metric = name.rpartition(RUN)
    if not found:
        run, metric = "", name
    words = words_of(metric)
    part = _part(words)
    rest = [word for word in words if word not in TRAIN | HELD_OUT | TEST] or words
    measure = _measure(rest)
    if measure is None or (part and measure[0] in CUMULATIVE):  # eval_runtime is the time of one evaluation
        return None
    if part is None and measure[0] == "accuracy" and measure[1] >= OF_OTHER_SCORES:
        part = "held_out"
    return Meaning(part, *measure, run)


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case: ``"valLoss/top-1"`` gives val, loss, top1."""
    for metric in MEANS:
        name = name.replace(metric, metric.lower())
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name)
    words = re.findall(r"[a-z0-9%]+", spaced.lower().replace("%", " percent "))
    joined: list[str] = []
    for word in words:
        if word in {"1", "5"} and joined and joined[-1] in {"top", "acc", "prec", "precision", "accuracy"}:
            joined[-1] += word
        elif word == "out" and joined and joined[-1] == "held":
            joined[-1] = "heldout"
        else:
            joined.append(word)
    return joined


def percent_as_a_rule(name: str) -> bool:
    """Whether trainers write this accuracy in percent."""
    return not PERCENT.isdisjoint(words_of(name))


def percent_at_times(name: str) -> bool:
    """Whether some trainers do."""
    return not (PERCENT | OTHER_SCORES.keys()).isdisjoint(words_of(name))


def _part(words: list[str]) -> Part:
    if not HELD_OUT.isdisjoint(words):
        return "held_out"
    if not TEST.isdisjoint(words):
        return "test"
    return "train" if not TRAIN.isdisjoint(words) else None


def _measure(words: list[str]) -> tuple[Measure, int] | None:
    """The measure that ``words`` (without those of the part) name, and its rank."""
    whole, known = "_".join(words), set(words)
    if whole in STEPS:
        return "step", STEPS.index(whole)
    if whole in EPOCHS:
        return "epoch", EPOCHS.index(whole)
    for measure, names in CUMULATIVE.items():
        if whole in names:
            return measure, 0
    if {"grad", "norm"} <= known or "gradnorm" in known:
        return "grad_norm", len(words)
    if known & {"lr", "lrs"} or {"learning", "rate"} <= known or "learningrate" in known:
        return "rate", len(words)
    if known & NOT_THE_METRIC:
        return None
    if known & PERPLEXITIES:
        return "perplexity", len(words)
    beside = 10 * len(known - PLAIN - ACCURACIES - TOP_ONE - LOSSES - {"cross", "entropy"}) + len(words)
    if known & (ACCURACIES | TOP_ONE):
        return "accuracy", beside
    if known & LOSSES or {"cross", "entropy"} <= known:
        return "loss", beside + (0 if "loss" in known else 5)
    scores = [rank for word, rank in OTHER_SCORES.items() if word in known]
    return ("accuracy", OF_OTHER_SCORES * min(scores) + beside) if scores else None
