"""Causal self-attention: each symbol attends to itself and to what stands before it.

torch's kernel skips what is masked, but on a CPU it has no dropout, and what it then falls back to computes the masked
half too and draws its mask slowly. Here queries are taken in blocks, each with the keys up to its end only, and the
gradient is written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.model import dropout

BLOCK = 128  # queries, whose keys end together; of four blocks 10/16 of the products are left


def causal_attention(packed: Tensor, heads: int, probability: float) -> Tensor:
    """Queries, keys and values [B, L, 3 * H] to what each symbol attended to, [B, L, H]; dropout on the weights."""
    batch, length, width = packed.shape
    if probability > 0 and packed.device.type == "cpu" and not torch.compiler.is_compiling():
        return _CpuAttention.apply(packed, heads, probability)
    query, key, value = split_heads(packed, heads)
    attended = F.scaled_dot_product_attention(query, key, value, is_causal=True, dropout_p=probability)
    return attended.transpose(1, 2).reshape(batch, length, width // 3)


def split_heads(packed: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values, [B, heads, L, d] each, of ``packed`` [B, L, 3 * H]."""
    batch, length, _ = packed.shape
    query, key, value = packed.view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind()
    return query, key, value


class _CpuAttention(torch.autograd.Function):
    """``causal_attention`` with dropout, for the CPU, block by block."""

    @staticmethod
    def forward(context: Any, packed: Tensor, heads: int, probability: float) -> Tensor:
        batch, length, width = packed.shape
        query, key, value = places = _flat(packed, heads)
        attended = torch.empty_like(value)
        kept_for_backward = []
        for rows, until, mask in _blocks(length, packed):
            scores = torch.bmm(query[:, rows], key[:, :until].mT).mul_(query.shape[-1] ** -0.5)
            scores[:, :, rows.start :].add_(mask)
            weights = torch.softmax(scores, dim=-1)
            keep = dropout.keep_mask(weights.shape, probability).to(weights.dtype)
            kept = weights * keep
            attended[:, rows] = torch.bmm(kept, value[:, :until])
            kept_for_backward += [weights, keep, kept]
        context.save_for_backward(places, *kept_for_backward)
        context.heads = heads
        return attended.view(batch, heads, length, -1).transpose(1, 2).reshape(batch, length, width // 3)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        heads = context.heads
        places, *saved = context.saved_tensors
        query, key, value = places
        batch, length, hidden = gradients[0].shape
        scale = query.shape[-1] ** -0.5
        of_attended = gradients[0].view(batch, length, heads, -1).transpose(1, 2).reshape(value.shape)
        of_places = torch.zeros_like(places)
        of_query, of_key, of_value = of_places
        for number, (rows, until, _) in enumerate(_blocks(length, places)):
            weights, keep, kept = saved[3 * number : 3 * number + 3]
            of_rows = of_attended[:, rows]
            of_value[:, :until].baddbmm_(kept.mT, of_rows)
            of_weights = torch.bmm(of_rows, value[:, :until].mT).mul_(keep)
            of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype).mul_(scale)
            of_query[:, rows] = torch.bmm(of_scores, key[:, :until])
            of_key[:, :until].baddbmm_(of_scores.mT, query[:, rows])
        of_packed = of_places.view(3, batch, heads, length, -1).permute(1, 3, 0, 2, 4)
        return of_packed.reshape(batch, length, 3 * hidden), None, None


def _flat(packed: Tensor, heads: int) -> Tensor:
    """[3, B * heads, L, d] of ``packed`` [B, L, 3 * H]: queries, keys and values."""
    batch, length, _ = packed.shape
    return packed.view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4).reshape(3, batch * heads, length, -1)


def _blocks(length: int, like: Tensor) -> Iterator[tuple[slice, int, Tensor]]:
    """The rows of each block of queries, where their keys end, and the mask of the keys in the block itself."""
    for start in range(0, length, BLOCK):
        end = min(start + BLOCK, length)
        yield slice(start, end), end, like.new_full((end - start, end - start), float("-inf")).triu_(1)
