"""The constants of the law of schedule_forecast.py, and what is known beforehand of the gain of annealing."""

from __future__ import annotations

from dataclasses import dataclass

Choice = tuple[float, float]  # a value, and its prior weight


@dataclass(frozen=True)
class Law:
    """The constants of the law, as calibrated."""

    exponent: float  # k in h = 1 - (rate / highest)^k
    lag: float  # of h behind the rate, as a share of the steps so far: the scale of an exponential average in log step
    ceilings: tuple[Choice, ...]  # c / b of u(S), one over the rise (log-odds) still left; 0 is the logarithm
    drifts: tuple[Choice, ...]  # spread of the change of b over an e-fold of S, as a share of b
    response: float  # spread of the random walk in h from 0 to 1, as a share of D
    window: float  # records from this share of the S seen on are fitted
    stretch: float  # of all spreads


@dataclass(frozen=True)
class Gain:
    """What is known beforehand of D, the gain (log-odds) of annealing the rate to nothing."""

    mean: float
    spread: float  # standard deviation
