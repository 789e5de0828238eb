"""At which steps weights are written, and which states stay."""

import pytest

from pipeline.files.checkpoints.names import EARLY_STEPS, KeptStates, parse_kept_states, weight_steps


def test_early_steps_are_pythias():
    assert EARLY_STEPS == (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


def test_weights_are_written_on_the_grid_and_early_on_wish():
    assert weight_steps(10, 4, early=False) == [4, 8]
    assert weight_steps(10, 5, early=True) == [0, 1, 2, 4, 5, 8, 10]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", []),
        ("12", [12]),
        ("12,5", [5, 12]),
        ("every:4", [4, 8, 12]),
        ("5, every:6", [5, 6, 12]),
    ],
)
def test_states_that_stay(text, kept):
    found = parse_kept_states(text)
    assert [step for step in range(1, 14) if step in found] == kept
    assert parse_kept_states(str(found)) == found


@pytest.mark.parametrize("text", ["0", "-4", "every:0", "every:", "every:4,every:6", "4,,6", "all", "4.5", "4;6", "٤"])
def test_other_notations_are_refused(text):
    with pytest.raises(ValueError, match=r"must be steps, as in 12500,25000, or every:N"):
        parse_kept_states(text)


def test_one_more_step():
    assert KeptStates(every=3).and_of(None) == KeptStates(every=3)
    assert KeptStates(frozenset({1}), every=3).and_of(2) == KeptStates(frozenset({1, 2}), every=3)
