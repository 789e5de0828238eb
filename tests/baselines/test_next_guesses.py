"""Two guesses of the next symbol by counting."""

import numpy as np

from pipeline.baselines import next_guesses
from pipeline.baselines.next_guesses import NextGuesses
from pipeline.data.causal_windows import NOT_SCORED, Windows

TEXT = np.array([0, 3, 1, 2, 1, 2, 3, 1, 1, 1, 4, 0], dtype=np.uint16)  # after 1: 2 and 1 twice, 4 once
ASKED = Windows(np.array([[1, 3, 5, 4, 2]]), np.array([[1, 1, 1, 0, NOT_SCORED]]), np.array([0]))
HAN = np.array([False, True, False, False, False, False])


def test_guesses(monkeypatch):
    for at_once in (1 << 24, 3):  # in one piece and in pieces
        monkeypatch.setattr(next_guesses, "_AT_ONCE", at_once)
        found = NextGuesses(TEXT, 6).accuracies([ASKED], HAN)
        # The commonest is 1. After 1 it is 1, the lower id of a tie; after 3 it is 1, after 4 it is 0; 5 is not seen.
        assert found == {"commonest": {"all": 0.75, "han": 1.0}, "left": {"all": 1.0, "han": 1.0}}
    tie = NextGuesses(TEXT, 6).accuracies([Windows(np.array([[1]]), np.array([[2]]), np.array([0]))], HAN)
    assert tie["left"] == {"all": 0.0, "han": None}
