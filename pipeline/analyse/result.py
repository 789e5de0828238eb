"""The analysis file: what ``analyze_100k.py`` writes and ``visualize_results.py`` reads.

JSON, numbers unrounded, null where a value is not defined. The published keys keep their names and meaning::

    timestamp, total_steps, data_points, pearson_correlation, r_squared
    mlm_stats {mean, max, min, std}      training MLM accuracy, shares of one; std with ddof 0
    loss_stats {initial, final, decrease}
    comparison_with_50k {50k_pearson_r, 100k_pearson_r, improvement, improvement_percentage, note}
    goal_achieved                        r >= 0.85, the published goal

and beside them::

    pearson    {r, p_iid, interval_iid, interval_autocorrelation, effective_sample_size, curve, note}
    fits       for each curve, the best first: {formula, parameters, r_squared, aic}
    horizon    {first: [{after, until, records, r}], second_half: the same}, over parts of the run
    held_out   pearson's keys with their own fits and horizon, for held-out accuracy; null where the history has none
    anomalies  [{key, kind, count, first_step, last_step}]: values that are no numbers, left out of everything above
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.analyse.correlation import Horizon, Pearson, horizons, pearson, plain_r
from pipeline.analyse.curves import FORMULAS, PARAMETERS, Fit, fit_curves
from pipeline.analyse.series import finite_points, series
from pipeline.corpus import read_json_object
from pipeline.history import History
from pipeline.stage import InputError

DEFAULT_ANALYSIS = Path("results/analysis_100k_result.json")
GOAL = 0.85


@dataclass(frozen=True)
class Trend:
    """How one accuracy goes with the step: r, the curves (the best first) and r over parts of the run."""

    pearson: Pearson
    fits: list[Fit]
    first: list[Horizon]
    second_half: Horizon | None


def trend(history: History, key: str) -> Trend:
    """The trend of the accuracy list ``key``, over the records where it is a finite number."""
    steps, accuracy = finite_points(history, key)
    fits = fit_curves(steps, accuracy)
    return Trend(pearson(steps, accuracy, fits[0] if fits else None), fits, *horizons(steps, accuracy))


def analyse(history: History, baseline: History | None, timestamp: str) -> dict[str, Any]:
    """The whole analysis of a history of at least one record, as the JSON object described above."""
    training = trend(history, "mlm_acc")
    r = training.pearson.r
    as_json = _trend_to_json(training)
    return {
        "timestamp": timestamp,
        "total_steps": history.records["steps"][-1],
        "data_points": len(history),
        "pearson_correlation": r,
        "r_squared": None if r is None else r**2,
        "mlm_stats": _spread(finite_points(history, "mlm_acc")[1]),
        "loss_stats": _decrease(finite_points(history, "loss")[1]),
        "comparison_with_50k": _comparison(r, baseline),
        "goal_achieved": None if r is None else r >= GOAL,
        "pearson": as_json.pop("pearson"),
        **as_json,
        "held_out": _held_out(history),
        "anomalies": _anomalies(history),
    }


def _spread(accuracy: np.ndarray) -> dict[str, float | None]:
    if not len(accuracy):
        return dict.fromkeys(("mean", "max", "min", "std"))
    statistics = {"mean": accuracy.mean(), "max": accuracy.max(), "min": accuracy.min(), "std": accuracy.std()}
    return {name: float(value) for name, value in statistics.items()}


def _decrease(loss: np.ndarray) -> dict[str, float | None]:
    if not len(loss):
        return dict.fromkeys(("initial", "final", "decrease"))
    return {"initial": float(loss[0]), "final": float(loss[-1]), "decrease": float(loss[0] - loss[-1])}


def _comparison(r: float | None, baseline: History | None) -> dict[str, Any]:
    if baseline is None:
        values = dict.fromkeys(("50k_pearson_r", "100k_pearson_r", "improvement", "improvement_percentage"))
        return {**values, "note": "no baseline history was given (--baseline), so there is nothing to compare with"}
    before = plain_r(*finite_points(baseline, "mlm_acc"))
    improvement = None if r is None or before is None else r - before
    return {
        "50k_pearson_r": before,
        "100k_pearson_r": r,
        "improvement": improvement,
        "improvement_percentage": None if improvement is None or not before else 100 * improvement / before,
        "note": f"the baseline has {len(baseline)} records to step {baseline.records['steps'][-1]}; r falls with the "
        "length of a run that saturates, so runs of different lengths are not to be ranked by it",
    }


def _held_out(history: History) -> dict[str, Any] | None:
    if not history.has("eval_mlm_acc"):
        return None
    as_json = _trend_to_json(trend(history, "eval_mlm_acc"))
    return {**as_json.pop("pearson"), **as_json}


def _anomalies(history: History) -> list[dict[str, Any]]:
    steps = history.records["steps"]
    found = []
    for key in history.records:
        values = series(history, key)
        is_null = np.array([value is None for value in history.records[key]])
        kinds = {"nan": np.isnan(values) & ~is_null, "inf": values == np.inf, "-inf": values == -np.inf}
        for kind, where in kinds.items():
            places = np.flatnonzero(where)
            if len(places):
                ends = {"first_step": steps[places[0]], "last_step": steps[places[-1]]}
                found.append({"key": key, "kind": kind, "count": len(places), **ends})
    return found


def _trend_to_json(value: Trend) -> dict[str, Any]:
    return {
        "pearson": asdict(value.pearson),
        "fits": {
            fit.curve: {
                "formula": FORMULAS[fit.curve],
                "parameters": fit.parameters,
                "r_squared": fit.r_squared,
                "aic": fit.aic,
            }
            for fit in value.fits
        },
        "horizon": {
            "first": [asdict(part) for part in value.first],
            "second_half": asdict(value.second_half) if value.second_half else None,
        },
    }


def read_trends(path: Path, history: History) -> tuple[Trend, Trend | None]:
    """The trends of training and of held-out accuracy from the analysis of ``history`` in ``path``.

    Raises:
        InputError: missing file, broken JSON, wrong types, or an analysis of some other history.
    """
    advice = "analyze_100k.py makes one from the same --history"
    value = read_json_object(path, "the analysis", advice)
    try:
        training = _trend_from_json(value["pearson"], value)
        held_out = None if value["held_out"] is None else _trend_from_json(value["held_out"], value["held_out"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: is no analysis as analyze_100k.py writes it ({error!r}); {advice}") from None
    same = value.get("total_steps") == history.records["steps"][-1] and value.get("data_points") == len(history)
    if not same or not _close(training.pearson.r, plain_r(*finite_points(history, "mlm_acc"))):
        raise InputError(f"{path}: is the analysis of another history, or of this one before it grew; {advice}")
    return training, held_out


def _trend_from_json(r: dict[str, Any], rest: dict[str, Any]) -> Trend:
    """Read back what ``_trend_to_json`` wrote; anything else raises a KeyError, TypeError, ValueError or the like."""
    second_half = rest["horizon"]["second_half"]
    return Trend(
        Pearson(
            r=_number(r["r"]),
            p_iid=_number(r["p_iid"]),
            interval_iid=_interval(r["interval_iid"]),
            interval_autocorrelation=_interval(r["interval_autocorrelation"]),
            effective_sample_size=_number(r["effective_sample_size"]),
            curve=None if r["curve"] is None else str(r["curve"]),
            note=str(r["note"]),
        ),
        [_fit(curve, fit) for curve, fit in rest["fits"].items()],
        [_horizon(part) for part in rest["horizon"]["first"]],
        None if second_half is None else _horizon(second_half),
    )


def _fit(curve: str, fit: dict[str, Any]) -> Fit:
    parameters = {name: float(fit["parameters"][name]) for name in PARAMETERS[curve]}
    return Fit(curve, parameters, float(fit["r_squared"]), float(fit["aic"]))


def _horizon(part: dict[str, Any]) -> Horizon:
    return Horizon(float(part["after"]), float(part["until"]), int(part["records"]), _number(part["r"]))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _interval(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = value
    return float(low), float(high)


def _close(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else abs(a - b) < 1e-9
