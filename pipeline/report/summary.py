"""The table that ends a run: what the model learned, beside what counting alone would have got."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from pipeline.analyse.schema.accuracy import AccuracyCurve, LossCurve
from pipeline.analyse.schema.analysis import Analysis
from pipeline.files.history import History
from pipeline.files.run_record import Facts
from pipeline.formatting import count, duration, percent, step_text
from pipeline.report.text_scores import text_scores
from pipeline.statistics.correlation import Pearson

GUESSES = {
    "commonest": "  guess: commonest character",
    "left": "  guess: from the left neighbour",
    "both": "  guess: from both neighbours",
}
Row = tuple[str, str]


def summary(history: History, analysis: Analysis, figures: list[Path]) -> str:
    """The table of a run; what its history does not hold is not shown.

    The scores are those of the test articles once the run has ended, before that those of the last validation.

    Raises:
        InputError: the ``run`` object holds values of a wrong type.
    """
    facts = history.facts
    total = facts.count("config", "steps")
    last = history.last_step
    rows: list[Row] = [("steps", step_text(last) + (f" of {total:,}" if total is not None and total != last else ""))]
    rows += _test(facts) or _next(facts) or _validation(facts, history)
    trends: dict[str, AccuracyCurve | LossCurve | None] = {"held-out accuracy": analysis.held_out}
    if analysis.loss_curves:
        trends |= {"training loss": analysis.loss_curves.training, "held-out loss": analysis.loss_curves.held_out}
    if history.accuracy or not any(trends.values()):
        trends = {"training accuracy": analysis.training, **trends}
    rows += [(f"Pearson r, {name}", _pearson(curve.pearson)) for name, curve in trends.items() if curve]
    seconds = history.last("seconds")
    if seconds is not None and isfinite(seconds):
        rows.append(("training time", duration(seconds)))
    rows += [("" if number else "figures", str(figure)) for number, figure in enumerate(figures)]
    wide = max(len(name) for name, _ in rows)
    rule = "-" * max(wide + 2 + len(text) for _, text in rows)
    return "\n".join([rule, *(f"{name:<{wide}}  {text}".rstrip() for name, text in rows), rule])


def _test(facts: Facts) -> list[Row]:
    """Scores on the test articles; empty before the run has ended."""
    accuracy = facts.number("test", "mlm_acc")
    if accuracy is None:
        return []
    targets, on_han = facts.count("test", "mlm_targets"), facts.count("test", "mlm_targets_han")
    rows = [
        ("held-out articles (test)", _columns("all targets", "Han alone")),
        ("  masked characters", _columns(count(targets, ""), count(on_han, ""))),
        ("  MLM accuracy", _columns(percent(accuracy), percent(facts.number("test", "mlm_acc_han"), missing=""))),
        *_guesses(facts, "test", "guesses"),
    ]
    nsp, pairs = facts.number("test", "nsp_acc"), facts.count("test", "nsp_pairs")
    if nsp is not None and pairs is not None:
        rows.append(("  NSP accuracy", f"{percent(nsp):>12}  of {pairs:,} pairs, chance 50 %"))
    return rows


def _next(facts: Facts) -> list[Row]:
    """Scores of a causal model on the test text; empty before the run has ended."""
    scores = text_scores(facts, "test")
    heading = ("held-out text (test)", _columns("all symbols", "Han alone"))
    return [heading, *((f"  {name}", _columns(*values)) for name, *values in scores)] if scores else []


def _validation(facts: Facts, history: History) -> list[Row]:
    """Scores on the validation subset at the last record; empty where the history has none."""
    columns = history.columns
    accuracy = history.last(columns.accuracy.held_out)
    if accuracy is None:
        return []
    on_han = history.last(columns.accuracy.held_out_han)
    on_pairs = history.last(columns.pairs.held_out) if columns.pairs else None
    if "log" in history.run:  # of another program, which need not be about articles
        return [("held-out accuracy", percent(accuracy))]
    rows = [
        ("held-out articles (validation)", _columns("all targets", "Han alone")),
        ("  MLM accuracy", _columns(percent(accuracy), percent(on_han, missing=""))),
        *_guesses(facts, "guesses"),
    ]
    if on_pairs is not None:
        rows.append(("  NSP accuracy", f"{percent(on_pairs):>12}  chance 50 %"))
    return rows


def _guesses(facts: Facts, *keys: str) -> list[Row]:
    values = {name: (facts.number(*keys, name, "all"), facts.number(*keys, name, "han")) for name in GUESSES}
    return [
        (GUESSES[name], _columns(percent(on_all), percent(on_han, missing="")))
        for name, (on_all, on_han) in values.items()
        if on_all is not None
    ]


def _pearson(found: Pearson) -> str:
    if found.r is None:
        return f"not defined: {found.note}"
    if found.interval_autocorrelation is None:
        return f"{found.r:.3f}"
    low, high = found.interval_autocorrelation
    return f"{found.r:.3f}  95 % interval {low:.3f} to {high:.3f}, with autocorrelation"


def _columns(first: str, second: str) -> str:
    return f"{first:>12}{second:>12}"
