"""The law fitted to a run, ready to be asked what further steps bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.analyse.annealing.calibration import calibration
from pipeline.analyse.annealing.coming import Coming, Future, coming_rate, kind_of
from pipeline.analyse.annealing.references import learned_gain
from pipeline.analyse.schema.forecast import ForecastLaw, ForecastPoint, LossPoint
from pipeline.files.history import History
from pipeline.formatting import step_number
from pipeline.statistics.annealing.law import Gain
from pipeline.statistics.annealing.outcome import Outcome, mixed
from pipeline.statistics.annealing.records import Observed
from pipeline.statistics.schedule import Schedule
from pipeline.statistics.schedule_forecast import Fitted, fit_schedule
from pipeline.statistics.smoothing import is_constant

LEVEL = 0.8
SHARES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
REACH = 4.0  # times the S seen: how far the law is asked
FORMS = ("log", "ceiling")  # names of the law without a ceiling and with one


@dataclass(frozen=True)
class Known:
    """What the user says of a run beside its history; every part may be left out."""

    schedule: Schedule | None = None  # of the whole run
    kind: str | None = None
    references: Sequence[History] = field(default_factory=list)  # finished runs to learn the gain from
    beside: Sequence[History] = field(
        default_factory=list
    )  # runs of other lengths and seeds, to fit the law to as well


@dataclass(frozen=True)
class Ahead:
    """The law fitted to a run, and to those beside it."""

    fitted: Fitted
    coming: Coming
    law: ForecastLaw
    seconds: float | None  # a step; None where not recorded
    tokens: float | None

    def outcome(self, step: float) -> Outcome:
        """The accuracy at ``step``: of this run, or at the end of a longer one."""
        return mixed([self.of(future) for future in self.coming.futures(step)])

    def of(self, future: Future) -> Outcome:
        """The mean accuracy over the steps of ``future``."""
        return self.fitted.expect(future.plan, future.steps, another_run=future.another_run)

    def supports(self, step: float) -> bool:
        """Whether the cumulative rate at ``step`` is within REACH of what was seen."""
        futures = self.coming.futures(step)
        most = max(float(future.plan.progress(future.steps[-1:])[0]) for future in futures)
        return most <= REACH * self.fitted.now * (1 + 1e-9)

    def point(self, step: float) -> ForecastPoint:
        """The accuracy at ``step`` as it stands in the analysis."""
        return self.point_of(step, self.coming.futures(step))

    def point_of(self, step: float, futures: Sequence[Future]) -> ForecastPoint:
        """The accuracy at ``step``, over ``futures``."""
        outcome = mixed([self.of(future) for future in futures])
        low, middle, high = (outcome.quantile(share) for share in SHARES)
        another = any(future.another_run for future in futures)
        return ForecastPoint(
            step=step_number(step),
            beyond_run=step > self.coming.last,
            accuracy=middle,
            interval=(low, high),
            by_model={form: part.quantile(0.5) for form, part in forms(outcome).items()},
            another_run=another or None,
            **self.cost(step, another_run=another),
        )

    def loss_point(self, step: float) -> LossPoint:
        """The loss at ``step``, of a law that was fitted to exp(-loss)."""
        futures = self.coming.futures(step)
        outcome = mixed([self.of(future) for future in futures])
        high, middle, low = (-float(np.log(outcome.quantile(share))) for share in SHARES)
        another = any(future.another_run for future in futures)
        return LossPoint(step_number(step), step > self.coming.last, middle, (low, high), another or None)

    def cost(self, step: float, *, another_run: bool) -> dict[str, float | None]:
        """Seconds and tokens to ``step``: those still to be spent, or all of another run's."""
        steps = step if another_run else step - self.coming.last
        each = {"seconds": self.seconds, "tokens": self.tokens}
        return {name: None if steps <= 0 or amount is None else amount * steps for name, amount in each.items()}


def forms(outcome: Outcome) -> dict[str, Outcome]:
    """The law without a ceiling and with one, by the names of FORMS; only those that were fitted."""
    bounded = outcome.ceilings > 0
    return {form: outcome.part(mask) for form, mask in zip(FORMS, (~bounded, bounded), strict=True) if mask.any()}


def ahead(history: History, key: str, known: Known | None = None, *, loss: bool = False) -> Ahead | None:
    """The law fitted to the list ``key`` of accuracies, or of losses; None for fewer than 8 records or one value."""
    known = known or Known()
    steps, accuracy = points_of(history, key, loss=loss)
    if not len(steps) or is_constant(accuracy):
        return None
    coming = coming_rate(history, known.schedule)
    kind, constants = known.kind or kind_of(history), calibration()
    kind = kind_of_loss(kind, constants.kinds()) if loss else kind
    references = [(other, *points_of(other, key, loss=loss)) for other in known.references]
    learned = learned_gain(references, constants.gain(kind), constants.law)
    gain = learned or constants.gain(kind)
    runs = [Observed(steps, accuracy, coming.plan)]
    runs += [observed for other in known.beside if (observed := _observed(other, key, loss=loss)) is not None]
    fitted = fit_schedule(runs, gain, constants.law, apart=sampling(history, key))
    if fitted is None:
        return None
    told = _told(coming, gain, kind, len(runs), len(known.references) if learned else 0)
    return Ahead(fitted, coming, told, _per_step(history, "seconds"), _per_step(history, "tokens"))


def sampling(history: History, key: str) -> float:
    """How far (log-odds) two runs lie apart because each was scored on a sample of so many held-out targets."""
    targets = history.facts.count("eval_counts", history.columns.accuracy.targets or "")
    share = float(np.clip(history.points(key)[1].mean(), 0.01, 0.99))
    return 1 / np.sqrt(targets * share * (1 - share)) if targets and key != history.accuracy else 0.0


def points_of(history: History, key: str, *, loss: bool) -> tuple[np.ndarray, np.ndarray]:
    """Steps and shares of one of a list (float [M] each): accuracies as they are, losses as exp(-loss)."""
    steps, values = history.points(key)
    return (steps, np.exp(-values)) if loss else (steps, values)


def kind_of_loss(kind: str | None, kinds: Sequence[str]) -> str | None:
    """The kind whose gain is that of the loss of a ``kind`` of run; None where there is none."""
    if kind is None or kind.endswith("loss"):
        return kind
    return f"{kind}, loss" if f"{kind}, loss" in kinds else None


def _observed(history: History, key: str, *, loss: bool) -> Observed | None:
    coming = coming_rate(history)
    steps, accuracy = points_of(history, key, loss=loss)
    return Observed(steps, accuracy, coming.plan) if coming.recorded and len(steps) else None


def _told(coming: Coming, gain: Gain, kind: str | None, runs: int, references: int) -> ForecastLaw:
    plan, planned = coming.plan, coming.planned
    done, whole = plan.progress(np.array([coming.last, coming.end]))
    return ForecastLaw(
        kind=kind,
        calibrated=references > 0 or calibration().known(kind),
        runs=runs,
        references=references,
        gain=gain.mean,
        gain_spread=gain.spread,
        progress=float(done / whole) if planned else None,
        rate_now=float(np.interp(coming.last, plan.steps, plan.rates) / plan.rates.max()) if coming.recorded else None,
        rate_at_end=float(plan.rates[-1] / plan.rates.max()) if planned else None,
    )


def _per_step(history: History, name: str) -> float | None:
    """The last finite value of a cumulative list, for each step."""
    steps, amounts = history.points(name)
    return float(amounts[-1] / steps[-1]) if len(steps) and steps[-1] > 0 and amounts[-1] > 0 else None
