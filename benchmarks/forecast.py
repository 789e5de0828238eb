"""How often the forecast's 80 % interval holds the end of real runs, how far its median is off, beside simple rules.

    python benchmarks/forecast.py                                          # the committed runs
    python benchmarks/forecast.py --histories DIR ... --json backtest.json

A forecast is made from the first 20, 30 and 50 % of a run's records. It gets the whole learning rate of the file as the
plan and nothing else from after the cut; where the file has no rates, the schedule counts as unknown. The target is the
mean over the last 5 % of the steps. A cluster that was calibrated on is forecast with the constants as they
would have been without it; a second table leaves out its whole kind. Beside it stand

last        the mean of the last twentieth of the records seen
log_trend   that, and on with the slope in log step of the last half of the records seen
line        a straight line through all records seen
mixture     the average of curves, which knows no learning rate (curve_average.py)

The first three have no interval of their own. They get that of split conformal prediction (Vovk et al. 2005; Lei et
al. 2018): the half-width, in log-odds, that holds 80 % of the ends from the same fraction, over all other clusters,
each counting the same. Errors, widths and interval scores (Gneiting & Raftery 2007) are in points of accuracy; a loss
counts as exp(-loss).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.calibrate_forecast import interval_score
from benchmarks.real_curves import Curve, committed_curves, folder_curves
from pipeline.analyse.annealing.calibration import Calibration, calibration
from pipeline.analyse.annealing.coming import Coming
from pipeline.files import atomic
from pipeline.stage import run_stage
from pipeline.statistics.annealing.outcome import mixed
from pipeline.statistics.annealing.rate_plan import Plan
from pipeline.statistics.annealing.records import Observed
from pipeline.statistics.curve_average import average_curves
from pipeline.statistics.schedule_forecast import fit_schedule

FRACTIONS = (0.2, 0.3, 0.5)
LEVEL = 0.8
SHARES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
RULES = ("last", "log_trend", "line")
LARGEST_LOG_ODDS = 14.0
Interval = tuple[float, float, float]  # low, median, high: shares of one


@dataclass(frozen=True)
class Made:
    """The forecasts of one end from one fraction, shares of one; those of ``RULES`` have no interval of their own."""

    curve: Curve
    fraction: float
    intervals: dict[str, Interval]  # by name: "forecast", "mixture"
    rules: dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--histories", type=Path, nargs="+", default=[], metavar="DIR",
        help="folders of histories, with an index.json or not (default: the committed runs)",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables there too (default: only printed)")
    arguments = parser.parse_args()
    begun = time.perf_counter()
    ours = committed_curves()
    curves = [curve for folder in arguments.histories for curve in folder_curves(folder)] or ours
    references = [made for curve in [*curves, *ours] for made in by_rules(curve)]
    known, tables = calibration(), {}
    for name, title, without_kind in (
        ("groups", "calibrated without the cluster", False), ("groups_without_kind", "without its kind", True)
    ):  # fmt: skip
        found = [made for curve in curves for made in forecasts(curve, left_out(known, curve, without_kind))]
        tables[name] = groups(found, references)
        print_table(title, tables[name])
    print("\n" + "\n".join(documented(tables["groups"])))
    if arguments.json:
        atomic.write_json(arguments.json, tables, indent=1)
    print(f"{len(curves)} curves in {time.perf_counter() - begun:.0f} s")
    return 0


def left_out(known: Calibration, curve: Curve, without_kind: bool) -> Calibration:
    """The constants without the curve's cluster, and without its kind where that is asked for."""
    kept = known.leaving_out(cluster=curve.cluster)
    return kept.leaving_out(kind=curve.kind) if without_kind else kept


def by_rules(curve: Curve) -> list[Made]:
    """What the simple rules say from each fraction."""
    found = []
    for fraction in FRACTIONS:
        steps, accuracy = curve.beginning(fraction)
        place, late = float(curve.late.mean()), max(len(steps) // 20, 1)
        half = len(steps) // 2
        last = float(accuracy[-late:].mean())
        slope = np.polynomial.Polynomial.fit(np.log(steps[half:]), accuracy[half:], 1).deriv()(0.0)
        rules = {
            "last": last,
            "log_trend": last + float(slope) * float(np.log(place) - np.log(steps[-late:]).mean()),
            "line": float(np.polynomial.Polynomial.fit(steps, accuracy, 1)(place)),
        }
        found.append(Made(curve, fraction, {}, rules))
    return found


def forecasts(curve: Curve, known: Calibration, *, mixture: bool = True) -> list[Made]:
    """The forecasts from each fraction, with the simple rules and, where asked for, the average of curves beside."""
    found = []
    for made in by_rules(curve):
        steps, accuracy = curve.beginning(made.fraction)
        intervals = {"mixture": by_mixture(curve, made.fraction)} if mixture else {}
        fitted = fit_schedule([Observed(steps, accuracy, seen(curve, steps))], known.gain(curve.kind), known.law)
        if fitted is None:
            continue
        outcome = mixed([fitted.expect(plan, curve.late) for plan in plans(curve, steps)])
        intervals["forecast"] = three([outcome.quantile(share) for share in SHARES])
        found.append(Made(curve, made.fraction, intervals, made.rules))
    return found


def seen(curve: Curve, steps: np.ndarray) -> Plan:
    """The rates that a beginning is fitted with: where there are none, one rate."""
    return curve.plan or Plan(np.array([0.0, steps[-1]]), np.array([1.0, 1.0]))


def plans(curve: Curve, steps: np.ndarray) -> list[Plan]:
    """The rates that may come after ``steps``: the file's, or where it has none, as for any history without them."""
    if curve.plan is not None:
        return [curve.plan]
    coming = Coming("unknown", seen(curve, steps), float(steps[-1]), float(steps[-1]), recorded=False)
    return [future.plan for future in coming.futures(float(curve.steps[-1]))]


@cache
def by_mixture(curve: Curve, fraction: float) -> Interval:
    """What the average of curves expects."""
    mixture = average_curves(*curve.beginning(fraction)).expect(np.array([curve.late.mean()]))
    return three([float(mixture.quantile(share)[0]) for share in SHARES])


def three(values: list[float]) -> Interval:
    low, middle, high = values
    return low, middle, high


def groups(found: list[Made], references: list[Made]) -> list[dict[str, object]]:
    """One row for each cluster, task and fraction."""
    rows = []
    for cluster, task, fraction in sorted({(each.curve.cluster, each.curve.task, each.fraction) for each in found}):
        mine = [
            each for each in found if (each.curve.cluster, each.curve.task, each.fraction) == (cluster, task, fraction)
        ]
        ends = [each.curve.end for each in mine]
        half = {rule: conformal(references, rule, cluster, fraction) for rule in RULES}
        baselines = {rule: row([around(each.rules[rule], half[rule]) for each in mine], ends) for rule in RULES}
        if all("mixture" in each.intervals for each in mine):
            baselines["mixture"] = row([each.intervals["mixture"] for each in mine], ends)
        own = row([each.intervals["forecast"] for each in mine], ends)
        named = {"cluster": cluster, "task": task, "fraction": fraction, "runs": len(mine)}
        rows.append({**named, **own, "baselines": baselines})
    return rows


def row(intervals: list[Interval], ends: list[float]) -> dict[str, float]:
    """Median error, coverage, median width and mean interval score; all but the coverage in points."""
    low, middle, high = np.array(intervals).T
    truth = np.array(ends)
    return {
        "error": 100 * float(np.median(np.abs(middle - truth))),
        "coverage": float(np.mean((low <= truth) & (truth <= high))),
        "width": 100 * float(np.median(high - low)),
        "interval_score": 100 * float(np.mean([interval_score(*each) for each in zip(low, high, truth, strict=True)])),
    }


def conformal(references: list[Made], rule: str, cluster: str, fraction: float) -> float:
    """The half-width (log-odds) that holds LEVEL of the ends of the other clusters, each cluster counting the same."""
    errors: dict[str, list[float]] = {}
    for made in references:
        if made.curve.cluster != cluster and made.fraction == fraction:
            error = abs(log_odds(made.curve.end) - log_odds(made.rules[rule]))
            errors.setdefault(made.curve.cluster, []).append(error)
    values = np.concatenate([np.array(each) for each in errors.values()])
    weights = np.concatenate([np.full(len(each), 1 / len(each)) for each in errors.values()])
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(sums, LEVEL * sums[-1])), len(order) - 1)])


def around(expected: float, half: float) -> Interval:
    """``expected`` with a half-width in log-odds."""
    middle = log_odds(expected)
    return float(special.expit(middle - half)), float(special.expit(middle)), float(special.expit(middle + half))


def log_odds(share: float) -> float:
    """The log-odds of a share of one; a line can leave [0, 1]."""
    return float(np.clip(special.logit(np.clip(share, 0.0, 1.0)), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS))


def print_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    print(f"\n{title}: median error (coverage), mean interval score")
    print(f"{'cluster':<34}{'task':<34}{'from':>5}{'runs':>6}{'forecast':>20}{'log_trend':>20}{'last':>12}{'line':>12}"
          f"{'mixture':>20}")  # fmt: skip
    for entry in rows:
        beside = entry["baselines"]
        cells = [both(entry), both(beside["log_trend"]), f"{beside['last']['error']:12.2f}",
                 f"{beside['line']['error']:12.2f}", both(beside["mixture"])]  # fmt: skip
        print(f"{entry['cluster']:<34.33}{entry['task']:<34.33}{100 * entry['fraction']:>3.0f} %{entry['runs']:>6}"
              + "".join(cells))  # fmt: skip


def documented(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rows of the table in docs/ANALYSIS.md: cluster, task, runs; errors from each fraction, coverage, scores."""
    found = []
    for cluster, task in dict.fromkeys((row["cluster"], row["task"]) for row in rows):
        mine = [row for row in rows if (row["cluster"], row["task"]) == (cluster, task)]
        errors = " / ".join(f"{row['error']:.2f}" for row in mine)
        beside = [row["baselines"]["log_trend"] for row in mine]
        numbers = [
            100 * float(np.mean([row["coverage"] for row in mine])),
            *(float(np.mean([row["interval_score"] for row in some])) for some in (mine, beside)),
        ]
        held, score, other = numbers
        runs = mine[0]["runs"]
        found.append(f"| {cluster} | {task} | {runs} | {errors} | {held:.0f} % | {score:.2f} | {other:.2f} |")
    return found


def both(found: Mapping[str, Any]) -> str:
    return f"{found['error']:7.2f} ({100 * found['coverage']:3.0f} %) {found['interval_score']:5.2f}"


if __name__ == "__main__":
    run_stage(main)
