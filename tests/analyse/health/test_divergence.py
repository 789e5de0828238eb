"""A loss diverges where its last mean is above its lowest one by more than the noise of such means, and by 3 %."""

import numpy as np
import pytest
from scipy import stats

from pipeline.analyse.health.divergence import diverged
from pipeline.files.history import History

RECORDS = 200
STEPS = list(range(20, 4001, 20))


def block_error(values):
    """Of a difference of two means of eight: the median of neighbouring ones over that of a normal size, by numpy."""
    means = np.reshape(values[len(values) % 8 :], (-1, 8)).mean(axis=1)[-20:]
    return np.median(np.abs(np.diff(means))) / stats.norm.ppf(0.75)


def test_a_loss_diverges_from_four_standard_errors_or_three_per_cent_on():
    """Above the least mean of eight records before; the last eight are raised, which moves no median."""
    generator = np.random.default_rng(2)
    for level, sigma in ((0.5, 0.055), (5.0, 0.01)):
        values = level + generator.normal(0, sigma, RECORDS)
        before = [values[start : start + 8].mean() for start in range(RECORDS - 15)]
        limit = max(4 * block_error(values), 0.03 * min(before))
        for part, found in ((0.9, False), (1.1, True)):
            raised = values.copy()
            raised[-8:] += min(before) + part * limit - values[-8:].mean()
            margin = raised[-8:].mean() - min(before)
            assert (margin > max(4 * block_error(raised), 0.03 * min(before))) == found
            assert bool(diverged(History({"steps": STEPS, "loss": raised.tolist()}, {}))) == found


def test_it_is_said_where_the_loss_was_lowest():
    loss = 5 - np.arange(RECORDS) / 100
    loss[120:] = 5
    found = diverged(History({"steps": STEPS, "loss": loss.tolist()}, {}))
    assert (found.now, found.records) == (5, 8)
    assert found.lowest == pytest.approx(loss[112:120].mean())
    assert found.at == STEPS[115]
    assert diverged(History({"steps": STEPS[:39], "loss": loss[100:139].tolist()}, {})) is None
