"""How often something may happen in so many simulated runs before a stated rate is wrong."""

from __future__ import annotations

from scipy import stats

ALPHA = 0.01  # of rejecting a rate that is true: seeds are fixed, so this is paid once, when a test is written
POWER = 0.95


def rate_bounds(claimed: float, runs: int, alpha: float = ALPHA) -> tuple[int, int]:
    """The fewest and the most events in ``runs`` independent runs that go with a rate of ``claimed``.

    The number of events is binomial. Each bound is the last count that is not in a tail of at most alpha / 2, so a code
    that holds its rate is rejected with a probability of at most ``alpha``. Both sides are bounded, because an
    interval that always holds the truth, or an alarm that never rings, is as wrong as one that does too seldom.
    """
    low, high = stats.binom.ppf([alpha / 2, 1 - alpha / 2], runs, claimed)
    return int(low), int(high)


def power(claimed: float, runs: int, true: float, alpha: float = ALPHA) -> float:
    """The probability that ``rate_bounds(claimed, runs)`` are left by the events of a rate of ``true``."""
    low, high = rate_bounds(claimed, runs, alpha)
    return float(stats.binom.cdf(low - 1, runs, true) + stats.binom.sf(high, runs, true))


def assert_rate(events: int, runs: int, claimed: float, *, notices: float) -> None:
    """Hold ``events`` in ``runs`` to the rate ``claimed``, with runs enough to notice a rate of ``notices``.

    ``claimed`` is what the code says, or where it does not hold that, what was measured over many more runs.
    """
    assert power(claimed, runs, notices) >= POWER, f"{runs} runs cannot tell {notices} from {claimed}"
    low, high = rate_bounds(claimed, runs)
    assert low <= events <= high, f"{events} of {runs} are {events / runs:.4f}, not {claimed}: allowed {low} to {high}"
