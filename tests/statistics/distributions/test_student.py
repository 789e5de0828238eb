"""Student's t without SciPy, against SciPy's."""

import numpy as np
import pytest
from scipy import special

from pipeline.statistics.distributions.student import student_below


@pytest.mark.parametrize("freedom", [6, 7, 38, 998, 24_998])
def test_the_distribution_is_that_of_scipy_far_into_its_tails(freedom):
    t = np.concatenate([-np.logspace(3, -8, 200), [0.0], np.logspace(-8, 3, 200)])
    expected = special.stdtr(freedom, t)
    large = expected > 1e-290
    assert student_below(t, freedom)[large] == pytest.approx(expected[large], rel=1e-9)
    assert (student_below(t, freedom)[~large] < 1e-280).all()
