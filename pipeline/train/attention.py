"""Self-attention over packed sequences, the one place where padding exists.

The tokens of a batch are packed, T rows without padding. Here they are gathered into grids of B x L places, where
attention is a batched matrix product, and back. Sequences that follow each other share a grid in groups of
``SEQUENCES_A_GRID`` on the CPU; since the trainer deals them out in order of length, a grid has little padding.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.train import dropout

SEQUENCES_A_GRID = 8  # on the CPU; a GPU prefers few large products


class Grid(NamedTuple):
    """Where the tokens of B sequences, at most L long, stand in the grid of a model with h heads.

    The grid has a row for each of query, key and value (3), sequence, head and place: ((c * B + b) * h + j) * L + l.
    """

    to_grid: (
        Tensor  # int64 [3 * B * h * L] the row among [t * 3 * h] that fills each place; any row where there is none
    )
    from_grid: Tensor  # int64 [t * 3 * h] each row's place in the grid; t is the number of tokens in it
    mask: Tensor  # float32 [B, 1, 1, L] 0 where there is a token, -inf where there is none


def lay_out(lengths: np.ndarray, heads: int, sequences_a_grid: int) -> list[Grid]:
    """Grids for sequences of the given ``lengths`` (int64 [B]), in their order."""
    starts = range(0, len(lengths), sequences_a_grid)
    return [_grid(lengths[start : start + sequences_a_grid], heads) for start in starts]


def _grid(lengths: np.ndarray, heads: int) -> Grid:
    count, longest = len(lengths), int(lengths.max())
    sequence = np.repeat(np.arange(count), lengths)
    position = np.arange(len(sequence)) - (np.cumsum(lengths) - lengths)[sequence]
    columns = (np.arange(3)[:, None] * count * heads + np.arange(heads)) * longest
    from_grid = ((sequence * heads * longest + position)[:, None] + columns.ravel()).ravel()
    to_grid = np.zeros(3 * count * heads * longest, dtype=np.int64)
    to_grid[from_grid] = np.arange(len(from_grid))
    mask = np.where(np.arange(longest) < lengths[:, None], np.float32(0), np.float32(-np.inf))
    arrays = (to_grid, from_grid, mask[:, None, None, :])
    return Grid(*(torch.from_numpy(array) for array in arrays))


def self_attention(packed: Tensor, grids: list[Grid], heads: int, probability: float) -> Tensor:
    """Queries, keys and values [T, 3 * H] to what each token attended to, [T, H]; dropout on the weights."""
    if len(grids) == 1:
        return _in_grid(packed, grids[0], heads, probability)
    pieces = packed.split([len(grid.from_grid) // (3 * heads) for grid in grids])
    return torch.cat([_in_grid(piece, grid, heads, probability) for piece, grid in zip(pieces, grids, strict=True)])


def _in_grid(packed: Tensor, grid: Grid, heads: int, probability: float) -> Tensor:
    sequences, _, _, longest = grid.mask.shape
    rows = _ToGrid.apply(packed.view(len(packed) * 3 * heads, -1), grid.to_grid, grid.from_grid)
    both = rows.view(3, sequences, heads, longest, -1)
    if packed.device.type == "cpu" and not torch.compiler.is_compiling():
        attended = _CpuAttention.apply(both, grid.mask, probability)
    else:
        query, key, value = both
        mask = grid.mask.to(packed.dtype)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=probability)
    places = grid.from_grid.view(-1, 3, heads)[:, 0].reshape(-1)
    return _FromGrid.apply(attended.reshape(sequences * heads * longest, -1), places).view(len(packed), -1)


class _CpuAttention(torch.autograd.Function):
    """Softmax attention with dropout on the weights, for the CPU: [3, B, h, L, d] and mask to [B, h, L, d].

    torch's CPU kernel has no dropout, and what it falls back to draws its mask slowly; written out, the gradient also
    needs fewer passes over the weights. Sentences are short, so that nothing is lost by keeping the weights.
    """

    @staticmethod
    def forward(context: Any, grid: Tensor, mask: Tensor, probability: float) -> Tensor:
        query, key, value = grid.flatten(1, 2)
        sequences, heads, longest = grid.shape[1:4]
        scores = torch.bmm(query, key.mT).mul_(query.shape[-1] ** -0.5)
        weights = torch.softmax(scores.view(sequences, heads, longest, longest).add_(mask), dim=-1)
        weights = weights.view_as(scores)
        keep = dropout.keep_mask(weights.shape, probability).to(weights.dtype) if probability > 0 else None
        kept = weights if keep is None else weights * keep
        context.save_for_backward(grid, weights, keep, kept)
        return torch.bmm(kept, value).view(grid.shape[1:])

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        grid, weights, keep, kept = context.saved_tensors
        query, key, value = grid.flatten(1, 2)
        gradient = gradients[0].reshape(value.shape)
        result = torch.empty_like(grid)
        of_query, of_key, of_value = result.flatten(1, 2)
        torch.bmm(kept.mT, gradient, out=of_value)
        of_weights = torch.bmm(gradient, value.mT)
        if keep is not None:
            of_weights.mul_(keep)
        of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        of_scores.mul_(query.shape[-1] ** -0.5)
        torch.bmm(of_scores, key, out=of_query)
        torch.bmm(of_scores.mT, query, out=of_key)
        return result, None, None


class _ToGrid(torch.autograd.Function):
    """Gather rows [N, d] into the grid. Places without a token get any row: the mask keeps it from having an effect,
    and so from having a gradient."""

    @staticmethod
    def forward(context: Any, rows: Tensor, to_grid: Tensor, from_grid: Tensor) -> Tensor:
        context.save_for_backward(from_grid)
        return rows.index_select(0, to_grid)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (from_grid,) = context.saved_tensors
        return gradients[0].index_select(0, from_grid), None, None


class _FromGrid(torch.autograd.Function):
    """Gather the rows at ``places``, all different, from a grid [N, d]. Where there is no token the gradient is 0."""

    @staticmethod
    def forward(context: Any, grid: Tensor, places: Tensor) -> Tensor:
        context.save_for_backward(places)
        context.size = len(grid)
        return grid.index_select(0, places)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (places,) = context.saved_tensors
        return gradients[0].new_zeros(context.size, gradients[0].shape[1]).index_copy_(0, places, gradients[0]), None
