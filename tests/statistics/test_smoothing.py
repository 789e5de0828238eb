import numpy as np

from pipeline.statistics.smoothing import proportional_mean, running_mean


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
