"""The lines of the console report about further steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.analyse.schema.forecast import Forecast, ForecastLaw, ForecastPoint, ForecastTarget, LossForecast
from pipeline.formatting import Step, step_text


@dataclass(frozen=True)
class ForecastLines:
    """Lines about forecasts; ``_say`` gives a text of texts.py, and ``_name`` a name, in the report's language."""

    _say: Callable[..., str]
    _name: Callable[[str], str]

    def accuracy(self, forecast: Forecast | None) -> list[str]:
        if forecast is None:
            return []
        weights = [
            self._say("named", name=self._name(curve), value=f"{100 * model.weight:.0f} %")
            for curve, model in sorted(forecast.models.items(), key=lambda item: -item[1].weight)
        ]
        found = [self._say("weights", parts=self._say("comma").join(weights))] if weights else []
        found.append(self._say(f"schedule_{forecast.schedule}"))
        if law := forecast.law:
            found += self._law(law)
        entries = [("end", forecast.end)] if forecast.end else []
        for name, entry in [*entries, *(("longer" if entry.another_run else "at", entry) for entry in forecast.at)]:
            found.append(self._point(name, entry))
        reach = step_text(forecast.range)
        found += [self._say("unsupported", step=step_text(step), range=reach) for step in forecast.unsupported or []]
        found += [self._target(entry, forecast.range) for entry in forecast.targets]
        if forecast.choices:
            found.append(self._point("decay_now", forecast.choices.decay_now))
            go_on = forecast.choices.go_on
            found.append(self._point("go_on", go_on) if go_on else self._say("go_on_unsupported", range=reach))
        return found

    def losses(self, losses: list[LossForecast]) -> list[str]:
        """The losses at the planned end and at the steps asked for."""
        found = []
        for forecast in losses:
            for entry in [*([forecast.end] if forecast.end else []), *forecast.at]:
                numbers = {"loss": entry.loss, "low": entry.interval[0], "high": entry.interval[1]}
                found.append(self._say("loss_ahead", key=forecast.key, step=step_text(entry.step), **numbers))
        return found

    def _law(self, law: ForecastLaw) -> list[str]:
        """What the forecast rests on."""
        found = []
        if law.rate_at_end is not None and law.rate_now is not None and law.progress is not None:
            shares = {"now": 100 * law.rate_now, "end": 100 * law.rate_at_end, "progress": 100 * law.progress}
            found.append(self._say("rate", **shares))
        trust = "references" if law.references else "calibrated" if law.calibrated else "not_calibrated"
        found.append(self._say(trust, count=law.references, kind=self._name(law.kind or "")))
        return [*found, self._say("pooled", count=law.runs)] if law.runs > 1 else found

    def _point(self, text: str, entry: ForecastPoint) -> str:
        low, high = entry.interval
        percents = {"accuracy": 100 * entry.accuracy, "low": 100 * low, "high": 100 * high}
        return self._say(text, step=step_text(entry.step), **percents) + self._spent(entry.seconds, entry.tokens)

    def _spent(self, seconds: float | None, tokens: float | None) -> str:
        """What it costs, where that is known."""
        parts = [self._say("spent", seconds=seconds)] if seconds is not None else []
        parts += [self._say("tokens_more", value=tokens)] if tokens is not None else []
        return self._say("brackets", parts=self._say("comma").join(parts)) if parts else ""

    def _target(self, entry: ForecastTarget, reach: Step) -> str:
        verdict = entry.verdict
        target = 100 * entry.target
        if verdict == "reached":
            return self._say("reached", target=target, steps=self._step(entry.steps, reach))
        if verdict == "reachable" and entry.interval:
            low, high = (self._step(step, reach) for step in entry.interval)
            text = "reachable_longer" if entry.another_run else "reachable"
            said = self._say(text, target=target, steps=self._step(entry.steps, reach), low=low, high=high)
            return said + self._spent(entry.seconds, entry.tokens)
        steps = {form: self._say("never") if step is None else step_text(step) for form, step in entry.by_model.items()}
        by_model = self._say("comma").join(
            self._say("named", name=self._say(f"form_{form}"), value=step) for form, step in steps.items()
        )
        chance = 100 * entry.probability
        return self._say(verdict, target=target, by_model=by_model, range=step_text(reach), chance=chance)

    def _step(self, step: Step | None, reach: Step) -> str:
        return self._say("later", range=step_text(reach)) if step is None else step_text(step)
