"""The bounds that tests of stated rates use are those of the binomial distribution."""

from math import comb

import pytest

from tests.helpers.rates import POWER, assert_rate, power, rate_bounds


def chance(counts, runs, rate):
    return sum(comb(runs, count) * rate**count * (1 - rate) ** (runs - count) for count in counts)


@pytest.mark.parametrize(("rate", "runs"), [(0.01, 400), (0.05, 300), (0.8, 400), (0.95, 40)])
def test_beyond_the_bounds_lies_no_more_than_alpha_and_with_them_more(rate, runs):
    low, high = rate_bounds(rate, runs, 0.02)
    below, above = chance(range(low), runs, rate), chance(range(high + 1, runs + 1), runs, rate)
    assert below <= 0.01 < below + chance([low], runs, rate)
    assert above <= 0.01 < above + chance([high], runs, rate)
    assert power(rate, runs, rate, 0.02) == pytest.approx(below + above)


def test_too_few_runs_or_a_wrong_rate_fail():
    assert power(0.01, 40, 0.02) < 0.1
    assert power(0.01, 3000, 0.02) > POWER
    assert_rate(31, 3000, 0.01, notices=0.02)
    for events in (10, 55):
        with pytest.raises(AssertionError, match="allowed 17 to 45"):
            assert_rate(events, 3000, 0.01, notices=0.02)
    with pytest.raises(AssertionError, match="cannot tell"):
        assert_rate(0, 40, 0.01, notices=0.02)
