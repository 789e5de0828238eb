"""Entropies of attention against the textbook's."""

import math

import numpy as np
import pytest
import torch

from pipeline.model.gpt import Gpt, GptShape
from pipeline.probe.attention_entropy import EntropyWatch, relative_entropies


def entropy_by_hand(queries: torch.Tensor, keys: torch.Tensor) -> float:
    """Of one row of scores, over the logarithm of the number of keys."""
    scores = [float(queries @ key) / math.sqrt(len(queries)) for key in keys]
    raised = [math.exp(score - max(scores)) for score in scores]
    shares = [each / sum(raised) for each in raised]
    return -sum(share * math.log(share) for share in shares) / math.log(len(keys))


@pytest.mark.parametrize("causal", [False, True])
def test_each_row_by_hand(causal):
    packed = 2 * torch.randn(5, 24, generator=torch.Generator().manual_seed(0))  # two heads of width 4
    found = relative_entropies(packed, 2, causal)
    for head in range(2):
        query, key = packed[:, 4 * head : 4 * head + 4], packed[:, 8 + 4 * head : 12 + 4 * head]
        rows = range(1, 5) if causal else range(5)
        expected = [entropy_by_hand(query[row], key[: row + 1] if causal else key) for row in rows]
        assert found[head].tolist() == pytest.approx(expected, rel=1e-4)


def test_even_and_sharp_attention():
    assert relative_entropies(torch.zeros(6, 12), 1, False).tolist() == [[pytest.approx(1)] * 6]
    sharp = torch.zeros(6, 12)
    sharp[:, :4] = 100.0
    sharp[2, 4:8] = 100.0  # one key that every query agrees on
    assert relative_entropies(sharp, 1, False).max() < 1e-6
    assert relative_entropies(torch.zeros(1, 12), 1, False).numel() == 0


def test_the_watch_takes_every_layer_and_leaves_no_hook():
    torch.manual_seed(0)
    model = Gpt(GptShape(20, 3, 16, 2, 32, 16, 0.0, 0.0, 0.3))
    symbols = torch.from_numpy(np.random.default_rng(0).integers(0, 20, (2, 10)))
    kept = []
    handle = model.layers[1].query_key_value.register_forward_hook(lambda _m, _i, output: kept.append(output))
    with EntropyWatch(model, 2, None) as watch:
        model(symbols)
    handle.remove()
    assert len(watch.relative) == 3
    both = torch.cat([relative_entropies(piece, 2, True) for piece in kept[0]])
    assert watch.relative[1] == pytest.approx(both.mean().item(), rel=1e-5)
    model(symbols)
    assert len(watch.relative) == 3
