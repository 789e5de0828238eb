"""The forecasts that were committed beforehand, held to what came of their runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.calibrate_forecast import interval_score
from benchmarks.forecast import FRACTIONS, Made, around, by_rules, conformal
from benchmarks.real_curves import Curve, history_curves
from pipeline.files.history import History
from pipeline.files.json_object import read_json_object
from pipeline.files.typed_json import from_json
from pipeline.formatting import NOTHING, percent
from pipeline.stage import InputError
from study.forecasts import Committed, beginning, digest
from study.ladder_forecasts import LongerRun
from study.tables import Row, Table

RULES = ("log_trend", "last")  # of benchmarks/forecast.py, with an interval by split conformal prediction
LABELS = {"forecast": "预测 · forecast", "log_trend": "对数趋势 · log trend", "last": "最后的值 · last value"}
ACCURACIES = {"mlm_acc": "训练 · training", "eval_mlm_acc": "留出 · held out"}
CLUSTER = "of the study"
FEWEST_RECORDS = 20  # of a whole run: what half of them is, a forecast can still be made from


@dataclass(frozen=True)
class Held:
    """One forecast of one end, shares of one."""

    by: str  # "forecast" or a rule
    percent: int
    expected: float
    interval: tuple[float, float]
    came: float

    @property
    def hit(self) -> bool:
        """Whether the interval holds what came."""
        return self.interval[0] <= self.came <= self.interval[1]

    @property
    def score(self) -> float:
        """The interval score (Gneiting & Raftery 2007), in points: the lower the better."""
        return 100 * interval_score(*self.interval, self.came)


def read_committed(folder: Path) -> list[Committed]:
    """The forecasts of runs under way, by name of file."""
    paths = sorted(path for path in folder.glob("*.json") if not path.name.startswith("ladder_"))
    advice = "take the committed file back"
    return [from_json(Committed, read_json_object(path, "a forecast", advice), path, advice=advice) for path in paths]


def read_ladder(folder: Path) -> list[LongerRun]:
    """The forecasts of longer runs from shorter ones, by length."""
    advice = "take the committed file back"
    found = [
        from_json(LongerRun, read_json_object(path, "a forecast", advice), path, advice=advice)
        for path in folder.glob("ladder_*.json")
    ]
    return sorted(found, key=lambda each: each.steps)


def each_forecast(forecasts: Sequence[Committed], histories: Mapping[str, History]) -> Table:
    """One row a forecast and accuracy, of the runs that have ended."""
    rows: list[Row] = []
    for made in forecasts:
        history = histories.get(made.run)
        if history is None:
            continue
        refuse_other_records(made, history)
        for key, end in made.ends.items():
            came = curve_of(history, key).end
            rows.append((f"{made.run}, {made.percent} %, {ACCURACIES[key]}", cells(end.expected, end.interval, came)))
    return "事先的预测 · Forecasts made beforehand", heads(), rows


def each_of_the_ladder(forecasts: Sequence[LongerRun], histories: Mapping[int, History]) -> Table:
    """One row a forecast of a longer run and accuracy; ``histories`` by steps."""
    rows: list[Row] = []
    for made in forecasts:
        history = histories.get(made.steps)
        if history is None:
            continue
        source = " + ".join(f"{shorter.steps:,}" for shorter in made.shorter)
        for key, end in made.ends.items():
            came = curve_of(history, key).end
            rows.append((f"{source} → {made.steps:,}, {ACCURACIES[key]}", cells(end.expected, end.interval, came)))
    return "由较短的运行预测较长的 · Longer runs from shorter ones", heads(), rows


def steps_to_targets(forecasts: Sequence[LongerRun], histories: Mapping[int, History]) -> Table:
    """One row a target, of those that the ladder has passed; ``histories`` by steps.

    How long a run has to be is read between the ends of the two runs around the target, on a logarithmic axis.
    """
    rows: list[Row] = []
    for made in forecasts:
        source = " + ".join(f"{shorter.steps:,}" for shorter in made.shorter)
        for key, found in made.targets.items():
            came = steps_between({steps: curve_of(each, key).end for steps, each in histories.items()}, found.target)
            if came is None:
                continue
            low, high = found.interval or (None, None)
            ends = [NOTHING if end is None else f"{end:,.0f}" for end in (low, high)]
            held = (low is None or low <= came) and (high is None or came <= high)
            rows.append(
                (
                    f"{source} → {percent(found.target, 1)}, {ACCURACIES[key]}",
                    [
                        NOTHING if found.steps is None else f"{found.steps:,.0f}",
                        " … ".join(ends),
                        f"{came:,.0f}",
                        "是 · yes" if held else "否 · no",
                    ],
                )
            )
    columns = ["预测 · expected", "80 % 区间 · interval", "实际 · came", "在内 · held"]
    return "达到目标的步数 · Steps to a target", columns, rows


def steps_between(ends: Mapping[int, float], target: float) -> float | None:
    """The length of a run that ends at ``target``, by the ends of a ladder's runs; None where none end around it."""
    known = sorted(ends.items())
    for (shorter, low), (longer, high) in pairwise(known):
        if low <= target <= high and low < high:
            return float(shorter * (longer / shorter) ** ((target - low) / (high - low)))
    return None


def heads() -> list[str]:
    return ["预测 · expected", "80 % 区间 · interval", "实际 · came", "误差（百分点） · error (points)", "在内 · held"]


def cells(expected: float, interval: tuple[float, float], came: float) -> list[str]:
    held = "是 · yes" if interval[0] <= came <= interval[1] else "否 · no"
    between = f"{100 * interval[0]:.1f} … {percent(interval[1], 1)}"
    return [percent(expected, 1), between, percent(came, 1), f"{100 * (expected - came):+.2f}", held]


def beside_simple_rules(
    forecasts: Sequence[Committed], histories: Mapping[str, History], references: Sequence[Curve]
) -> Table:
    """Median error, hits and mean interval score of the forecasts and of rules that see the same records.

    The rules' intervals come from the errors that they make on ``references``, curves of other runs.
    """
    found = held(forecasts, histories, [made for curve in references for made in by_rules(curve)])
    rows: list[Row] = []
    for share in sorted({each.percent for each in found}):
        for by, label in LABELS.items():
            mine = [each for each in found if (each.percent, each.by) == (share, by)]
            error = float(np.median([100 * abs(each.expected - each.came) for each in mine]))
            hits = sum(each.hit for each in mine)
            score = float(np.mean([each.score for each in mine]))
            rows.append((f"{share} %, {label}", [f"{error:.2f}", f"{hits} / {len(mine)}", f"{score:.2f}"]))
    columns = ["误差中位数 · median error", "在内 · held", "区间得分 · interval score"]
    return "与简单规则比较（百分点） · Beside simple rules (points)", columns, rows


def held(forecasts: Sequence[Committed], histories: Mapping[str, History], references: list[Made]) -> list[Held]:
    """Every forecast of a run that has ended, and what the rules say from the same records."""
    found = forecasts_held(forecasts, histories)
    for made, _, curve in of_ended_runs(forecasts, histories):
        said = by_rules(curve)[FRACTIONS.index(made.percent / 100)].rules
        for rule in RULES:
            half = conformal(references, rule, CLUSTER, made.percent / 100)
            low, middle, high = around(said[rule], half)
            found.append(Held(rule, made.percent, middle, (low, high), curve.end))
    return found


def forecasts_held(forecasts: Sequence[Committed], histories: Mapping[str, History]) -> list[Held]:
    """Every forecast of a run that has ended."""
    return [
        Held("forecast", made.percent, made.ends[key].expected, made.ends[key].interval, curve.end)
        for made, key, curve in of_ended_runs(forecasts, histories)
    ]


def of_ended_runs(
    forecasts: Sequence[Committed], histories: Mapping[str, History]
) -> Iterator[tuple[Committed, str, Curve]]:
    """Each forecast of a run that has ended, with the accuracy that was forecast and its curve."""
    for made in forecasts:
        history = histories.get(made.run)
        if history is not None:
            for key in made.ends:
                yield made, key, curve_of(history, key)


def curve_of(history: History, key: str) -> Curve:
    """The list ``key`` of a finished run; its ``end`` is the mean over the last 5 % of the steps."""
    curves = history_curves(history, key, key, CLUSTER, key, FEWEST_RECORDS)
    if not curves:
        raise InputError(f"{history.path}: has too few records of {key} to be forecast")
    return curves[0]


def refuse_other_records(made: Committed, history: History) -> None:
    """Raise an InputError where the forecast was made from other records than those of ``history``."""
    if digest(beginning(history, made.steps * made.percent / 100)) != made.records_sha256:
        raise InputError(
            f"{history.path}: does not begin with the records that the forecast at {made.percent} % of {made.run} was "
            "made from; commit the history of that run"
        )
