"""Self-attention over packed sequences, the one place where padding exists.

The tokens of a batch are packed, T rows without padding. Here they are gathered into grids of B x L places, where
attention is a batched matrix product, and back. Sequences that follow each other share a grid in groups of
``SEQUENCES_A_GRID`` on the CPU; since the trainer deals them out in order of length, a grid has little padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.model import dropout

SEQUENCES_A_GRID = 8  # on the CPU; a GPU prefers one large product


class Grid(NamedTuple):
    """Where the tokens of B sequences, at most L long, stand in the grid of a model with h heads.

    The grid has a row for each of query, key and value (3), sequence, head and place: ((c * B + b) * h + j) * L + l.
    """

    to_grid: (
        Tensor  # int64 [3 * B * h * L] the row among [t * 3 * h] that fills each place; any row where there is none
    )
    from_grid: Tensor  # int64 [t * 3 * h] each row's place in the grid; t is the number of tokens in it
    mask: Tensor  # float32 [B, 1, 1, L] 0 where there is a token, -inf where there is none


def grid_size(device: torch.device, sequences: int) -> int:
    """How many of the ``sequences`` of a batch share a grid on ``device``."""
    return SEQUENCES_A_GRID if device.type == "cpu" else sequences


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
    if packed.device.type == "cpu" and not torch.compiler.is_compiling():
        return _CpuAttention.apply(packed, grids, heads, probability)
    pieces = [_in_grid(piece, grid, heads, probability) for grid, piece, _ in _pieces(grids, heads, packed, packed)]
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces)


def _in_grid(packed: Tensor, grid: Grid, heads: int, probability: float) -> Tensor:
    sequences, _, _, longest = grid.mask.shape
    rows = _ToGrid.apply(packed.view(len(packed) * 3 * heads, -1), grid.to_grid, grid.from_grid)
    query, key, value = rows.view(3, sequences, heads, longest, -1)
    mask = grid.mask.to(packed.dtype)
    attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=probability)
    return _FromGrid.apply(attended.reshape(sequences * heads * longest, -1), _places(grid, heads)).view(
        len(packed), -1
    )


def _places(grid: Grid, heads: int) -> Tensor:
    """int64 [t * h] where the tokens' queries stand in the grid, which is also where the results do."""
    return grid.from_grid.view(-1, 3, heads)[:, 0].reshape(-1)


class _CpuAttention(torch.autograd.Function):
    """``self_attention`` for the CPU, grid by grid.

    torch's CPU kernel lacks dropout, and what it falls back to draws its mask slowly; written out, the gradient also
    needs fewer passes over the weights. Sentences are short, so that nothing is lost by keeping the weights.
    """

    @staticmethod
    def forward(context: Any, packed: Tensor, grids: list[Grid], heads: int, probability: float) -> Tensor:
        attended = packed.new_empty(len(packed), packed.shape[1] // 3)
        kept_for_backward = []
        for grid, piece, result in _pieces(grids, heads, packed, attended):
            sequences, _, _, longest = grid.mask.shape
            rows = piece.view(-1, packed.shape[1] // (3 * heads))
            query, key, value = places = rows.index_select(0, grid.to_grid).view(3, sequences * heads, longest, -1)
            scores = torch.bmm(query, key.mT).mul_(query.shape[-1] ** -0.5).view(sequences, heads, longest, longest)
            weights = torch.softmax(scores.add_(grid.mask), dim=-1).view(-1, longest, longest)
            keep = dropout.keep_mask(weights.shape, probability).to(weights.dtype) if probability > 0 else None
            kept = weights if keep is None else weights * keep
            filled = torch.bmm(kept, value).view(-1, value.shape[-1])
            torch.index_select(filled, 0, _places(grid, heads), out=result.view(-1, value.shape[-1]))
            kept_for_backward += [places, weights, keep, kept]
        context.save_for_backward(*kept_for_backward)
        context.grids, context.heads = grids, heads
        return attended

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        grids, heads, gradient = context.grids, context.heads, gradients[0].contiguous()
        of_packed = gradient.new_empty(len(gradient), 3 * gradient.shape[1])
        saved = iter(context.saved_tensors)
        for grid, of_piece, of_result in _pieces(grids, heads, of_packed, gradient):
            places, weights, keep, kept = (next(saved) for _ in range(4))
            query, key, value = places
            width = value.shape[-1]
            # At padding the gradient is 0, so that its query takes no part in any key's or value's.
            of_filled = torch.zeros_like(value)
            of_filled.view(-1, width).index_copy_(0, _places(grid, heads), of_result.view(-1, width))
            of_places = torch.empty_like(places)
            of_query, of_key, of_value = of_places
            torch.bmm(kept.mT, of_filled, out=of_value)
            of_weights = torch.bmm(of_filled, value.mT)
            if keep is not None:
                of_weights.mul_(keep)
            of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype).mul_(width**-0.5)
            torch.bmm(of_scores, key, out=of_query)
            torch.bmm(of_scores.mT, query, out=of_key)
            torch.index_select(of_places.view(-1, width), 0, grid.from_grid, out=of_piece.view(-1, width))
        return of_packed, None, None, None


def _pieces(grids: list[Grid], heads: int, packed: Tensor, attended: Tensor) -> Iterator[tuple[Grid, Tensor, Tensor]]:
    """Each grid with its rows of ``packed`` [T, 3 * H] and ``attended`` [T, H]."""
    sizes = [len(grid.from_grid) // (3 * heads) for grid in grids]
    return zip(grids, packed.split(sizes), attended.split(sizes), strict=True)


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
    """Gather the rows at ``places``, all different, from a grid [N, d]. At padding the gradient is 0."""

    @staticmethod
    def forward(context: Any, grid: Tensor, places: Tensor) -> Tensor:
        context.save_for_backward(places)
        context.size = len(grid)
        return grid.index_select(0, places)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (places,) = context.saved_tensors
        return gradients[0].new_zeros(context.size, gradients[0].shape[1]).index_copy_(0, places, gradients[0]), None
