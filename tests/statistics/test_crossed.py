"""Two settings on the same questions: the textbook's formulas, and how often their intervals hold."""

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics.crossed import crossed_difference
from tests.helpers.rates import assert_rate


def test_one_seed_each_has_the_interval_of_a_ratio_over_articles():
    generator = np.random.default_rng(1)
    targets = generator.integers(5, 60, 80)
    first, second = generator.binomial(targets, 0.3), generator.binomial(targets, 0.35)
    found = crossed_difference(first[None], second[None], targets)
    apart = (second.sum() - first.sum()) / targets.sum()
    left = (second - first) - apart * targets
    half = stats.t.ppf(0.975, 79) * np.sqrt(80 / 79 * np.sum(left**2)) / targets.sum()
    assert found.difference == pytest.approx(apart)
    assert found.interval == pytest.approx((apart - half, apart + half))
    assert (found.freedom, found.multibootstrap) == (pytest.approx(79), None)


def table(generator, seeds, targets, of_seed, of_article, rate):
    """Right answers by seed and article; ``of_article``: how hard each is, float [A]."""
    level = rate + generator.normal(0, of_seed, (seeds, 1)) + of_article
    share = level + generator.normal(0, 0.02, (seeds, len(targets)))
    return generator.binomial(targets, np.clip(share, 0.01, 0.99))


def test_where_articles_say_nothing_it_is_students_t_over_seeds():
    """Articles that differ in nothing, so many targets that the scatter of seeds is all there is."""
    targets = np.full(40, 1_000_000)
    rates = np.array([0.300, 0.304, 0.309, 0.302]), np.array([0.310, 0.313, 0.309, 0.316])
    first, second = (np.outer(each, targets) for each in rates)
    found = crossed_difference(first, second, targets)
    welch = stats.ttest_ind(rates[1], rates[0], equal_var=False)
    assert found.difference == pytest.approx(rates[1].mean() - rates[0].mean())
    assert found.freedom == pytest.approx(welch.df, rel=1e-6)
    assert found.interval == pytest.approx(tuple(welch.confidence_interval(0.95)), rel=1e-6)
    low, high = found.multibootstrap
    assert found.interval[0] < low < found.difference < high < found.interval[1]


def test_questions_that_both_answer_alike_do_not_widen_the_interval():
    """How hard an article is cancels; how the two settings differ on it does not."""
    generator = np.random.default_rng(3)
    targets, hard = np.full(60, 100), generator.normal(0, 0.2, 60)
    tables = [table(np.random.default_rng(4 + k), 3, targets, 0.0, hard, 0.4 + 0.03 * k) for k in range(2)]
    easy = [table(np.random.default_rng(4 + k), 3, targets, 0.0, 0 * hard, 0.4 + 0.03 * k) for k in range(2)]
    widths = [np.ptp(crossed_difference(*each, targets).interval) for each in (tables, easy)]
    assert widths[0] == pytest.approx(widths[1], rel=0.35)


def test_a_single_article_tells_nothing_of_others():
    found = crossed_difference(np.array([[3.0], [4.0]]), np.array([[5.0], [5.0]]), np.array([10.0]))
    assert (found.difference, found.interval, found.multibootstrap) == (pytest.approx(0.15), None, None)


def test_chance_of_single_answers_counts_once():
    """Neither seeds nor articles differ: both sources hold the scatter of the single answers, which is there once."""
    generator, targets = np.random.default_rng(8), np.full(100, 50)
    variances = []
    for _ in range(60):
        tables = [generator.binomial(targets, 0.4, (4, 100)) for _ in range(2)]
        found = crossed_difference(*tables, targets)
        half = (found.interval[1] - found.interval[0]) / 2
        variances.append((half / stats.t.ppf(0.975, found.freedom)) ** 2)
    alone = 2 * 0.4 * 0.6 / (4 * 100 * 50)
    assert np.mean(variances) < 1.6 * alone  # the greater of two estimates of it; twice it if it counted twice
    assert np.mean(variances) > 0.8 * alone


@pytest.mark.parametrize(("seeds", "bootstrap"), [(2, 0.765), (5, 0.91)])
def test_intervals_hold_the_truth_as_often_as_is_stated(seeds, bootstrap, monkeypatch):
    """95 %; the multibootstrap of few seeds less often."""
    monkeypatch.setattr("pipeline.statistics.crossed.REPLICATES", 200)
    generator, runs, held, by_bootstrap = np.random.default_rng(seeds), 260, 0, 0
    for _ in range(runs):
        targets, hard = generator.integers(5, 60, 200), generator.normal(0, 0.1, 200)
        tables = [table(generator, seeds, targets, 0.02, hard, 0.3) for _ in range(2)]
        found = crossed_difference(*tables, targets)
        held += found.interval[0] <= 0 <= found.interval[1]
        by_bootstrap += found.multibootstrap[0] <= 0 <= found.multibootstrap[1]
    assert_rate(held, runs, 0.965, notices=0.88)
    assert_rate(by_bootstrap, runs, bootstrap, notices=bootstrap - 0.12)
