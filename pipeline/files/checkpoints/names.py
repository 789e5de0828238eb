"""The names of checkpoint files and the steps that they are written at: no torch is imported.

``step_<N>.pth`` holds the weights after step N, ``state_<N>.pth`` everything that resuming needs. Either is whole
only with its sidecar ``<name>.json``; pipeline/files/checkpoint.py writes and reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

STATES_KEPT = 2
EARLY_STEPS = (0, *(2**power for power in range(10)), 1000)  # as Pythia's (Biderman et al. 2023): 0, 1, 2, 4, ... 512


def weight_steps(total: int, interval: int, early: bool) -> list[int]:
    """The steps of a run of ``total`` at which weights are written: each ``interval``, and ``EARLY_STEPS`` on wish."""
    grid = range(interval, total + 1, interval)
    return sorted({*grid, *(step for step in EARLY_STEPS if step <= total)} if early else grid)


@dataclass(frozen=True)
class KeptStates:
    """The full states that stay besides the newest two: of ``steps``, and of the multiples of ``every`` (0: none).

    A run can branch from a kept state; a state is three times as large as weights alone.
    """

    steps: frozenset[int] = frozenset()
    every: int = 0

    def and_of(self, step: int | None) -> KeptStates:
        """These, and the state of ``step`` where it is not None."""
        return self if step is None else replace(self, steps=self.steps | {step})

    def between(self, step: int, last: int) -> int:
        """How many there are after ``step``, up to ``last``."""
        named = [each for each in self.steps if step < each <= last]
        if not self.every:
            return len(named)
        return last // self.every - step // self.every + sum(each % self.every != 0 for each in named)

    def __str__(self) -> str:
        """What ``parse_kept_states`` reads."""
        return ",".join([*map(str, sorted(self.steps)), *([f"every:{self.every}"] if self.every else [])])

    def __contains__(self, step: int) -> bool:
        return step in self.steps or (self.every > 0 and step % self.every == 0)


def parse_kept_states(text: str) -> KeptStates:
    """``12500,25000``: the states of these steps; ``every:5000``: of each multiple; both may be mixed; empty: none.

    Raises:
        ValueError: it is something else, or a step is 0.
    """
    steps, every = set(), 0
    for part in text.split(",") if text else ():
        match = re.fullmatch(r"(every:)?([1-9]\d*)", part.strip(), re.ASCII)
        if not match or (match[1] and every):
            raise ValueError(f"{text!r} must be steps, as in 12500,25000, or every:N, as in every:5000")
        if match[1]:
            every = int(match[2])
        else:
            steps.add(int(match[2]))
    return KeptStates(frozenset(steps), every)


def numbered(folder: Path, kind: str) -> list[tuple[int, Path]]:
    """(N, path) of the files ``<kind>_<N>.pth`` in ``folder``, by N; ``kind`` is "step" or "state"."""
    pattern = re.compile(rf"{kind}_(\d+)\.pth")
    found = [(pattern.fullmatch(path.name), path) for path in folder.glob(f"{kind}_*.pth")]
    return sorted((int(match[1]), path) for match, path in found if match)
