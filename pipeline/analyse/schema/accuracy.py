"""What the analysis file says about one accuracy: its correlation with the step, the curves, slopes, forecast, plateau.

``pearson`` is ``Correlation`` of pipeline/statistics/correlation.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipeline.analyse.schema.forecast import Forecast, Interval
from pipeline.formatting import Step
from pipeline.statistics.correlation import Correlation, Horizon
from pipeline.statistics.curves import PARAMETERS, Fit

PlateauState = Literal["plateau", "rising", "falling", "undecided"]


@dataclass(frozen=True)
class Asymptote:
    """Where a saturating curve ends."""

    value: float  # share of one
    interval: Interval | None  # cut to what an accuracy can be; null where that of the parameters is
    passed: bool  # the mean of the last tenth of the records is above ``value``


@dataclass(frozen=True)
class FittedCurve:
    """One curve of pipeline/statistics/curves.py, with what is known about the fit."""

    formula: str
    parameters: dict[str, float]  # a, b and the shape: tau (exponential), or shift and exponent (power)
    r_squared: float
    aic: float  # Akaike's criterion for independent normal noise
    # By parameter, around ``parameters``, over noise models; null below 40 records, or where these do not determine it.
    intervals: dict[str, Interval] | None
    at_bound: list[str]  # parameters that ended at the edge of what was searched: read that fit with care
    residual_autocorrelation: float | None  # at lag 1; null where the curve fits exactly
    effective_sample_size: float | None  # records, around this curve, as in ``pearson``; null for an exact fit
    rolling_error: float | None  # RMSE (share of one) of forecasts from rolling origins; null below 40 records
    asymptote: Asymptote | None  # null for linear and log, with a shape at the edge, or outside 0 to 1


@dataclass(frozen=True)
class Horizons:
    """r over parts of the run."""

    first: list[Horizon]  # over the first twentieth of the steps, the first two, ... all
    second_half: Horizon | None  # null for a run without values


@dataclass(frozen=True)
class LocalSlope:
    """The straight line through one tenth of the run."""

    after: float  # step; records after it count,
    until: float  # and those up to this one
    records: int
    slope: float | None  # share of one per 10,000 steps; null for fewer than two records
    interval: Interval | None  # with autocorrelation; null for fewer than eight records


@dataclass(frozen=True)
class Slopes:
    """Slopes in shares of one per 10,000 steps."""

    overall: float | None  # of the least-squares line through all records; null for fewer than two
    overall_interval: Interval | None  # with autocorrelation; null for fewer than eight records
    local: list[LocalSlope]  # by tenth of the run
    at_end: float | None  # of the best curve at the last record; null where no curve was fitted


@dataclass(frozen=True)
class Plateau:
    """Whether the accuracy still changes over the last quarter of the run."""

    state: PlateauState | None  # null: too few records
    since_step: Step | None  # where the plateau began; null without one
    gain_per_tenth: float | None  # slope of the last quarter, as the gain (share of one) over a tenth of the run
    interval: Interval | None  # of that gain, with autocorrelation
    worth: float  # a gain smaller than this, up or down, is a plateau
    note: str
    # In all, for a run like this to be decided; not there where it is.
    records_needed: int | None = field(default=None, metadata={"omit_none": True})
    # The first record that counted: of the last quarter, or of the last phase of the rate; not in earlier files.
    judged_from: Step | None = field(default=None, metadata={"omit_none": True})


@dataclass(frozen=True)
class AccuracyCurve:
    """Everything about one accuracy."""

    pearson: Correlation
    # By curve: "linear", "log", "exponential", "power"; that of most weight in the forecast first, without one that of
    # least AIC.
    fits: dict[str, FittedCurve]
    horizon: Horizons
    slope_per_10k_steps: Slopes
    forecast: Forecast | None  # null below 8 records, or where all have the same accuracy
    plateau: Plateau

    def __post_init__(self) -> None:
        for curve, fit in self.fits.items():
            if curve not in PARAMETERS:
                raise ValueError(f"unknown curve {curve!r}; the known ones are {', '.join(PARAMETERS)}")
            if set(fit.parameters) != set(PARAMETERS[curve]):
                raise ValueError(f"fits.{curve}.parameters must be {', '.join(PARAMETERS[curve])}")

    def curves(self) -> list[Fit]:
        """The fitted curves, the best first, ready to be drawn."""
        return _ready(self.fits)


@dataclass(frozen=True)
class LossCurve:
    """One loss of a history without any accuracy. Of ``fits``, "share of one" reads "unit of the loss"."""

    pearson: Correlation
    fits: dict[str, FittedCurve]
    horizon: Horizons

    def curves(self) -> list[Fit]:
        """The fitted curves, the best first, ready to be drawn."""
        return _ready(self.fits)


@dataclass(frozen=True)
class LossCurves:
    """The losses of a history without any accuracy; null where it lacks one."""

    training: LossCurve | None
    held_out: LossCurve | None


@dataclass(frozen=True)
class HeldOutCurve(AccuracyCurve):
    """The same of held-out accuracy; in the file the keys of ``pearson`` stand directly in this object."""

    pearson: Correlation = field(metadata={"inlined": True})


def _ready(fits: dict[str, FittedCurve]) -> list[Fit]:
    return [Fit(curve, fit.parameters, fit.r_squared, fit.aic, tuple(fit.at_bound)) for curve, fit in fits.items()]
