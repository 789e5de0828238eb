"""The constants of the forecast that knows the learning rate, from finished runs.

    python benchmarks/calibrate_forecast.py --histories DIR ...     # writes pipeline/analyse/annealing/calibration.json

The committed runs and those of each DIR (real_curves.py) are forecast from their first 20, 30 and 50 %. What is
minimized is the mean over clusters of the logarithm of the 80 % interval score (Gneiting & Raftery 2007) in log-odds,
so that no cluster counts for more because it is large or noisy. In turns, until nothing improves: for each cluster the
gain D whose medians are least off, then each constant of the law from a short list, which moves only where that is
worth it.
Printed are the tables of sensitivity: the score at every value of each constant, and how it would have been chosen
without each cluster.

The gain of a kind is the geometric mean over its clusters. Its spread is how far a further cluster would lie from that:
the spread between clusters of one kind is pooled over all kinds, that between kinds serves the kinds not calibrated on.
Last, all spreads are stretched so that the intervals hold as often as they should, each cluster counting the same and
its gain taken from the other clusters of its kind, where there are any: the mean of what comes out without each
cluster.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.real_curves import Curve, committed_curves, folder_curves
from pipeline.analyse.annealing.calibration import CALIBRATION, Calibration, ClusterGain
from pipeline.files import atomic
from pipeline.files.typed_json import to_json
from pipeline.stage import run_stage
from pipeline.statistics.annealing.law import Gain, Law
from pipeline.statistics.annealing.records import Observed, Summary, summarize
from pipeline.statistics.schedule_forecast import fit_summary

FRACTIONS = (0.2, 0.3, 0.5)
LEVEL = 0.8
SHARES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
CEILINGS = ((0.0, 0.3), (1.5, 0.7))
DRIFTS = ((0.2, 0.9), (0.6, 0.08), (2.0, 0.02))
START = Law(0.7, 0.03, CEILINGS, DRIFTS, response=0.15, window=0.5, stretch=1.0)
TRIED: dict[str, tuple[object, ...]] = {
    "exponent": (0.5, 0.7, 1.0),
    "lag": (0.0, 0.03, 0.06),
    "ceilings": (((0.0, 0.5), (1.0, 0.5)), CEILINGS, ((0.0, 0.3), (2.0, 0.7))),
    "drifts": (((0.1, 0.9), (0.3, 0.08), (1.0, 0.02)), DRIFTS, ((0.4, 0.9), (1.2, 0.08), (4.0, 0.02))),
    "response": (0.1, 0.15, 0.2),
    "window": (0.5, 0.25, 0.125),
}  # fmt: skip
WORTH = 0.05  # of score, about 5 % of the intervals' score: what is less does not move a constant from where it stands
GAINS = tuple(float(gain) for gain in np.geomspace(0.06, 1.6, 9))
SPREAD_OF_GAIN = 0.28  # share of D, while the law is chosen: what a kind with one cluster gets
MOST_OF_A_CLUSTER = 6  # curves: more of the same tell little more
ROUNDS = 2


@dataclass(frozen=True)
class Table:
    """What one law with one gain for each cluster came to."""

    law: Law
    scores: dict[str, float]  # by cluster: log of the mean interval score, log-odds

    def mean(self, without: str | None = None) -> float:
        """The mean over the clusters but one."""
        return float(np.mean([score for cluster, score in self.scores.items() if cluster != without]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=Path, nargs="*", default=[], metavar="DIR", help="folders of curves")
    parser.add_argument("--output", type=Path, default=CALIBRATION, help="(default: %(default)s)")
    arguments = parser.parse_args()
    curves = committed_curves()
    for folder in arguments.histories:
        curves += folder_curves(folder)
    atomic.write_json(arguments.output, to_json(calibrate(curves)), indent=1)
    print(f"written to {arguments.output}")
    return 0


def calibrate(curves: list[Curve]) -> Calibration:
    """The constants that serve ``curves`` best; prints what it tries."""
    law, tables = START, []
    annealed = thinned([curve for curve in curves if curve.plan is not None])
    for _ in range(ROUNDS):
        gains = best_gains(annealed, law)
        before = law
        for name, values in TRIED.items():
            tried = [score_table(annealed, changed(law, name, value), gains) for value in values]
            tables += tried
            print(
                f"{name:<10}"
                + "".join(f"   {value}: {table.mean():+.3f}" for value, table in zip(values, tried, strict=True)),
                flush=True,
            )
            best = min(tried, key=lambda table: table.mean())
            standing = next(table for table in tried if table.law == law)
            law = best.law if best.mean() < standing.mean() - WORTH else law
        if law == before:
            break
    else:
        gains = best_gains(annealed, law)
    entries = [
        ClusterGain(cluster, kind, sum((curve.cluster, curve.kind) == (cluster, kind) for curve in curves), gain)
        for (cluster, kind), gain in gains.items()
    ]
    without = {}
    for cluster in clusters_of(annealed):
        best, standing = (
            min(some, key=lambda table: table.mean(cluster))
            for some in (tables, [table for table in tables if table.law == law])
        )
        without[cluster] = best.law if best.mean(cluster) < standing.mean(cluster) - WORTH else law
    for cluster, other in without.items():
        print(f"without {cluster}: {other if other != law else 'the same'}")
    found = Calibration(law, entries, without)
    stretched = {cluster: stretch(annealed, found, cluster) for cluster in without}
    print("stretch: " + ", ".join(f"{value:.2f} without {cluster}" for cluster, value in stretched.items()))
    return Calibration(
        replace(law, stretch=float(np.mean(list(stretched.values())))),
        entries,
        {cluster: replace(other, stretch=stretched[cluster]) for cluster, other in without.items()},
    )


def changed(law: Law, name: str, value: Any) -> Law:
    """``law`` with another value of one constant."""
    values: dict[str, Any] = {name: value}
    return replace(law, **values)


def thinned(curves: list[Curve]) -> list[Curve]:
    """At most so many curves of a cluster and task, evenly chosen."""
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves:
        groups.setdefault((curve.cluster, curve.task), []).append(curve)
    kept = []
    for group in groups.values():
        places = np.unique(np.linspace(0, len(group) - 1, min(len(group), MOST_OF_A_CLUSTER)).astype(int))
        kept += [group[place] for place in places]
    return kept


def best_gains(curves: list[Curve], law: Law) -> dict[tuple[str, str], float]:
    """D by cluster and kind: of a fixed list, and between its neighbours by a parabola."""
    found = {}
    for cluster, kind in dict.fromkeys((curve.cluster, curve.kind) for curve in curves):
        mine = [curve for curve in curves if (curve.cluster, curve.kind) == (cluster, kind)]
        if not any(anneals(curve) for curve in mine):
            continue
        scores = [distance(mine, law, Gain(gain, SPREAD_OF_GAIN * gain)) for gain in GAINS]
        found[cluster, kind] = float(np.exp(vertex(np.log(GAINS), np.array(scores))))
        print(f"D of {cluster}, {kind}: {found[cluster, kind]:.3f}   " + " ".join(f"{score:+.2f}" for score in scores))
    return found


def vertex(places: np.ndarray, scores: np.ndarray) -> float:
    """Where the parabola through the least of ``scores`` and its neighbours is least; float [N] each, places even."""
    best = int(np.argmin(scores))
    if best in (0, len(places) - 1):
        return float(places[best])
    left, middle, right = scores[best - 1 : best + 2]
    return float(places[best] + (places[1] - places[0]) * (left - right) / 2 / (left - 2 * middle + right))


def score_table(curves: list[Curve], law: Law, gains: dict[tuple[str, str], float]) -> Table:
    """The scores of ``law`` by cluster."""
    scores = {}
    for cluster in clusters_of(curves):
        mine = [curve for curve in curves if curve.cluster == cluster]
        parts = []
        for kind in dict.fromkeys(curve.kind for curve in mine):
            gain = gains.get((cluster, kind), float(np.exp(np.mean(np.log(list(gains.values()))))))
            of_kind = [curve for curve in mine if curve.kind == kind]
            parts.append(cluster_score(of_kind, law, Gain(gain, SPREAD_OF_GAIN * gain)))
        scores[cluster] = float(np.mean(parts))
    return Table(law, scores)


def cluster_score(curves: list[Curve], law: Law, gain: Gain) -> float:
    """The log of the mean interval score in log-odds over ``curves`` and fractions."""
    return float(
        np.log(np.mean([interval_score(low, high, end) for (low, _, high), end in forecasts(curves, law, gain)]))
    )


def distance(curves: list[Curve], law: Law, gain: Gain) -> float:
    """How far the medians are off: the mean over ``curves`` and fractions, log-odds.

    The interval score would not do for the gain, whose spread is a share of it: it would reward a small one.
    """
    return float(np.mean([abs(middle - end) for (_, middle, _), end in forecasts(curves, law, gain)]))


def forecasts(curves: list[Curve], law: Law, gain: Gain) -> Iterable[tuple[tuple[float, float, float], float]]:
    """The interval with its median, and the end, in log-odds, of each curve from each fraction."""
    for curve in curves:
        for fraction in FRACTIONS:
            summary = summary_of(curve, fraction, law.exponent, law.lag, law.window)
            if curve.plan is not None and summary is not None:
                outcome = fit_summary(summary, gain, law).expect(curve.plan, curve.late)
                low, middle, high = (float(special.logit(outcome.quantile(share))) for share in SHARES)
                yield (low, middle, high), float(special.logit(curve.end))


@cache
def summary_of(curve: Curve, fraction: float, exponent: float, lag: float, window: float) -> Summary | None:
    """The beginning of a curve, summarized once for all gains, drifts and ceilings that are tried on it."""
    law = replace(START, exponent=exponent, lag=lag, window=window)
    return None if curve.plan is None else summarize([Observed(*curve.beginning(fraction), curve.plan)], law)


def interval_score(low: float, high: float, truth: float) -> float:
    """The interval score of Gneiting & Raftery (2007) at LEVEL: width, and 2 / (1 - LEVEL) times what lies outside."""
    return high - low + 2 / (1 - LEVEL) * (max(low - truth, 0.0) + max(truth - high, 0.0))


def stretch(curves: list[Curve], found: Calibration, left_out: str) -> float:
    """The factor of all spreads with which LEVEL of the intervals hold, on the mean over the clusters that are kept."""
    kept = found.leaving_out(cluster=left_out)
    ratios: list[np.ndarray] = []
    for cluster in clusters_of(curves):
        mine = [curve for curve in curves if curve.cluster == cluster and cluster != left_out]
        without = kept.leaving_out(cluster=cluster)
        for kind in dict.fromkeys(curve.kind for curve in mine):
            # A kind with one cluster keeps it: how wide it is without is measured on kinds left out.
            gain = without.gain(kind) if without.known(kind) else kept.gain(kind)
            of_kind = [curve for curve in mine if curve.kind == kind]
            outside = [
                abs(end - (low + high) / 2) / ((high - low) / 2)
                for (low, _, high), end in forecasts(of_kind, replace(kept.law, stretch=1.0), gain)
            ]
            ratios.append(np.array(outside))
    weights = np.concatenate([np.full(len(each), 1 / len(each)) for each in ratios])
    values = np.concatenate(ratios)
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), LEVEL * weights.sum())])


def clusters_of(curves: list[Curve]) -> list[str]:
    return list(dict.fromkeys(curve.cluster for curve in curves))


def anneals(curve: Curve) -> bool:
    """Whether the rate falls at all."""
    return curve.plan is not None and float(curve.plan.rates[-1]) < 0.95 * float(curve.plan.rates.max())


if __name__ == "__main__":
    run_stage(main)
