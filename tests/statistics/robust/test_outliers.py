"""Spikes and drops that were put in are found, and faultless curves are flagged no oftener than is said."""

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics.robust.outliers import outliers, scatter_of_parabolas
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import ar_noise

RECORDS = 400
CURVE = 0.5 - 0.4 * np.exp(-np.arange(RECORDS) / 60)
MEASURED = [  # records, autoregression of normal noise, share of runs flagged, where 1 % is the level before TAIL
    (60, 0.0, 0.005),
    (60, 0.95, 0.0065),
    (100, 0.4, 0.0045),
    (400, 0.7, 0.0037),
    (1000, 0.95, 0.0025),
]


def noisy(generator, records, phi):
    return 0.5 - 0.4 * np.exp(-np.arange(records) / (0.15 * records)) + ar_noise(generator, records, phi, 0.01)


def is_flagged(values, lists=1):
    return any(map(len, outliers(values, lists)))


@pytest.mark.slow
@pytest.mark.parametrize(("records", "phi", "measured"), MEASURED)
def test_faultless_runs_are_flagged_as_often_as_was_measured(records, phi, measured):
    generator, runs = np.random.default_rng(records), 3600
    flagged = sum(is_flagged(noisy(generator, records, phi)) for _ in range(runs))
    assert_rate(flagged, runs, measured, notices=0.014)


def test_a_spike_of_six_robust_standard_deviations_is_found_in_eight_of_ten():
    generator = np.random.default_rng(5)
    for records, phi in ((100, 0.4), (400, 0.7), (1000, 0.95)):
        found = 0
        for _ in range(150):
            values, place = noisy(generator, records, phi), int(generator.integers(10, records - 10))
            values[place] -= 6 * scatter_of_parabolas(values)[place]
            found += outliers(values, 1)[1].tolist().count(place)
        assert found >= 0.8 * 150 - 2 * np.sqrt(150 * 0.8 * 0.2), (records, phi)


def test_a_value_is_far_from_the_parabola_beyond_the_normal_quantile_shared_among_all():
    """Without itself, of three, five or seven neighbours, whichever is nearest to most; scatter by the median."""
    records, place, lists = 300, 150, 5
    values = ar_noise(np.random.default_rng(3), records, 0.0, 0.01)
    apart = {}
    for width in (3, 5, 7):
        offsets = [offset for offset in range(-width, width + 1) if offset]
        differences = [values[i] - np.polynomial.Polynomial.fit(offsets, values[[i + j for j in offsets]], 2)(0)
                       for i in range(width, records - width)]  # fmt: skip
        apart[width] = np.concatenate([np.full(width, np.nan), differences, np.full(width, np.nan)])
    width = min(apart, key=lambda each: np.nanmedian(np.abs(apart[each])))
    assert width > 3
    near = np.nanmedian(np.abs(apart[width][50:250]))  # a window of 201 records around the place, in blocks of half
    limit = 1.06 * (1 + 12 / 201) * stats.norm.isf(0.01 / 2 / records / lists) * 1.4826 * near
    for sign, found in ((1, 0), (-1, 1)):
        for part, expected in ((0.99, []), (1.07, [place])):  # the scatter grows a little with it
            moved = values.copy()
            moved[place] += sign * part * limit - apart[width][place]
            assert outliers(moved, lists)[found].tolist() == expected


def test_spikes_and_drops_are_found_where_they_are():
    values = CURVE + ar_noise(np.random.default_rng(2), RECORDS, 0.5, 0.01)
    values[[100, 101]] += 0.12
    values[300] -= 0.12
    high, low = outliers(values, 5)
    assert high.tolist() == [100, 101]
    assert low.tolist() == [300]


def test_heavy_tails_raise_the_limit_on_their_side_alone():
    """Losses of single batches: a few in a thousand are far above, none far below."""
    generator, flagged = np.random.default_rng(8), 0
    for _ in range(20):
        hard = generator.exponential(0.4, 4000) * (generator.random(4000) < 0.03)
        values = ar_noise(generator, 4000, 0.0, 0.1) + hard
        flagged += len(outliers(values, 1)[0]) > 0
        values[2000] = -1.5
        assert outliers(values, 1)[1].tolist() == [2000]
    assert flagged <= 3


@pytest.mark.parametrize("bend", ["a steep start", "an S", "a step"])
def test_bends_are_no_spikes(bend):
    steps = np.arange(300.0)
    curve = {
        "a steep start": 2 + 5 * np.exp(-steps / 1.5),
        "an S": 4 - 3 / (1 + np.exp(-(steps - 5) / 1.2)),
        "a step": 3 - 0.02 * np.minimum(steps / 20, 4) - 0.01 * (steps >= 100),
    }[bend]
    generator = np.random.default_rng(4)
    assert sum(is_flagged(curve + generator.normal(0, 0.005, 300), 3) for _ in range(40)) <= 2


def test_rounding_makes_no_outliers_and_hides_none():
    """Values of two decimals, most of them like their neighbours."""
    values = np.round(0.5 + 0.1 * np.arange(300) / 300 + np.random.default_rng(1).normal(0, 0.002, 300), 2)
    assert not is_flagged(values)
    values[200] += 0.05
    assert outliers(values, 1)[0].tolist() == [200]


def test_a_curve_without_noise_has_no_outliers():
    for values in (np.linspace(0, 1, 100), 1 / np.arange(1, 300), np.full(100, 0.3), 1e90 * np.linspace(1, 2, 100)):
        assert not is_flagged(values)
    rounded = np.linspace(1, 2, 100)
    rounded[50] += 1e-12
    assert not is_flagged(rounded)
    assert not is_flagged(np.append(np.arange(58.0), 1000))  # too few records to judge
