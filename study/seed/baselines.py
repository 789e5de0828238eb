"""What the learner is compared with: compressors, and an adaptive Kneser-Ney model of characters."""

from __future__ import annotations

import bz2
import importlib.util
import lzma
from collections import defaultdict

import numpy as np

DISCOUNTS = (0.6, 0.9, 1.2)  # of counts 1, 2 and more, a usual choice; nothing was fitted to the texts


def compressed(data: bytes, ppmd_order: int) -> dict[str, float | None]:
    """Bits of ``data`` by each compressor; None for PPMd where pyppmd is not installed. The order was chosen before."""
    found: dict[str, float | None] = {
        "xz": 8.0 * len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
        "bz2": 8.0 * len(bz2.compress(data, 9)),
        f"PPMd order {ppmd_order}": None,
    }
    if importlib.util.find_spec("pyppmd"):
        import pyppmd

        coded = pyppmd.compress(data, max_order=ppmd_order, mem_size=256 << 20)
        found[f"PPMd order {ppmd_order}"] = 8.0 * len(coded)
    return found


def ppmd_bits(data: bytes, order: int = 6) -> float | None:
    """Bits of ``data`` by PPMd alone."""
    return compressed_by_ppmd(data, order) if importlib.util.find_spec("pyppmd") else None


def compressed_by_ppmd(data: bytes, order: int) -> float:
    import pyppmd

    return 8.0 * len(pyppmd.compress(data, max_order=order, mem_size=256 << 20))


class AdaptiveKneserNey:
    """Modified Kneser-Ney on characters, counts growing as the text goes on; every order below interpolated.

    A character that never came costs its escape, half of the mass that the lowest order leaves, and 16 bits for which
    one it is (the basic plane); ``escapes`` sums both. The other half is shared by the characters that came.
    """

    def __init__(self, order: int) -> None:
        self._order = order
        self._counts: list[dict[str, dict[str, int]]] = [defaultdict(dict) for _ in range(order + 1)]
        self._kinds: list[dict[str, list[int]]] = [{} for _ in range(order + 1)]  # total, and how many have 1, 2, more
        self.escapes = 0.0

    def bits(self, text: str) -> float:
        """What ``text`` costs, learned in one pass."""
        total, past = 0.0, ""
        for character in text:
            total += self._charge(past, character)
            self._learn(past, character)
            past = (past + character)[-self._order :] if self._order else ""
        return total

    def _charge(self, past: str, character: str) -> float:
        share, escape = 0.0, 1.0
        for order in range(len(past), -1, -1):
            context = past[len(past) - order :]
            kinds = self._kinds[order].get(context)
            if not kinds:
                continue
            count = self._counts[order][context].get(character, 0)
            if count:
                share += escape * (count - DISCOUNTS[min(count, 3) - 1]) / kinds[0]
            escape *= sum(d * n for d, n in zip(DISCOUNTS, kinds[1:], strict=True)) / kinds[0]
        seen = self._counts[0].get("", {})
        if character in seen:
            return float(-np.log2(share + escape / 2 / len(seen)))
        cost = float(-np.log2(escape / 2) + 16.0)
        self.escapes += cost
        return cost

    def _learn(self, past: str, character: str) -> None:
        """Count at the longest order, and below it only what is new above: in how many contexts it came."""
        for order in range(len(past), -1, -1):
            context = past[len(past) - order :]
            row = self._counts[order][context]
            kinds = self._kinds[order].setdefault(context, [0, 0, 0, 0])
            count = row.get(character, 0)
            row[character] = count + 1
            kinds[0] += 1
            if count < 3:
                kinds[count + 1] += 1
                if count:
                    kinds[count] -= 1
            if count:
                break
