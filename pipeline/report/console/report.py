"""The analysis as a readable report for the console, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.analyse.schema.accuracy import AccuracyCurve, FittedCurve, LossCurve, Plateau
from pipeline.analyse.schema.analysis import Analysis
from pipeline.analyse.schema.run import Cost, EarlyStopHindsight, Gains, Nsp, Overfit
from pipeline.analyse.schema.side_by_side import CheckpointTrends, CommonHorizon, Comparison, SeveralRuns
from pipeline.files.history import History
from pipeline.formatting import NOTHING, step_text
from pipeline.report.console.forecast import ForecastLines
from pipeline.report.console.names import name_in
from pipeline.report.console.texts import TEXTS, console_words
from pipeline.report.text_scores import BASELINES
from pipeline.statistics.autocorrelation import EffectiveSampleSizes
from pipeline.statistics.correlation import Correlation
from pipeline.statistics.robust.outliers import FEWEST_RECORDS

HORIZONS_SHOWN = slice(3, None, 4)  # every fifth of the run
GROUPS_SHOWN = 10
SMALLEST_P = 1e-300  # what is smaller has no digits left


class Report:
    """Lines about one analysis, in one language."""

    def __init__(self, language: str) -> None:
        self._words = console_words(language)
        self._ahead = ForecastLines(self._say, self._name)

    def lines(self, path: Path, result: Analysis) -> list[str]:
        """Everything found in the history read from ``path``."""
        stats, loss = result.mlm_stats, result.loss_stats
        found = [
            self._say("records", path=path, count=result.data_points, last=result.total_steps),
            *([self._say("branch", **vars(result.branch))] if result.branch else []),
        ]
        curves = {"training": result.training, "held_out": result.held_out}
        losses = (
            {f"{name}_loss": curve for name, curve in vars(result.loss_curves).items()} if result.loss_curves else {}
        )
        if stats.mean is not None:
            found.append(self._say("stats", **{name: self._percent(value) for name, value in vars(stats).items()}))
        elif result.held_out or losses:
            del curves["training"]
        if loss.final is not None:
            found.append(self._say("loss", initial=self._number(loss.initial), final=self._number(loss.final)))
        for what, curve in curves.items():
            found += self._accuracy(what, curve) if curve else []
        for what, fitted in losses.items():
            found += self._against(what, fitted) if fitted else []
        found += self._ahead.losses(result.losses or [])
        found += [*self._nsp(result.nsp), *self._overfit(result.overfit)]
        found += [*self._anomalies(result), *self._cost(result.cost), *self._early_stop(result.early_stop)]
        found += [*self._comparison(result.comparison_with_50k), *self._several(result.several)]
        return [*found, *self._checkpoints(result.checkpoints), self._say("caveat")]

    def read(self, histories: Sequence[tuple[Path, History]]) -> list[str]:
        """How the logs of other programs were read, and what causal models came to on their test text."""
        found = []
        for path, history in histories:
            told = (note.say(self._words.language) for note in history.notes)
            found += [self._say("of_log", path=path, note=note) for note in told]
            bits = history.facts.number("test", "bits_per_character")
            if bits is not None:
                values = {name: history.facts.number("test", "baselines", name) for name in BASELINES}
                known = [(self._say(name), f"{value:.3f}") for name, value in values.items() if value is not None]
                others = self._list(self._say("named", name=name, value=value) for name, value in known)
                found.append(self._say("bits", path=path, bits=bits, others=others))
        return found

    def written(self, path: Path) -> str:
        return self._say("written", path=path)

    def baseline(self, path: Path) -> str:
        return self._say("baseline_history", path=path)

    def committed(self, missing: Path) -> str:
        """That what follows is not about the user's own run, whose history would be ``missing``."""
        return self._say("committed", path=missing)

    def _against(self, what: str, curve: AccuracyCurve | LossCurve) -> list[str]:
        """How an accuracy or a loss depends on the step."""
        pearson = curve.pearson
        found = [self._say("against", what=self._say(what))]
        if pearson.r is None:
            return [*found, self._say("r_none", note=self._name(pearson.note))]
        found.append(self._say("r", r=pearson.r, r2=pearson.r**2))
        if interval := pearson.interval_iid:
            found.append(self._say("iid", low=interval[0], high=interval[1]))
        if interval := pearson.interval_autocorrelation:
            found.append(self._say("auto", low=interval[0], high=interval[1]))
        rolling = "rolling" if isinstance(curve, AccuracyCurve) else "rolling_loss"
        found += [*self._beside_r(pearson), *(self._fit(name, fit, rolling) for name, fit in curve.fits.items())]
        known = [part for part in curve.horizon.first[HORIZONS_SHOWN] if part.r is not None]
        if known:
            parts = "   ".join(self._say("until", step=part.until, r=part.r) for part in known)
            found.append(self._say("horizon", parts=parts))
        later = curve.horizon.second_half
        if later and later.r is not None:
            found.append(self._say("second_half", after=later.after, r=later.r))
        return found

    def _beside_r(self, pearson: Correlation) -> list[str]:
        found = []
        sizes = pearson.effective_sample_sizes
        if sizes and sizes.around_line and sizes.around_curve:
            found.append(self._say("sizes", line=_range(sizes.around_line), curve=_range(sizes.around_curve)))
        if pearson.p_autocorrelation is not None:
            found.append(self._say("p", iid=self._p(pearson.p_iid), gls=self._p(pearson.p_autocorrelation)))
        others = {
            "spearman": pearson.spearman.rho if pearson.spearman else None,
            "log_step": pearson.log_step.r if pearson.log_step else None,
            "disattenuated": pearson.disattenuated.r if pearson.disattenuated else None,
        }
        parts = [self._say(name, value=value) for name, value in others.items() if value is not None]
        return [*found, self._say("others", parts=self._list(parts))]

    def _accuracy(self, what: str, curve: AccuracyCurve) -> list[str]:
        found = self._against(what, curve)
        if curve.pearson.r is None:
            return found
        slopes = curve.slope_per_10k_steps
        tenths = [part.slope for part in slopes.local]
        if slopes.overall is not None and tenths[0] is not None and tenths[-1] is not None:
            values = {"overall": slopes.overall, "first": tenths[0], "last": tenths[-1]}
            steps = slope_steps(slopes.local[-1].until)
            points = {name: 100 * value * steps / 10_000 for name, value in values.items()}
            blank = " " * (len("10,000") - len(f"{steps:,}"))
            found.append(self._say("slope", steps=f"{steps:,}", blank=blank, **points))
        return [*found, *self._ahead.accuracy(curve.forecast), *self._plateau(curve.plateau)]

    def _fit(self, curve: str, fit: FittedCurve, rolling: str) -> str:
        extra = ""
        if fit.rolling_error is not None:
            extra += self._say(rolling, error=fit.rolling_error * (100 if rolling == "rolling" else 1))
        if fit.at_bound:
            extra += self._say("at_bound", names=self._list(map(self._name, fit.at_bound)))
        if fit.asymptote and fit.asymptote.passed:
            extra += self._say("passed")
        parameters = self._list(f"{self._name(name)} = {value:.4g}" for name, value in fit.parameters.items())
        named = {"curve": self._name(curve), "formula": self._name(fit.formula), "parameters": parameters}
        return self._say("fit", r2=fit.r_squared, extra=extra, **named)

    def _plateau(self, plateau: Plateau) -> list[str]:
        if plateau.state is None or plateau.gain_per_tenth is None or plateau.interval is None:
            return []
        state = self._say(f"state_{plateau.state}", since=plateau.since_step, needed=plateau.records_needed)
        low, high = plateau.interval
        return [self._say("plateau", state=state, gain=100 * plateau.gain_per_tenth, low=100 * low, high=100 * high)]

    def _nsp(self, nsp: Nsp) -> list[str]:
        found = []
        for what, part in vars(nsp).items():
            if part is None:
                continue
            name, accuracy = self._say(what), 100 * part.accuracy
            if part.interval is None:
                found.append(self._say("nsp_unknown", what=name, accuracy=accuracy))
                continue
            step = part.first_step_above
            since = self._say("since", step=step) if step is not None else ""
            verdict = self._say("at_chance") if part.at_chance else self._say("above_chance", since=since)
            low, high = (100 * value for value in part.interval)
            found.append(
                self._say(
                    "nsp", what=name, accuracy=accuracy, pairs=part.pairs, low=low, high=high, p=self._p(part.p),
                    verdict=verdict,
                )
            )  # fmt: skip
        return found

    def _overfit(self, overfit: Overfit | None) -> list[str]:
        if overfit is None:
            return []
        if not overfit.found:
            judged = any(metric and metric.p is not None for metric in (overfit.accuracy, overfit.loss))
            within = overfit.first_pass_until is not None and not judged
            return [self._say("overfit_first_pass" if within else "overfit_no")]
        return [
            self._say("overfit_yes", which=self._say(f"which_{which}"), since=metric.since_step)
            for which, metric in (("accuracy", overfit.accuracy), ("loss", overfit.loss))
            if metric and metric.found
        ]

    def _anomalies(self, result: Analysis) -> list[str]:
        if not result.anomalies:
            if not result.anomaly_rule.keys_tested:
                return [self._say("anomaly_untested", fewest=FEWEST_RECORDS)]
            return [self._say("no_anomaly", rate=100 * result.anomaly_rule.false_alarms_per_run)]
        return [
            self._say(
                "anomaly", count=entry.count, kind=self._name(entry.kind), key=entry.key, first=entry.first_step,
                last=entry.last_step, note=self._name(entry.note),
            )
            for entry in result.anomalies
        ]  # fmt: skip

    def _cost(self, cost: Cost) -> list[str]:
        found = []
        for what, gains in (("training", cost.training), ("held_out", cost.held_out)):
            if gains is None or gains.seconds_per_point is None:
                continue
            last = self._amounts(gains.quarters[-1]) or self._say("cost_none")
            found.append(self._say("cost", what=self._say(what), parts=self._amounts(gains), last=last))
        return found

    def _amounts(self, gains: Gains) -> str:
        amounts = {
            "seconds": gains.seconds_per_point,
            "tokens": gains.tokens_per_point,
            "flops": gains.flops_per_point,
        }
        return self._list(self._say(name, value=value) for name, value in amounts.items() if value is not None)

    def _early_stop(self, found: EarlyStopHindsight | None) -> list[str]:
        if found is None:
            return []
        rule = {**vars(found.rule), "worth": 100 * found.rule.worth, "confidence": 100 * found.rule.confidence}
        told = self._say("early_rule", key=found.key, **rule)
        sure = self._say("early_unsure" if found.sure_up_to is None else "early_sure", phi=found.sure_up_to, **rule)
        if found.stop_step is None:
            return [self._say("early_no" if found.verdict == "goes_on" else "early_too_few"), told, sure]
        share, lost = 100 * (found.saved_share or 0.0), 100 * (found.lost or 0.0)
        return [self._say("early_yes", step=found.stop_step, share=share, lost=lost), told, sure]

    def _comparison(self, comparison: Comparison) -> list[str]:
        common = comparison.common_horizon
        if common is None:
            return [self._say("no_baseline")]
        before, now = comparison.baseline_r, comparison.this_r
        found = [
            self._say("baseline", before=self._number(before), now=self._number(now)),
            self._common("common", common),
        ]
        if comparison.held_out:
            found.append(self._common("common_held_out", comparison.held_out.common_horizon))
        return found

    def _common(self, text: str, common: CommonHorizon) -> str:
        return self._say(
            text,
            until=common.until,
            before=self._number(common.baseline.r),
            now=self._number(common.this_run.r),
            r=self._difference(common.r_difference, points=False)
            + self._interval(common.r_difference_interval, points=False),
            accuracy=self._difference(common.accuracy_difference) + self._interval(common.accuracy_difference_interval),
        )

    def _several(self, several: SeveralRuns | None) -> list[str]:
        if several is None:
            return []
        names = self._list(map(self._name, several.differing_settings)) or self._say("unknown")
        found = [self._say(f"several_{several.kind}", count=len(several.histories), names=names)]
        for run in several.histories:
            step = self._say("unknown") if run.best_step is None else step_text(run.best_step)
            end, best = self._percent(run.end_accuracy), self._percent(run.best_accuracy)
            found.append(self._say("run", label=run.label, r=self._number(run.r), end=end, best=best, step=step))
            if run.branch:
                found.append(self._say("run_branch", **vars(run.branch)))
        if mean := several.r:
            low, high = mean.interval
            found.append(self._say("mean_r", mean=mean.mean, sd=mean.sd, low=low, high=high))
        for entry in several.differences:
            points = entry.metric != "r"
            value = self._difference(entry.difference, points=points)
            interval = self._interval(entry.interval, points=points)
            covers = self._say(f"covers_{entry.covers}")
            named = {"first": entry.first, "second": entry.second, "metric": self._name(entry.metric)}
            found.append(self._say("difference", value=value, interval=interval, covers=covers, **named))
            if entry.shared_until:
                found.append(self._say("shared", step=entry.shared_until))
        for final in several.final or []:
            covers = self._say(f"covers_{final.covers.replace(' ', '_')}")
            named = {key: getattr(final, key) for key in ("first", "second", "articles")}
            value, interval = self._difference(final.difference), self._interval(final.interval)
            asked = {"split": self._name(final.split), "of": self._say(f"final_{final.of}")}
            found.append(self._say("final_difference", value=value, interval=interval, covers=covers, **asked, **named))
        return found

    def _checkpoints(self, checkpoints: CheckpointTrends | None) -> list[str]:
        if checkpoints is None:
            return []
        curves = checkpoints.curves
        found = [
            self._say(
                "checkpoints", count=len(curves.steps), sequences=curves.sequences, split=self._name(checkpoints.split),
                first=curves.steps[0], last=curves.steps[-1],
            )
        ]  # fmt: skip
        for kind, groups in curves.groups.items():
            known = [(name, group) for name, group in groups.items() if group.gain is not None]
            for name, group in known[:GROUPS_SHOWN]:
                text = "group_flat" if group.half_way_step is None else "group"
                shares = {"before": 100 * (group.first or 0.0), "after": 100 * (group.last or 0.0)}
                named = {"kind": self._name(kind), "name": self._name(name), "step": group.half_way_step}
                found.append(self._say(text, **named, **shares))
            if len(known) > GROUPS_SHOWN:
                found.append(self._say("groups_more", kind=self._name(kind), count=len(known) - GROUPS_SHOWN))
        return found

    def _say(self, which_text: str, /, **values: Any) -> str:
        return self._words(TEXTS[which_text], **values)

    def _number(self, value: float | None) -> str:
        return self._say("undefined") if value is None else f"{value:.3f}"

    def _percent(self, value: float | None) -> str:
        return self._say("undefined") if value is None else f"{100 * value:.2f}"

    def _difference(self, value: float | None, *, points: bool = True) -> str:
        """The difference of two accuracies in points, or of two r."""
        if value is None:
            return self._say("undefined")
        return self._say("points", value=100 * value) if points else f"{value:+.4f}"

    def _interval(self, interval: tuple[float, float] | None, *, points: bool = True) -> str:
        """The interval of a ``_difference``, to stand behind it."""
        if not interval:
            return ""
        low, high = (f"{100 * end:+.2f}" if points else f"{end:+.4f}" for end in interval)
        return self._say("interval", low=low, high=high)

    def _list(self, parts: Iterable[str]) -> str:
        return self._say("comma").join(parts)

    def _name(self, text: str) -> str:
        return name_in(self._words.language, text)

    def _p(self, value: float | None) -> str:
        if value is None:
            return NOTHING
        return self._say("none_below") if value < SMALLEST_P else f"{value:.2g}"


def slope_steps(last: float) -> int:
    """How many steps a slope is told for: 10,000, or for a run that is shorter, the power of ten below its length."""
    return next((steps for steps in (10_000, 1_000, 100, 10) if steps <= last), 1)


def _range(sizes: EffectiveSampleSizes) -> str:
    least, greatest = sizes.range()
    return f"{least:,.0f} - {greatest:,.0f}"
