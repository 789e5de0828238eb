"""When to stop a run early: one rule, for the trainer while it runs and for the analysis afterwards.

At every record the rule looks at the last ``window`` evaluated records and fits a straight line to their held-out
accuracy. The line's rise over the window is the gain that the window bought. The rule is met when even the upper limit
of that gain, given the noise, is less than ``worth``; it stops the run once it was met ``patience`` times in a row.

The noise of one record is taken from the scatter around the line, never less than the binomial error that its number of
targets would give were they drawn afresh at every record (they are not, so this errs on the side of going on). The
standard error of the rise is widened by (1 + rho) / (1 - rho), rho being the lag-1 autocorrelation of the scatter
(Wilks 2011, Statistical Methods in the Atmospheric Sciences, 5.2.4).

How sure a confidence of 0.9 is, was measured: one window that gains just what it is worth meets the rule in 10 % of
runs with independent noise; with an autoregression of 0.6 in 12 % (100 records) or 19 % (20 records), with 0.9 in 18 %
(100). A run of 1,000 records that gains twice what is asked is stopped in 0.4 % of runs with 0.6, but in half of those
with 0.9.

A run whose learning rate is annealed to its last step often gains most at the end of the schedule, and the records
before cannot tell. So the rule stops no run while its rate has still to fall by more than ``FALLS`` of its peak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from pipeline.formatting import Step, step_number

SMALLEST_WINDOW = 8  # records; with fewer, trend and noise look alike
LARGEST_RHO = 0.9  # in a window of this length a larger autocorrelation cannot be told from a trend
AT_ONCE = 5_000  # windows at a time
FALLS = 0.05  # share of the peak learning rate: a rate that falls by less is taken for constant


def has_fallen(rates: np.ndarray) -> np.ndarray:
    """Whether each of ``rates`` (float [N], a whole schedule) is within ``FALLS`` of the least that comes: bool [N]."""
    least = np.minimum.accumulate(rates[::-1])[::-1]
    return np.asarray(rates - least <= FALLS * rates.max())


@dataclass(frozen=True)
class EarlyStop:
    """The rule's parameters. The defaults: half a point of accuracy for a tenth of a run of 1,000 records."""

    window: int = 100  # evaluated records that a gain is measured over
    worth: float = 0.005  # the gain over a window, as a share of one, that is worth the window's cost
    confidence: float = 0.9  # one-sided: how sure it must be that the gain is less than that
    patience: int = 10  # records in a row that must say so

    def __post_init__(self) -> None:
        if self.window < SMALLEST_WINDOW or self.patience < 1:
            raise ValueError(f"early stopping needs a window of {SMALLEST_WINDOW} records and a patience of 1 or more")
        if not (0 < self.worth < 1 and 0.5 <= self.confidence < 1):
            raise ValueError("worth must be between 0 and 1, confidence from 0.5 to less than 1")

    def stopping_step(
        self,
        steps: Sequence[Step],
        accuracy: Sequence[float | None],
        targets: Sequence[float | None] | int | None = None,
        may_stop: np.ndarray | None = None,
    ) -> Step | None:
        """The step at which the rule would have stopped a run, or None where it lets the run go on.

        Args:
            steps: step of each record, rising.
            accuracy: held-out accuracy of each (share of one); records with None or NaN are passed over.
            targets: held-out targets behind each accuracy, or one number for all; None: the scatter alone counts.
            may_stop: at which records a run may be stopped at all, bool [N]; None: at every one.
        """
        values = np.array([np.nan if value is None else value for value in accuracy], dtype=float)
        evaluated = np.isfinite(values)
        if evaluated.sum() < self.window + self.patience - 1:
            return None
        places = np.asarray(steps, dtype=float)[evaluated]
        met = self._met(places, values[evaluated], _binomial_variance(values, targets)[evaluated])
        in_a_row = np.convolve(met, np.ones(self.patience, dtype=int))[: len(met)]
        allowed = True if may_stop is None else may_stop[evaluated][self.window - 1 :]
        reached = np.flatnonzero((in_a_row == self.patience) & allowed)
        return step_number(places[self.window - 1 + reached[0]]) if len(reached) else None

    def stops(
        self,
        steps: Sequence[Step],
        accuracy: Sequence[float | None],
        targets: Sequence[float | None] | int | None = None,
    ) -> bool:
        """Whether the newest record stops the run: the same as asking ``stopping_step`` again at every record."""
        evaluated = [place for place, value in enumerate(accuracy) if value is not None and np.isfinite(value)]
        first = evaluated[-(self.window + self.patience - 1) :][:1]
        if not first or evaluated[-1] != len(steps) - 1:
            return False
        recent = targets if targets is None or isinstance(targets, int) else targets[first[0] :]
        return self.stopping_step(steps[first[0] :], accuracy[first[0] :], recent) == steps[-1]

    def _met(self, steps: np.ndarray, accuracy: np.ndarray, floor: np.ndarray) -> np.ndarray:
        """Whether the rule is met at each record from the ``window``-th on: int [N - window + 1], 0 or 1.

        ``steps``, ``accuracy`` and ``floor`` (the least variance of a record) are float [N].
        """
        z = NormalDist().inv_cdf(self.confidence)
        windows = [np.lib.stride_tricks.sliding_window_view(each, self.window) for each in (steps, accuracy, floor)]
        met = []
        for start in range(0, len(windows[0]), AT_ONCE):
            x, y, least = (view[start : start + AT_ONCE] for view in windows)
            x = x - x.mean(axis=1, keepdims=True)
            spread = (x**2).sum(axis=1)
            slope = (x * y).sum(axis=1) / spread
            residuals = y - y.mean(axis=1, keepdims=True) - slope[:, None] * x
            squares = (residuals**2).sum(axis=1)
            products = (residuals[:, 1:] * residuals[:, :-1]).sum(axis=1)
            rho = np.clip(np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0), 0, LARGEST_RHO)
            variance = np.maximum(squares / (self.window - 2) * (1 + rho) / (1 - rho), least.mean(axis=1))
            width = x[:, -1] - x[:, 0]
            met.append(slope * width + z * np.sqrt(variance / spread) * width < self.worth)
        return np.concatenate(met).astype(int)


def _binomial_variance(accuracy: np.ndarray, targets: Sequence[float | None] | int | None) -> np.ndarray:
    """p (1 - p) / n of each record, float [N], for ``accuracy`` (share of one, float [N]); 0 where n is unknown."""
    if targets is None or isinstance(targets, int):
        counts = np.full(len(accuracy), np.nan if targets is None else targets, dtype=float)
    else:
        counts = np.array([np.nan if value is None else value for value in targets], dtype=float)
    share = np.clip(accuracy, 0, 1)
    return np.where(counts > 0, share * (1 - share) / np.where(counts > 0, counts, 1), 0.0)
