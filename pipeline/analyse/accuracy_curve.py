"""How one accuracy goes with the step, and its way to the analysis file and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.files.history import History
from pipeline.files.json_object import read_json_object
from pipeline.stage import InputError
from pipeline.statistics.bootstrap import NoiseDraws
from pipeline.statistics.correlation import Horizon, Pearson, draws_around, horizons, pearson, plain_r
from pipeline.statistics.curves import PARAMETERS, Fit, fit_curves


@dataclass(frozen=True)
class Trend:
    """How one accuracy goes with the step: r, the curves (the best first) and r over parts of the run."""

    pearson: Pearson
    fits: list[Fit]
    first: list[Horizon]
    second_half: Horizon | None


def trend(history: History, key: str) -> Trend:
    """The trend of the accuracy list ``key``, over the records where it is a finite number."""
    return trend_and_draws(history, key)[0]


def trend_and_draws(history: History, key: str) -> tuple[Trend, NoiseDraws | None]:
    """The trend, and how to redraw the noise around its best curve."""
    steps, accuracy = history.points(key)
    fits = fit_curves(steps, accuracy)
    best = fits[0] if fits else None
    draws = draws_around(steps, accuracy, best)
    return Trend(pearson(steps, accuracy, best, draws), fits, *horizons(steps, accuracy)), draws


def horizon_to_json(value: Trend) -> dict[str, Any]:
    return {
        "first": [asdict(part) for part in value.first],
        "second_half": asdict(value.second_half) if value.second_half else None,
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
        raise InputError(f"{path}: is not an analysis as analyze_100k.py writes it ({error!r}); {advice}") from None
    same = value.get("total_steps") == history.records["steps"][-1] and value.get("data_points") == len(history)
    if not same or not _close(training.pearson.r, plain_r(*history.points(history.accuracy))):
        raise InputError(f"{path}: is the analysis of another history, or of this one before it grew; {advice}")
    return training, held_out


def _trend_from_json(r: dict[str, Any], rest: dict[str, Any]) -> Trend:
    """Read back what stands in the analysis file; anything else raises a KeyError, TypeError, ValueError or so."""
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
    at_bound = tuple(str(name) for name in fit["at_bound"])
    return Fit(curve, parameters, float(fit["r_squared"]), float(fit["aic"]), at_bound)


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
