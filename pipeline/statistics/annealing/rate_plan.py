"""The learning rate of a whole run as numbers: how much of it is spent, and how far it has come down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Plan:
    """The learning rate over a whole run: ``steps`` (rising) and ``rates``, float [M] each; linear between them."""

    steps: np.ndarray
    rates: np.ndarray

    def progress(self, steps: np.ndarray) -> np.ndarray:
        """S at ``steps`` (float [N]): the cumulative rate divided by the peak, float [N]."""
        places, rates = np.append(0.0, self.steps), np.append(self.rates[0], self.rates)
        sums = np.append(0.0, np.cumsum(np.diff(places) * (rates[1:] + rates[:-1]) / 2))
        # Within a piece the rate is a straight line, so S is a parabola.
        piece = np.clip(np.searchsorted(places, steps, side="right") - 1, 0, len(places) - 2)
        into = np.minimum(steps, places[-1]) - places[piece]
        width = np.maximum(places[piece + 1] - places[piece], 1e-300)
        rise = (rates[piece + 1] - rates[piece]) / width
        beyond = np.maximum(steps - places[-1], 0) * rates[-1]
        return (sums[piece] + into * (rates[piece] + rise * into / 2) + beyond) / self.rates.max()

    def annealed(self, exponent: float, lag: float) -> np.ndarray:
        """h at ``self.steps``: the share of the rate that is gone, as it has taken effect; float [M].

        That is 1 - (rate / highest rate so far)^``exponent``, averaged over the steps so far with an exponential
        weight in log step of scale ``lag``: a fall of the rate takes effect within about that share of the steps.
        """
        highest = np.maximum(np.maximum.accumulate(self.rates), 1e-300)
        gone = 1 - (self.rates / highest) ** exponent
        if not lag:
            return gone
        passed = np.diff(np.log(np.maximum(self.steps, 1e-9 * self.steps[-1]))) / lag
        kept = np.exp(-passed)
        # The average of a straight line between two places, weighted exponentially up to the second.
        slope = 1 - np.where(passed > 1e-6, -np.expm1(-passed) / np.maximum(passed, 1e-300), 1 - passed / 2)
        fresh = gone[:-1] * (1 - kept) + np.diff(gone) * slope
        felt = [float(gone[0])]
        for share, new in zip(kept.tolist(), fresh.tolist(), strict=True):
            felt.append(share * felt[-1] + new)
        return np.array(felt)
