"""The constants of the law, calibrated on finished runs by benchmarks/calibrate_forecast.py: calibration.json.

``clusters`` holds D, the gain (log-odds) of annealing the rate to nothing, of each cluster of runs. What is expected of
a further run follows: of a kind that was calibrated on, the geometric mean over its clusters; of another, the mean over
all kinds, with the spread between kinds. A spread within kinds of less than ``LEAST_SPREAD`` is not believed: the
clusters are few, and near one another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.files.json_object import read_json_object
from pipeline.files.typed_json import from_json
from pipeline.statistics.annealing.law import Gain, Law

CALIBRATION = Path(__file__).with_name("calibration.json")
LEAST_SPREAD = 0.3  # of log D between clusters of one kind


@dataclass(frozen=True)
class ClusterGain:
    """D of one cluster of runs, which are near relatives."""

    cluster: str
    kind: str
    runs: int
    gain: float


@dataclass(frozen=True)
class Tried:
    """What one value of one constant came to, the others as they stood."""

    constant: str
    value: str  # JSON
    score: float  # mean over the clusters of the log of the interval score in log-odds; less is better


@dataclass(frozen=True)
class Calibration:
    """What was learned from finished runs."""

    law: Law
    clusters: list[ClusterGain]
    without: dict[str, Law]  # the law as it would have been chosen without a cluster
    sensitivity: list[Tried]

    def kinds(self) -> list[str]:
        """The kinds of run that were calibrated on."""
        return list(dict.fromkeys(entry.kind for entry in self.clusters))

    def known(self, kind: str | None) -> bool:
        """Whether runs of this kind were calibrated on."""
        return any(entry.kind == kind for entry in self.clusters)

    def gain(self, kind: str | None) -> Gain:
        """What is known beforehand of D for a ``kind`` of run; None: the kind is not known."""
        kinds: dict[str, list[float]] = {}
        for entry in self.clusters:
            kinds.setdefault(entry.kind, []).append(float(np.log(entry.gain)))
        within = max(_pooled(list(kinds.values())), LEAST_SPREAD)
        if kind in kinds:
            mean, spread, count = float(np.mean(kinds[kind])), within, len(kinds[kind])
        else:
            return _of_another_kind([float(np.exp(np.mean(gains))) for gains in kinds.values()], within)
        return Gain(float(np.exp(mean)), float(np.exp(mean) * spread * np.sqrt(1 + 1 / count)))

    def leaving_out(self, *, cluster: str | None = None, kind: str | None = None) -> Calibration:
        """This calibration as it would be without a ``cluster``, or without all clusters of a ``kind``."""
        kept = [entry for entry in self.clusters if entry.cluster != cluster and entry.kind != kind]
        return replace(self, law=self.without.get(cluster or "", self.law), clusters=kept)


@cache
def calibration() -> Calibration:
    """The committed constants."""
    return from_json(Calibration, read_json_object(CALIBRATION, "the calibration", "restore it"), CALIBRATION)


def _of_another_kind(gains: list[float], within: float) -> Gain:
    """What the ``gains`` of the known kinds tell of a further one: their mean, and how far it may be from that."""
    mean, count = float(np.mean(gains)), len(gains)
    between = float(np.std(gains, ddof=1)) if count > 1 else mean
    return Gain(mean, float(np.hypot(between, within * mean) * np.sqrt(1 + 1 / count)))


def _pooled(groups: list[list[float]]) -> float:
    """The standard deviation within groups of at least two; 0 where there are none."""
    squares = sum(float(np.sum((np.array(group) - np.mean(group)) ** 2)) for group in groups)
    freedom = sum(len(group) - 1 for group in groups)
    return float(np.sqrt(squares / freedom)) if freedom else 0.0
