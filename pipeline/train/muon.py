"""Muon (Jordan et al. 2024): momentum whose update is made orthogonal, for the matrices of the encoder.

``torch.optim.Muon`` is the same method, but it orthogonalizes in bfloat16, which CPUs without AMX or AVX-512 BF16
emulate (docs/LOG.md has the measurement), and one matrix at a time. Here the CPU works in float32, and matrices of one
shape go through each product together. The step size is matched to AdamW's (Liu et al. 2025, "Muon is scalable for LLM
training"), so that one learning rate serves both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # quintic, steepest at zero; five rounds bring singular values near 1
ROUNDS = 5
ADAMW_RMS = 0.2  # the usual root mean square of an AdamW update


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalized, with decoupled weight decay. For two-dimensional parameters only."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002  # as torch calls it
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                by_shape[parameter.shape].append(parameter)
            for shape, parameters in by_shape.items():
                gradients = torch.stack([_gradient(parameter) for parameter in parameters])
                buffers = [self._buffer(parameter) for parameter in parameters]
                torch._foreach_lerp_(buffers, list(gradients.unbind()), 1 - group["momentum"])
                update = orthogonalize(gradients.lerp_(torch.stack(buffers), group["momentum"]))
                scale = ADAMW_RMS * max(shape) ** 0.5
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(parameters, list(update.unbind()), alpha=-group["lr"] * scale)

    def _buffer(self, parameter: Tensor) -> Tensor:
        if "momentum" not in self.state[parameter]:
            self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        return self.state[parameter]["momentum"]


def _gradient(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def orthogonalize(matrices: Tensor) -> Tensor:
    """Bring the singular values of each matrix in [N, R, C] near 1, in float32 on the CPU and bfloat16 on CUDA."""
    a, b, c = NEWTON_SCHULZ
    x = matrices.bfloat16() if matrices.is_cuda else matrices
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    if x.shape[2] > 2 * x.shape[1] and not x.is_cuda:
        x = _polynomial_of_gram(x) @ x
    else:
        for _ in range(ROUNDS):
            gram = x @ x.mT
            x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)


def _polynomial_of_gram(x: Tensor) -> Tensor:
    """What all rounds together multiply x [N, R, C] by from the left: [N, R, R]. Cheaper than the rounds where R << C.

    Each round multiplies x by a polynomial of x x^T, so these can be gathered on the small matrices first. It takes
    more digits than bfloat16 has.
    """
    gram = x @ x.mT
    factor = whole = _round_factor(gram)
    for _ in range(ROUNDS - 1):
        gram = factor @ gram @ factor
        factor = _round_factor(gram)
        whole = factor @ whole
    return whole


def _round_factor(gram: Tensor) -> Tensor:
    a, b, c = NEWTON_SCHULZ
    factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    factor.diagonal(dim1=1, dim2=2).add_(a)
    return factor
