"""When to stop a run early: one rule, for the trainer while it runs and for the analysis afterwards.

At every record the rule looks at the last ``window`` evaluated records and fits a straight line to their held-out
accuracy. The line's rise over the window is the gain that the window bought. The rule is met when even the upper
limit of that gain, given the noise, is less than ``worth``; it stops the run once it was met ``patience`` times in a
row.

The noise of one record is taken from the scatter around the line, never less than the binomial error that its number
of targets would give were they drawn afresh at every record (they are not, so this errs on the side of going on). The
standard error of the rise is widened by (1 + rho) / (1 - rho), rho being the lag-1 autocorrelation of the scatter
(Wilks 2011, Statistical Methods in the Atmospheric Sciences, 5.2.4), which a short stretch makes too small by about
(2 + 4 rho) / records (Kendall 1954, and a line more): that is put back.

How sure a confidence of 0.9 is depends on how slowly the noise drifts. Measured: one window that gains just what it
is worth meets the rule in 9 to 11 % of runs with 100 records and an autoregression up to 0.8, in 9 to 12 % with 40
records and up to 0.6, in 9 to 12 % with 20 records and up to 0.4. Beyond, it is less sure: 14 % (100 records, 0.9),
17 % (40, 0.9), 19 % (20, 0.9). ``HOLDS`` says this where the rule is shown.

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
HOLDS = (
    (100, 0.8),
    (40, 0.6),
    (20, 0.4),
)  # records of a window, and the autoregression up to which its confidence holds
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

    def decides(
        self,
        steps: Sequence[Step],
        accuracy: Sequence[float | None],
        targets: Sequence[float | None] | int | None = None,
    ) -> bool:
        """Whether the last window could meet the rule at all, did it gain nothing; arguments as of ``stopping_step``.

        It cannot where there are too few records, or where their noise alone makes the upper limit of the gain more
        than is worth it: then a longer window, or more held-out targets, are needed.
        """
        values = np.array([np.nan if value is None else value for value in accuracy], dtype=float)
        evaluated = np.isfinite(values)
        if evaluated.sum() < self.window + self.patience - 1:
            return False
        last = slice(-self.window, None)
        places, floor = np.asarray(steps, dtype=float)[evaluated], _binomial_variance(values, targets)[evaluated]
        _, doubts = self._gains(places[last], values[evaluated][last], floor[last])
        return bool(doubts[0] < self.worth)

    def holds_up_to(self) -> float | None:
        """The autoregression of the noise up to which ``confidence`` holds in this window; None: for none."""
        return next((phi for records, phi in HOLDS if self.window >= records), None)

    def _met(self, steps: np.ndarray, accuracy: np.ndarray, floor: np.ndarray) -> np.ndarray:
        """Whether the rule is met at each record from the ``window``-th on: int [N - window + 1], 0 or 1."""
        rises, doubts = self._gains(steps, accuracy, floor)
        return (rises + doubts < self.worth).astype(int)

    def _gains(self, steps: np.ndarray, accuracy: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The gain over each window, and by how much its upper limit is above it: float [N - window + 1] each.

        ``steps``, ``accuracy`` and ``floor`` (the least variance of a record) are float [N].
        """
        z = NormalDist().inv_cdf(self.confidence)
        windows = [np.lib.stride_tricks.sliding_window_view(each, self.window) for each in (steps, accuracy, floor)]
        rises, doubts = [], []
        for start in range(0, len(windows[0]), AT_ONCE):
            x, y, least = (view[start : start + AT_ONCE] for view in windows)
            x = x - x.mean(axis=1, keepdims=True)
            spread = (x**2).sum(axis=1)
            slope = (x * y).sum(axis=1) / spread
            residuals = y - y.mean(axis=1, keepdims=True) - slope[:, None] * x
            squares = (residuals**2).sum(axis=1)
            products = (residuals[:, 1:] * residuals[:, :-1]).sum(axis=1)
            rho = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0)
            widened = widening(rho, self.window)
            variance = np.maximum(squares / (self.window - 2) * widened, least.mean(axis=1))
            width = x[:, -1] - x[:, 0]
            doubts.append(z * np.sqrt(variance / spread) * width)
            rises.append(slope * width)
        return np.concatenate(rises), np.concatenate(doubts)


def widening(rho: np.ndarray, records: int) -> np.ndarray:
    """How much more a mean of ``records`` varies for their lag-1 autocorrelation ``rho`` around a line: float [K]."""
    whole = (rho * records / (records - 1) + 2 / records) / (1 - 4 / records)
    limited = np.clip(whole, 0, LARGEST_RHO)
    return np.asarray((1 + limited) / (1 - limited))


def _binomial_variance(accuracy: np.ndarray, targets: Sequence[float | None] | int | None) -> np.ndarray:
    """p (1 - p) / n of each record, float [N], for ``accuracy`` (share of one, float [N]); 0 where n is unknown."""
    if targets is None or isinstance(targets, int):
        counts = np.full(len(accuracy), np.nan if targets is None else targets, dtype=float)
    else:
        counts = np.array([np.nan if value is None else value for value in targets], dtype=float)
    share = np.clip(accuracy, 0, 1)
    return np.where(counts > 0, share * (1 - share) / np.where(counts > 0, counts, 1), 0.0)
