"""BERT (Devlin et al. 2019) for MLM and NSP, on packed sequences.

Post-LayerNorm encoder, learned positions, GELU, LayerNorm on the embeddings. Linear layers, LayerNorms and heads run on
real tokens only; sequences are padded inside attention alone, where the padding is masked. The vocabulary head runs on
the masked positions only, and behind attention the last layer on these and the [CLS]s, as nothing else of it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.data.masked_pairs import Batch
from pipeline.model.attention import Grid, grid_size, lay_out, self_attention
from pipeline.model.dropout import add_dropped, dropout

NORM_EPSILON = 1e-12


@dataclass(frozen=True)
class Shape:
    """Sizes of the model. ``head`` is ``bert`` (transform, tied decoder, pooler) or ``linear`` (two bare layers)."""

    vocab_size: int
    layers: int
    hidden: int
    heads: int
    ffn: int
    max_positions: int
    dropout: float
    attention_dropout: float
    init_std: float
    head: str


class Inputs(NamedTuple):
    """A batch on the device: T real tokens in B sequences, M masked positions. All int64 but the masks of the grids."""

    tokens: Tensor  # [T]
    segments: Tensor  # [T]
    positions: Tensor  # [T]
    firsts: Tensor  # [B] index of each sequence's [CLS] among the T tokens
    grids: list[Grid]  # where the tokens stand in attention
    targets: Tensor  # [M] indices of the masked positions among the T tokens
    labels: Tensor  # [M]
    next_labels: Tensor  # [B]


def to_device(batch: Batch, heads: int, device: torch.device) -> Inputs:
    """Lay out ``batch`` for a model with so many ``heads``; on CUDA through pinned memory, without waiting."""

    def move(tensor: Tensor) -> Tensor:
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor

    grids = lay_out(batch.lengths, heads, grid_size(device, len(batch.lengths)))
    starts = np.cumsum(batch.lengths) - batch.lengths
    arrays = (batch.tokens, batch.segments, batch.positions, starts, batch.targets, batch.labels, batch.next_labels)
    tokens, segments, positions, firsts, targets, labels, next_labels = (move(torch.from_numpy(a)) for a in arrays)
    grids = [Grid(*(move(tensor) for tensor in grid)) for grid in grids]
    return Inputs(tokens, segments, positions, firsts, grids, targets, labels, next_labels)


class Bert(nn.Module):
    """The encoder with its two heads. ``forward`` gives MLM logits [M, V] and NSP logits [B, 2] (0 = is next)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embedding = nn.Embedding(shape.vocab_size, shape.hidden)
        self.position_embedding = nn.Embedding(shape.max_positions, shape.hidden)
        self.segment_embedding = nn.Embedding(2, shape.hidden)
        self.embedding_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPSILON)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.decoder = nn.Linear(shape.hidden, shape.vocab_size)
        self.next_sentence = nn.Linear(shape.hidden, 2)
        if shape.head == "bert":
            self.transform = nn.Linear(shape.hidden, shape.hidden)
            self.transform_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPSILON)
            self.pooler = nn.Linear(shape.hidden, shape.hidden)
            self.decoder.weight = self.token_embedding.weight
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=shape.init_std)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def embed(self, inputs: Inputs) -> Tensor:
        """What enters the first layer, [T, H]."""
        hidden = (
            self.token_embedding(inputs.tokens)
            + self.position_embedding(inputs.positions)
            + self.segment_embedding(inputs.segments)
        )
        return dropout(self.embedding_norm(hidden), self.shape.dropout, self.training)

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        hidden = self.embed(inputs)
        read = torch.cat((inputs.targets, inputs.firsts))
        for layer in self.layers:
            hidden = layer(hidden, inputs, read if layer is self.layers[-1] else None)
        masked, first = hidden.split([len(inputs.targets), len(inputs.firsts)])
        if self.shape.head == "bert":
            masked = self.transform_norm(F.gelu(self.transform(masked)))
            first = dropout(torch.tanh(self.pooler(first)), self.shape.dropout, self.training)
        return self.decoder(masked), self.next_sentence(first)


class Layer(nn.Module):
    """Self-attention and feed-forward, each followed by dropout, residual sum and LayerNorm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.query_key_value = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.attention_output = nn.Linear(shape.hidden, shape.hidden)
        self.attention_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPSILON)
        self.up = nn.Linear(shape.hidden, shape.ffn)
        self.down = nn.Linear(shape.ffn, shape.hidden)
        self.output_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPSILON)

    def forward(self, hidden: Tensor, inputs: Inputs, read: Tensor | None = None) -> Tensor:
        """``hidden`` [T, H] to [T, H], or to [R, H] for the R tokens ``read`` alone."""
        probability = self.shape.attention_dropout if self.training else 0.0
        attended = self_attention(self.query_key_value(hidden), inputs.grids, self.shape.heads, probability)
        if read is not None:
            hidden, attended = hidden.index_select(0, read), attended.index_select(0, read)
        attended = self.attention_output(attended)
        hidden = self.attention_norm(add_dropped(hidden, attended, self.shape.dropout, self.training))
        expanded = self.down(F.gelu(self.up(hidden)))
        return self.output_norm(add_dropped(hidden, expanded, self.shape.dropout, self.training))
