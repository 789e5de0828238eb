"""Text from a causal model, symbol by symbol, with a cache of keys and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.model.gpt import Cache, Gpt


@dataclass(frozen=True)
class Sampling:
    """How the next symbol is drawn.

    ``temperature`` divides the logits (0: always the likeliest); of what is left only the ``top_k`` likeliest (0: all)
    and of these the fewest that together have a probability of ``top_p`` can be drawn.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def draw(self, logits: Tensor, random: torch.Generator) -> int:
        """One symbol by its logits [V]."""
        if self.temperature == 0:
            return int(logits.argmax())
        logits = logits.double().cpu() / self.temperature
        ordered, symbols = logits.sort(descending=True, stable=True)
        probabilities = ordered[: self.top_k or None].softmax(-1)
        before = probabilities.cumsum(-1) - probabilities
        probabilities = torch.where(before < self.top_p, probabilities, 0.0)
        return int(symbols[torch.multinomial(probabilities, 1, generator=random)])


def generate(
    model: Gpt, start: Sequence[int], context: int, sampling: Sampling, random: torch.Generator, never: Sequence[int]
) -> Iterator[int]:
    """Symbols without end that follow ``start`` (at least one, at most ``context``); those in ``never`` are not drawn.

    The model sees at most ``context`` symbols. When it has read so many it goes on from the last half of them.
    """
    device = next(model.parameters()).device
    seen, unread, cache = list(start), list(start), Cache()
    while True:
        logits = model.next_logits(torch.tensor([unread], device=device), cache)[0]
        logits[list(never)] = -torch.inf
        symbol = sampling.draw(logits, random)
        yield symbol
        seen.append(symbol)
        unread = [symbol]
        if cache.length == context:
            unread, cache = seen[-max(context // 2, 1) :], Cache()
