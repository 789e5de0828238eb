"""The steps that an accuracy needs: within this run, or of a longer one with a schedule of the same shape."""

from __future__ import annotations

import numpy as np

from pipeline.analyse.annealing.ahead import LEVEL, Ahead, forms
from pipeline.analyse.schema.forecast import ForecastTarget, Verdict
from pipeline.formatting import Step, step_number
from pipeline.statistics.smoothing import running_mean

SEARCHED_STEPS = 60
SMOOTHING = 20  # a running mean spans this part of the records


def reach_of(law: Ahead) -> float:
    """The last step that the law answers for."""
    low, high = law.coming.last, law.coming.last * 2
    while law.supports(high):
        low, high = high, high * 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if law.supports(middle) else (low, middle)
    return float(np.floor(low)) if low >= 100 else low


def steps_to(law: Ahead, steps: np.ndarray, accuracy: np.ndarray, target: float, reach: float) -> ForecastTarget:
    """When ``target`` (share of one) is reached: within the records, later, or not within ``reach``.

    ``steps`` and ``accuracy`` are the records' finite points, float [N] each.
    """
    reached = first_passing(steps, accuracy, target)
    if reached is not None:
        return ForecastTarget(target, "reached", reached, interval=None, probability=1.0, by_model={})
    planned = law.coming.planned
    within = np.linspace(law.coming.last, min(law.coming.end, reach), SEARCHED_STEPS + 1)[1:]
    ends_beyond = law.coming.end > reach
    if planned and (ends_beyond or 1 - law.outcome(within[-1]).chance_below(target) >= 0.5):
        return _found(law, target, within, another_run=False)
    start = law.coming.end if planned else law.coming.last
    places = np.geomspace(start, max(reach, start), SEARCHED_STEPS + 1)
    return _found(law, target, places if planned else places[1:], another_run=planned or law.coming.state == "annealed")


def first_passing(steps: np.ndarray, accuracy: np.ndarray, target: float) -> Step | None:
    """The first of ``steps`` at which the running mean of ``accuracy`` is at least ``target``; None where it never is.

    Both are float [N].
    """
    smooth = running_mean(accuracy, len(accuracy) // SMOOTHING)
    passed = np.flatnonzero(smooth >= target)
    return step_number(steps[passed[0]]) if len(passed) else None


def _found(law: Ahead, target: float, places: np.ndarray, *, another_run: bool) -> ForecastTarget:
    """The verdict from the chance to be above ``target`` at each of ``places`` (float [M])."""
    outcomes = [law.outcome(step) for step in places]
    above = _rising([1 - outcome.chance_below(target) for outcome in outcomes])
    by_form = {
        form: _rising([1 - forms(outcome)[form].chance_below(target) for outcome in outcomes])
        for form in forms(outcomes[0])
    }
    ends = [float(chances[-1]) for chances in by_form.values()]
    verdict: Verdict = "not_supported"
    if all(chance >= 0.5 for chance in ends):
        verdict = "reachable"
    elif any(chance >= 0.5 for chance in ends):
        verdict = "models_disagree"
    elif all(chance < (1 - LEVEL) / 2 for chance in ends):
        verdict = "beyond_every_model"
    early, middle, late = (crossing(places, above, share) for share in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    cost = {} if middle is None else law.cost(middle, another_run=another_run)
    return ForecastTarget(
        target=target,
        verdict=verdict,
        steps=middle,
        interval=(early, late),
        probability=float(above[-1]),
        by_model={form: crossing(places, chances, 0.5) for form, chances in by_form.items()},
        another_run=another_run or None,
        **cost,
    )


def _rising(chances: list[float]) -> np.ndarray:
    return np.maximum.accumulate(np.array(chances))


def crossing(places: np.ndarray, chance: np.ndarray, share: float) -> Step | None:
    """The step at which a rising ``chance`` (float [M], at the steps ``places``) passes ``share``, by interpolation.

    None where it stays below.
    """
    if chance[-1] < share:
        return None
    after = int(np.argmax(chance >= share))
    if after == 0:
        return round(places[0])
    low, high = chance[after - 1], chance[after]
    part = (share - low) / (high - low)
    return round(places[after - 1] + part * (places[after] - places[after - 1]))
