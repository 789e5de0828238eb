"""How strong signal and gradient are by depth, and how spread attention is (docs/derivations/07).

Works on this project's models: a stack ``layers`` whose members have ``attention_output`` and ``down``, the last linear
maps of their two branches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LayerSignal:
    """One layer: root mean squares of what enters it and of what its branches add, and norms of gradients."""

    stream: float
    attention: float
    feed_forward: float
    stream_gradient: float  # of the loss by what enters the layer, norm over all tokens
    weight_gradient: float  # by the layer's parameters, norm


class Branches:
    """A layer and the last linear maps of its two branches."""

    def __init__(self, layer: nn.Module) -> None:
        self.whole = layer
        self.attention, self.feed_forward = layer.get_submodule("attention_output"), layer.get_submodule("down")


def layer_signals(model: nn.Module, loss: Callable[[], Tensor]) -> list[LayerSignal]:
    """Signals of each layer of ``model``, first to last, in one forward and backward pass of ``loss``.

    ``loss`` runs the model. The gradients of the model are those of this loss afterwards.
    """
    layers = [Branches(layer) for layer in model.get_submodule("layers").children()]
    entered: list[Tensor] = []
    added: dict[nn.Module, float] = {}

    def enter(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        arguments[0].retain_grad()
        entered.append(arguments[0])

    def leave(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        added[module] = root_mean_square(output)

    handles = [layer.whole.register_forward_pre_hook(enter) for layer in layers]
    for layer in layers:
        handles += [branch.register_forward_hook(leave) for branch in (layer.attention, layer.feed_forward)]
    try:
        model.zero_grad()
        loss().backward()
    finally:
        for handle in handles:
            handle.remove()
    return [
        LayerSignal(
            stream=root_mean_square(stream),
            attention=added[layer.attention],
            feed_forward=added[layer.feed_forward],
            stream_gradient=float(stream.grad.norm()) if stream.grad is not None else 0.0,
            weight_gradient=norm_of_gradients(layer.whole),
        )
        for layer, stream in zip(layers, entered, strict=True)
    ]


def norm_of_gradients(module: nn.Module) -> float:
    """Over all parameters of ``module`` that have a gradient."""
    squares = [p.grad.detach().double().square().sum() for p in module.parameters() if p.grad is not None]
    return float(torch.stack(squares).sum().sqrt()) if squares else 0.0


def root_mean_square(values: Tensor) -> float:
    return float(values.detach().double().square().mean().sqrt())
