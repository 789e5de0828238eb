"""The part of the records' scatter that comes from counting: an accuracy over n targets is a binomial share.

Its variance p (1 - p) / n needs the denominators. Ours are recorded; the published file lacks them, but its accuracies
are single-precision fractions of whole numbers, and continued fractions give the denominators back.
"""

from __future__ import annotations

from fractions import Fraction
from math import erfc, exp, lgamma, log, sqrt
from typing import Literal

import numpy as np

Denominators = Literal["recorded", "inferred"]

FEWEST_RECORDS = 30
LARGEST_COUNT = 1e12  # more answers than any record has; their sum would leave the whole numbers
EXACT_TAIL = 10**8  # throws; the tail of more is the normal one
LARGEST_DENOMINATOR = 1_000
EXACT = 1e-7  # how near a fraction of whole numbers must be: single precision has seven digits
LOOKED_AT = 1_000  # records


def denominators(counts: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, Denominators | None]:
    """Denominators of the accuracies ``shares`` at every record (float [N], NaN where unknown), and how they are known.

    Args:
        counts: the recorded denominators, float [N]; all NaN where none are recorded.
        shares: the accuracies, float [N].

    Returns:
        The denominators, and "recorded", "inferred" (one number, the typical one, for all records) or None.
    """
    if np.isfinite(counts).any():
        return np.where((counts >= 1) & (counts <= LARGEST_COUNT), counts, np.nan), "recorded"
    inferred = inferred_denominator(shares)
    return np.full(len(shares), np.nan if inferred is None else inferred), None if inferred is None else "inferred"


def inferred_denominator(shares: np.ndarray) -> float | None:
    """The typical number of targets behind ``shares`` (float [N]), None where they are not such fractions.

    A fraction of two whole numbers is in lowest terms with probability 6 / pi^2 = 0.61, so the denominators of the
    others fall to a half or less, and the upper half of them is the true one. Where all share one denominator, as NSP
    pairs do, it is the least common multiple.
    """
    values = shares[np.isfinite(shares) & (shares > 0) & (shares < 1)][:LOOKED_AT]
    if len(values) < FEWEST_RECORDS or len(np.unique(values)) < 8:
        return None
    fractions = [Fraction(float(value)).limit_denominator(LARGEST_DENOMINATOR) for value in values]
    if max(abs(float(fraction) - value) for fraction, value in zip(fractions, values, strict=True)) > EXACT:
        return None
    found = np.array([fraction.denominator for fraction in fractions])
    common = int(np.lcm.reduce(np.unique(found))) if len(np.unique(found)) < 20 else 0
    if 0 < common <= LARGEST_DENOMINATOR:
        return float(common)
    upper = found[found > found.max() / 2]
    return float(np.median(upper)) if len(upper) > len(found) / 2 else None


def sampling_variance(accuracy: np.ndarray, counts: np.ndarray) -> float | None:
    """Mean binomial variance of the records (float [N] each); None where no denominator is known."""
    known = np.isfinite(counts) & np.isfinite(accuracy)
    if not known.any():
        return None
    share = np.clip(accuracy[known], 0, 1)
    return float(np.mean(share * (1 - share) / counts[known]))


def coin_tail(heads: int, throws: int) -> float:
    """The probability that a fair coin shows ``heads`` or more in ``throws``: exact, by the sum of its terms."""
    if heads <= 0 or heads > throws:
        return float(heads <= 0)
    if throws > EXACT_TAIL:
        return erfc((heads - 0.5 - throws / 2) / sqrt(throws / 2)) / 2
    if 2 * heads <= throws:  # the terms of the other side fall from the start
        return 1 - coin_tail(throws - heads + 1, throws)
    first = exp(lgamma(throws + 1) - lgamma(heads + 1) - lgamma(throws - heads + 1) - throws * log(2))
    total = term = 1.0
    for more in range(heads, throws):
        term *= (throws - more) / (more + 1)
        total += term
        if term < 1e-17 * total:
            break
    return first * total
