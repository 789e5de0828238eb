import dataclasses
import math

import pytest
import torch

from pipeline.model.bert import Bert
from pipeline.train.muon import Muon, orthogonalize
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import PRESETS
from tests.model.test_bert import SMALL


def test_muon_equals_torch_muon():
    """Ours orthogonalizes in float32 where torch's does in bfloat16; they agree to bfloat16's three digits."""
    torch.manual_seed(0)
    start = [torch.randn(8, 24), torch.randn(24, 8), torch.randn(8, 24)]
    ours = [torch.nn.Parameter(tensor.clone()) for tensor in start]
    theirs = [torch.nn.Parameter(tensor.clone()) for tensor in start]
    one = Muon(ours, lr=0.02, weight_decay=0.1)
    two = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn_like(mine)
            other.grad = mine.grad.clone()
        one.step()
        two.step()
    for mine, other, before in zip(ours, theirs, start, strict=True):
        assert (mine - other).norm() < 0.02 * (mine - before).norm()


def test_orthogonalized_singular_values():
    torch.manual_seed(0)
    for shape in ((3, 16, 16), (2, 8, 40), (2, 40, 8)):
        values = torch.linalg.svdvals(orthogonalize(torch.randn(shape)))
        assert values.min() > 0.3
        assert values.max() < 1.3


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_parameter_is_stepped_once(name):
    model = Bert(SMALL)
    optimizer = Optimizer(model, dataclasses.replace(PRESETS["quickstart"], optimizer=name))
    held = [id(p) for part in optimizer.parts for group in part.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(parameter) for parameter in model.parameters())
    for group in optimizer.parts[0].param_groups:
        for parameter in group["params"]:
            assert (parameter.dim() == 1) == (group["weight_decay"] == 0.0)


def test_clipping():
    model = Bert(SMALL)
    optimizer = Optimizer(model, dataclasses.replace(PRESETS["quickstart"], optimizer="adamw", clip=0.5))
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert optimizer.step(0.0).item() == pytest.approx(math.sqrt(count), rel=1e-5)
    assert all(parameter.grad is None for parameter in model.parameters())


def stepped(settings):
    """An optimizer after one step on gradients that are all one."""
    torch.manual_seed(0)
    model = Bert(SMALL)
    optimizer = Optimizer(model, settings)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step(1e-3)
    return optimizer


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_a_state_gives_the_moments_and_the_settings_the_rest(name):
    settings = dataclasses.replace(PRESETS["quickstart"], optimizer=name, weight_decay=0.01)
    saved = stepped(settings).state_dict()
    changed = dataclasses.replace(settings, beta1=0.5, beta2=0.6, weight_decay=0.2)
    optimizer = Optimizer(Bert(SMALL), changed)
    optimizer.load_state_dict(saved)
    assert [group["weight_decay"] for part in optimizer.parts for group in part.param_groups] == [
        0.2, 0.0, *([0.2] if name == "muon" else [])
    ]  # fmt: skip
    assert {group["betas"] for group in optimizer.parts[0].param_groups} == {(0.5, 0.6)}
    moments = [
        value for part in optimizer.state_dict()["parts"] for each in part["state"].values() for value in each.values()
    ]
    before = [value for part in saved["parts"] for each in part["state"].values() for value in each.values()]
    assert all(torch.equal(one, two) for one, two in zip(moments, before, strict=True))
