"""The lists of a history as arrays."""

import numpy as np

from pipeline.analyse.series import finite_points, running_mean
from pipeline.files.history import History

NAN = float("nan")


def test_running_mean():
    values = np.array([9.0, 1.0, 2.0, 3.0, 4.0])
    assert running_mean(values, 2).tolist() == [9.0, 4.0, 2.0, 3.0, 3.5]
    assert running_mean(values, 0).tolist() == values.tolist()


def test_a_list_that_is_absent_has_no_points():
    steps, values = finite_points(History({"steps": [1, 2], "loss": [1.0, NAN]}), "eval_loss")
    assert len(steps) == len(values) == 0
