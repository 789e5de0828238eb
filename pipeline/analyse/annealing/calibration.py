"""The constants of the law, calibrated on finished runs: calibration.json.

``mean`` and ``spread`` of a kind are those of D, the gain (log-odds) of annealing the rate to nothing. A kind of run
that nothing was calibrated on gets that of all kinds together, which is wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.files.json_object import read_json_object
from pipeline.files.typed_json import from_json
from pipeline.statistics.schedule_forecast import Gain, Law

CALIBRATION = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True)
class Calibration:
    """What was learned from finished runs."""

    law: Law
    kinds: dict[str, Gain]
    unknown: Gain

    def gain(self, kind: str | None) -> Gain:
        """What is known beforehand of D for a ``kind`` of run; None: the kind is not known."""
        return self.kinds.get(kind, self.unknown) if kind is not None else self.unknown


@cache
def calibration() -> Calibration:
    """The committed constants."""
    return from_json(Calibration, read_json_object(CALIBRATION, "the calibration", "restore it"), CALIBRATION)
