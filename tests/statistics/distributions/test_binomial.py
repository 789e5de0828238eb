"""Sampling noise of counted shares, and the denominators read off the shares themselves."""

import numpy as np
import pytest
from scipy import stats

from pipeline.files.history import History
from pipeline.statistics.distributions.binomial import coin_tail, denominators, inferred_denominator, sampling_variance
from tests.helpers.simulated import published_like


def test_the_variance_is_that_of_counted_shares():
    generator = np.random.default_rng(3)
    share, targets = np.linspace(0.1, 0.7, 12), np.arange(40.0, 160.0, 10)
    drawn = generator.binomial(targets.astype(int), share, (20_000, 12)) / targets
    assert sampling_variance(share, targets) == pytest.approx(drawn.var(axis=0).mean(), rel=0.02)


def test_the_variance_is_over_the_records_whose_denominators_are_known():
    accuracy, targets = np.array([0.5, 0.2, 0.9, np.nan, 1.2]), np.array([100.0, np.nan, 25.0, 10.0, 50.0])
    assert sampling_variance(accuracy, targets) == pytest.approx((0.25 / 100 + 0.09 / 25 + 0) / 3)
    assert sampling_variance(accuracy, np.full(5, np.nan)) is None


def test_denominators_are_read_off_the_fractions():
    history = published_like()
    assert inferred_denominator(np.array(history.records["mlm_acc"])) == pytest.approx(384, rel=0.05)
    assert inferred_denominator(np.array(history.records["nsp_acc"])) == 32
    assert inferred_denominator(np.random.default_rng(1).random(500)) is None
    assert inferred_denominator(np.random.default_rng(1).uniform(0.2, 0.8, 500)) is None
    assert inferred_denominator(np.array([0.5, 0.25])) is None


@pytest.mark.parametrize("targets", [30, 97, 250, 800])
def test_a_denominator_that_all_share_is_found(targets):
    shares = np.float32(np.random.default_rng(targets).binomial(targets, 0.4, 600) / targets)
    assert inferred_denominator(shares.astype(float)) == pytest.approx(targets, rel=0.03)


def test_recorded_denominators_come_first_and_none_is_made_up():
    history = published_like(records=100)
    history.records["nsp_pairs"] = [64] * 98 + [0, None]
    found, known = denominators(history.series("nsp_pairs"), history.series("nsp_acc"))
    assert known == "recorded"
    assert found[:98].tolist() == [64.0] * 98
    assert np.isnan(found[98:]).all()
    found, known = denominators(np.full(100, np.nan), published_like(records=100).series("nsp_acc"))
    assert (known, set(found.tolist())) == ("inferred", {32.0})
    plain = History({"steps": [1, 2, 3], "mlm_acc": [0.1, 0.2, 0.3]}, {})
    found, known = denominators(plain.series("mlm_targets"), plain.series("mlm_acc"))
    assert known is None
    assert np.isnan(found).all()


@pytest.mark.parametrize("throws", [1, 8, 31, 1000, 32_000, 4 * 10**6, 10**9])
def test_the_tail_of_a_coin_is_the_exact_one(throws):
    half, spread = throws // 2, int(throws**0.5)
    for heads in (0, 1, half - spread, half, half + 1, half + 2 * spread, throws, throws + 1):
        expected = stats.binom.sf(heads - 1, throws, 0.5)
        assert coin_tail(heads, throws) == pytest.approx(expected, rel=1e-6 if throws < 10**8 else 1e-3, abs=1e-290)
