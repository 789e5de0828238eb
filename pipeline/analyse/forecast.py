"""Where the accuracy goes from here: expected values at further steps, and the steps that a target needs.

Where the learning rate that is still to come is known and falls, both are of the law of annealing/, up to the planned
end; else of the mixture of curve_average.py, beside whose curves stand their errors from rolling origins
(rolling_origin.py). The interval (80 %) is of the noise-free curve; benchmarks/forecast.py measures how often it holds.
The curves rise or fall throughout, so a target is passed by step s just when the curve at s is above it, and the
chance of that, over s, gives the quantiles of the step.

A run whose learning rate was annealed to nothing cannot simply be continued: what a longer run reaches at a step
depends on its own schedule. ``schedule`` says so.
"""

from __future__ import annotations

import numpy as np

from pipeline.analyse.annealing.end import LEVEL, Ahead, ahead
from pipeline.analyse.schema.accuracy import Forecast, ForecastModel, ForecastPoint, ForecastTarget, Schedule, Verdict
from pipeline.files.history import History
from pipeline.formatting import Step, step_number
from pipeline.statistics.curve_average import Mixture, average_curves
from pipeline.statistics.curves import average_down
from pipeline.statistics.rolling_origin import rolling_errors
from pipeline.statistics.smoothing import running_mean

REACH = 10.0  # times the run: how far targets are looked for
FEWEST_RECORDS = 40
SEARCHED_STEPS = 200
SEARCHED_OF_A_PLAN = 40
PLAUSIBLE = 0.05  # a curve of less weight does not count in a verdict
ANNEALED = 0.05  # share of the peak learning rate below which a schedule counts as ended
SMOOTHING = 20  # a running mean spans this part of the records
TAIL_PARTS = 20  # of the run; the later half of them must hold one rate for it to be constant
NOTES: dict[Schedule, str] = {
    "annealed": "The learning rate of this run ended near zero, so the run cannot simply be continued: a longer run is "
    "another run with a longer schedule, lower at the same step and not bound to this curve.",
    "unfinished": "The run goes on; what the rest of its learning-rate schedule brings is not in the records yet, and "
    "is in the forecast only where 'annealing' says what was taken for it.",
    "constant": "The learning rate was not brought down; annealing it usually adds to the accuracy.",
    "unknown": "The schedule is not clear from the learning rates; if it ended near zero, the run cannot be continued.",
}


def averaged(steps: np.ndarray, accuracy: np.ndarray) -> Mixture | None:
    """The mixture to forecast from, for finite points (float [N] each); None for fewer than 40 or constant accuracy."""
    if len(steps) < FEWEST_RECORDS or np.ptp(accuracy) == 0:
        return None
    return average_curves(steps, accuracy)


def forecast(
    history: History, key: str | None, mixture: Mixture | None, targets: list[float], at: list[float]
) -> Forecast | None:
    """The forecast of the accuracy list ``key``, at the steps ``at`` and for the ``targets`` (shares of one).

    None where there is neither a mixture nor a known rate to come.
    """
    law = ahead(history, key)
    if mixture is None and law is None:
        return None
    steps, accuracy = history.points(key)
    last = float(steps[-1])
    planned = _planned_steps(history)
    schedule = schedule_of(history, planned)
    weights = mixture.curve_weights() if mixture else {}
    errors = rolling_errors(steps, accuracy)
    unfinished = planned is not None and planned > last
    end = None
    if law is not None:
        end = law.point(law.end, law.at_end())
    elif mixture is not None and unfinished and planned is not None:
        end = expected_at(mixture, planned, last)
    points = []
    for step in at:
        if law is not None and last < step <= law.end:
            points.append(law.point(step, law.at(step)))
        elif mixture is not None:
            points.append(expected_at(mixture, step, last))
    found = []
    for target in targets:
        if law is not None:
            found.append(steps_by_plan(law, steps, accuracy, target))
        elif mixture is not None:
            found.append(steps_to(mixture, steps, accuracy, target))
    return Forecast(
        level=LEVEL,
        models={curve: ForecastModel(weights[curve], errors[curve]) for curve in weights},
        last_step=step_number(last),
        range=step_number(law.end if law is not None else REACH * last),
        schedule=schedule,
        end=end,
        at=points,
        targets=found,
        note=NOTES[schedule],
        annealing=None if law is None else law.described(),
    )


def expected_at(mixture: Mixture, step: float, last: float) -> ForecastPoint:
    """The expected accuracy at ``step`` of a run observed until ``last``."""
    places = np.array([float(step)])
    expectation = mixture.expect(places)
    low, middle, high = (float(expectation.quantile(share)[0]) for share in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    return ForecastPoint(
        step=step_number(step),
        beyond_run=step > last,
        accuracy=middle,
        interval=(low, high),
        by_model={curve: float(mixture.expect(places, curve).quantile(0.5)[0]) for curve in plausible(mixture)},
    )


def steps_to(mixture: Mixture, steps: np.ndarray, accuracy: np.ndarray, target: float) -> ForecastTarget:
    """When ``target`` (share of one) is reached: within the records, later, or not within ten times the run.

    ``steps`` and ``accuracy`` are the records' finite points, float [N] each.
    """
    reached = first_passing(steps, accuracy, target)
    if reached is not None:
        return ForecastTarget(target, "reached", reached, interval=None, probability=1.0, by_model={})
    last = float(steps[-1])
    places = np.geomspace(last, REACH * last, SEARCHED_STEPS)
    level = np.full(len(places), target)
    above = np.maximum.accumulate(1 - mixture.expect(places).chance_below(level))
    chances = {
        curve: np.maximum.accumulate(1 - mixture.expect(places, curve).chance_below(level))
        for curve in plausible(mixture)
    }
    likely = [float(chance[-1]) for chance in chances.values()]
    verdict: Verdict
    if all(chance < (1 - LEVEL) / 2 for chance in likely):
        verdict = "beyond_every_model"
    else:
        verdict = "reachable" if all(chance >= 0.5 for chance in likely) else "models_disagree"
    early, middle, late = (_crossing(places, above, share) for share in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    return ForecastTarget(
        target=target,
        verdict=verdict,
        steps=middle,
        interval=(early, late),
        probability=float(above[-1]),
        by_model={curve: _crossing(places, chance, 0.5) for curve, chance in chances.items()},
    )


def steps_by_plan(law: Ahead, steps: np.ndarray, accuracy: np.ndarray, target: float) -> ForecastTarget:
    """When ``target`` (share of one) is reached before the planned end of a run under way.

    ``steps`` and ``accuracy`` are the records' finite points, float [N] each.
    """
    reached = first_passing(steps, accuracy, target)
    if reached is not None:
        return ForecastTarget(target, "reached", reached, interval=None, probability=1.0, by_model={})
    places = np.linspace(law.last, law.end, SEARCHED_OF_A_PLAN + 1)[1:]
    above = np.maximum.accumulate([1 - law.at(step).chance_below(target) for step in places])
    chance = float(above[-1])
    verdict: Verdict = "reachable" if chance >= 0.5 else "models_disagree"
    if chance < (1 - LEVEL) / 2:
        verdict = "beyond_every_model"
    early, middle, late = (_crossing(places, above, share) for share in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    return ForecastTarget(target, verdict, middle, (early, late), chance, by_model={})


def plausible(mixture: Mixture) -> list[str]:
    """The curves that have enough weight to count in a verdict."""
    return [curve for curve, weight in mixture.curve_weights().items() if weight >= PLAUSIBLE]


def first_passing(steps: np.ndarray, accuracy: np.ndarray, target: float) -> Step | None:
    """The first of ``steps`` at which the running mean of ``accuracy`` is at least ``target``; None where it never is.

    Both are float [N].
    """
    smooth = running_mean(accuracy, len(accuracy) // SMOOTHING)
    passed = np.flatnonzero(smooth >= target)
    return step_number(steps[passed[0]]) if len(passed) else None


def schedule_of(history: History, planned: float | None) -> Schedule:
    """The kind of schedule, from the learning rates and the number of steps planned."""
    if planned is not None and planned > history.last_step:
        return "unfinished"
    _, rates = history.points(history.columns.rate)
    if len(rates) < FEWEST_RECORDS or rates.max() <= 0:
        return "unknown"
    if rates[-1] <= ANNEALED * rates.max():
        return "annealed"
    tail = average_down(rates, rates, TAIL_PARTS)[1][TAIL_PARTS // 2 :]
    return "constant" if np.ptp(tail) <= ANNEALED * rates.max() else "unknown"


def _planned_steps(history: History) -> float | None:
    return history.facts.count("config", "steps")


def _crossing(places: np.ndarray, chance: np.ndarray, share: float) -> int | None:
    """The step at which a rising ``chance`` (float [M], at the steps ``places``) passes ``share``, by interpolation.

    None where it stays below.
    """
    if chance[-1] < share:
        return None
    after = int(np.argmax(chance >= share))
    if after == 0:
        return int(places[0])
    low, high = chance[after - 1], chance[after]
    part = (share - low) / (high - low)
    return round(places[after - 1] + part * (places[after] - places[after - 1]))
