"""The numbers of two tiny runs are those that are committed, AdamW's and Muon's, also after a resume in the middle."""

import json

import pytest
import torch

from tests.golden import golden_runs
from tests.golden.golden_runs import GOLDEN, OPTIMIZERS, RESUMED_FROM

EXPECTED = json.loads(GOLDEN.read_text(encoding="utf-8"))
# torch draws the initial weights in float32, on a CPU without AVX2 with other instructions and so other last digits.
EXACT = 1e-9 if torch.backends.cpu.get_cpu_capability().startswith("AVX") else 1e-6


def assert_near(found, expected, tolerance, where="run"):
    """Every number of ``found`` is within ``tolerance`` (relative) of the one at its place in ``expected``."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key, value in expected.items():
            assert_near(found[key], value, tolerance, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for place, value in enumerate(expected):
            assert_near(found[place], value, tolerance, f"{where}[{place}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=tolerance, abs=tolerance * 1e-3), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_float64_to_nine_digits_whole_and_resumed(tmp_path, optimizer):
    golden_runs.train(tmp_path, optimizer, "fp64")
    assert_near(golden_runs.numbers(tmp_path), EXPECTED[optimizer], EXACT)

    golden_runs.cut_back(tmp_path)
    assert f"resuming after step {RESUMED_FROM}" in golden_runs.train(tmp_path, optimizer, "fp64")
    assert_near(golden_runs.numbers(tmp_path), EXPECTED[optimizer], EXACT)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_float32_to_three_digits(tmp_path, optimizer):
    golden_runs.train(tmp_path, optimizer, "fp32")
    assert_near(golden_runs.numbers(tmp_path), EXPECTED[optimizer], 1e-3)
