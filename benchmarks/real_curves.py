"""Training curves of real runs: the committed ones, and folders of histories with an index.json.

``index.json`` is a list with an object for each file: ``file``, ``task`` and ``cluster`` (near relatives: a statement
about many runs counts clusters, not curves). A folder without one is one cluster of an unknown task.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.files.history import History, parse_history, read_history
from pipeline.files.json_object import read_json_object
from pipeline.stage import InputError
from pipeline.statistics.annealing.rate_plan import Plan
from study.runs import CAUSAL, RUNS, history_path

OURS = {"50k": "ours, small dataset", "long": "ours, offline sample"}  # the others: the ladder and its seeds
LARGE = "ours, large dataset"
MASKED = "masked language model"
HELD_OUT = ", held out"
LAST = 0.05  # of the steps: the accuracy at the end is the mean over these
FEWEST_RECORDS = 40  # 20 % of fewer are no curve


@dataclass(frozen=True, eq=False)
class Curve:
    """One accuracy of a finished run; ``steps`` and ``accuracy`` (share of one): float [N] each."""

    name: str
    cluster: str
    task: str
    steps: np.ndarray
    accuracy: np.ndarray
    plan: Plan | None  # the whole learning rate; None: not known

    @property
    def kind(self) -> str:
        """The kind of run, by the names of the calibration: held-out accuracy gains as training accuracy does."""
        return self.task.removesuffix(HELD_OUT)

    @property
    def late(self) -> np.ndarray:
        """The steps that the accuracy at the end is the mean over."""
        return self.steps[self.steps > (1 - LAST) * self.steps[-1]]

    @property
    def end(self) -> float:
        """The accuracy at the end."""
        return float(self.accuracy[-len(self.late) :].mean())

    def beginning(self, fraction: float) -> tuple[np.ndarray, np.ndarray]:
        """Steps and accuracy of the first ``fraction`` of the records."""
        count = int(len(self.steps) * fraction)
        return self.steps[:count], self.accuracy[:count]


def committed_curves() -> list[Curve]:
    """Training and held-out accuracy, and training loss as exp(-loss), of the committed runs."""
    found = []
    for name in RUNS:
        if name == CAUSAL:
            continue  # a run of another kind, on which nothing was calibrated
        history = read_history(history_path(name))
        cluster = OURS.get(name, LARGE)
        for key, task in (
            ("mlm_acc", MASKED), ("eval_mlm_acc", MASKED + HELD_OUT), ("loss", f"{MASKED}, loss")
        ):  # fmt: skip
            found += history_curves(history, key, f"{Path(name).name} {key}", cluster, task)
    return found


def folder_curves(folder: Path) -> list[Curve]:
    """The curves of the histories in ``folder``, in the order of its index or of their names."""
    index = folder / "index.json"
    if index.exists():
        entries = _index(index)
    else:
        names = sorted(path.name for path in folder.glob("*.json"))
        entries = [{"file": name, "task": "unknown", "cluster": folder.name} for name in names]
    if not entries:
        raise InputError(f"{folder}: histories (*.json) are missing")
    found = []
    for entry in entries:
        path = folder / entry["file"]
        history = parse_history(read_json_object(path, "the history", "give a folder of histories"), path)
        key = history.accuracy or history.columns.loss.train
        found += history_curves(history, key, path.stem, entry["cluster"], entry["task"])
    return found


def _index(path: Path) -> list[dict[str, str]]:
    entries = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise InputError(f"{path}: must be a list with an object for each file")
    for entry in entries:
        if not all(isinstance(entry.get(key), str) for key in ("file", "task", "cluster")):
            raise InputError(f"{path}: each entry needs the strings file, task and cluster")
    return entries


def history_curves(
    history: History, key: str, name: str, cluster: str, task: str, fewest: int = FEWEST_RECORDS
) -> list[Curve]:
    """One curve, or none of fewer than ``fewest`` records or of one value; a loss is taken as exp(-loss)."""
    steps, values = history.points(key)
    if key == history.columns.loss.train:
        values = np.exp(-values)
    rate_steps, rates = history.points(history.columns.rate)
    if len(steps) < fewest or np.ptp(values) == 0:
        return []
    known = len(rates) == len(history) and rates.max() > 0
    return [Curve(name, cluster, task, steps, values, Plan(rate_steps, rates) if known else None)]
