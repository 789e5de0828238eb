"""The n-gram model against the formulas written out with dictionaries."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from pipeline.baselines import kneser_ney
from pipeline.baselines.kneser_ney import KneserNey

SIZE = 40
SHARES = 1 / np.arange(1, SIZE) ** 1.5
TEXT = np.random.default_rng(0).choice(SIZE - 1, 500, p=SHARES / SHARES.sum())  # the last symbol is never seen
HELD_OUT = np.random.default_rng(1).integers(0, SIZE, 60)


def discounts(counts):
    n = Counter(counts)
    assert min(n[1], n[2], n[3], n[4]) > 0
    share = n[1] / (n[1] + 2 * n[2])
    taken = {1: 1 - 2 * share * n[2] / n[1], 2: 2 - 3 * share * n[3] / n[2], 3: 3 - 4 * share * n[4] / n[3]}
    return {0: 0, **{count: max(0, discount) for count, discount in taken.items()}}


class Plain:
    """Chen and Goodman's equations, gram by gram."""

    def __init__(self, text, order):
        self.order, text = order, tuple(text)
        self.counts = {}
        for length in range(1, order + 1):
            grams = Counter(text[place : place + length] for place in range(len(text) - length + 1))
            if length < order:
                before = defaultdict(set)
                for place in range(len(text) - length):
                    before[text[place + 1 : place + 1 + length]].add(text[place])
                grams = {gram: len(before[gram]) for gram in grams}
            self.counts[length] = grams
        self.discounts = {length: discounts(grams.values()) for length, grams in self.counts.items()}

    def probability(self, context, symbol):
        if context is None:
            return 1 / SIZE
        shorter = context[1:] if context else None
        grams, discount = self.counts[len(context) + 1], self.discounts[len(context) + 1]
        followers = {gram[-1]: count for gram, count in grams.items() if gram[:-1] == context}
        total = sum(followers.values())
        if not total:
            return self.probability(shorter, symbol)
        taken = sum(discount[min(count, 3)] for count in followers.values())
        count = followers.get(symbol, 0)
        own = (count - discount[min(count, 3)]) / total
        return own + taken / total * self.probability(shorter, symbol)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_against_the_formulas(order):
    plain = Plain(TEXT.tolist(), order)
    found = KneserNey(TEXT.astype(np.uint16), SIZE, order).probabilities(HELD_OUT.astype(np.uint16))
    held_out = tuple(HELD_OUT.tolist())
    for place in range(1, len(held_out)):
        context = held_out[max(0, place - order + 1) : place]
        assert found[place - 1] == pytest.approx(plain.probability(context, held_out[place]), rel=1e-12)


def test_probabilities_sum_to_one():
    model = KneserNey(TEXT, SIZE, 3)
    for context in ([0, 1], [1, 5], [39, 39], [5, 38]):
        total = sum(model.probabilities(np.array([*context, symbol]))[-1] for symbol in range(SIZE))
        assert total == pytest.approx(1)


def test_a_tiny_text_has_a_model_too():
    model = KneserNey(np.array([0, 1, 2, 0]), SIZE, 3)
    assert model.probabilities(np.array([0, 1, 2]))[-1] > 1 / SIZE
    assert sum(model.probabilities(np.array([0, 1, symbol]))[-1] for symbol in range(SIZE)) == pytest.approx(1)


def test_only_the_beginning_of_a_long_text_is_counted(monkeypatch):
    monkeypatch.setattr(kneser_ney, "MOST_FITTED", 100)
    model, short = KneserNey(TEXT, SIZE, 3), KneserNey(TEXT[:100], SIZE, 3)
    assert model.fitted == 100
    assert (model.probabilities(HELD_OUT) == short.probabilities(HELD_OUT)).all()
