"""The constants of the law, calibrated on finished runs by benchmarks/calibrate_forecast.py: calibration.json.

``clusters`` holds D, the gain (log-odds) of annealing the rate to nothing, of each cluster of runs. What is expected of
a further run follows: of a kind that was calibrated on, the geometric mean over its clusters; of another, that over all
kinds, with the spread between kinds. A spread within kinds of less than ``LEAST_SPREAD`` is not believed: the clusters
are few, and near one another.
"""

from __future__ import annotations

from dataclasses import dataclass
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
class Calibration:
    """What was learned from finished runs."""

    law: Law
    clusters: list[ClusterGain]
    without: dict[str, Law]  # the law as it would have been chosen without a cluster

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
            means = [float(np.mean(gains)) for gains in kinds.values()]
            spread = float(np.hypot(np.std(means, ddof=1) if len(means) > 1 else 1.0, within))
            mean, count = float(np.mean(means)), len(means)
        # The spread between kinds is what it is: the law's stretch was measured on kinds that are known.
        stretch = 1.0 if kind in kinds else min(self.law.stretch, 1.0)
        return Gain(float(np.exp(mean)), float(np.exp(mean) * spread * np.sqrt(1 + 1 / count)) / stretch)

    def leaving_out(self, *, cluster: str | None = None, kind: str | None = None) -> Calibration:
        """This calibration as it would be without a ``cluster``, or without all clusters of a ``kind``."""
        kept = [entry for entry in self.clusters if entry.cluster != cluster and entry.kind != kind]
        return Calibration(self.without.get(cluster or "", self.law), kept, self.without)


@cache
def calibration() -> Calibration:
    """The committed constants."""
    return from_json(Calibration, read_json_object(CALIBRATION, "the calibration", "restore it"), CALIBRATION)


def _pooled(groups: list[list[float]]) -> float:
    """The standard deviation within groups of at least two; 0 where there are none."""
    squares = sum(float(np.sum((np.array(group) - np.mean(group)) ** 2)) for group in groups)
    freedom = sum(len(group) - 1 for group in groups)
    return float(np.sqrt(squares / freedom)) if freedom else 0.0
