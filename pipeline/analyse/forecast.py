"""Where the accuracy goes from here: expected values at further steps, the steps that a target needs, what may be done.

All of it is of the law that knows the learning rate (annealing/, pipeline/statistics/schedule_forecast.py), with 80 %
intervals; benchmarks/forecast.py measures on real runs how often they hold. Where a rate is constant the law is a trend
in log step that may bend and drift: on constant stretches of real runs it was nearer to the truth than the average of
curves (curve_average.py) and held it more often. The weights of those curves say which describes the records so far.

A question about a step after the end of a schedule means another, longer run with a schedule of the same shape. Answers
end at four times the cumulative learning rate seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.analyse.annealing.ahead import LEVEL, Known, ahead
from pipeline.analyse.annealing.choices import choices
from pipeline.analyse.annealing.targets import reach_of, steps_to
from pipeline.analyse.schema.forecast import Forecast, ForecastModel, LossForecast, Schedule
from pipeline.files.history import History
from pipeline.files.run_record import recorded_config
from pipeline.formatting import step_number
from pipeline.statistics.curve_average import Mixture, average_curves
from pipeline.statistics.rolling_origin import rolling_errors
from pipeline.statistics.smoothing import is_constant

FEWEST_RECORDS = 40
# Settings in which runs may differ that are put under one law, beside the number of steps.
FREE_SETTINGS = (
    "steps",
    "schedule",
    "seed",
    "data_seed",
    "log_interval",
    "eval_examples",
    "save_interval",
    "early_stop",
)
NOTES: dict[Schedule, str] = {
    "annealed": "The learning rate of this run ended near zero, so the run cannot simply be continued: at a later step "
    "stands the end of another, longer run with a schedule of the same shape.",
    "unfinished": "The run goes on, and the learning rate that its plan still has is in the forecast; at a step beyond "
    "the plan stands the end of another, longer run with a schedule of the same shape.",
    "constant": "The learning rate was not brought down, and the forecast leaves it so; annealing it usually adds to "
    "the accuracy.",
    "unknown": "Whether the learning rate still falls is not known: it may stay, or be brought down to nothing at the "
    "step asked for, and the interval spans both. --schedule and --steps would tell.",
}


def averaged(steps: np.ndarray, accuracy: np.ndarray) -> Mixture | None:
    """The average of curves for finite points (float [N] each); None for fewer than 40 or constant accuracy."""
    if len(steps) < FEWEST_RECORDS or is_constant(accuracy):
        return None
    return average_curves(steps, accuracy)


@dataclass(frozen=True)
class Asked:
    """What is asked of the forecast: accuracies to reach (shares of one), steps, and what the user knows of the run."""

    targets: Sequence[float] = ()
    at: Sequence[float] = ()
    known: Known = field(default_factory=Known)


def forecast(history: History, key: str | None, mixture: Mixture | None, asked: Asked | None = None) -> Forecast | None:
    """The forecast of the accuracy list ``key``.

    None without such a list, for fewer than 8 records, or where all have the same accuracy.
    """
    asked = asked or Asked()
    law = ahead(history, key, asked.known) if key is not None else None
    if law is None:
        return None
    steps, accuracy = history.points(key)
    weights = mixture.curve_weights() if mixture else {}
    errors = rolling_errors(steps, accuracy) if mixture else {}
    reach = reach_of(law)
    state = law.coming.state
    return Forecast(
        level=LEVEL,
        models={curve: ForecastModel(weights[curve], errors[curve]) for curve in weights},
        last_step=step_number(law.coming.last),
        range=step_number(reach),
        schedule=state,
        end=law.point(law.coming.end) if state == "unfinished" and law.coming.end <= reach else None,
        at=[law.point(step) for step in asked.at if step <= reach],
        targets=[steps_to(law, steps, accuracy, target, reach) for target in asked.targets],
        note=NOTES[state],
        unsupported=[step_number(step) for step in asked.at if step > reach] or None,
        choices=choices(law),
        law=law.law,
    )


def loss_forecast(history: History, key: str | None, asked: Asked) -> LossForecast | None:
    """The forecast of the loss list ``key``; None without such a list or for fewer than 8 records."""
    law = ahead(history, key, asked.known, loss=True) if key is not None and history.has(key) else None
    if law is None or key is None:
        return None
    reach = reach_of(law)
    end = law.loss_point(law.coming.end) if law.coming.state == "unfinished" and law.coming.end <= reach else None
    return LossForecast(key, end, [law.loss_point(step) for step in asked.at if step <= reach], law.law)


def same_setting(history: History, others: Sequence[History]) -> list[History]:
    """Those of ``others`` that differ from ``history`` in length, schedule and seed alone, by the settings recorded."""
    mine = _setting(history)
    return [] if mine is None else [other for other in others if other is not history and _setting(other) == mine]


def _setting(history: History) -> dict[str, object] | None:
    config = recorded_config(history.run)
    if not config:
        return None
    kept = {name: value for name, value in config.items() if name not in FREE_SETTINGS}
    return {**kept, "dataset": history.facts.text("dataset", "fingerprint")}
