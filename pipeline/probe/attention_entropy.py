"""How spread the attention of each layer is: its entropy over that of an even one (docs/derivations/07)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class EntropyWatch:
    """Entropies of the attention weights of each layer of a model while it runs; use as a context manager.

    Args:
        heads: attention heads.
        lengths: of the sequences that the rows of ``query_key_value`` [T, 3 * H] belong to; None where they are
            [B, L, 3 * H] and attention is causal.
    """

    def __init__(self, model: nn.Module, heads: int, lengths: list[int] | None) -> None:
        self._maps = [layer.get_submodule("query_key_value") for layer in model.get_submodule("layers").children()]
        self._heads, self._lengths = heads, lengths
        self.relative: list[float] = []  # of each layer: mean entropy / log(number of keys), rows with one key left out

    def __enter__(self) -> EntropyWatch:
        self._handles = [each.register_forward_hook(self._take) for each in self._maps]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    @torch.no_grad()
    def _take(self, _module: nn.Module, _inputs: tuple[Tensor, ...], packed: Tensor) -> None:
        causal = self._lengths is None
        pieces = packed.unbind() if self._lengths is None else packed.split(self._lengths)
        total, rows = 0.0, 0
        for piece in pieces:
            shares = relative_entropies(piece, self._heads, causal)
            total, rows = total + float(shares.sum()), rows + shares.numel()
        self.relative.append(total / rows if rows else math.nan)


def relative_entropies(packed: Tensor, heads: int, causal: bool) -> Tensor:
    """Entropy of each head's weights at each token over the logarithm of its keys, [heads, L] or, causal, [heads, L-1].

    ``packed`` is queries, keys and values of one sequence, [L, 3 * H]. A sequence of one token gives nothing.
    """
    length = len(packed)
    query, key, _ = packed.float().view(length, 3, heads, -1).permute(1, 2, 0, 3)
    scores = query @ key.mT / query.shape[-1] ** 0.5
    keys = torch.full((length,), float(length))
    if causal:
        scores = scores.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), -math.inf)
        keys = torch.arange(1, length + 1, dtype=torch.float32)
    weights = scores.softmax(-1)
    entropies = -torch.xlogy(weights, weights).sum(-1)
    several = keys > 1
    return entropies[:, several] / keys[several].log()
