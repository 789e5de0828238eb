"""The windows of a causal model: what it reads at a step, as a pure function of (seed, step), and when it is scored.

Training. The text of the training split is a ring, since it begins and ends with the end of a document. An epoch cuts
it into windows of ``length`` targets from a place drawn from (seed, epoch), in an order drawn from it too, so that each
symbol is a target once an epoch (but for a rest shorter than a window) and meets new contexts in the next one.

Scoring. Windows of the same length follow each other by half of it, and each scores the targets that none before it has
scored: every symbol of the split is scored exactly once, from at least half a window of context (at the beginning of
the split from all that there is). What is scored depends on the text alone, never on a seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.causal_text import CausalText
from pipeline.data.masked_pairs import ORDER, generator

NOT_SCORED = -100  # torch's ignore_index
WINDOWS_AT_ONCE = 32  # scored together
_SEED = 0


@dataclass(frozen=True)
class Windows:
    """B windows of L targets, int64."""

    inputs: np.ndarray  # [B, L] what the model reads
    labels: np.ndarray  # [B, L] the symbol after each, or NOT_SCORED
    places: np.ndarray  # [B] where each window's first input stands in its text

    @property
    def targets(self) -> int:
        """Labels that are scored."""
        return int((self.labels != NOT_SCORED).sum())


class TrainingWindows:
    """Batch ``step`` (from 1) of a run on ``text``: a pure function of (seed, step), whatever ran before."""

    def __init__(self, text: CausalText, length: int, batch_size: int, seed: int) -> None:
        self.ring = text.symbols[:-1]
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self._epoch: tuple[int, np.ndarray] = (-1, np.empty(0))

    def __len__(self) -> int:
        """Windows in an epoch."""
        return len(self.ring) // self.length

    def __getitem__(self, step: int) -> Windows:
        """The whole effective batch of ``step``."""
        drawn = (step - 1) * self.batch_size + np.arange(self.batch_size)
        numbers, order = np.divmod(drawn, len(self))
        places = np.empty(len(drawn), dtype=np.int64)
        for number in np.unique(numbers):
            places[numbers == number] = self._places(int(number))[order[numbers == number]]
        symbols = self.ring[(places[:, None] + np.arange(self.length + 1)) % len(self.ring)].astype(np.int64)
        return Windows(symbols[:, :-1], symbols[:, 1:], places)

    def _places(self, epoch: int) -> np.ndarray:
        """Where the windows of an epoch begin, int64 [len(self)], in their order."""
        known = self._epoch  # taken once: another thread may be laying out another step
        if known[0] != epoch:
            random = generator(self.seed, ORDER, epoch)
            first = random.integers(len(self.ring))
            self._epoch = known = (epoch, (first + self.length * random.permutation(len(self))) % len(self.ring))
        return known[1]


def split_windows(windows: Windows, parts: int) -> list[Windows]:
    """``windows`` as at most so many parts, in their order; no part is empty."""
    chosen = [each for each in np.array_split(np.arange(len(windows.places)), parts) if len(each)]
    return [Windows(windows.inputs[each], windows.labels[each], windows.places[each]) for each in chosen]


def scoring_windows(text: CausalText, length: int) -> list[Windows]:
    """Windows, ``WINDOWS_AT_ONCE`` together, that score every symbol of ``text`` but its first END exactly once."""
    width = min(length, text.targets)
    starts = np.arange(0, text.targets - width + 1, context(length))
    if starts[-1] + width < text.targets:
        starts = np.append(starts, text.targets - width)  # the last one reaches back further
    scored = np.concatenate([[0], starts[:-1] + width])  # targets before each window that are scored already
    batches = []
    for begin in range(0, len(starts), WINDOWS_AT_ONCE):
        places, before = starts[begin : begin + WINDOWS_AT_ONCE], scored[begin : begin + WINDOWS_AT_ONCE]
        index = places[:, None] + np.arange(width + 1)
        symbols = text.symbols[index].astype(np.int64)
        labels = np.where(index[:, :-1] >= before[:, None], symbols[:, 1:], NOT_SCORED)
        batches.append(Windows(symbols[:, :-1], labels, places))
    return batches


def context(length: int) -> int:
    """Symbols that at least stand before a scored one in its window, but at the beginning of a split."""
    return max(length // 2, 1)


def first_windows(batches: list[Windows], targets: int) -> list[Windows]:
    """Some of the windows, in an order that depends on nothing but their number, with at least so many targets."""
    flat = [part for batch in batches for part in split_windows(batch, len(batch.places))]
    order = generator(_SEED, ORDER, 0).permutation(len(flat))
    enough = int(np.searchsorted(np.cumsum([flat[place].targets for place in order]), targets)) + 1
    chosen = [flat[place] for place in sorted(order[:enough])]
    joined = [chosen[begin : begin + WINDOWS_AT_ONCE] for begin in range(0, len(chosen), WINDOWS_AT_ONCE)]
    return [
        Windows(
            np.concatenate([each.inputs for each in some]),
            np.concatenate([each.labels for each in some]),
            np.concatenate([each.places for each in some]),
        )
        for some in joined
    ]
