"""Student's t without SciPy, for the screen of a run, which must be there in a blink.

The probability beyond t is half the regularized incomplete beta function at freedom / (freedom + t^2), by its continued
fraction (Abramowitz & Stegun 1964, 26.5.8 and 26.7.1), evaluated as in Press et al. 2007, Numerical Recipes, 6.4.
"""

from __future__ import annotations

from math import lgamma

import numpy as np

MOST_TERMS = 500
EXACT = 1e-15
SMALLEST = 1e-300


def student_below(t: np.ndarray, freedom: float) -> np.ndarray:
    """The probability that Student's t with ``freedom`` is below each of ``t`` (finite, float [K]): float [K].

    Small probabilities keep their relative precision.
    """
    squared = np.asarray(t, dtype=float) ** 2
    beyond = 0.5 * _incomplete_beta(freedom / (freedom + squared), squared / (freedom + squared), freedom / 2, 0.5)
    return np.where(np.asarray(t) < 0, beyond, 1 - beyond)


def _incomplete_beta(x: np.ndarray, rest: np.ndarray, a: float, b: float) -> np.ndarray:
    """I_x(a, b) for x and rest = 1 - x, float [K] each."""
    front = lgamma(a + b) - lgamma(a) - lgamma(b)
    with np.errstate(divide="ignore"):  # log(0) is right: it makes a probability of 0
        power = np.exp(front + a * np.log(x) + b * np.log(rest))
    near = x < (a + 1) / (a + b + 2)  # where the fraction converges fast; else that of the other side does
    direct = power * _fraction(np.where(near, x, 0.0), a, b) / a
    other = power * _fraction(np.where(near, 0.0, rest), b, a) / b
    return np.where(near, direct, 1 - other)


def _fraction(x: np.ndarray, a: float, b: float) -> np.ndarray:
    """The continued fraction of the incomplete beta function by Lentz's method: float [K]."""
    c = np.ones_like(x)
    d = 1 / _apart_from_zero(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _apart_from_zero(1 + term * d)
            c = _apart_from_zero(1 + term / c)
            found = found * d * c
        if np.all(np.abs(d * c - 1) <= EXACT):
            break
    return found


def _apart_from_zero(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < SMALLEST, SMALLEST, x)
