"""Attention over sequences of unequal length: our grids beside what torch has for packed tokens.

    python benchmarks/attention.py                          # the published shape, on the device at hand
    python benchmarks/attention.py --device cuda --batch-size 128 --heads 8 --hidden 512

Forward and backward of one layer's attention, without dropout (neither rival has any), in turns, so that a disturbance
of the machine hits all. Which of them the trainer should use on a GPU is to be decided by this command there.

    grids    what the trainer uses: packed tokens gathered into grids of equal length, and back
    padded   a grid of the full length, with a mask, as the library's models do
    varlen   torch.nn.attention.varlen: flash attention on packed tokens (CUDA, half precision)
    flex     flex_attention with a mask of sequences, compiled; making the mask counts (CUDA)

It prints milliseconds, the medians of the ratios to grids, and how far each is from grids computed in float64.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.trainer import wikipedia_like
from pipeline.model.attention import Grid, grid_size, lay_out, self_attention
from pipeline.model.device import chosen_device
from pipeline.stage import run_stage
from pipeline.train.settings import PRESETS

Attention = Callable[[Tensor], Tensor]  # packed queries, keys and values [T, 3 * H] to [T, H]
WARM_UP = 3


def grids(lengths: np.ndarray, heads: int, device: torch.device) -> Attention:
    laid = lay_out(lengths, heads, grid_size(device, len(lengths)))
    laid = [Grid(*(part.to(device) for part in grid)) for grid in laid]
    return lambda packed: self_attention(packed, laid, heads, 0.0)


def padded(lengths: np.ndarray, heads: int, device: torch.device, longest: int) -> Attention:
    rows = np.concatenate([number * longest + np.arange(length) for number, length in enumerate(lengths)])
    places = torch.from_numpy(rows).to(device)
    real = torch.from_numpy(np.arange(longest) < lengths[:, None]).to(device)[:, None, None, :]

    def attend(packed: Tensor) -> Tensor:
        wide = packed.new_zeros(len(lengths) * longest, packed.shape[1]).index_copy(0, places, packed)
        query, key, value = wide.view(len(lengths), longest, 3, heads, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=real)
        return attended.transpose(1, 2).reshape(len(wide), -1).index_select(0, places)

    return attend


def varlen(lengths: np.ndarray, heads: int, device: torch.device) -> Attention:
    from torch.nn.attention.varlen import varlen_attn

    starts = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)).to(device)
    longest = int(lengths.max())

    def attend(packed: Tensor) -> Tensor:
        query, key, value = packed.view(len(packed), 3, heads, -1).unbind(1)
        attended = varlen_attn(query, key, value, starts, starts, longest, longest)
        assert isinstance(attended, Tensor)
        return attended.reshape(len(packed), -1)

    return attend


def flex(lengths: np.ndarray, heads: int, device: torch.device) -> Attention:
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    sequence = torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths)).to(device)
    compiled = torch.compile(flex_attention, dynamic=True)
    mask_of = torch.compile(create_block_mask, dynamic=True)

    def same(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return sequence[query] == sequence[key]

    def attend(packed: Tensor) -> Tensor:
        mask = mask_of(same, None, None, len(packed), len(packed), device=packed.device)
        query, key, value = packed.view(1, len(packed), 3, heads, -1).permute(2, 0, 3, 1, 4)
        return compiled(query, key, value, block_mask=mask).transpose(1, 2).reshape(len(packed), -1)

    return attend


def both(attend: Attention, packed: Tensor) -> tuple[Tensor, Tensor]:
    """The result and the gradient of the sum of its squares."""
    leaf = packed.detach().requires_grad_()
    result = attend(leaf)
    (gradient,) = torch.autograd.grad(result.float().square().sum(), leaf)
    return result.detach(), gradient


def error(found: tuple[Tensor, Tensor], exact: tuple[Tensor, Tensor]) -> float:
    """The largest deviation of result or gradient, as a share of the largest value there."""
    parts = zip(found, exact, strict=True)
    return max(float((part.double() - right).abs().max() / right.abs().max()) for part, right in parts)


def milliseconds(attend: Attention, packed: Tensor) -> float:
    wait = torch.cuda.synchronize if packed.device.type == "cuda" else lambda: None
    wait()
    began = time.perf_counter()
    both(attend, packed)
    wait()
    return 1e3 * (time.perf_counter() - began)


def contestants(lengths: np.ndarray, heads: int, device: torch.device, longest: int) -> dict[str, Attention]:
    """Those that this device has."""
    found = {"grids": grids(lengths, heads, device), "padded": padded(lengths, heads, device, longest)}
    if device.type == "cuda":
        found |= {"varlen": varlen(lengths, heads, device), "flex": flex(lengths, heads, device)}
    return found


def main() -> int:
    preset = PRESETS["paper-100k"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="timed turns (default: 30)")
    parser.add_argument("--batch-size", type=int, default=128, help="sequences (default: 128)")
    parser.add_argument("--hidden", type=int, default=preset.hidden, help="width (default: %(default)s)")
    parser.add_argument("--heads", type=int, default=preset.heads, help="heads (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cuda or cpu (default: auto)")
    arguments = parser.parse_args()
    device = torch.device(chosen_device(arguments.device))
    settings = dataclasses.replace(preset, batch_size=arguments.batch_size, accumulation=1)
    lengths = wikipedia_like(settings)[1].lengths
    torch.manual_seed(0)
    exact = torch.randn(int(lengths.sum()), 3 * arguments.hidden, dtype=torch.float64)
    packed = exact.to(device, torch.bfloat16 if device.type == "cuda" else torch.float32)
    right = both(grids(lengths, arguments.heads, torch.device("cpu")), packed.cpu().double())

    times: dict[str, list[float]] = {}
    errors: dict[str, float] = {}
    taking_part = contestants(lengths, arguments.heads, device, settings.length)
    for name, attend in list(taking_part.items()):
        try:
            found = both(attend, packed)
        except RuntimeError as problem:
            print(f"{name}: does not run here ({str(problem).splitlines()[0]})")
            del taking_part[name]
            continue
        times[name], errors[name] = [], error((found[0].cpu(), found[1].cpu()), right)
    for turn in range(-WARM_UP, arguments.rounds):
        for name, attend in taking_part.items():
            taken = milliseconds(attend, packed)
            if turn >= 0:
                times[name].append(taken)
    print(f"{len(lengths)} sequences, {int(lengths.sum())} tokens, {arguments.heads} heads, width {arguments.hidden}")
    print(f"{'':<10}{'median':>12}{'of grids':>12}{'error':>12}")
    for name, all_taken in times.items():
        ratio = np.median(np.array(all_taken) / np.array(times["grids"]))
        print(f"{name:<10}{np.median(all_taken):>9.2f} ms{ratio:>10.2f} x{errors[name]:>12.1e}")
    return 0


if __name__ == "__main__":
    run_stage(main)
