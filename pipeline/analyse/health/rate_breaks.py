"""Breaks of the learning rate: jumps that no schedule makes on purpose. Needs nothing but NumPy."""

from __future__ import annotations

import numpy as np

TIMES_BESIDE, SHARE = 3.0, 0.02  # a jump: times the changes beside it, and share of the peak
FLAT = 1e-6  # of the peak; smaller changes are none
MOST_DECIMALS = 8  # that a rate is printed with; one that needs more was not rounded
STEPS_OF_ROUNDING = 1.5  # a rounded rate changes by one unit of its last decimal at a time
FEWEST_RISES = 2
REGULAR = 0.05  # by which the cycles of warm restarts may differ from one length, or from growing by one factor


def jumps(rates: np.ndarray) -> np.ndarray:
    """Marks the records before which the rate (float [N], finite) changed much more than beside it: bool [N].

    A rise before the peak is warm-up, and a change by one unit of the last decimal that the rates were printed with is
    rounding.
    """
    marks = np.zeros(len(rates), dtype=bool)
    if len(rates) < 4 or rates.max() <= 0:
        return marks
    changes = np.diff(rates)
    size = np.abs(changes)
    before, after = _beside(size)
    warming = (np.arange(1, len(rates)) <= int(np.argmax(rates))) & (changes > 0)
    large = (size > TIMES_BESIDE * np.maximum(before, after)) & (size > SHARE * rates.max())
    marks[1:] = large & (size > STEPS_OF_ROUNDING * _printed_unit(rates)) & ~warming
    return marks


def breaks(rates: np.ndarray) -> np.ndarray:
    """Marks the jumps that no schedule makes on purpose (rates: float [N], finite): bool [N].

    On purpose are a fall from one constant rate to another, or at the very end, and the rises of warm restarts, two or
    more with cycles of one length or growing by one factor.
    """
    found = jumps(rates)
    if not found.any():
        return found
    changes = np.diff(rates)
    flat = FLAT * rates.max()
    before, after = _beside(np.abs(changes))
    decay = np.concatenate([[False], (changes < 0) & (before <= flat) & (after <= flat)])
    decay[-1] |= changes[-1] < 0
    found &= ~decay
    rises = np.flatnonzero(found & np.concatenate([[False], changes > 0]))
    if _is_regular(rises):
        found[rises] = False
    return found


def _beside(size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sizes (float [M]) of the change before and of the change after each one."""
    return np.concatenate([[0], size[:-1]]), np.concatenate([size[1:], [0]])


def _printed_unit(rates: np.ndarray) -> float:
    """One unit of the last decimal that ``rates`` (float [N]) were printed with; 0 where they were not rounded."""
    for decimals in range(MOST_DECIMALS + 1):
        shifted = rates * 10.0**decimals
        if np.allclose(shifted, np.rint(shifted), rtol=0, atol=1e-6):
            return 10.0**-decimals
    return 0.0


def _is_regular(rises: np.ndarray) -> bool:
    """Whether the cycles between ``rises`` (places, int [K]), the first from the start on, go by one rule."""
    if len(rises) < FEWEST_RISES:
        return False
    cycles = np.diff(rises, prepend=0)
    growth = cycles[1:] / cycles[:-1]
    factor = float(np.rint(np.median(growth)))
    return factor >= 1 and bool((np.abs(growth / factor - 1) <= REGULAR).all())
