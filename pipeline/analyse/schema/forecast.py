"""What the analysis file says of further steps: the forecast, its targets, and what may be done now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipeline.formatting import Step

Interval = tuple[float, float]  # [low, high], 95 % unless said otherwise
Schedule = Literal["annealed", "unfinished", "constant", "unknown"]
LATER = {"omit_none": True}  # of keys that earlier versions did not write
Verdict = Literal["reached", "reachable", "models_disagree", "beyond_every_model", "not_supported"]


@dataclass(frozen=True)
class ForecastModel:
    """One curve of pipeline/statistics/curves.py; the forecast itself is of the law."""

    weight: float  # posterior weight; all sum to one
    rolling_error: float  # as in ``fits``


@dataclass(frozen=True)
class ForecastPoint:
    """The accuracy expected at a step."""

    step: Step
    beyond_run: bool  # after the last record
    accuracy: float  # the median, share of one
    interval: Interval  # of ``level``
    by_model: dict[str, float]  # medians of the law without a ceiling ("log") and with one ("ceiling")
    # true: not this run goes on, but a longer one with a schedule of the same shape ends there; else not there.
    another_run: bool | None = field(default=None, metadata=LATER)
    # What it costs: of this run what is still to be spent, of another one all of it. Not there where not recorded.
    seconds: float | None = field(default=None, metadata=LATER)
    tokens: float | None = field(default=None, metadata=LATER)


@dataclass(frozen=True)
class ForecastTarget:
    """When an accuracy is reached.

    "reachable": both forms of the law say at least even; "models_disagree": one of them does; "beyond_every_model":
    neither says 10 % within ``range``; "not_supported": in between, so that the steps lie beyond what the records tell.
    """

    target: float  # share of one
    verdict: Verdict
    steps: Step | None  # "reached": where the smoothed accuracy first passed it; else the median; null past ``range``
    interval: tuple[Step | None, Step | None] | None  # of ``level``; an end beyond ``range`` is null; null when reached
    probability: float  # of reaching it within ``range``
    by_model: dict[str, Step | None]  # median steps by form of the law; null where not within ``range``
    another_run: bool | None = field(default=None, metadata=LATER)  # true: ``steps`` is the length of a longer run
    seconds: float | None = field(default=None, metadata=LATER)  # as of a point, for ``steps``
    tokens: float | None = field(default=None, metadata=LATER)


@dataclass(frozen=True)
class ForecastLaw:
    """What the forecast rests on: the law of pipeline/statistics/schedule_forecast.py."""

    kind: str | None  # of run, by the names of the calibration; null: not known
    calibrated: bool  # whether finished runs of this kind were calibrated on; the interval is wide where not
    runs: int  # whose records it was fitted to
    references: int  # finished runs that the gain was learned from; 0: of the calibration
    gain: float  # expected beforehand of annealing the rate to nothing, log-odds
    gain_spread: float  # standard deviation of that
    progress: float | None  # cumulative learning rate seen, as a share of that of the plan; null without a plan
    rate_now: float | None  # share of the peak; null where not recorded
    rate_at_end: float | None  # share of the peak, at the planned end


@dataclass(frozen=True)
class LossPoint:
    """The loss expected at a step, in its own unit; ``beyond_run`` and ``another_run`` as of a ForecastPoint."""

    step: Step
    beyond_run: bool
    loss: float  # the median
    interval: Interval  # of the forecast's level
    another_run: bool | None = field(default=None, metadata=LATER)


@dataclass(frozen=True)
class LossForecast:
    """What further steps bring of a loss, by the same law, with exp(-loss) in the place of the accuracy."""

    key: str  # the list of the history
    end: LossPoint | None  # of an unfinished run: the mean over the last 5 % of the planned steps
    at: list[LossPoint]  # one for each --at within the forecast's range
    law: ForecastLaw


@dataclass(frozen=True)
class Choices:
    """What may be done with a run whose rate has still to fall; whether it is finished, its records cannot say."""

    decay_now: ForecastPoint  # bring the rate down now, over a fifth of the steps that the run then has
    # As planned; without a plan, twice the steps and then the same decay. Null where that lies beyond the range.
    go_on: ForecastPoint | None


@dataclass(frozen=True)
class Forecast:
    """What further steps bring, with the learning rate that is still to come."""

    level: float  # of every interval in here
    models: dict[str, ForecastModel]  # by curve; empty below 40 records
    last_step: Step
    range: Step  # the last step that an answer is given for: four times the cumulative rate seen
    schedule: Schedule  # "annealed": the learning rate ended near zero, so that a longer run is another run
    end: ForecastPoint | None  # of an unfinished run: the mean over the last 5 % of the planned steps; null for others
    at: list[ForecastPoint]  # one for each --at within ``range``
    targets: list[ForecastTarget]  # one for each --target
    note: str
    unsupported: list[Step] | None = field(default=None, metadata=LATER)  # each --at beyond ``range``
    choices: Choices | None = field(default=None, metadata=LATER)  # not there where no rate is left to choose about
    law: ForecastLaw | None = field(default=None, metadata=LATER)
