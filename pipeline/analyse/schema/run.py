"""What the analysis file says about the run: NSP, overfitting, cost, early stopping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipeline.analyse.schema.forecast import Interval
from pipeline.formatting import Step
from pipeline.statistics.early_stop import EarlyStop

Denominators = Literal["recorded", "inferred"]


@dataclass(frozen=True)
class CoinTest:
    """Pairs judged right against a fair coin (exact binomial test). All null where the pairs cannot be counted."""

    accuracy: float | None  # share of one
    pairs: int | None
    correct: int | None
    p: float | None  # two-sided
    interval: Interval | None  # of the accuracy, exact
    at_chance: bool | None  # not above chance at 1 %, one-sided


@dataclass(frozen=True)
class NspScore(CoinTest):
    """NSP on one kind of text. ``at_chance``: the whole run, its last quarter and every part of it are."""

    last_quarter: CoinTest | None  # of the records; null for the final scoring
    first_step_above: Step | None  # end of the first tenth of the run that is above chance by itself; null for none
    denominators: Denominators | None  # how the number of pairs is known; "inferred": from the fractions themselves
    note: str


@dataclass(frozen=True)
class Nsp:
    """Next sentence prediction against chance."""

    training: NspScore | None  # null without a list of it
    held_out: NspScore | None  # the final scoring of the validation articles; null before it


@dataclass(frozen=True)
class OverfitMetric:
    """One held-out metric after its smoothed best value."""

    found: bool
    since_step: Step | None  # of the best value; null where it does not overfit
    best: float  # smoothed, in the metric's unit
    last: float  # smoothed
    p: float | None  # one-sided, of getting worse; null for too few records, or none after the first pass
    change: float  # last - best
    alpha: float | None = field(default=None, metadata={"omit_none": True})  # ``p`` below is a finding


@dataclass(frozen=True)
class Overfit:
    """Whether a held-out metric gets worse while the training metric still improves."""

    found: bool
    since_step: Step | None
    accuracy: OverfitMetric | None  # null where it was not held out
    loss: OverfitMetric | None
    note: str
    # Where every example was seen once; records up to here do not count. Not there where that is not known.
    first_pass_until: Step | None = field(default=None, metadata={"omit_none": True})


@dataclass(frozen=True)
class Gains:
    """Percentage points of smoothed accuracy gained, and what each cost; null where nothing was gained or recorded."""

    points: float
    seconds_per_point: float | None
    tokens_per_point: float | None
    flops_per_point: float | None


@dataclass(frozen=True)
class _Part:
    after: Step  # step
    until: Step


@dataclass(frozen=True)
class QuarterGains(Gains, _Part):
    """Gains over a quarter of the steps."""


@dataclass(frozen=True)
class RunGains(Gains):
    """Gains over the whole run."""

    quarters: list[QuarterGains]


@dataclass(frozen=True)
class Cost:
    """What the run cost; null where the history does not say."""

    seconds: float | None
    tokens: float | None
    flops: float | None
    flops_per_step: float | None
    training: RunGains | None  # null for fewer than two records
    held_out: RunGains | None


StopVerdict = Literal["stops", "goes_on", "too_few_records"]


@dataclass(frozen=True)
class EarlyStopHindsight:
    """Where the early-stopping rule would have ended the run; null but for ``accuracy_at_end`` where it would not."""

    rule: EarlyStop
    key: str  # the list of the history that it was applied to
    stop_step: Step | None
    saved_steps: Step | None
    saved_seconds: float | None
    saved_share: float | None  # of the steps
    accuracy_at_stop: float | None  # mean of the last window before the stop, share of one
    accuracy_at_end: float | None  # mean of the last window
    lost: float | None  # accuracy_at_end - accuracy_at_stop
    lost_interval: Interval | None
    note: str
    verdict: StopVerdict | None = field(default=None, metadata={"omit_none": True})  # not in earlier files
    # The autoregression of the noise up to which the rule's confidence holds; not there where it does for none.
    sure_up_to: float | None = field(default=None, metadata={"omit_none": True})
