import numpy as np

from pipeline.statistics.smoothing import running_mean


def test_running_mean():
    values = np.array([9.0, 1.0, 2.0, 3.0, 4.0])
    assert running_mean(values, 2).tolist() == [9.0, 4.0, 2.0, 3.0, 3.5]
    assert running_mean(values, 0).tolist() == values.tolist()
