"""Models that do not fit are refused before they are built."""

import pytest
import torch

from pipeline.model.bert import Bert
from pipeline.stage import InputError
from pipeline.train import memory
from pipeline.train.settings import Settings

CPU = torch.device("cpu")
SMALL = Settings(layers=2, hidden=32, heads=2, ffn=64, max_positions=128).shape(100)


def test_a_model_fits_where_weights_gradients_and_moments_do(monkeypatch):
    parameters = sum(parameter.numel() for parameter in Bert(SMALL).parameters())
    monkeypatch.setattr(memory, "memory_of", lambda _: 4 * 4 * parameters)
    memory.refuse_too_large(SMALL, CPU, torch.float32)
    monkeypatch.setattr(memory, "memory_of", lambda _: 4 * 4 * parameters - 1)
    with pytest.raises(InputError, match=r"^--layers 2, --hidden 32, --ffn 64: .* give smaller sizes$"):
        memory.refuse_too_large(SMALL, CPU, torch.float32)
    monkeypatch.setattr(memory, "memory_of", lambda _: None)
    memory.refuse_too_large(SMALL, CPU, torch.float64)


@pytest.mark.parametrize("hidden", [10**6, 2 * 10**9])
def test_a_width_beyond_any_memory(hidden):
    with pytest.raises(InputError, match=f"--hidden {hidden}"):
        memory.refuse_too_large(Settings(hidden=hidden).shape(10_000), CPU, torch.float32)


def test_the_memory_of_this_machine_is_known():
    assert 2**28 < memory.memory_of(CPU) < 2**50
