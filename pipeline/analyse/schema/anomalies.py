"""What the analysis file says about anomalies; apart from run.py, for the progress screen uses it and loads no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.formatting import Step

AnomalyKind = Literal[
    "nan", "inf", "-inf", "negative", "spike", "drop", "constant", "stall", "lr_break", "divergence", "deviation"
]


@dataclass(frozen=True)
class Anomaly:
    """Records that do not look like the others."""

    key: str  # the list of the history
    kind: AnomalyKind  # "nan", "inf" and "-inf" are left out of everything else
    count: int  # records
    first_step: Step
    last_step: Step
    steps: list[Step]  # the first 20
    note: str


@dataclass(frozen=True)
class AnomalyReference:
    """The reference runs that a deviation is measured against."""

    histories: int
    alpha: float  # false-alarm rate per run


@dataclass(frozen=True)
class AnomalyRule:
    """How often a run without fault is flagged."""

    false_alarms_per_run: float
    alpha: float  # of spikes and drops together
    keys_tested: list[str]  # lists that were searched for spikes and drops
    reference: AnomalyReference | None  # null without --reference
    note: str
