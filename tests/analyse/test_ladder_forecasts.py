"""What shorter runs say of each longer one: from the shorter ones alone, and only of a ladder."""

import numpy as np
import pytest

from pipeline.analyse.side_by_side.ladder_forecasts import ladder_forecasts
from tests.helpers.synthetic import make_history


def ladder(last=80):
    """Runs of 800, 1,600 and 3,200 steps; ``last`` records of the longest were made."""
    return [
        make_history(20, total=800),
        make_history(40, total=1600, noise=3),
        make_history(last, total=3200, noise=5, finished=last == 80),
    ]


@pytest.fixture(scope="module")
def runs():
    return ladder()


def test_each_length_and_one_twice_as_long(runs):
    found = ladder_forecasts(runs[::-1])
    assert [each.steps for each in found] == [1600, 3200, 6400]
    assert [each.shorter for each in found] == [[800], [800, 1600], [800, 1600, 3200]]
    for each, run in zip(found, runs[1:], strict=False):
        late = [value for step, value in zip(run.records["steps"], run.records["eval_mlm_acc"], strict=True)
                if step > 0.95 * each.steps]  # fmt: skip
        assert each.reached == pytest.approx(np.mean(late))
        assert each.interval[0] < each.accuracy < each.interval[1]
    assert found[-1].reached is None


def test_what_the_longer_run_did_does_not_matter(runs):
    before = ladder_forecasts(runs)
    other = ladder()
    other[2].records["eval_mlm_acc"] = [value / 2 for value in other[2].records["eval_mlm_acc"]]
    after = ladder_forecasts(other)
    assert [each.accuracy for each in after[:2]] == [each.accuracy for each in before[:2]]
    assert after[1].reached == pytest.approx(before[1].reached / 2)
    assert after[2].accuracy < before[2].accuracy


@pytest.mark.parametrize("spoil", ["setting", "dataset", "unfinished", "lengths", "log"])
def test_other_runs_are_not_a_ladder(spoil):
    others = ladder(60 if spoil == "unfinished" else 80)
    if spoil == "setting":
        others[1].run["config"]["lr"] = 1e-3
    elif spoil == "dataset":
        others[1].run["dataset"]["fingerprint"] = "f" * 64
    elif spoil == "lengths":
        others = [others[0], make_history(20, total=800, noise=9)]
    elif spoil == "log":
        del others[1].run["config"]
    assert ladder_forecasts(others) == []
