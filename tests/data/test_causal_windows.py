"""Which windows a causal model is trained on, and that scoring asks for every symbol once."""

import numpy as np
import pytest

from pipeline.data.alphabet import END
from pipeline.data.causal_text import CausalText
from pipeline.data.causal_windows import (
    NOT_SCORED,
    TrainingWindows,
    context,
    first_windows,
    scoring_windows,
    split_windows,
)


def text_of(count):
    """``count`` symbols that are all different, between two ENDs."""
    symbols = np.array([END, *range(1, count + 1), END], dtype=np.uint16)
    return CausalText([], symbols, np.array([0, count + 1]), True)


@pytest.mark.parametrize("count", [96, 100])
def test_an_epoch_meets_every_symbol_once(count):
    """97 or 101 symbols of a ring are 12 windows of 8 with 1 or 5 left over."""
    windows = TrainingWindows(text_of(count), 8, 4, seed=1)
    assert len(windows) == 12
    batches = [windows[step] for step in range(1, 7)]
    for batch in batches:
        following = np.where(batch.inputs == count, END, batch.inputs + 1)  # END follows the last, 1 follows END
        assert (batch.labels == following).all()
    first, second = (np.concatenate([batch.labels for batch in batches[part : part + 3]]) for part in (0, 3))
    for epoch in (first, second):
        assert len(np.unique(epoch)) == epoch.size == 96
    assert set(first[:, 0]) != set(second[:, 0])  # another beginning


def test_a_step_is_a_function_of_seed_and_step():
    one, two = (TrainingWindows(text_of(100), 8, 5, seed=1) for _ in range(2))
    for step in (7, 2, 9):
        assert (one[step].inputs == two[step].inputs).all()
    other = TrainingWindows(text_of(100), 8, 5, seed=2)
    assert (one[2].inputs != other[2].inputs).any()


def test_parts_are_the_whole():
    batch = TrainingWindows(text_of(100), 8, 5, seed=1)[3]
    parts = split_windows(batch, 3)
    assert [len(part.places) for part in parts] == [2, 2, 1]
    assert (np.concatenate([part.labels for part in parts]) == batch.labels).all()
    assert len(split_windows(batch, 8)) == 5


@pytest.mark.parametrize("count", [1, 7, 8, 9, 500, 503])
@pytest.mark.parametrize("length", [2, 7, 8])
def test_every_symbol_is_scored_once_with_enough_before_it(count, length):
    text = text_of(count)
    asked = np.zeros(text.targets, dtype=int)
    for windows in scoring_windows(text, length):
        assert windows.inputs.shape[1] <= length
        for inputs, labels, place in zip(windows.inputs, windows.labels, windows.places, strict=True):
            assert (inputs == text.symbols[place : place + len(inputs)]).all()
            scored = np.flatnonzero(labels != NOT_SCORED)
            assert (labels[scored] == text.symbols[place + scored + 1]).all()
            asked[place + scored] += 1
            assert place == 0 or scored.min() + 1 > context(length)
    assert (asked == 1).all()


def test_the_first_windows_do_not_depend_on_a_seed_and_are_enough():
    whole = scoring_windows(text_of(5000), 16)
    some = first_windows(whole, 1000)
    assert 1000 <= sum(each.targets for each in some) < 1000 + 16
    places = np.concatenate([each.places for each in some])
    assert (np.diff(places) > 0).all()
    assert places[-1] > 3000  # from all over the text
    assert (places == np.concatenate([each.places for each in first_windows(whole, 1000)])).all()
    assert sum(each.targets for each in first_windows(whole, 10**6)) == 5001
