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

from pipeline.train import dropout

SEQUENCES_A_GRID = 8  # on the CPU; a GPU prefers few large products


class Grid(NamedTuple):
    """Where the packed rows of B sequences stand in attention; a row is what one of h heads makes of one token.

    The grid has places for queries [B, h, Lq], then keys [B, h, L], then values [B, h, L]. Of the t tokens q have a
    query, all have key and value; Lq and L are the most of one sequence. ``lay_out`` says how the rows are packed.
    """

    to_grid: Tensor  # int64 [B * h * (Lq + 2 * L)] the packed row that fills each place; any where there is none
    from_grid: Tensor  # int64 [h * (q + 2 * t)] each packed row's place
    queries: Tensor  # int64 [q * h] the places of the queries, where the results come to stand
    mask: Tensor  # float32 [B, 1, 1, L] 0 where there is a key, -inf where there is none


def lay_out(lengths: np.ndarray, heads: int, sequences_a_grid: int, queries: np.ndarray | None = None) -> list[Grid]:
    """Grids for sequences of the given ``lengths`` (int64 [B]), in their order.

    A grid's packed rows are, token by token, those of its query, key and value. Where only so many ``queries`` (int64
    [B]) of each sequence are wanted, the rows of these come first, then, token by token, those of key and value.
    """
    starts = range(0, len(lengths), sequences_a_grid)
    groups = [slice(start, start + sequences_a_grid) for start in starts]
    return [_grid(lengths[group], heads, None if queries is None else queries[group]) for group in groups]


def _grid(lengths: np.ndarray, heads: int, queries: np.ndarray | None) -> Grid:
    count, longest = len(lengths), int(lengths.max())
    most = longest if queries is None else int(queries.max())
    of_queries = _places(lengths if queries is None else queries, heads)
    of_keys = _places(lengths, heads) + count * heads * most
    of_values = of_keys + count * heads * longest
    if queries is None:
        from_grid = np.concatenate([of_queries, of_keys, of_values], axis=1).ravel()
    else:
        from_grid = np.concatenate([of_queries.ravel(), np.concatenate([of_keys, of_values], axis=1).ravel()])
    to_grid = np.zeros(count * heads * (most + 2 * longest), dtype=np.int64)
    to_grid[from_grid] = np.arange(len(from_grid))
    mask = np.where(np.arange(longest) < lengths[:, None], np.float32(0), np.float32(-np.inf))
    arrays = (to_grid, from_grid, of_queries.ravel(), mask[:, None, None, :])
    return Grid(*(torch.from_numpy(array) for array in arrays))


def _places(lengths: np.ndarray, heads: int) -> np.ndarray:
    """Where each token's rows stand in [B, h, longest], int64 [tokens, h]."""
    longest = lengths.max()
    sequence = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(sequence)) - (np.cumsum(lengths) - lengths)[sequence]
    return (sequence * heads * longest + position)[:, None] + np.arange(heads) * longest


def self_attention(packed: Tensor, grids: list[Grid], heads: int, probability: float) -> Tensor:
    """Queries, keys and values [T, 3 * H] to what each token attended to, [T, H]; dropout on the weights."""
    return _on_grids(packed.view(len(packed) * 3 * heads, -1), grids, heads, probability)


def attention(query: Tensor, key_value: Tensor, grids: list[Grid], heads: int, probability: float) -> Tensor:
    """The queries [Q, H] of some tokens, with keys and values [T, 2 * H] of all, to what these attended to, [Q, H]."""
    queries = [len(grid.queries) // heads for grid in grids]
    tokens = [(len(grid.from_grid) // heads - count) // 2 for grid, count in zip(grids, queries, strict=True)]
    pieces = zip(query.split(queries), key_value.split(tokens), strict=True)
    rows = torch.cat([piece.reshape(-1, query.shape[1] // heads) for pair in pieces for piece in pair])
    return _on_grids(rows, grids, heads, probability)


def _on_grids(rows: Tensor, grids: list[Grid], heads: int, probability: float) -> Tensor:
    if rows.device.type == "cpu" and not torch.compiler.is_compiling():
        attended = _CpuAttention.apply(rows, grids, heads, probability)
    else:
        sizes = [len(grid.from_grid) for grid in grids]
        pieces = [
            _in_grid(piece, grid, heads, probability) for piece, grid in zip(rows.split(sizes), grids, strict=True)
        ]
        attended = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
    return attended.view(-1, heads * rows.shape[1])


def _in_grid(rows: Tensor, grid: Grid, heads: int, probability: float) -> Tensor:
    query, key, value = (
        part.view(len(grid.mask), heads, -1, rows.shape[1])
        for part in _split(_ToGrid.apply(rows, grid.to_grid, grid.from_grid), grid, heads)
    )
    mask = grid.mask.to(rows.dtype)
    attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=probability)
    return _FromGrid.apply(attended.reshape(-1, rows.shape[1]), grid.queries)


def _split(places: Tensor, grid: Grid, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """The rows of a grid as queries [B * h * Lq, d], keys and values [B * h * L, d]."""
    sequences, _, _, longest = grid.mask.shape
    keys = sequences * heads * longest
    query, key, value = places.split([len(places) - 2 * keys, keys, keys])
    return query, key, value


class _CpuAttention(torch.autograd.Function):
    """Attention for the CPU, grid by grid.

    torch's CPU kernel has no dropout, and what it falls back to draws its mask slowly; written out, the gradient also
    needs fewer passes over the weights. Sentences are short, so that nothing is lost by keeping the weights.
    """

    @staticmethod
    def forward(context: Any, rows: Tensor, grids: list[Grid], heads: int, probability: float) -> Tensor:
        width = rows.shape[1]
        attended = rows.new_empty(sum(len(grid.queries) for grid in grids), width)
        kept_for_backward = []
        for grid, piece, result in _pieces(grids, rows, attended):
            sequences, _, _, longest = grid.mask.shape
            places = piece.index_select(0, grid.to_grid)
            query, key, value = (part.view(sequences * heads, -1, width) for part in _split(places, grid, heads))
            scores = torch.bmm(query, key.mT).mul_(width**-0.5).view(sequences, heads, -1, longest)
            weights = torch.softmax(scores.add_(grid.mask), dim=-1).view(sequences * heads, -1, longest)
            keep = dropout.keep_mask(weights.shape, probability).to(weights.dtype) if probability > 0 else None
            kept = weights if keep is None else weights * keep
            torch.index_select(torch.bmm(kept, value).view(-1, width), 0, grid.queries, out=result)
            kept_for_backward += [places, weights, keep, kept]
        context.save_for_backward(*kept_for_backward)
        context.grids, context.heads = grids, heads
        return attended

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        grids, heads, gradient = context.grids, context.heads, gradients[0].contiguous()
        width = gradient.shape[1]
        of_rows = gradient.new_empty(sum(len(grid.from_grid) for grid in grids), width)
        saved = iter(context.saved_tensors)
        for grid, of_piece, of_result in _pieces(grids, of_rows, gradient):
            places, weights, keep, kept = (next(saved) for _ in range(4))
            of_places = torch.empty_like(places)
            (query, key, value), (of_query, of_key, of_value) = (
                [part.view(len(weights), -1, width) for part in _split(rows, grid, heads)]
                for rows in (places, of_places)
            )
            # Where there is no query the gradient is 0, so that its query has no part in any key's or value's.
            of_filled = torch.zeros_like(query)
            of_filled.view(-1, width).index_copy_(0, grid.queries, of_result)
            torch.bmm(kept.mT, of_filled, out=of_value)
            of_weights = torch.bmm(of_filled, value.mT)
            if keep is not None:
                of_weights.mul_(keep)
            of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype).mul_(width**-0.5)
            torch.bmm(of_scores, key, out=of_query)
            torch.bmm(of_scores.mT, query, out=of_key)
            torch.index_select(of_places, 0, grid.from_grid, out=of_piece)
        return of_rows, None, None, None


def _pieces(grids: list[Grid], rows: Tensor, attended: Tensor) -> Iterator[tuple[Grid, Tensor, Tensor]]:
    """Each grid with its packed ``rows`` and the rows of its results."""
    sizes, results = ([len(grid.from_grid) for grid in grids], [len(grid.queries) for grid in grids])
    return zip(grids, rows.split(sizes), attended.split(results), strict=True)


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
