"""A walk in a grid of 8 x 8 with walls: what is seen next, given the action.

An action is a direction; with 10 % the step goes in a random one. What is seen is the 3 x 3 window of walls. The stream
is action, window, action, window; only windows are charged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE, SLIP, WALLS = 8, 0.1, 0.25
STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))
FIRST_WINDOW = 40  # windows are numbered from here, so that they are no bytes of UTF-8's longer characters


@dataclass(frozen=True)
class Walk:
    """Actions and windows (int64 [T] each), where a step leads (int64 [cells, 4]), what each cell looks like."""

    actions: np.ndarray
    windows: np.ndarray
    leads: np.ndarray
    looks: np.ndarray

    @property
    def data(self) -> bytes:
        pairs = np.stack([1 + self.actions, FIRST_WINDOW + self.windows], axis=1)
        return pairs.astype(np.uint8).tobytes()


def walk(random: np.random.Generator, length: int, follows: float = 0.25, slip: float = SLIP) -> Walk:
    """``length`` steps. The slip's direction is known to the walker, whose action is that one with ``follows``.

    With 1/4 the action knows nothing of the slip, as if it had been set from outside.
    """
    leads, looks = _world(random)
    cell = int(random.integers(0, len(looks)))
    actions, windows = np.zeros(length, dtype=np.int64), np.zeros(length, dtype=np.int64)
    for step in range(length):
        blown = int(random.integers(0, 4))
        action = blown if random.random() < (follows - 0.25) / 0.75 else int(random.integers(0, 4))
        cell = int(leads[cell, blown if random.random() < slip else action])
        actions[step], windows[step] = action, looks[cell]
    return Walk(actions, windows, leads, looks)


def _world(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A grid whose free cells hang together, most of it free; where steps lead, and the number of each look."""
    while True:
        wall = np.ones((SIDE + 2, SIDE + 2), dtype=bool)
        wall[1:-1, 1:-1] = random.random((SIDE, SIDE)) < WALLS
        free = [(int(y), int(x)) for y, x in np.argwhere(~wall)]
        number = {cell: place for place, cell in enumerate(free)}
        leads = np.array(
            [[number.get((y + dy, x + dx), number[y, x]) for dy, dx in STEPS] for y, x in free], dtype=np.int64
        )
        reached = {0}
        for _ in range(SIDE * SIDE):
            reached |= {int(cell) for place in reached for cell in leads[place]}
        if len(reached) == len(free) > SIDE * SIDE // 2:
            break
    seen = [wall[y - 1 : y + 2, x - 1 : x + 2].tobytes() for y, x in free]
    kinds = {look: place for place, look in enumerate(dict.fromkeys(seen))}
    return leads, np.array([kinds[look] for look in seen])


def exact_filter(walk: Walk, slip: float = SLIP) -> np.ndarray:
    """Bits of each window for whoever knows the map and the slip, but not where the walker is; float64 [T]."""
    cells = len(walk.looks)
    moves = np.zeros((4, cells, cells))
    for action in range(4):
        for blown in range(4):
            np.add.at(moves[action], (np.arange(cells), walk.leads[:, blown]), slip / 4)
        np.add.at(moves[action], (np.arange(cells), walk.leads[:, action]), 1 - slip)
    belief, bits = np.full(cells, 1 / cells), np.zeros(len(walk.windows))
    for step, (action, window) in enumerate(zip(walk.actions, walk.windows, strict=True)):
        likely = (belief @ moves[action]) * (walk.looks == window)
        bits[step] = -np.log2(likely.sum())
        belief = likely / likely.sum()
    return bits


def count_table(walk: Walk, steps: int) -> np.ndarray:
    """Bits of each window by adaptive counts given the last ``steps`` windows and actions; float64 [T].

    A window that never followed has a weight of 1 / 8 (by choice on other walks), shared by all that there are.
    """
    kinds = int(walk.looks.max()) + 1
    counts: dict[tuple[int, ...], np.ndarray] = {}
    bits = np.zeros(len(walk.windows))
    for step, window in enumerate(walk.windows):
        before = [
            int(value)
            for back in range(1, steps + 1)
            for value in (walk.windows[step - back], walk.actions[step - back + 1])
        ]
        row = counts.setdefault(tuple(before) if step >= steps else (-1,), np.full(kinds, 1 / 8))
        bits[step] = -np.log2(row[window] / row.sum())
        row[window] += 1
    return bits
