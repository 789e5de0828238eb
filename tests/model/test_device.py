"""Which device is chosen, and that float64 stays off a device that has none. No GPU is needed."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.data.pairing import NO_PAIR
from pipeline.model import loss as model_loss
from pipeline.model.bert import Inputs
from pipeline.model.device import chosen_device, sums_device
from pipeline.model.loss import RunningTotals
from pipeline.model.precision import Precision
from pipeline.stage import InputError


@pytest.fixture
def machine(monkeypatch):
    """Call it with the GPUs that the machine shall have."""

    def having(*gpus):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in gpus)

    return having


@pytest.mark.parametrize(
    ("gpus", "auto"), [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("cuda", "mps"), "cuda")]
)
def test_auto_is_cuda_then_mps_then_the_cpu(machine, gpus, auto):
    machine(*gpus)
    assert chosen_device("auto") == auto
    assert chosen_device("cpu") == "cpu"
    for name in ("cuda", "mps"):
        if name in gpus:
            assert chosen_device(name) == name
        else:
            with pytest.raises(InputError, match=f"--device {name}: no {name.upper()} device is visible"):
                chosen_device(name)


def test_mps_computes_in_float32_and_has_no_float64():
    mps = torch.device("mps")
    assert Precision("auto", mps).name == "fp32"
    with Precision("auto", mps).autocast():
        pass
    with pytest.raises(InputError, match="mps has no float64"):
        Precision("fp64", mps)
    with pytest.raises(InputError, match="needs a CUDA device"):
        Precision("fp16", mps)
    assert sums_device(mps) == torch.device("cpu")
    assert sums_device(torch.device("cuda", 1)) == torch.device("cuda", 1)


class Widened(TorchDispatchMode):
    """Counts the tensors that were made float64 from something else."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        before = args[0] if args else None
        if isinstance(result, torch.Tensor) and isinstance(before, torch.Tensor):
            self.count += result.dtype == torch.float64 != before.dtype
        return result


@pytest.mark.parametrize("float64", [True, False])
def test_a_batch_is_summed_without_float64_where_there_is_none(monkeypatch, float64):
    monkeypatch.setattr(model_loss, "has_float64", lambda _: float64)
    torch.manual_seed(0)
    totals = RunningTotals(np.array([False, True, True, False]), torch.device("cpu"))
    logits, next_logits = torch.randn(3, 4), torch.randn(2, 2)
    labels, next_labels = torch.tensor([1, 0, 2]), torch.tensor([1, NO_PAIR])
    none = torch.empty(0)
    inputs = Inputs(none, none, none, none, [], none, labels, next_labels)
    with Widened() as widened:
        for _ in range(2):
            totals.add(logits, next_logits, inputs)
    assert (widened.count > 0) == float64
    means = totals.means()
    right = logits.argmax(-1) == labels
    assert (means.mlm_targets, means.mlm_targets_han, means.nsp_pairs) == (6, 4, 2)
    assert means.mlm_acc == pytest.approx(right.double().mean().item())
    assert means.mlm_loss == pytest.approx(torch.nn.functional.cross_entropy(logits, labels).item(), rel=1e-6)
