"""The table that ends a run: what the model learned, beside what counting alone would have got."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from pipeline.analyse.schema.accuracy import AccuracyCurve, LossCurve
from pipeline.analyse.schema.analysis import Analysis
from pipeline.files.history import History
from pipeline.files.run_record import Facts
from pipeline.formatting import columns_of, count, duration, percent, step_text
from pipeline.report.console.names import name_in
from pipeline.report.text_scores import text_scores
from pipeline.report.words import REPORT
from pipeline.statistics.correlation import Pearson
from pipeline.words import CHINESE as FIGURES
from pipeline.words import Words

GUESSES = {
    "commonest": "guess: commonest character",
    "left": "guess: from the left neighbour",
    "both": "guess: from both neighbours",
}
CHINESE = {
    "held-out articles (test)": "留出文章（测试）",
    "held-out articles (validation)": "留出文章（验证）",
    "held-out text (test)": "留出文本（测试）",
    "{step} of {total:,}": "{step} / {total:,}",
    "Pearson r, {name}": "Pearson r，{name}",
    "training loss": "训练损失",
    "held-out loss": "留出损失",
    "not defined: {note}": "没有定义：{note}",
    "{r:.3f}  95 % interval {low:.3f} to {high:.3f}, with autocorrelation": (
        "{r:.3f}  95 % 区间 {low:.3f} 到 {high:.3f}，计入自相关"
    ),
    "of {pairs:,} pairs, chance 50 %": "共 {pairs:,} 对，机会水平 50 %",
    "chance 50 %": "机会水平 50 %",
    "figures": "图",
    "Chinese letters: {font}": "中文字体：{font}",
    "{path} is not here; this is the run that comes with the program, {committed}": (
        "这里没有 {path}；下面是随程序附带的那次运行：{committed}"
    ),
    "{path}: {note}": "{path}：{note}",
    "{path}: open it in a browser; it follows the run until that is finished (Ctrl-C ends this)": (
        "{path}：请在浏览器里打开；运行结束之前它一直更新（按 Ctrl-C 结束）"
    ),
    "finished: {path}": "已结束：{path}",
}
Row = tuple[str, str]


def summary_words(language: str) -> Words:
    """What visualize_results.py says on the console, in one of LANGUAGES."""
    return Words(language, FIGURES | REPORT | CHINESE)


def summary(history: History, analysis: Analysis, figures: list[Path], say: Words) -> str:
    """The table of a run; what its history does not hold is not shown.

    The scores are those of the test articles once the run has ended, before that those of the last validation.

    Raises:
        InputError: the ``run`` object holds values of a wrong type.
    """
    facts = history.facts
    total = facts.count("config", "steps")
    last = history.last_step
    steps = step_text(last)
    if total is not None and total != last:
        steps = say("{step} of {total:,}", step=steps, total=total)
    rows: list[Row] = [(say("steps"), steps)]
    rows += _test(facts, say) or _next(facts, say) or _validation(facts, history, say)
    trends: dict[str, AccuracyCurve | LossCurve | None] = {"held-out accuracy": analysis.held_out}
    if analysis.loss_curves:
        trends |= {"training loss": analysis.loss_curves.training, "held-out loss": analysis.loss_curves.held_out}
    if history.accuracy or not any(trends.values()):
        trends = {"training accuracy": analysis.training, **trends}
    curves = {name: curve for name, curve in trends.items() if curve}
    rows += [(say("Pearson r, {name}", name=say(name)), _pearson(curve.pearson, say)) for name, curve in curves.items()]
    seconds = history.last("seconds")
    if seconds is not None and isfinite(seconds):
        rows.append((say("training time"), duration(seconds, say.language)))
    rows += [("" if number else say("figures"), str(figure)) for number, figure in enumerate(figures)]
    wide = max(columns_of(name) for name, _ in rows)
    rule = "-" * max(wide + 2 + columns_of(text) for _, text in rows)
    lines = [f"{name}{' ' * (wide - columns_of(name))}  {text}".rstrip() for name, text in rows]
    return "\n".join([rule, *lines, rule])


def _test(facts: Facts, say: Words) -> list[Row]:
    """Scores on the test articles; empty before the run has ended."""
    accuracy = facts.number("test", "mlm_acc")
    if accuracy is None:
        return []
    targets, on_han = facts.count("test", "mlm_targets"), facts.count("test", "mlm_targets_han")
    rows = [
        (say("held-out articles (test)"), _columns(say("all targets"), say("Han alone"))),
        (_under("masked characters", say), _columns(count(targets, ""), count(on_han, ""))),
        (
            _under("MLM accuracy", say),
            _columns(percent(accuracy), percent(facts.number("test", "mlm_acc_han"), missing="")),
        ),
        *_guesses(facts, say, "test", "guesses"),
    ]
    nsp, pairs = facts.number("test", "nsp_acc"), facts.count("test", "nsp_pairs")
    if nsp is not None and pairs is not None:
        counted = say("of {pairs:,} pairs, chance 50 %", pairs=pairs)
        rows.append((_under("NSP accuracy", say), f"{percent(nsp):>12}  {counted}"))
    return rows


def _next(facts: Facts, say: Words) -> list[Row]:
    """Scores of a causal model on the test text; empty before the run has ended."""
    scores = text_scores(facts, "test")
    heading = (say("held-out text (test)"), _columns(say("all symbols"), say("Han alone")))
    return [heading, *((_under(name, say), _columns(*values)) for name, *values in scores)] if scores else []


def _validation(facts: Facts, history: History, say: Words) -> list[Row]:
    """Scores on the validation subset at the last record; empty where the history has none."""
    columns = history.columns
    accuracy = history.last(columns.accuracy.held_out)
    if accuracy is None:
        return []
    on_han = history.last(columns.accuracy.held_out_han)
    on_pairs = history.last(columns.pairs.held_out) if columns.pairs else None
    if "log" in history.run:  # of another program, which need not be about articles
        return [(say("held-out accuracy"), percent(accuracy))]
    rows = [
        (say("held-out articles (validation)"), _columns(say("all targets"), say("Han alone"))),
        (_under("MLM accuracy", say), _columns(percent(accuracy), percent(on_han, missing=""))),
        *_guesses(facts, say, "guesses"),
    ]
    if on_pairs is not None:
        rows.append((_under("NSP accuracy", say), f"{percent(on_pairs):>12}  {say('chance 50 %')}"))
    return rows


def _guesses(facts: Facts, say: Words, *keys: str) -> list[Row]:
    values = {name: (facts.number(*keys, name, "all"), facts.number(*keys, name, "han")) for name in GUESSES}
    return [
        (_under(GUESSES[name], say), _columns(percent(on_all), percent(on_han, missing="")))
        for name, (on_all, on_han) in values.items()
        if on_all is not None
    ]


def _pearson(found: Pearson, say: Words) -> str:
    if found.r is None:
        return say("not defined: {note}", note=name_in(say.language, found.note))
    if found.interval_autocorrelation is None:
        return f"{found.r:.3f}"
    low, high = found.interval_autocorrelation
    text = "{r:.3f}  95 % interval {low:.3f} to {high:.3f}, with autocorrelation"
    return say(text, r=found.r, low=low, high=high)


def _under(text: str, say: Words) -> str:
    """A row under a heading."""
    return f"  {say(text)}"


def _columns(*cells: str) -> str:
    return "".join(" " * (12 - columns_of(cell)) + cell for cell in cells)
