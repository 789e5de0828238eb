"""The rivals of our grids compute the same attention; the fastest may only be chosen among equals."""

import re
import sys

import numpy as np
import pytest
import torch

from benchmarks import attention
from benchmarks.attention import both, error, flex, grids, padded

CPU = torch.device("cpu")
LENGTHS, HEADS = np.array([5, 1, 9, 4]), 4


@pytest.fixture
def packed():
    return torch.randn(19, 3 * HEADS * 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_padded_gives_the_same_and_the_same_gradient(packed):
    right = both(grids(LENGTHS, HEADS, CPU), packed)
    assert error(both(padded(LENGTHS, HEADS, CPU, 12), packed), right) < 1e-12
    assert error(both(padded(LENGTHS[::-1].copy(), HEADS, CPU, 12), packed), right) > 0.01


def test_flex_attends_within_a_sequence_only(packed, monkeypatch):
    """Not compiled, and without its gradient, which it lacks on the CPU."""
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    right = grids(LENGTHS, HEADS, CPU)(packed)
    assert torch.allclose(flex(LENGTHS, HEADS, CPU)(packed), right, atol=1e-12)


def test_the_command_prints_times_and_errors(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["attention.py", "--device", "cpu", "--rounds", "1", "--batch-size", "3"])
    assert attention.main() == 0
    rows = re.findall(r"^(\w+) +[\d.]+ ms +([\d.]+) x +(\S+)$", capsys.readouterr().out, re.MULTILINE)
    assert [name for name, _, _ in rows] == ["grids", "padded"]
    assert rows[0][1] == "1.00"
    assert all(float(wrong) < 1e-4 for _, _, wrong in rows)
