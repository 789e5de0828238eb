"""Stage 4: how the accuracy of a run depends on the number of training steps.

    python analyze_100k.py                                   # the real study
    python analyze_100k.py --history runs/quickstart/training_history.json --output runs/quickstart/analysis.json
    python analyze_100k.py --baseline results/training_history_50k.json

It reads a training history, ours or the published five lists, of a finished run or of one still going, and writes the
analysis that visualize_results.py draws: Pearson's r of step and accuracy with two intervals, one that takes the
records for independent and one that respects their autocorrelation; the curves that describe the run better than a
straight line; and r over parts of the run, which shows that r measures straightness and not learning.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipeline import atomic
from pipeline.analyse.result import DEFAULT_ANALYSIS, analyse
from pipeline.history import DEFAULT_HISTORY, History, read_history
from pipeline.stage import InputError, run_stage


def main() -> int:
    arguments = _arguments()
    history = _read(arguments.history)
    baseline = _read(arguments.baseline) if arguments.baseline else None
    result = analyse(history, baseline, datetime.now(timezone.utc).isoformat(timespec="seconds"))
    atomic.write_json(arguments.output, result, indent=2)
    print("\n".join(_report(arguments.history, result)))
    print(f"written: {arguments.output}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--history", type=Path, default=DEFAULT_HISTORY, metavar="F", help="the run's history (default: %(default)s)"
    )
    inputs.add_argument(
        "--baseline", type=Path, metavar="F50", help="history of a shorter run to compare r with (default: none)"
    )
    outputs = parser.add_argument_group("output")
    outputs.add_argument(
        "--output", type=Path, default=DEFAULT_ANALYSIS, metavar="J", help="the analysis (default: %(default)s)"
    )
    return parser.parse_args()


def _read(path: Path) -> History:
    history = read_history(path)
    if not len(history):
        raise InputError(f"{path}: holds no records yet; wait for the first one of train_large_100k.py")
    return history


def _report(path: Path, result: dict[str, Any]) -> list[str]:
    """The findings as lines for the console."""
    accuracy, loss = result["mlm_stats"], result["loss_stats"]
    lines = [
        f"{path}: {result['data_points']:,} records to step {result['total_steps']:,}",
        f"training MLM accuracy  mean {_show(accuracy['mean'])}, from {_show(accuracy['min'])} to "
        f"{_show(accuracy['max'])}, std {_show(accuracy['std'])}",
        f"training loss          {_show(loss['initial'])} -> {_show(loss['final'])}",
        *_correlation("training accuracy", result["pearson"], result["fits"], result["horizon"]),
    ]
    if held_out := result["held_out"]:
        lines += _correlation("held-out accuracy", held_out, held_out["fits"], held_out["horizon"])
    comparison = result["comparison_with_50k"]
    if comparison["improvement"] is None:
        lines.append(f"baseline: none ({comparison['note']})")
    else:
        lines.append(
            f"baseline: r {_show(comparison['50k_pearson_r'])}, this run {comparison['improvement']:+.3f}; "
            f"{comparison['note']}"
        )
    for anomaly in result["anomalies"]:
        lines.append(
            f"anomaly: {anomaly['count']} x {anomaly['kind']} in {anomaly['key']}, steps {anomaly['first_step']:,} to "
            f"{anomaly['last_step']:,}, left out of the fits"
        )
    return lines


def _correlation(what: str, pearson: dict[str, Any], fits: dict[str, Any], horizon: dict[str, Any]) -> list[str]:
    lines = [f"{what} against step"]
    if pearson["r"] is not None:
        lines.append(f"  Pearson r            {pearson['r']:.3f}   (r^2 {pearson['r'] ** 2:.3f})")
    if interval := pearson["interval_iid"]:
        lines.append(f"  95 % interval        {interval[0]:.3f} to {interval[1]:.3f} if records were independent")
    if interval := pearson["interval_autocorrelation"]:
        lines.append(
            f"                       {interval[0]:.3f} to {interval[1]:.3f} with their autocorrelation around the "
            f"{pearson['curve']} curve (effective sample size {pearson['effective_sample_size']:.0f})"
        )
    for name, fit in fits.items():
        parameters = ", ".join(f"{key} = {value:.4g}" for key, value in fit["parameters"].items())
        lines.append(f"  {name:<20} R^2 {fit['r_squared']:.3f}   {fit['formula']}, {parameters}")
    parts = [part for part in horizon["first"][3::4] if part["r"] is not None]
    if parts:
        lines.append("  r up to step         " + "   ".join(f"{part['until']:,.0f}: {part['r']:.3f}" for part in parts))
    later = horizon["second_half"]
    if later and later["r"] is not None:
        lines.append(f"  r after step         {later['after']:,.0f}: {later['r']:.3f}")
    lines.append(f"  {pearson['note']}")
    return lines


def _show(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    run_stage(main)
