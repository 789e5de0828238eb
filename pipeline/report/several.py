"""Several runs on one page: the settings that differ, the results side by side, and what shorter runs foretold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.analyse.schema.analysis import Analysis
from pipeline.analyse.schema.side_by_side import Covers, FinalDifference, SeveralRuns
from pipeline.files.history import History
from pipeline.files.run_record import recorded_config
from pipeline.formatting import NOTHING, count, percent, step_text
from pipeline.report.console.names import name_in
from pipeline.report.tables import Table, interval_text, number_text
from pipeline.words import Words

if TYPE_CHECKING:
    from pipeline.analyse.side_by_side.ladder_forecasts import LadderForecast

COVERS: dict[Covers | str, str] = {
    "records": "noise of the records alone; other seeds may differ by more",
    "seeds": "other seeds",
    "articles": "other articles; other seeds may differ by more",
    "seeds and articles": "other seeds and other articles",
}
FIRST = 16  # characters of a digest


def several_tables(
    runs: Sequence[tuple[str, Path, History]], analysis: Analysis, languages: Sequence[Words]
) -> dict[str, list[Table]]:
    """The tables of ``runs`` (name, path, history), by language; of one run those runs that its analysis has beside it.

    The comparison of the analysis is taken where it is of these very runs, and made here where it is not.
    """
    known = analysis.several
    if len(runs) < 2:
        names = {each.label: each.label for each in known.histories} if known else {}
        return {say.language: _compared(known, names, say) if known else [] for say in languages}
    # SciPy takes a second to load, and a single run does without.
    from pipeline.analyse.side_by_side.compare_runs import several
    from pipeline.analyse.side_by_side.ladder_forecasts import ladder_forecasts

    found = known if known and _same(known, runs) else several([(path, history) for _, path, history in runs])
    assert found is not None  # of two runs or more
    names = {each.label: name for each, (name, _, _) in zip(found.histories, runs, strict=True)}
    histories = {name: history for name, _, history in runs}
    forecasts = ladder_forecasts(list(histories.values()))
    return {
        say.language: [*_settings(histories, say), *_compared(found, names, say), *_ladder(forecasts, say)]
        for say in languages
    }


def _same(known: SeveralRuns, runs: Sequence[tuple[str, Path, History]]) -> bool:
    """Whether the comparison of the analysis is of these runs, as long as they are now."""
    told = [(each.path, each.total_steps, each.records) for each in known.histories]
    return told == [(str(path), history.last_step, len(history)) for _, path, history in runs]


def _settings(histories: Mapping[str, History], say: Words) -> list[Table]:
    """What the runs were told, where that is not the same for all."""
    configs = [recorded_config(history.run) for history in histories.values()]
    asked = dict.fromkeys(name for config in configs for name in config)
    rows = {name_in(say.language, name): [_setting(config.get(name), say) for config in configs] for name in asked}
    facts = [history.facts for history in histories.values()]
    rows |= {
        say("parameters"): [count(each.count("parameters")) for each in facts],
        say("dataset"): [(each.text("dataset", "fingerprint") or NOTHING)[:FIRST] for each in facts],
        say("device"): [each.text("device") or NOTHING for each in facts],
    }
    differing = [[name, *values] for name, values in rows.items() if len(set(values)) > 1]
    if not differing:
        return []
    return [Table(say("Settings that differ"), ["", *histories], differing)]


def _setting(value: object, say: Words) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return NOTHING if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _compared(found: SeveralRuns, names: Mapping[str, str], say: Words) -> list[Table]:
    """How the runs end, each with its interval, and the differences between those of different settings."""
    rows = [
        [
            names[each.label],
            number_text(each.total_steps, ",.0f"),
            percent(each.end_accuracy),
            interval_text(each.end_interval, "percent"),
            percent(each.test_accuracy),
            number_text(each.r),
        ]
        for each in found.histories
    ]
    columns = ["", say("steps"), say("accuracy at the end"), say("95 % interval"), say("test"), "r"]
    remark = say("At the end: mean of the last tenth of the records; the interval covers their noise alone.")
    if found.r:
        low, high = found.r.interval
        remark += say(" r over seeds: mean {mean:.3f}, 95 % interval {low:.3f} to {high:.3f}.", mean=found.r.mean,
                      low=low, high=high)  # fmt: skip
    tables = [Table(say("Runs side by side"), columns, rows, remark)]
    apart = [
        [
            f"{names[each.second]} − {names[each.first]}",
            say("at the end"),
            number_text(each.difference, "points"),
            interval_text(each.interval, "points"),
            say(COVERS[each.covers]),
        ]
        for each in found.differences
        if each.metric == "end_accuracy"
    ]
    apart += [_final(each, names, say) for each in found.final or []]
    if apart:
        columns = ["", "", say("points of accuracy"), say("95 % interval"), say("the interval covers")]
        remark = say("A difference whose interval covers records or articles alone is one between these runs, and says "
                     "less of their settings.")  # fmt: skip
        tables.append(Table(say("Differences between the runs"), columns, apart, remark))
    return tables


def _final(each: FinalDifference, names: Mapping[str, str], say: Words) -> list[str]:
    return [
        f"{names[each.second]} − {names[each.first]}",
        say(f"final scoring, {each.split}" + ("" if each.of == "tokens" else ", sentence pairs")),
        number_text(each.difference, "points"),
        interval_text(each.interval, "points"),
        say(COVERS[each.covers]),
    ]


def _ladder(forecasts: Sequence[LadderForecast], say: Words) -> list[Table]:
    """What the shorter runs say of each longer one, beside what that reached."""
    rows = [
        [
            say("a run of {steps:,} steps", steps=each.steps),
            " + ".join(map(step_text, each.shorter)),
            percent(each.accuracy),
            interval_text(each.interval, "percent"),
            percent(each.reached),
        ]
        for each in forecasts
    ]
    if not rows:
        return []
    columns = ["", say("from runs of"), say("forecast"), say("80 % interval"), say("reached")]
    remark = say("Each forecast is from the shorter runs alone; the end is the mean over the last 5 % of the steps.")
    return [Table(say("The ladder and its forecasts"), columns, rows, remark)]
