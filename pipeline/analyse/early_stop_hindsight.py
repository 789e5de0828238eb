"""Where the early-stopping rule would have ended this run, what that would have saved, and what it would have lost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from scipy import stats

from pipeline.files.history import History
from pipeline.statistics.early_stop import EarlyStop
from pipeline.statistics.slope import LEVEL

NOTE = (
    "What is lost is the mean of the last window of the run less the mean of the window before the stop. The run was "
    "not stopped: with a learning rate that is annealed, part of it is what the end of the schedule brings."
)


def early_stopping(history: History, rule: EarlyStop) -> dict[str, Any]:
    """The ``early_stop`` object of the analysis file; training accuracy stands in where nothing was held out."""
    key = history.best_accuracy
    steps, values = history.series("steps"), history.series(key)
    stop = rule.stopping_step(history.records["steps"], values.tolist(), held_out_targets(history, key))
    found: dict[str, Any] = {"rule": asdict(rule), "key": key, "stop_step": stop}
    if stop is None:
        nothing = ("saved_steps", "saved_seconds", "saved_share", "accuracy_at_stop", "lost", "lost_interval")
        end = _window(values[np.isfinite(values)], rule.window)
        note = "The rule would have let this run go on to its last record."
        return {**found, **dict.fromkeys(nothing), "accuracy_at_end": end[0], "note": note}
    evaluated = np.isfinite(values)
    before = values[evaluated & (steps <= stop)]
    at_stop, at_end = _window(before, rule.window), _window(values[evaluated], rule.window)
    seconds = history.series("seconds")
    saved_seconds = float(seconds[-1] - seconds[steps == stop][0])
    lost = None if at_stop[0] is None or at_end[0] is None else at_end[0] - at_stop[0]
    half = _half_width(at_stop[1], at_end[1])
    return {
        **found,
        "saved_steps": int(steps[-1]) - stop,
        "saved_seconds": saved_seconds if np.isfinite(saved_seconds) else None,
        "saved_share": 1 - stop / float(steps[-1]),
        "accuracy_at_stop": at_stop[0],
        "accuracy_at_end": at_end[0],
        "lost": lost,
        "lost_interval": None if lost is None or half is None else (lost - half, lost + half),
        "note": NOTE,
    }


def held_out_targets(history: History, key: str) -> list[float | None] | None:
    """Targets behind each accuracy of ``key``: recorded for training; for the held-out subset its share of the final
    scoring's targets, as many sequences as the settings say; None where neither is known."""
    if key == history.accuracy:
        return history.records.get(history.columns.accuracy.targets or "")
    facts = history.facts
    examples = facts.count("config", "eval_examples")
    targets, pairs = facts.count("validation", "mlm_targets"), facts.count("validation", "nsp_pairs")
    if not examples or not targets or not pairs:
        return None
    return [targets * min(1.0, examples / pairs)] * len(history)


def _window(values: np.ndarray, window: int) -> tuple[float | None, float | None]:
    """Mean of the last ``window`` values and the standard error that their scatter around a line gives it."""
    last = values[-window:]
    if not len(last):
        return None, None
    if len(last) < 4:
        return float(last.mean()), None
    places = np.arange(len(last))
    residuals = last - np.polynomial.Polynomial.fit(places, last, 1)(places)
    return float(last.mean()), float(np.sqrt(residuals @ residuals / (len(last) - 2) / len(last)))


def _half_width(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return None
    return float(stats.norm.ppf((1 + LEVEL) / 2) * np.hypot(first, second))
