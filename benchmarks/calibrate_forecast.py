"""The constants of the forecast that knows the learning rate, from finished runs.

    python benchmarks/calibrate_forecast.py --histories DIR ...     # writes pipeline/analyse/annealing/calibration.json

The committed runs and those of each DIR (real_curves.py) are forecast from their first 20, 30 and 50 %. What is
minimized is the mean over clusters of the logarithm of the 80 % interval score (Gneiting & Raftery 2007) in log-odds,
so that no cluster counts for more because it is large or noisy, at the stretch of all spreads that serves best. In
turns, until nothing improves: for each cluster the gain D whose medians are least off, then each constant of the law
from a short list, which moves only where that is worth it. Printed are the tables of sensitivity: the score at every
value of each constant, and how it would have been chosen without each cluster.

The gain of a kind is the geometric mean over its clusters. Its spread is how far a further cluster would lie from that:
the spread between clusters of one kind is pooled over all kinds, that between kinds serves the kinds not calibrated on.
Last, all spreads are stretched so that the intervals hold as often as they should, each cluster counting the same and
its gain taken from the other clusters of its kind; clusters that are alone of their kind have no say. It is the mean
of what comes out without each cluster, and aims at more than 80 %, because the law was chosen on the same curves.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.real_curves import Curve, committed_curves, folder_curves
from pipeline.analyse.annealing.calibration import CALIBRATION, Calibration, ClusterGain, Tried
from pipeline.files import atomic
from pipeline.files.typed_json import to_json
from pipeline.stage import run_stage
from pipeline.statistics.annealing.law import Gain, Law
from pipeline.statistics.annealing.records import Observed, Summary, summarize
from pipeline.statistics.schedule_forecast import fit_summary

FRACTIONS = (0.2, 0.3, 0.5)
LEVEL = 0.8
AIM = 0.85  # share of the ends that the 80 % intervals are stretched to hold
SHARES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
CEILINGS = ((0.0, 0.3), (1.5, 0.4), (3.0, 0.3))
DRIFTS = ((0.2, 0.9), (0.6, 0.08), (2.0, 0.02))
START = Law(0.7, 0.03, CEILINGS, DRIFTS, response=0.15, window=0.5, stretch=1.0)
TRIED: dict[str, tuple[object, ...]] = {
    "exponent": (0.5, 0.7, 1.0),
    "lag": (0.0, 0.03, 0.06),
    "ceilings": (((0.0, 1.0),), ((0.0, 0.3), (1.5, 0.7)), CEILINGS, ((0.0, 0.2), (2.0, 0.8))),
    "drifts": (((0.1, 0.9), (0.3, 0.08), (1.0, 0.02)), DRIFTS, ((0.4, 0.9), (1.2, 0.08), (4.0, 0.02))),
    "response": (0.05, 0.15, 0.3),
    "window": (0.5, 0.25),
}  # fmt: skip
WORTH = 0.05  # of score, about 5 % of the intervals' score: what is less does not move a constant from where it stands
GAINS = tuple(float(gain) for gain in np.geomspace(0.08, 1.28, 7))
SPREAD_OF_GAIN = 0.4  # share of D, while the law is chosen: what a kind with one cluster gets
MOST_OF_A_CLUSTER = 4  # curves: more of the same tell little more
ROUNDS = 2
STRETCHES = np.linspace(0.4, 1.2, 9)  # of all spreads: laws are compared at the one that serves each best


@dataclass(frozen=True)
class Table:
    """What one law with one gain for each cluster came to."""

    law: Law
    scores: dict[str, np.ndarray]  # by cluster: log of the mean interval score (log-odds) at each of STRETCHES

    def mean(self, without: str | None = None) -> float:
        """The mean over the clusters but one, at the stretch that serves best."""
        kept = [scores for cluster, scores in self.scores.items() if cluster != without]
        return float(np.mean(kept, axis=0).min())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=Path, nargs="*", default=[], metavar="DIR", help="folders of curves")
    parser.add_argument("--output", type=Path, default=CALIBRATION, help="(default: %(default)s)")
    arguments = parser.parse_args()
    curves = committed_curves()
    for folder in arguments.histories:
        curves += folder_curves(folder)
    found = calibrate(curves)
    atomic.write_json(arguments.output, to_json(found), indent=1)
    print("\n".join(documented(found)))
    print(f"written to {arguments.output}")
    return 0


def calibrate(curves: list[Curve]) -> Calibration:
    """The constants that serve ``curves`` best; prints what it tries."""
    law, tables = START, []
    annealed = thinned([curve for curve in curves if curve.plan is not None])
    sensitivity: list[Tried] = []
    for _ in range(ROUNDS):
        gains = best_gains(annealed, law)
        before, sensitivity = law, []
        for name, values in TRIED.items():
            tried = [score_table(annealed, changed(law, name, value), gains) for value in values]
            tables += tried
            sensitivity += [
                Tried(name, json.dumps(value), round(table.mean(), 3))
                for value, table in zip(values, tried, strict=True)
            ]
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
    found = Calibration(law, entries, without, sensitivity)
    stretched = {cluster: stretch(annealed, found, cluster) for cluster in without}
    print("stretch: " + ", ".join(f"{value:.2f} without {cluster}" for cluster, value in stretched.items()))
    return Calibration(
        replace(law, stretch=float(np.mean(list(stretched.values())))),
        entries,
        {cluster: replace(other, stretch=stretched[cluster]) for cluster, other in without.items()},
        sensitivity,
    )


def documented(found: Calibration) -> list[str]:
    """The rows of the table in docs/ANALYSIS.md: kind, clusters, D of each, D of a further run and its spread.

    The spread is that in the forecast, stretched.
    """
    rows = []
    for kind in found.kinds():
        gains = [entry.gain for entry in found.clusters if entry.kind == kind]
        shown = ", ".join(f"{gain:.2f}" for gain in gains)
        rows.append(f"| {kind} | {len(gains)} | {shown} | {_told(found, kind)} |")
    return [*rows, f"| any other | 0 | | {_told(found, None)} |"]


def _told(found: Calibration, kind: str | None) -> str:
    gain = found.gain(kind)
    return f"{gain.mean:.2f} | {gain.spread * found.law.stretch:.2f}"


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
        tried = " ".join(f"{score:+.2f}" for score in scores)
        print(f"D of {cluster}, {kind}: {found[cluster, kind]:.3f}   {tried}", flush=True)
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
        scores[cluster] = np.mean(parts, axis=0)
    return Table(law, scores)


def cluster_score(curves: list[Curve], law: Law, gain: Gain) -> np.ndarray:
    """The log of the mean interval score in log-odds over ``curves`` and fractions, at each of STRETCHES."""
    scores = [
        [interval_score(middle - width * (middle - low), middle + width * (high - middle), end) for width in STRETCHES]
        for (low, middle, high), end in forecasts(tuple(curves), law, gain)
    ]
    return np.asarray(np.log(np.mean(scores, axis=0)))


def distance(curves: list[Curve], law: Law, gain: Gain) -> float:
    """How far the medians are off: the mean over ``curves`` and fractions, log-odds.

    The interval score would not do for the gain, whose spread is a share of it: it would reward a small one.
    """
    return float(np.mean([abs(middle - end) for (_, middle, _), end in forecasts(tuple(curves), law, gain)]))


@cache
def forecasts(curves: tuple[Curve, ...], law: Law, gain: Gain) -> list[tuple[tuple[float, float, float], float]]:
    """The interval with its median, and the end, in log-odds, of each curve from each fraction."""
    found = []
    for curve in curves:
        for fraction in FRACTIONS:
            summary = summary_of(curve, fraction, law.exponent, law.lag, law.window)
            if curve.plan is not None and summary is not None:
                outcome = fit_summary(summary, gain, law).expect(curve.plan, curve.late)
                low, middle, high = (float(special.logit(outcome.quantile(share))) for share in SHARES)
                found.append(((low, middle, high), float(special.logit(curve.end))))
    return found


@cache
def summary_of(curve: Curve, fraction: float, exponent: float, lag: float, window: float) -> Summary | None:
    """The beginning of a curve, summarized once for all gains, drifts and ceilings that are tried on it."""
    law = replace(START, exponent=exponent, lag=lag, window=window)
    return None if curve.plan is None else summarize([Observed(*curve.beginning(fraction), curve.plan)], law)


def interval_score(low: float, high: float, truth: float) -> float:
    """The interval score of Gneiting & Raftery (2007) at LEVEL: width, and 2 / (1 - LEVEL) times what lies outside."""
    return high - low + 2 / (1 - LEVEL) * (max(low - truth, 0.0) + max(truth - high, 0.0))


def stretch(curves: list[Curve], found: Calibration, left_out: str) -> float:
    """The factor of all spreads with which AIM of the intervals hold, on the mean over the clusters that are kept."""
    kept = found.leaving_out(cluster=left_out)
    ratios: list[np.ndarray] = []
    for cluster in clusters_of(curves):
        mine = [curve for curve in curves if curve.cluster == cluster and cluster != left_out]
        without = kept.leaving_out(cluster=cluster)
        for kind in dict.fromkeys(curve.kind for curve in mine):
            if not without.known(kind):
                continue  # what it is worth to know the kind can be seen only where another cluster tells of it
            gain = without.gain(kind)
            of_kind = [curve for curve in mine if curve.kind == kind]
            outside = [
                abs(end - (low + high) / 2) / ((high - low) / 2)
                for (low, _, high), end in forecasts(tuple(of_kind), replace(kept.law, stretch=1.0), gain)
            ]
            ratios.append(np.array(outside))
    weights = np.concatenate([np.full(len(each), 1 / len(each)) for each in ratios])
    values = np.concatenate(ratios)
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), AIM * weights.sum())])


def clusters_of(curves: list[Curve]) -> list[str]:
    return list(dict.fromkeys(curve.cluster for curve in curves))


def anneals(curve: Curve) -> bool:
    """Whether the rate falls at all."""
    return curve.plan is not None and float(curve.plan.rates[-1]) < 0.95 * float(curve.plan.rates.max())


if __name__ == "__main__":
    run_stage(main)
