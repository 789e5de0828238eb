"""The optimizer step: AdamW or Muon, and the clipping of the gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pipeline.model.bert import Bert
from pipeline.model.gpt import Gpt
from pipeline.train.muon import Muon
from pipeline.train.settings import RunSettings


class Optimizer:
    """One or two ``torch.optim`` optimizers that step together at one learning rate.

    ``adamw`` takes all parameters. With ``muon`` the matrices of the layers go to Muon, the rest (embeddings, heads,
    biases, LayerNorms) to AdamW. One-dimensional parameters are not decayed. With ``scaled`` (float16) the loss is
    scaled so that small gradients survive, and a step whose gradient overflowed is skipped.
    """

    def __init__(self, model: Bert | Gpt, settings: RunSettings, scaled: bool = False) -> None:
        self.parameters = list(model.parameters())
        self.clip = settings.clip
        self.scaler = torch.amp.GradScaler(enabled=scaled)
        matrices = [parameter for parameter in model.layers.parameters() if parameter.dim() == 2]
        by_muon = matrices if settings.optimizer == "muon" else []
        chosen = set(by_muon)
        by_adamw = [parameter for parameter in self.parameters if parameter not in chosen]
        groups = [
            {"params": [p for p in by_adamw if p.dim() > 1], "weight_decay": settings.weight_decay},
            {"params": [p for p in by_adamw if p.dim() <= 1], "weight_decay": 0.0},
        ]
        betas = (settings.beta1, settings.beta2)
        self.parts: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=settings.lr, betas=betas, fused=True)]
        if by_muon:
            self.parts.append(Muon(by_muon, settings.lr, settings.weight_decay))

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of ``loss``."""
        self.scaler.scale(loss).backward()

    def step(self, rate: float) -> Tensor:
        """Clip the gradient, step at learning rate ``rate``, clear it. Returns the norm before clipping."""
        for part in self.parts:
            self.scaler.unscale_(part)
        grouped = self.parameters[0].device.type != "mps"  # which has no such kernels
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.clip, foreach=grouped)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate
            self.scaler.step(part)
            part.zero_grad(set_to_none=True)
        self.scaler.update()
        return norm

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts], "scaler": self.scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the moments; rates, betas and decay stay those of the settings, which may have been changed.

        Raises:
            ValueError: the moments do not have the shapes of the parameters.
        """
        for part, saved in zip(self.parts, state["parts"], strict=True):
            chosen = [{name: group[name] for name in group if name != "params"} for group in part.param_groups]
            part.load_state_dict(saved)
            for group, options in zip(part.param_groups, chosen, strict=True):
                group.update(options)
            for parameter, moments in part.state.items():
                if any(moment.dim() and moment.shape != parameter.shape for moment in moments.values()):
                    raise ValueError("a moment has another shape than its parameter")
        self.scaler.load_state_dict(state["scaler"])
