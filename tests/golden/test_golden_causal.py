"""The numbers of two tiny causal runs, of characters and of bytes, are those that are committed."""

import json

import pytest

from tests.golden import golden_causal
from tests.golden.golden_causal import GOLDEN, RUNS
from tests.golden.test_golden_runs import EXACT, assert_near

EXPECTED = json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "precision", "tolerance"), [*((name, "fp64", EXACT) for name in RUNS), ("char", "fp32", 1e-3)]
)
def test_numbers(tmp_path, name, precision, tolerance):
    golden_causal.train(tmp_path, name, precision)
    assert_near(golden_causal.numbers(tmp_path), EXPECTED[name], tolerance)
