"""The counting guesses as distributions: interpolated as Witten and Bell do, worked out by hand."""

import numpy as np
import pytest

from pipeline.baselines.counting_distributions import CountingDistributions
from pipeline.data.masked_pairs import Batch, PairCorpus
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, MASK, SEP, Tokenizer
from pipeline.files.dataset import Document

TOKENS = "丙乙甲丁"
SENTENCES = ["甲乙丙", "甲乙丙", "甲丁", "丙丙"]  # 丙 4, 乙 2, 甲 3, 丁 1 times


@pytest.fixture(scope="module")
def at():
    """A function of two neighbours that gives the distributions between them, each by character."""
    tokenizer = Tokenizer(list(TOKENS))
    corpus = PairCorpus(SENTENCES, [Document("", 0, None, None, "", "", 0, 4)], tokenizer, 16, 0.15, True)
    fitted = CountingDistributions(corpus)
    ids = {character: identifier for identifier, character in enumerate(tokenizer.tokens)}

    def found(left, right):
        tokens = np.array([CLS, ids.get(left, left), MASK, ids.get(right, right), SEP])
        none = np.zeros(0, dtype=np.int64)
        batch = Batch(tokens, none, none, np.array([5]), np.array([2]), np.array([0]), none, none)
        rows = {name: row[0] for name, row in fitted.distributions(batch).items()}
        for row in rows.values():
            assert row.sum() == pytest.approx(1, abs=1e-12)
            assert not row[:FIRST_CHARACTER].any()
        return {name: dict(zip(TOKENS, row[FIRST_CHARACTER:], strict=True)) for name, row in rows.items()}

    return found


COMMONEST = {"丙": 5 / 14, "乙": 3 / 14, "甲": 4 / 14, "丁": 2 / 14}


def test_commonest_counts_every_character_once_more(at):
    assert at("甲", "丙")["commonest"] == pytest.approx(COMMONEST)


def test_left_is_interpolated(at):
    """After 甲 came 乙 twice and 丁 once: 3 times, 2 characters, so 2 / 5 is left to the shorter context."""
    left = at("甲", "丙")["left"]
    assert left == pytest.approx(
        {"丙": 0.4 * 5 / 14, "乙": 2 / 5 + 0.4 * 3 / 14, "甲": 0.4 * 4 / 14, "丁": 1 / 5 + 0.4 * 2 / 14}
    )


def test_both_falls_back_on_the_mean_of_the_two_sides(at):
    found = at("甲", "丙")
    # Before 丙 came 乙 twice and 丙 once. Between 甲 and 丙 came 乙, twice: 2 times, 1 character.
    right = {"丙": 1 / 5, "乙": 2 / 5, "甲": 0.0, "丁": 0.0}
    for character, both in found["both"].items():
        from_right = right[character] + 0.4 * COMMONEST[character]
        shorter = (found["left"][character] + from_right) / 2
        assert both == pytest.approx((2 / 3 if character == "乙" else 0) + shorter / 3)


def test_what_was_never_seen_is_left_to_the_shorter_context(at):
    found = at(MASK, MASK)
    assert found["left"] == pytest.approx(COMMONEST)
    assert found["both"] == pytest.approx(COMMONEST)
