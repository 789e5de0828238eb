"""The tables of the report, read off a history and its analysis. What these lack is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.analyse.schema.accuracy import AccuracyCurve, LossCurve
from pipeline.analyse.schema.analysis import Analysis
from pipeline.files.history import History
from pipeline.files.run_record import Facts
from pipeline.formatting import NOTHING, count, duration, minute, percent, power_of_ten
from pipeline.report.console.names import name_in
from pipeline.report.text_scores import text_scores
from pipeline.words import Words

GUESSES = {
    "commonest": "guess: commonest character",
    "left": "guess: from the left neighbour",
    "both": "guess: from both neighbours",
}
SMALLEST = 1e-300  # a smaller p-value cannot be told from zero
STATES = {"plateau": "on a plateau", "rising": "rising", "falling": "falling", "undecided": "undecided"}
Row = list[str]


@dataclass(frozen=True)
class Table:
    """A table with its heading and, where it needs one, a remark below; the first column is names."""

    title: str
    columns: Row
    rows: list[Row]
    remark: str = ""


def report_tables(history: History, analysis: Analysis, say: Words) -> list[Table]:
    """All tables that have rows.

    Raises:
        InputError: the ``run`` object holds values of a wrong type.
    """
    facts = history.facts
    makers: list[Callable[[Analysis, Words], Table | None]] = [
        _correlation, _horizon, _fits, _forecast, _findings, _cost,
    ]  # fmt: skip
    analysed = [maker(analysis, say) for maker in makers]
    return [table for table in (_scores(facts, say), *analysed, _run(facts, history, say)) if table and table.rows]


def _scores(facts: Facts, say: Words) -> Table | None:
    """Accuracy on held-out articles beside the counting guesses; the test articles once they were scored."""
    for part, name in (("test", "Test articles"), ("validation", "Validation articles")):
        accuracy = facts.number(part, "mlm_acc")
        if accuracy is None:
            continue
        rows = [
            [say("masked characters"), count(facts.count(part, "mlm_targets")),
             count(facts.count(part, "mlm_targets_han"))],
            [say("MLM accuracy"), percent(accuracy), percent(facts.number(part, "mlm_acc_han"))],
        ]  # fmt: skip
        for guess, text in GUESSES.items():
            on_all = facts.number(part, "guesses", guess, "all")
            if on_all is not None:
                rows.append([say(text), percent(on_all), percent(facts.number(part, "guesses", guess, "han"))])
        nsp, pairs = facts.number(part, "nsp_acc"), facts.count(part, "nsp_pairs")
        if nsp is not None and pairs is not None:
            rows.append([say("NSP accuracy, of {pairs:,} pairs (chance 50 %)", pairs=pairs), percent(nsp), NOTHING])
        remark = say("The guesses by counting are fitted on the training articles and answer at the same positions.")
        return Table(say(name), ["", say("all targets"), say("Han alone")], rows, remark)
    for part, name in (("test", "Test text"), ("validation", "Validation text")):
        if rows := [[say(text), *values] for text, *values in text_scores(facts, part)]:
            remark = say("The baselines are fitted on the training text; docs/ANALYSIS.md says what the units mean.")
            return Table(say(name), ["", say("all symbols"), say("Han alone")], rows, remark)
    return None


def _correlation(analysis: Analysis, say: Words) -> Table | None:
    curves = _curves(analysis)
    trends = [curve.pearson for curve in curves.values()]
    rows = [
        [say("Pearson r"), *(number_text(each.r) for each in trends)],
        [
            say("95 % interval, with autocorrelation"),
            *(interval_text(each.interval_autocorrelation) for each in trends),
        ],
        [say("95 % interval, were records independent"), *(interval_text(each.interval_iid) for each in trends)],
        [
            say("effective sample size, around the best curve"),
            *(number_text(each.effective_sample_size, ",.0f") for each in trends),
        ],
        [say("p, with autocorrelation"), *(_p_value(each.p_autocorrelation) for each in trends)],
        [say("Spearman rho"), *(number_text(each.spearman.rho if each.spearman else None) for each in trends)],
        [say("r against log(step)"), *(number_text(each.log_step.r if each.log_step else None) for each in trends)],
        [
            say("r without sampling noise"),
            *(number_text(each.disattenuated.r if each.disattenuated else None) for each in trends),
        ],
    ]
    columns = ["", *map(say, curves)]
    remark = say("The intervals cover the noise of this run's records only; only further seeds show how runs differ.")
    title = say("Step and loss") if analysis.loss_curves else say("Step and accuracy")
    return Table(title, columns, _known(rows), remark)


def _curves(analysis: Analysis) -> dict[str, AccuracyCurve | LossCurve]:
    """The curves of the accuracy, or of the loss where there is no accuracy, by the words for their data.

    That of a training accuracy that the log lacks is left out where there is another one.
    """
    losses = analysis.loss_curves
    found = {"training": losses.training, "held-out": losses.held_out} if losses else {
        "training": None if analysis.mlm_stats.mean is None else analysis.training, "held-out": analysis.held_out
    }  # fmt: skip
    return {name: curve for name, curve in found.items() if curve} or {"training": analysis.training}


def _horizon(analysis: Analysis, say: Words) -> Table | None:
    which, curve = next(iter(_curves(analysis).items()))
    horizon = curve.horizon
    parts = [part for part in horizon.first[3::4] if part.r is not None]
    rows = [[say("first {steps:,} steps", steps=part.until), number_text(part.r)] for part in parts]
    later = horizon.second_half
    if later and later.r is not None:
        rows.append([say("steps after {steps:,}", steps=later.after), number_text(later.r)])
    remark = say("r measures straightness, not learning: on a saturating curve it falls as the run grows longer.")
    return Table(say("r over parts of the run"), ["", say(f"r, {which}")], rows, remark)


def _fits(analysis: Analysis, say: Words) -> Table | None:
    which, curve = next(iter(_curves(analysis).items()))
    measure = "loss" if analysis.loss_curves else "accuracy"
    rows = [
        [
            say(name),
            name_in(say.language, fit.formula),
            say(", ").join(f"{name_in(say.language, key)} = {value:.4g}" for key, value in fit.parameters.items()),
            number_text(fit.r_squared),
            number_text(fit.asymptote.value if fit.asymptote else None, ".3f" if analysis.loss_curves else "percent"),
            say(", ").join(name_in(say.language, key) for key in fit.at_bound) or NOTHING,
        ]
        for name, fit in curve.fits.items()
    ]
    columns = ["", say("formula"), say("parameters"), "R²", say("asymptote"), say("at a bound")]
    remark = say(
        "The curve of most weight in the forecast first (of least AIC where there is none). Where a parameter ends at "
        "a bound of the search, or the curve would end outside 0 to 100 %, no asymptote is given."
    )
    return Table(say(f"Curves of {which} {measure}"), columns, rows, remark)


def _forecast(analysis: Analysis, say: Words) -> Table | None:
    found = (analysis.held_out or analysis.training).forecast or analysis.training.forecast
    if not found:
        return None
    verdicts = {
        "reached": "reached at step {steps:,}",
        "reachable": "about step {steps:,}",
        "models_disagree": "the models disagree",
        "beyond_every_model": "out of reach of what this run can tell",
        "not_supported": "not supported by this run",
    }
    rows = []
    at = {end.step: end for end in [found.end, *found.at] if end}
    ends = [("accuracy at step {steps:,}", end) for end in at.values()]
    if found.choices:
        ends.append(("decayed now, at step {steps:,}", found.choices.decay_now))
        ends += [("going on, at step {steps:,}", end) for end in [found.choices.go_on] if end]
    for text, end in ends:
        text = "at the end of a run of {steps:,} steps" if end.another_run else text
        rows.append([say(text, steps=end.step), percent(end.accuracy), interval_text(end.interval, "percent")])
    for target in found.targets:
        text = "a run of about {steps:,} steps" if target.another_run and target.steps else verdicts[target.verdict]
        rows.append([say("steps to {target}", target=percent(target.target)), say(text, steps=target.steps or 0),
                     interval_text(target.interval, ",.0f")])  # fmt: skip
    remark = say("Beyond the end of a schedule another run is meant, longer and with a schedule of the same shape.")
    return Table(say("Forecast"), ["", "", say("80 % interval")], rows, remark)


def _findings(analysis: Analysis, say: Words) -> Table | None:
    rows = []
    for name, nsp in vars(analysis.nsp).items():
        if nsp:
            verdict = say("at chance") if nsp.at_chance else say("above chance")
            rows.append([say(f"NSP, {name.replace('_', '-')}"),
                         say("{share}, {verdict} (p {p})", share=percent(nsp.accuracy), verdict=verdict,
                             p=_p_value(nsp.p))])  # fmt: skip
    overfit = analysis.overfit
    if overfit:
        metrics = {"overfitting, accuracy": overfit.accuracy, "overfitting, loss": overfit.loss}
        for name, metric in metrics.items():
            if metric:
                since = say("from step {steps:,} on", steps=metric.since_step) if metric.found else say("not found")
                rows.append([say(name), since])
    plateau = (
        analysis.held_out if analysis.mlm_stats.mean is None and analysis.held_out else analysis.training
    ).plateau
    if plateau.state:
        state = say(STATES[plateau.state])
        if plateau.records_needed is not None:
            state += say(", needs about {count:,} records", count=plateau.records_needed)
        rows.append([say("the last quarter is"), state])
    stop = analysis.early_stop
    text = say(
        "would have let it run" if not stop or stop.verdict != "too_few_records" else "too few records to decide"
    )
    if stop and stop.stop_step is not None:
        text = say("at step {steps:,}, {share} of the run saved, {lost:+.2f} points lost", steps=stop.stop_step,
                   share=percent(stop.saved_share), lost=100 * (stop.lost or 0.0))  # fmt: skip
    if stop:
        rows.append([say("early stopping"), text])
    for anomaly in analysis.anomalies:
        where = say("steps {first:,} to {last:,}", first=anomaly.first_step, last=anomaly.last_step)
        what = f"{anomaly.count} × {name_in(say.language, anomaly.kind)}"
        rows.append([say("anomaly"), say(", ").join((what, anomaly.key, where))])
    return Table(say("Findings"), ["", ""], rows)


def _cost(analysis: Analysis, say: Words) -> Table | None:
    cost = analysis.cost
    rows = []
    if cost.seconds is not None:
        rows.append([say("training time"), duration(cost.seconds, say.language)])
    if cost.tokens is not None:
        rows.append([say("tokens"), count(round(cost.tokens))])
    if cost.flops is not None:
        rows.append([say("FLOPs"), power_of_ten(cost.flops)])
    gained = cost.held_out or cost.training
    if gained and gained.seconds_per_point is not None:
        rows.append([say("each point of accuracy took, on average"), duration(gained.seconds_per_point, say.language)])
    return Table(say("Cost"), ["", ""], rows)


def _run(facts: Facts, history: History, say: Words) -> Table | None:
    config = history.run.get("config")
    shape = [_optional(facts.count("config", key)) for key in ("layers", "hidden", "heads")]
    rows = [
        [say("preset"), facts.text("preset") or NOTHING],
        [say("layers x width, heads"), f"{shape[0]} × {shape[1]}, {shape[2]}" if config else NOTHING],
        [say("parameters"), count(facts.count("parameters"))],
        [say("steps"), count(facts.count("config", "steps"))],
        [say("sequences a step"), _product(facts.count("config", "batch_size"), facts.count("config", "accumulation"))],
        [say("peak learning rate"), number_text(facts.number("config", "lr"), "g")],
        [say("branch"), _branch(facts, say)],
        [say("seed"), count(facts.count("seed"))],
        [say("dataset"), (facts.text("dataset", "fingerprint") or NOTHING)[:16]],
        [say("sentences"), count(facts.count("dataset", "sentences"))],
        [say("vocabulary"), count(facts.count("dataset", "vocab"))],
        [say("device"), facts.text("device") or NOTHING],
        ["PyTorch", facts.text("versions", "torch") or NOTHING],
        [say("started"), minute(facts.text("started"))],
        [say("finished"), minute(facts.text("finished"))],
    ]
    return Table(say("The run"), ["", ""], _known(rows))


def _branch(facts: Facts, say: Words) -> str:
    trunk = facts.branch()
    return say("of {history} at step {step:,}", history=trunk.history, step=trunk.step) if trunk else NOTHING


def _known(rows: list[Row]) -> list[Row]:
    """The rows that hold anything."""
    return [row for row in rows if any(cell != NOTHING for cell in row[1:])]


def _optional(value: int | None) -> str:
    return "?" if value is None else str(value)


def _product(first: int | None, second: int | None) -> str:
    return NOTHING if first is None or second is None else f"{first * second:,}"


def number_text(value: float | None, form: str = ".3f") -> str:
    """``value`` as ``form`` has it; "percent" makes a percentage, "points" a difference of two."""
    if value is None:
        return NOTHING
    if form == "points":
        return f"{100 * value:+.2f}"
    return percent(value) if form == "percent" else f"{value:{form}}"


def interval_text(value: tuple[float | None, float | None] | None, form: str = ".3f") -> str:
    """Both ends of an interval, each as ``number_text`` writes it."""
    if value is None or value == (None, None):
        return NOTHING
    low, high = value
    return f"{number_text(low, form)} … {number_text(high, form)}"


def _p_value(value: float | None) -> str:
    if value is None:
        return NOTHING
    if value < SMALLEST:
        return f"< {SMALLEST:.0e}"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"
