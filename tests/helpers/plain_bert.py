"""BERT and its training step in textbook form, to hold the product to: padded sequences, float64, autograd, no dropout.

It shares nothing with ``pipeline/model`` and ``pipeline/train`` but the names of the weights in a checkpoint. Weights
are a dictionary of float64 tensors by those names.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

NO_PAIR = -100
TIED = "decoder.weight"  # with the head "bert" it is token_embedding.weight


def parameters_of(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a checkpoint as float64 parameters, each once."""
    tied = "transform.weight" in state
    assert not tied or torch.equal(state[TIED], state["token_embedding.weight"])
    return {
        name: tensor.detach().double().clone().requires_grad_()
        for name, tensor in state.items()
        if not (tied and name == TIED)
    }


def logits(weights: dict[str, Tensor], batch: Any, heads: int) -> tuple[Tensor, Tensor]:
    """MLM logits [M, V] in the order of the batch's targets, and NSP logits [B, 2]."""

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        spread = (centred.square().mean(-1, keepdim=True) + 1e-12).sqrt()
        return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def gelu(x: Tensor) -> Tensor:
        return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))

    count, longest = len(batch.lengths), int(batch.lengths.max())
    there = torch.from_numpy(np.arange(longest) < batch.lengths[:, None])  # bool [B, L]

    def padded(values: np.ndarray) -> Tensor:
        result = torch.zeros(count, longest, dtype=torch.int64)
        result[there] = torch.from_numpy(values)
        return result

    x = weights["token_embedding.weight"][padded(batch.tokens)]
    x = x + weights["position_embedding.weight"][:longest] + weights["segment_embedding.weight"][padded(batch.segments)]
    x = norm(x, "embedding_norm")
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layers."))
    for layer in (f"layers.{number}" for number in range(layers)):
        parts = linear(x, f"{layer}.query_key_value").view(count, longest, 3, heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts  # [B, heads, L, width]
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(~there[:, None, None, :], -math.inf)
        attended = (scores.softmax(-1) @ value).transpose(1, 2).reshape(count, longest, -1)
        x = norm(x + linear(attended, f"{layer}.attention_output"), f"{layer}.attention_norm")
        x = norm(x + linear(gelu(linear(x, f"{layer}.up")), f"{layer}.down"), f"{layer}.output_norm")
    masked, first = x[there][torch.from_numpy(batch.targets)], x[:, 0]
    if "transform.weight" in weights:
        masked = norm(gelu(linear(masked, "transform")), "transform_norm")
        first = torch.tanh(linear(first, "pooler"))
    decoder = weights.get(TIED, weights["token_embedding.weight"])
    return masked @ decoder.T + weights["decoder.bias"], linear(first, "next_sentence")


def losses(weights: dict[str, Tensor], batch: Any, heads: int) -> tuple[Tensor, Tensor]:
    """The summed cross-entropies of masked positions and of pairs, in nats."""
    mlm, nsp = logits(weights, batch, heads)
    pairs = torch.from_numpy(batch.next_labels)
    paired = pairs != NO_PAIR
    mlm_loss = -mlm.log_softmax(-1)[torch.arange(len(mlm)), torch.from_numpy(batch.labels)].sum()
    nsp_loss = -nsp.log_softmax(-1)[paired][torch.arange(int(paired.sum())), pairs[paired]].sum()
    return mlm_loss, nsp_loss


def step_loss(weights: dict[str, Tensor], batch: Any, heads: int) -> Tensor:
    """What an optimizer step minimizes: the mean over masked positions plus the mean over pairs."""
    mlm_loss, nsp_loss = losses(weights, batch, heads)
    return mlm_loss / max(len(batch.labels), 1) + nsp_loss / max(int((batch.next_labels != NO_PAIR).sum()), 1)


def rate_at(step: int, peak: float, warmup: int, steps: int) -> float:
    """Linear warm-up to ``peak`` at step ``warmup``, then half a cosine to 0 at step ``steps``."""
    if step <= warmup:
        return peak * step / warmup
    return peak * math.cos(math.pi / 2 * (step - warmup) / (steps - warmup)) ** 2


def clipped(gradients: dict[str, Tensor], largest: float) -> tuple[dict[str, Tensor], float]:
    """The gradients, shortened to the norm ``largest`` where they are longer; and their norm before that."""
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients.values()))
    factor = min(1.0, largest / (norm + 1e-6))  # torch's guard against a norm of 0
    return {name: gradient * factor for name, gradient in gradients.items()}, norm


class PlainOptimizer:
    """AdamW by its formulas; with ``muon`` the encoder's matrices go by Muon's (Nesterov, five rounds)."""

    def __init__(self, muon: bool, betas: tuple[float, float], weight_decay: float) -> None:
        self.muon = muon
        self.betas = betas
        self.weight_decay = weight_decay
        self.taken = 0
        self.first: dict[str, Tensor] = {}
        self.second: dict[str, Tensor] = {}

    @torch.no_grad()
    def step(self, weights: dict[str, Tensor], gradients: dict[str, Tensor], rate: float) -> None:
        """Move ``weights`` by ``gradients``; one-dimensional weights are not decayed."""
        self.taken += 1
        for name, weight in weights.items():
            gradient = gradients[name]
            if weight.dim() > 1:
                weight *= 1 - rate * self.weight_decay
            if self.muon and name.startswith("layers.") and weight.dim() == 2:
                weight -= rate * self._muon(name, gradient)
            else:
                weight -= rate * self._adam(name, gradient)

    def _adam(self, name: str, gradient: Tensor) -> Tensor:
        beta1, beta2 = self.betas
        zero = torch.zeros_like(gradient)
        self.first[name] = beta1 * self.first.get(name, zero) + (1 - beta1) * gradient
        self.second[name] = beta2 * self.second.get(name, zero) + (1 - beta2) * gradient**2
        mean = self.first[name] / (1 - beta1**self.taken)
        return mean / ((self.second[name] / (1 - beta2**self.taken)).sqrt() + 1e-8)

    def _muon(self, name: str, gradient: Tensor) -> Tensor:
        self.first[name] = 0.95 * self.first.get(name, torch.zeros_like(gradient)) + 0.05 * gradient
        x = 0.05 * gradient + 0.95 * self.first[name]
        x = x / x.norm()
        for _ in range(5):
            gram = x @ x.T
            x = 3.4445 * x - 4.7750 * gram @ x + 2.0315 * gram @ gram @ x
        return 0.2 * math.sqrt(max(x.shape)) * x
