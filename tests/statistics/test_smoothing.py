import numpy as np
import pytest
from scipy.interpolate import BSpline

from pipeline.statistics.smoothing import MOST_PARAMETERS, is_constant, proportional_mean, running_mean, spline_trend


def test_running_mean():
    values = np.array([9.0, 1.0, 2.0, 3.0, 4.0])
    assert running_mean(values, 2).tolist() == [9.0, 4.0, 2.0, 3.0, 3.5]
    assert running_mean(values, 0).tolist() == values.tolist()


def test_a_proportional_window_grows_with_the_step():
    steps, values = np.array([0.0, 10.0, 11.0, 100.0, 109.0, 120.0]), np.array([1.0, 2.0, 4.0, 5.0, 7.0, 9.0])
    assert proportional_mean(steps, values, 0.1).tolist() == [1.0, 3.0, 3.0, 6.0, 6.0, 8.0]


def test_the_start_of_a_run_does_not_depend_on_how_long_it_goes_on():
    steps = np.arange(1.0, 1001)
    values = np.log(steps)
    assert (
        proportional_mean(steps, values, 0.1)[:500] == proportional_mean(steps[:600], values[:600], 0.1)[:500]
    ).all()


@pytest.mark.parametrize("records", [8, 30, 300])
def test_a_trend_is_a_least_squares_fit_that_holds_every_cubic(records):
    """In log(1 + 50 x share of the records); what is left is orthogonal to all ways in which the trend moves."""
    scale = np.log1p(50 * np.arange(records) / records)
    cubic = 0.2 + 0.1 * scale - 0.03 * scale**2 + 0.002 * scale**3
    assert spline_trend(cubic).exact
    noisy = spline_trend(cubic + np.random.default_rng(1).normal(0, 0.1, records))
    assert not noisy.exact
    assert noisy.basis.shape == (records, min(max(records // 8, 4), MOST_PARAMETERS))
    assert noisy.basis.T @ noisy.basis == pytest.approx(np.eye(noisy.basis.shape[1]), abs=1e-12)
    assert noisy.basis.T @ noisy.residuals == pytest.approx(0, abs=1e-12)


def test_a_trend_bends_where_it_is_told_to():
    """A run whose rise begins anew at record 200: its kink is followed only with the break."""
    places = np.arange(300)
    kinked = 0.3 + 0.002 * np.maximum(places - 200, 0)
    free, told = spline_trend(kinked), spline_trend(kinked, [200])
    assert np.abs(told.residuals).max() < 0.2 * np.abs(free.residuals).max()
    assert told.basis.shape[1] == free.basis.shape[1] + 3


def test_breaks_near_an_end_or_near_another_one_or_too_many_are_left_out():
    values = np.random.default_rng(2).normal(size=64)
    whole = spline_trend(values).basis.shape[1]
    assert spline_trend(values, [1, 3, 62]).basis.shape[1] == whole
    assert spline_trend(values, [30, 32]).basis.shape[1] == whole + 3
    assert spline_trend(values, range(5, 60, 5)).basis.shape[1] == whole + 4 * 3


def test_the_trend_is_that_of_scipys_splines():
    records, at = 200, 120
    scale = np.log1p(50 * np.arange(records) / records)
    knots = np.linspace(scale[0], scale[-1], MOST_PARAMETERS - 2)
    inner = np.sort([*knots[1:-1], *[scale[at]] * 3])
    design = BSpline.design_matrix(scale, np.r_[[scale[0]] * 4, inner, [scale[-1]] * 4], 3).toarray()
    values = np.random.default_rng(3).normal(size=records)
    expected = design @ np.linalg.lstsq(design, values)[0]
    assert spline_trend(values, [at]).fitted == pytest.approx(expected, abs=1e-10)


def test_what_differs_by_rounding_alone_is_constant():
    rounded = 0.3 + 5.6e-17 * np.random.default_rng(1).integers(-1, 2, 50)
    assert len(set(rounded.tolist())) > 1
    assert is_constant(rounded)
    assert is_constant(1e9 * rounded)
    assert is_constant(np.zeros(5))
    assert not is_constant(np.array([0.3, 0.3 + 1e-9]))
    assert not is_constant(np.array([0.0, 1e-30]))
