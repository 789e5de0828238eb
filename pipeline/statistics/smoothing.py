"""Running means of noisy records."""

from __future__ import annotations

import numpy as np


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """Mean of ``values`` (float [N]) over about ``width`` records around each one, float [N].

    At the start, where a run is steep, the window shrinks and stays centred; at the end, where it is flat, it loses
    its right half only, so that the last value is a mean too.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    left = np.minimum(place, width // 2)
    right = np.minimum(place[::-1], left)
    return (sums[place + right + 1] - sums[place - left]) / (left + right + 1)


def proportional_mean(steps: np.ndarray, values: np.ndarray, share: float) -> np.ndarray:
    """Mean of ``values`` (float [N]) over the records within ``share`` of each one's step, float [N].

    For a logarithmic axis, on which such a window is equally wide everywhere: a window of so many records would reach
    over decades at the start. Two runs with the same ``share`` are smoothed alike, however long they are. ``steps``
    (float [N]) rise and are not negative.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.searchsorted(steps, steps * (1 - share), side="left")
    behind = np.searchsorted(steps, steps * (1 + share), side="right")
    return (sums[behind] - sums[first]) / (behind - first)
