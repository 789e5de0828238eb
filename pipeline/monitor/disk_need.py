"""Whether the disk holds the checkpoints that a run has still to write."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline.files.checkpoints.names import EARLY_STEPS, STATES_KEPT, KeptStates, numbered, weight_steps

BYTES_A_PARAMETER = 4  # weights are stored in float32
STATE_FACTOR = 3  # the weights and the optimizer's two moments
MOST_CHECKPOINTS = 1_000_000  # more are no plan


@dataclass(frozen=True)
class DiskNeed:
    """Bytes: what the checkpoints take, what those still to come will take at most, and what is free."""

    folder: str
    checkpoints: int  # weight checkpoints that are there
    used: int
    needed: int | None  # None where the history does not say how many are to come or how large one is
    free: int

    @property
    def is_short(self) -> bool:
        return self.needed is not None and self.needed > self.free


def disk_need(
    folder: Path,
    step: int,
    total: int | None,
    interval: int | None,
    parameters: int | None,
    *,
    begun: int = 0,
    early: bool = False,
    kept: KeptStates | None = None,
) -> DiskNeed:
    """Look at ``folder``, where a run at ``step`` of ``total`` saves every ``interval`` steps.

    A branch has ``begun`` after that step, with none of its trunk's files. A run may save ``early`` checkpoints, and
    keep states that are ``kept`` beside the newest two.

    Sizes are those of the newest files; before the first one they follow from the number of parameters. Where earlier
    grid points are gone, the run keeps only the newest few (``--keep``), and room for one more is enough. Where all
    are gone, they are elsewhere, and nothing is said of what is needed.
    """
    weights, states = numbered(folder, "step"), numbered(folder, "state")
    sizes = {path: _size(path) for _, path in (*weights, *states)}
    free = shutil.disk_usage(_existing(folder)).free
    of_weights = sizes[weights[-1][1]] if weights else BYTES_A_PARAMETER * parameters if parameters else None
    of_state = sizes[states[-1][1]] if states else STATE_FACTOR * of_weights if of_weights else None
    needed = None
    looked_at = total and interval and total // interval <= MOST_CHECKPOINTS
    steps = weight_steps(total, interval, early) if total and interval and looked_at else []
    due = [each for each in steps if not begun or each > begun]
    past, to_come = [each for each in due if each <= step], [each for each in due if each > step]
    if total is not None and looked_at and of_weights and of_state and (weights or not past):
        if len(weights) < len(past):
            spared = [each for each in to_come if early and each in EARLY_STEPS]
            to_come = spared + [each for each in to_come if each not in spared][:1]
        # A new state is written before the oldest goes; the finished model is one more file of weights.
        states_to_come = STATES_KEPT + 1 - min(len(states), STATES_KEPT) if step < total else 0
        if kept:
            states_to_come += kept.between(step, total)
        needed = len(to_come) * of_weights + states_to_come * of_state + (of_weights if step < total else 0)
    return DiskNeed(str(folder), len(weights), sum(sizes.values()), needed, free)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # rotated away between listing and looking
        return 0


def _existing(folder: Path) -> Path:
    """``folder`` or the nearest folder above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())
