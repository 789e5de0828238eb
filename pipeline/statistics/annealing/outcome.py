"""What is expected of one accuracy: a mixture of Student t over its log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

SMALLEST_SHARE = 1e-5  # accuracies are cut to this distance from 0 and 1 before the log-odds
BISECTIONS = 60


@dataclass(frozen=True)
class Outcome:
    """A mixture of Student t over the log-odds of one accuracy: float [K] each; ``weights`` sum to 1."""

    weights: np.ndarray
    means: np.ndarray
    spreads: np.ndarray
    ceilings: np.ndarray  # c of the u(S) of each
    freedom: int

    def part(self, mask: np.ndarray) -> Outcome:
        """The components of ``mask`` (bool [K], some of it True) alone."""
        weights = self.weights[mask] / self.weights[mask].sum()
        return Outcome(weights, self.means[mask], self.spreads[mask], self.ceilings[mask], self.freedom)

    def chance_below(self, accuracy: float) -> float:
        """The probability of less than ``accuracy`` (share of one)."""
        return float(self.weights @ scipy.special.stdtr(self.freedom, (log_odds(accuracy) - self.means) / self.spreads))

    def quantile(self, share: float) -> float:
        """The accuracy that has ``share`` of the probability below it."""
        reach = scipy.special.stdtrit(self.freedom, 1e-4) * self.spreads
        low, high = float((self.means + reach).min()), float((self.means - reach).max())
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = self.weights @ scipy.special.stdtr(self.freedom, (middle - self.means) / self.spreads) < share
            low, high = (middle, high) if below else (low, middle)
        return float(scipy.special.expit((low + high) / 2))


def mixed(outcomes: Sequence[Outcome]) -> Outcome:
    """Each of ``outcomes`` with the same probability."""
    return Outcome(
        np.concatenate([outcome.weights / len(outcomes) for outcome in outcomes]),
        np.concatenate([outcome.means for outcome in outcomes]),
        np.concatenate([outcome.spreads for outcome in outcomes]),
        np.concatenate([outcome.ceilings for outcome in outcomes]),
        min(outcome.freedom for outcome in outcomes),
    )


def log_odds(accuracy: np.ndarray | float) -> np.ndarray:
    """The log-odds of shares of one, which are cut to a distance of 1e-5 from 0 and 1."""
    return np.asarray(scipy.special.logit(np.clip(accuracy, SMALLEST_SHARE, 1 - SMALLEST_SHARE)))
