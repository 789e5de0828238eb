"""GPT-2 (Radford et al. 2019), a causal language model over the symbols of an alphabet.

Pre-LayerNorm, learned positions, exact GELU, biases everywhere, the output tied to the token embedding. Initial weights
are as GPT-2's: the layers that write into the residual stream start smaller by the root of their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.model.causal_attention import causal_attention, split_heads
from pipeline.model.dropout import add_dropped, dropout

NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class GptShape:
    """Sizes of the model; ``vocab_size`` counts all symbols."""

    vocab_size: int
    layers: int
    hidden: int
    heads: int
    ffn: int
    max_positions: int
    dropout: float
    attention_dropout: float
    init_std: float


class Cache:
    """Keys and values of the symbols read so far, [B, heads, T, d] of each layer, so that none is computed twice."""

    def __init__(self) -> None:
        self.length = 0  # T
        self._kept: list[tuple[Tensor, Tensor]] = []

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add what ``layer`` made of the new symbols; gives that of all."""
        if layer == len(self._kept):
            self._kept.append((key, value))
        else:
            before = self._kept[layer]
            self._kept[layer] = (torch.cat((before[0], key), dim=2), torch.cat((before[1], value), dim=2))
        return self._kept[layer]


class Gpt(nn.Module):
    """``forward`` gives the logits [B, L, V] of the symbol after each of the symbols [B, L]."""

    def __init__(self, shape: GptShape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embedding = nn.Embedding(shape.vocab_size, shape.hidden)
        self.position_embedding = nn.Embedding(shape.max_positions, shape.hidden)
        self.layers = nn.ModuleList(CausalLayer(shape) for _ in range(shape.layers))
        self.final_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPSILON)
        for name, module in self.named_modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                into_residual = name.endswith(("attention_output", "down"))
                std = shape.init_std / (2 * shape.layers) ** 0.5 if into_residual else shape.init_std
                nn.init.normal_(module.weight, std=std)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, symbols: Tensor) -> Tensor:
        hidden = self._embedded(symbols, 0)
        for layer in self.layers:
            hidden = layer(hidden)
        return self._logits(hidden)

    @torch.no_grad()
    def next_logits(self, symbols: Tensor, cache: Cache) -> Tensor:
        """Logits [B, V] of what follows ``symbols`` [B, L], which follow what ``cache`` holds; it then holds them too.

        With something in the cache L must be 1. All of it must fit into the positions.
        """
        hidden = self._embedded(symbols, cache.length)
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, CausalLayer)
            hidden = layer.read_on(hidden, number, cache)
        cache.length += symbols.shape[1]
        return self._logits(hidden[:, -1])

    def _embedded(self, symbols: Tensor, first: int) -> Tensor:
        positions = torch.arange(first, first + symbols.shape[1], device=symbols.device)
        hidden = self.token_embedding(symbols) + self.position_embedding(positions)
        return dropout(hidden, self.shape.dropout, self.training)

    def _logits(self, hidden: Tensor) -> Tensor:
        return F.linear(self.final_norm(hidden), self.token_embedding.weight)


class CausalLayer(nn.Module):
    """LayerNorm before self-attention and before feed-forward, each added to the residual stream after dropout."""

    def __init__(self, shape: GptShape) -> None:
        super().__init__()
        self.shape = shape
        self.attention_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPSILON)
        self.query_key_value = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.attention_output = nn.Linear(shape.hidden, shape.hidden)
        self.feed_forward_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPSILON)
        self.up = nn.Linear(shape.hidden, shape.ffn)
        self.down = nn.Linear(shape.ffn, shape.hidden)

    def forward(self, hidden: Tensor) -> Tensor:
        """[B, L, H] to [B, L, H]."""
        probability = self.shape.attention_dropout if self.training else 0.0
        packed = self.query_key_value(self.attention_norm(hidden))
        return self._behind_attention(hidden, causal_attention(packed, self.shape.heads, probability))

    def read_on(self, hidden: Tensor, number: int, cache: Cache) -> Tensor:
        """As ``forward`` without dropout, for symbols [B, L, H] that follow those in ``cache``."""
        query, key, value = split_heads(self.query_key_value(self.attention_norm(hidden)), self.shape.heads)
        begins = cache.length == 0
        key, value = cache.extend(number, key, value)
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=begins)
        return self._behind_attention(hidden, attended.transpose(1, 2).reshape(hidden.shape))

    def _behind_attention(self, hidden: Tensor, attended: Tensor) -> Tensor:
        probability = self.shape.dropout
        hidden = add_dropped(hidden, self.attention_output(attended), probability, self.training)
        expanded = self.down(F.gelu(self.up(self.feed_forward_norm(hidden))))
        return add_dropped(hidden, expanded, probability, self.training)
