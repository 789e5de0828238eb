"""What the tables read: the committed runs of results/, their scores and their datasets, each as far as it is needed.

Accuracies are shares of one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.files.history import History, read_history
from pipeline.files.json_object import read_json_object
from pipeline.files.scores import CheckpointScore, MlmScore, SplitScores, read_scores
from pipeline.files.typed_json import from_json
from pipeline.stage import InputError
from study.datasets import BOOK
from study.runs import RESULTS, history_path, scores_path


@dataclass(frozen=True)
class Guess:
    """Accuracy of a counting guess on all targets and on those that are Han."""

    all: float
    han: float


@dataclass(frozen=True)
class EndScores:
    """The finished model on one whole split."""

    mlm_acc: float
    mlm_acc_han: float
    nsp_acc: float
    guesses: dict[str, Guess]

    def overall(self) -> tuple[float, float, float]:
        """MLM, MLM on Han, NSP."""
        return self.mlm_acc, self.mlm_acc_han, self.nsp_acc


@dataclass(frozen=True)
class Config:
    """The settings that the tables need."""

    steps: int
    batch_size: int
    accumulation: int

    @property
    def effective_batch(self) -> int:
        """Sequences to one optimizer step."""
        return self.batch_size * self.accumulation


@dataclass(frozen=True)
class FinishedRun:
    """What the ``run`` object of a finished run says, as far as the tables need it."""

    parameters: int
    train_examples: int
    config: Config
    validation: EndScores
    test: EndScores


@dataclass(frozen=True)
class Statistics:
    """Counts of a dataset."""

    sentences: int
    distinct_han: int


@dataclass(frozen=True)
class Verification:
    """A report of verify_dataset.py, as far as the tables need it."""

    fingerprint: str
    statistics: Statistics


def history(name: str) -> History:
    return read_history(history_path(name))


def finished(run: History) -> FinishedRun:
    return from_json(FinishedRun, run.run, run.path, advice="commit the history of a finished run")


def scores(name: str) -> SplitScores:
    """The checkpoints of a run on the whole validation set."""
    path = scores_path(name)
    scored = read_scores(path).validation
    if scored is None:
        raise InputError(f"{path}: was not scored on the validation set; run evaluate_checkpoints.py")
    return scored


def dataset_of(run: History) -> Statistics:
    """What verify_dataset.py counted in the dataset of ``run``, by its fingerprint."""
    fingerprint = run.facts.text("dataset", "fingerprint")
    for path in sorted(RESULTS.rglob("verification_*.json")):
        value = read_json_object(path, "the verification", "verify_dataset.py writes it")
        report = from_json(Verification, value, path, advice="write it again with verify_dataset.py")
        if report.fingerprint == fingerprint:
            return report.statistics
    raise InputError(f"{run.path}: its dataset has no report in {RESULTS}; write one with verify_dataset.py --no-text")


def correlation(run: History) -> float:
    """Pearson's r of step and training accuracy."""
    return float(np.corrcoef(*run.points(run.accuracy))[0, 1])


def overall(entry: CheckpointScore) -> tuple[float | None, float | None, float | None]:
    """MLM, MLM on Han, NSP of a checkpoint."""
    nsp = entry.nsp.same_source.accuracy if entry.nsp else None
    return entry.mlm.accuracy, entry.mlm.by_class["han"].accuracy, nsp


def of_register(mlm: MlmScore, books: bool) -> tuple[int, float]:
    """Targets and accuracy over all sources that are books, or all that are not."""
    chosen = [
        (group.targets, group.accuracy)
        for source, group in mlm.by_source.items()
        if source.startswith(BOOK) == books and group.accuracy is not None
    ]
    targets = sum(count for count, _ in chosen)
    return targets, sum(count * accuracy for count, accuracy in chosen) / targets
