"""BERT (Devlin et al. 2019) for MLM and NSP, on packed sequences.

Post-LayerNorm encoder, learned positions, GELU, LayerNorm on the embeddings. Linear layers, LayerNorms and heads run on
real tokens only; sequences are padded inside attention alone, where the padding is masked. The vocabulary head runs on
the masked positions only; of the last layer nothing but these and the [CLS]s is read, so that nothing else is computed
of it, but keys and values.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.train.attention import SEQUENCES_A_GRID, Grid, attention, lay_out, self_attention
from pipeline.train.batches import Batch
from pipeline.train.dropout import add_dropped, dropout
from pipeline.train.presets import Settings

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


def shape_of(settings: Settings, vocab_size: int) -> Shape:
    """The sizes among ``settings``, with the vocabulary's (special tokens included)."""
    names = {field.name for field in dataclasses.fields(Shape)} - {"vocab_size"}
    return Shape(vocab_size=vocab_size, **{name: getattr(settings, name) for name in names})


class Inputs(NamedTuple):
    """A batch on the device: T real tokens in B sequences, of which the R that are masked (M) or [CLS]s (B) are read.

    All int64 but the masks of the grids.
    """

    tokens: Tensor  # [T]
    segments: Tensor  # [T]
    positions: Tensor  # [T]
    read: Tensor  # [R] indices of what is read among the T tokens, rising
    targets: Tensor  # [M] indices of the masked positions among the R that are read
    firsts: Tensor  # [B] indices of the [CLS]s among them
    labels: Tensor  # [M]
    next_labels: Tensor  # [B]
    grids: list[Grid]  # where the tokens stand in attention
    last_grids: list[Grid]  # the same in the last layer, where only what is read has a query


def to_device(batch: Batch, heads: int, device: torch.device) -> Inputs:
    """Lay out ``batch`` for a model with so many ``heads``; on CUDA through pinned memory, without waiting."""

    def move(array: np.ndarray | Tensor) -> Tensor:
        tensor = torch.as_tensor(array)
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor

    def laid_out(queries: np.ndarray | None) -> list[Grid]:
        sequences = SEQUENCES_A_GRID if device.type == "cpu" else len(batch.lengths)
        return [Grid(*map(move, grid)) for grid in lay_out(batch.lengths, heads, sequences, queries)]

    starts = np.cumsum(batch.lengths) - batch.lengths
    read = np.sort(np.concatenate([starts, batch.targets]))
    firsts = np.searchsorted(read, starts)
    return Inputs(
        tokens=move(batch.tokens),
        segments=move(batch.segments),
        positions=move(batch.positions),
        read=move(read),
        targets=move(np.searchsorted(read, batch.targets)),
        firsts=move(firsts),
        labels=move(batch.labels),
        next_labels=move(batch.next_labels),
        grids=laid_out(None),
        last_grids=laid_out(np.diff(firsts, append=len(read))),
    )


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

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        hidden = (
            self.token_embedding(inputs.tokens)
            + self.position_embedding(inputs.positions)
            + self.segment_embedding(inputs.segments)
        )
        hidden = dropout(self.embedding_norm(hidden), self.shape.dropout, self.training)
        for layer in self.layers[:-1]:
            hidden = layer(hidden, inputs.grids)
        hidden = self.layers[-1](hidden, inputs.last_grids, inputs.read)
        masked, first = hidden.index_select(0, inputs.targets), hidden.index_select(0, inputs.firsts)
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

    def forward(self, hidden: Tensor, grids: list[Grid], read: Tensor | None = None) -> Tensor:
        """``hidden`` [T, H] to [T, H], or to [R, H] for the R tokens ``read`` alone."""
        probability = self.shape.attention_dropout if self.training else 0.0
        heads, width = self.shape.heads, self.shape.hidden
        if read is None:
            attended = self_attention(self.query_key_value(hidden), grids, heads, probability)
        else:
            weight, bias = self.query_key_value.weight, self.query_key_value.bias
            key_value = F.linear(hidden, weight[width:], bias[width:])
            hidden = hidden.index_select(0, read)
            query = F.linear(hidden, weight[:width], bias[:width])
            attended = attention(query, key_value, grids, heads, probability)
        attended = self.attention_output(attended)
        hidden = self.attention_norm(add_dropped(hidden, attended, self.shape.dropout, self.training))
        expanded = self.down(F.gelu(self.up(hidden)))
        return self.output_norm(add_dropped(hidden, expanded, self.shape.dropout, self.training))
