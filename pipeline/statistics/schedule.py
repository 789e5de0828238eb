"""The learning rate of each step of a run: one notation and one formula, for the trainer and for the analysis.

    cosine       warm-up, then half a cosine to 0 at the last step
    linear       warm-up, then a straight line to 0 at the last step
    constant     warm-up, then one rate to the last step
    wsd:SHARE    warm-up, one rate, and over the last SHARE of the steps a decay to 0 (warm-up, stable, decay)

The first two are bound to their last step: all rates after the warm-up depend on it. In the constant part of the last
two nothing depends on how long the run will be, so that a run of another length can begin there (Hu et al. 2024,
MiniCPM; Hägele et al. 2024, Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations). The decay is
``1 - sqrt(x)`` of the peak, x being the share of the decay that is done: of the shapes that Hägele et al. compared, a
straight line among them, it ended at the lowest loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

Shape = Literal["cosine", "linear", "constant", "wsd"]
NOTATION = "cosine, linear, constant or wsd:SHARE, as in wsd:0.2"


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up to ``peak`` at step ``warmup``; from there to step ``steps`` as ``shape`` says."""

    shape: Shape
    steps: int
    peak: float = 1.0
    warmup: int = 0
    share: float = 0.0  # of the steps, in the decay; "wsd" only

    def __str__(self) -> str:
        """The notation of its shape."""
        return f"wsd:{self.share:g}" if self.shape == "wsd" else self.shape

    @property
    def constant_until(self) -> int | None:
        """The last step up to which no rate depends on ``steps``; None where none ever does."""
        if self.shape == "constant":
            return None
        if self.shape == "wsd":
            return max(self.steps - max(round(self.share * self.steps), 1), self.warmup)
        return self.warmup

    def rate(self, step: int) -> float:
        """The rate of ``step`` (from 1); after the last step that of the last."""
        if step <= self.warmup:
            return self.peak * step / self.warmup
        start = self.constant_until
        if start is None or step <= start:
            return self.peak
        progress = min((step - start) / max(self.steps - start, 1), 1.0)
        if self.shape == "cosine":
            return self.peak * 0.5 * (1 + math.cos(math.pi * progress))
        return self.peak * (1 - (math.sqrt(progress) if self.shape == "wsd" else progress))


def parse_schedule(notation: str, *, steps: int, peak: float = 1.0, warmup: int = 0) -> Schedule:
    """The schedule that ``notation`` names, for a run of so many steps.

    Raises:
        ValueError: the notation is not one of those above; the message goes on where the notation was named.
    """
    name, colon, share = notation.partition(":")
    if name not in get_args(Shape) or bool(colon) != (name == "wsd"):
        raise ValueError(f"must be {NOTATION}")
    return Schedule(cast(Shape, name), steps, peak, warmup, _share(share) if colon else 0.0)


def recorded_schedule(config: Mapping[str, object]) -> Schedule:
    """The schedule of a run from its recorded settings (``steps``, ``lr``, ``warmup``, ``schedule``).

    Raises:
        ValueError: one of them is missing or of a wrong kind.
    """
    notation, steps, peak, warmup = (config.get(name) for name in ("schedule", "steps", "lr", "warmup"))
    if not (type(steps) is int and type(warmup) is int and type(peak) in (int, float) and isinstance(notation, str)):
        raise ValueError(f"schedule {notation!r}, steps {steps!r}, lr {peak!r}, warmup {warmup!r} make no schedule")
    return parse_schedule(notation, steps=steps, peak=cast(float, peak), warmup=warmup)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        raise ValueError("must have a share above 0 and at most 1, as in wsd:0.2")
    return share
