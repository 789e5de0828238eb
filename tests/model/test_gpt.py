"""The causal model: its size, what it may see, and that the cache and the blocks of attention change nothing."""

import dataclasses

import pytest
import torch

from pipeline.model import causal_attention, dropout
from pipeline.model.flops import flops_of_window
from pipeline.model.gpt import Cache, Gpt, GptShape

PAPER = GptShape(127, 8, 512, 8, 2048, 512, 0.1, 0.1, 0.02)
SMALL = GptShape(30, 2, 16, 2, 32, 64, 0.0, 0.0, 0.2)


def parameters(shape):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in Gpt(shape).parameters())


def test_the_paper_s_size():
    """127 symbols; a vocabulary of 50,000, as its report says, would be twice as large."""
    assert parameters(PAPER) == 25_547_264
    assert parameters(dataclasses.replace(PAPER, vocab_size=50_000)) == 51_082_240


def test_flops_of_the_paper_s_run():
    """Six for each weight and symbol, and the products of attention that are not masked: 1.6e16 and 7 %."""
    weights = 25_547_264 - 512 * 512 - 512 * (13 * 8 + 2)  # positions, biases and norms are in no product
    symbols = 6350 * 32 * 512
    attention = 3 * 6350 * 32 * 8 * 4 * 512 * (512 * 513 / 2)
    assert 6350 * 32 * flops_of_window(PAPER, 512) == pytest.approx(6 * weights * symbols + attention)


def test_initial_weights():
    torch.manual_seed(0)
    model = Gpt(dataclasses.replace(SMALL, layers=8, hidden=128, ffn=512, init_std=0.02))
    deviations = {name: weight.std().item() for name, weight in model.named_parameters() if weight.dim() == 2}
    for name, found in deviations.items():
        into_residual = name.endswith(("attention_output.weight", "down.weight"))
        assert found == pytest.approx(0.02 / 4 if into_residual else 0.02, rel=0.1), name


def test_nothing_is_seen_ahead():
    torch.manual_seed(0)
    model = Gpt(SMALL).double().eval()
    symbols = torch.randint(30, (2, 20))
    changed = symbols.clone()
    changed[:, 12] = (changed[:, 12] + 1) % 30
    difference = (model(symbols) - model(changed)).abs().amax((0, 2))
    assert difference[:12].max() == 0
    assert difference[12:].min() > 0


@pytest.mark.parametrize("length", [1, 127, 128, 129, 300])
def test_attention_in_blocks_is_attention(monkeypatch, length):
    """With dropout, on the CPU, forward and backward, against the formula with the same masks."""
    torch.manual_seed(0)
    batch, heads, width = 2, 2, 4
    packed = torch.randn(batch, length, 3 * heads * width, dtype=torch.float64, requires_grad=True)
    masks, drawn = [], dropout.keep_mask
    monkeypatch.setattr(dropout, "keep_mask", lambda *given: masks.append(drawn(*given)) or masks[-1])
    found = causal_attention.causal_attention(packed, heads, 0.3)
    gradient = torch.randn_like(found)
    found.backward(gradient)
    of_packed, packed.grad = packed.grad, None

    keep = torch.zeros(batch * heads, length, length, dtype=torch.float64)
    for number, mask in enumerate(masks):
        start = number * causal_attention.BLOCK
        keep[:, start : start + mask.shape[1], : mask.shape[2]] = mask
    query, key, value = causal_attention.split_heads(packed, heads)
    ahead = torch.ones(length, length, dtype=torch.bool).triu(1)
    weights = (query @ key.mT / width**0.5).masked_fill(ahead, -torch.inf).softmax(-1)
    attended = (weights * keep.view(weights.shape)) @ value
    expected = attended.transpose(1, 2).reshape(found.shape)
    expected.backward(gradient)
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    assert torch.allclose(of_packed, packed.grad, rtol=0, atol=1e-12)


def test_the_cache_changes_nothing():
    torch.manual_seed(0)
    model = Gpt(SMALL).eval()
    symbols = torch.randint(30, (3, 20))
    cache = Cache()
    found = [model.next_logits(symbols[:, :7], cache)]
    found += [model.next_logits(symbols[:, place : place + 1], cache) for place in range(7, 20)]
    assert torch.allclose(torch.stack(found, 1), model(symbols)[:, 6:], rtol=0, atol=1e-5)
    assert cache.length == 20
