"""Where the learning rate changes its course: from the recorded rates, or from the settings where there are none."""

import numpy as np
import pytest

from pipeline.analyse.annealing.phases import breaks_among, phase_ends
from pipeline.files.history import History

STEPS = np.arange(1, 101) * 100
SHARE = STEPS / STEPS[-1]
RATES = {
    "cosine": (np.minimum(SHARE / 0.05, 0.5 + 0.5 * np.cos(np.pi * SHARE)), []),
    "constant": (np.ones(100), []),
    "warm-up, then constant": (np.minimum(SHARE / 0.1, 1), []),
    "wsd": (np.minimum(np.minimum(SHARE / 0.1, 1), (1 - SHARE) / 0.2 + 0.001), [8_000]),
    "steps": (np.where(SHARE <= 0.3, 1, np.where(SHARE <= 0.6, 0.1, 0.01)), [3_000, 6_000]),
    "cosine to a floor": (np.maximum(0.5 + 0.5 * np.cos(np.pi * np.minimum(SHARE / 0.8, 1)), 0.01), [7_400]),
}


@pytest.mark.parametrize("name", RATES)
def test_a_phase_ends_where_a_level_begins_or_ends(name):
    rates, ends = RATES[name]
    history = History({"steps": STEPS.tolist(), "lr": (1e-3 * rates).tolist()}, {})
    assert phase_ends(history) == ends
    assert breaks_among(phase_ends(history), STEPS[::2]) == [int(np.sum(STEPS[::2] <= end)) for end in ends]


def test_without_rates_the_settings_say_where_a_decay_begins():
    config = {"steps": 10_000, "schedule": "wsd:0.2", "lr": 1e-3, "warmup": 100}
    assert phase_ends(History({"steps": STEPS.tolist()}, {"config": config})) == [8_000]
    assert phase_ends(History({"steps": STEPS.tolist()}, {"config": {**config, "schedule": "cosine"}})) == []
    assert phase_ends(History({"steps": STEPS.tolist()}, {})) == []


def test_the_first_and_the_last_record_begin_no_phase_of_their_own():
    assert breaks_among([0.0, 50.0, 10_000.0, 20_000.0], STEPS) == []
