"""Errors of forecasts from rolling origins, against refitting each curve from scratch."""

import numpy as np
import pytest

from pipeline.statistics.curves import shape_grid
from pipeline.statistics.rolling_origin import rolling_errors
from tests.helpers.simulated import CURVES, STEPS


def errors_by_refitting(steps, accuracy):
    """Root mean square over every origin and every tenth of the records that begins after it."""
    records = len(steps)
    shapes = {
        "linear": [steps],
        "log": [np.log(steps)],
        "exponential": [-np.exp(-steps / tau) for (tau,) in shape_grid("exponential", steps)],
    }
    found = {}
    for curve, candidates in shapes.items():
        squares = []
        for number in range(2, 9):
            end = int(records * number / 10)
            fits = [(g, *np.polyfit(g[:end], accuracy[:end], 1, full=True)[:2]) for g in candidates]
            g, line, _ = min(fits, key=lambda fit: fit[2][0])
            for tenth in range(10):
                first, last = records * tenth // 10, records * (tenth + 1) // 10
                if first >= end:
                    squares.append((np.polyval(line, g[first:last]).mean() - accuracy[first:last].mean()) ** 2)
        found[curve] = np.sqrt(np.mean(squares))
    return found


@pytest.mark.parametrize(("curve", "records"), [("log", 200), ("exponential", 300), ("power", 40)])
def test_errors_are_those_of_refitting_at_every_origin(curve, records):
    steps = STEPS[:records]
    accuracy = CURVES[curve][:records] + np.random.default_rng(records).normal(0, 0.01, records)
    found = rolling_errors(steps, accuracy)
    expected = errors_by_refitting(steps, accuracy)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)


def test_the_curve_that_made_the_data_forecasts_best():
    for name, curve in CURVES.items():
        errors = rolling_errors(STEPS, curve + np.random.default_rng(5).normal(0, 0.003, len(STEPS)))
        if name == "exponential":
            assert min(errors, key=errors.get) in ("exponential", "power")
            assert errors["linear"] > 10 * errors["exponential"]
        if name == "log":
            assert min(errors, key=errors.get) == "log"


def test_few_records_or_none_that_differ_have_no_error():
    assert rolling_errors(STEPS[:39], CURVES["log"][:39]) == {}
    assert rolling_errors(STEPS, np.full(len(STEPS), 0.3)) == {}
