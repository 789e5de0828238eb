"""NSP against chance: the tests are the exact ones that are stated, and so is how often a coin is taken for skill."""

import numpy as np
import pytest
from scipy import stats

from pipeline.analyse.nsp import nsp_against_chance
from pipeline.files.history import History
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import published_like
from tests.helpers.synthetic import make_history


def counted(correct, pairs):
    """A history whose records judged ``correct`` of ``pairs`` each right."""
    shares = [right / count for right, count in zip(correct, pairs, strict=True)]
    return History({"steps": [10 * place for place in range(1, len(shares) + 1)], "nsp_acc": shares,
                    "nsp_pairs": list(pairs)}, {})  # fmt: skip


def test_nsp_of_a_run_like_the_published_one_never_leaves_chance():
    history = published_like()
    found = nsp_against_chance(history).training
    assert found.at_chance is True
    assert (found.pairs, found.denominators, found.first_step_above) == (32_000, "inferred", None)
    assert found.correct == round(32 * sum(history.records["nsp_acc"]))
    assert found.interval[0] < 0.5 < found.interval[1]


def test_p_and_interval_are_the_exact_binomial_ones():
    """Two-sided p of a fair coin by symmetry; Clopper and Pearson's interval by the beta distribution."""
    generator = np.random.default_rng(4)
    pairs = generator.integers(20, 60, 40)
    correct = generator.binomial(pairs, 0.53)
    found = nsp_against_chance(counted(correct.tolist(), pairs.tolist())).training
    right, count = int(correct.sum()), int(pairs.sum())
    assert (found.correct, found.pairs, found.accuracy) == (right, count, right / count)
    tail = stats.binom.sf(right - 1, count, 0.5) if right > count / 2 else stats.binom.cdf(right, count, 0.5)
    assert found.p == pytest.approx(2 * tail)
    low, high = stats.beta.ppf(0.025, right, count - right + 1), stats.beta.ppf(0.975, right + 1, count - right)
    assert found.interval == pytest.approx((low, high))
    quarter = found.last_quarter
    assert (quarter.correct, quarter.pairs) == (correct[-10:].sum(), pairs[-10:].sum())


def just_above(pairs, alpha):
    """The fewest right of ``pairs`` that a coin reaches with a probability below ``alpha``."""
    return int(stats.binom.isf(alpha, pairs, 0.5)) + 1


def spread(right, records, pairs):
    """``right`` in all, as evenly as whole numbers allow, over records of ``pairs`` each."""
    edges = np.linspace(0, right, records + 1).astype(int)
    return counted(np.diff(edges).tolist(), [pairs] * records)


def test_a_run_is_above_chance_from_one_in_a_hundred_on():
    """One-sided: what a coin reaches in less than 1 % of runs."""
    records, pairs = 8, 50
    least = just_above(400, 0.01)
    assert stats.binom.sf(least - 1, 400, 0.5) < 0.01 < stats.binom.sf(least - 2, 400, 0.5)
    assert nsp_against_chance(spread(least, records, pairs)).training.at_chance is False
    assert nsp_against_chance(spread(least - 1, records, pairs)).training.at_chance is True


def test_the_last_quarter_may_be_above_chance_alone():
    records, pairs = 40, 10
    for more, at_chance in ((0, False), (-1, True)):
        correct = [5] * 30 + np.diff(np.linspace(0, just_above(100, 0.01) + more, 11).astype(int)).tolist()
        found = nsp_against_chance(counted(correct, [pairs] * records)).training
        assert found.at_chance is at_chance
        assert found.last_quarter.at_chance is at_chance


def test_the_first_tenth_above_chance_is_tested_at_a_tenth_of_the_level():
    records, pairs = 100, 10
    least = just_above(100, 0.001)
    for more, step in ((0, 400), (-1, None)):
        correct = [5] * 30 + np.diff(np.linspace(0, least + more, 11).astype(int)).tolist() + [4] * 60
        found = nsp_against_chance(counted(correct, [pairs] * records)).training
        assert found.first_step_above == step
        assert found.at_chance is (step is None)


def test_nsp_that_is_learned_late_is_seen_and_dated():
    history = published_like()
    generator = np.random.default_rng(2)
    share = np.where(np.arange(1000) < 600, 0.5, 0.55)
    history.records["nsp_acc"] = (generator.binomial(32, share) / 32).tolist()
    found = nsp_against_chance(history).training
    assert found.at_chance is False
    assert found.first_step_above == 70_000
    assert found.p < 1e-6


@pytest.mark.slow
def test_a_coin_is_said_to_be_above_chance_as_often_as_three_looks_at_one_per_cent_allow():
    """The whole, the last quarter and the tenths: at most 3 %, and measured 2.6 % of 2,500 runs, for they overlap."""
    generator, runs, above = np.random.default_rng(3), 1000, 0
    for correct in generator.binomial(32, 0.5, (runs, 200)).tolist():
        above += not nsp_against_chance(counted(correct, [32] * 200)).training.at_chance
    assert_rate(above, runs, 0.026, notices=0.052)


def test_nsp_without_counts_is_not_tested():
    history = published_like(records=100)
    history.records["nsp_acc"] = np.random.default_rng(4).random(100).tolist()
    found = nsp_against_chance(history).training
    assert found.accuracy == pytest.approx(np.mean(history.records["nsp_acc"]))
    assert (found.p, found.at_chance, found.denominators) == (None, None, None)


def test_the_final_scoring_counts_every_pair_once():
    found = nsp_against_chance(make_history()).held_out
    assert (found.pairs, found.correct, found.at_chance) == (1_520, 936, False)
    assert found.p == pytest.approx(2 * stats.binom.sf(935, 1_520, 0.5))
    assert nsp_against_chance(make_history(finished=False)).held_out is None
