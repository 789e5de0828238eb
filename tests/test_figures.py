"""The parts that figures are built of."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline.analyse.figure_style import short_step, spread


@given(st.lists(st.floats(-100, 100), max_size=12).map(sorted), st.floats(0.01, 10))
def test_labels_are_spread_apart_and_stay_in_order(places, least):
    moved = spread(places, least)
    assert len(moved) == len(places)
    assert all(after - before >= least * (1 - 1e-6) for before, after in pairwise(moved))
    assert sum(moved) == pytest.approx(sum(places), abs=1e-6)  # moved apart around their centre


@pytest.mark.parametrize(("step", "text"), [(40, "40"), (2440, "2,440"), (2500, "2.5K"), (100_000, "100K")])
def test_short_step(step, text):
    assert short_step(step) == text
