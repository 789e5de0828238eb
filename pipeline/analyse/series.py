"""The lists of a history as arrays."""

from __future__ import annotations

import numpy as np

from pipeline.files.history import History


def series(history: History, key: str) -> np.ndarray:
    """The list ``key`` as float64 [N]: NaN where it is null, and all NaN where the history has no such list."""
    values = history.records.get(key) or [None] * len(history)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def finite_points(history: History, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values (float64 [M] each) of the records whose ``key`` is a finite number."""
    values = series(history, key)
    keep = np.isfinite(values)
    return series(history, "steps")[keep], values[keep]


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """Mean over about ``width`` records around each one.

    At the start, where a run is steep, the window shrinks and stays centred; at the end, where it is flat, it loses
    its right half only, so that the last value is a mean too.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    left = np.minimum(place, width // 2)
    right = np.minimum(place[::-1], left)
    return (sums[place + right + 1] - sums[place - left]) / (left + right + 1)
