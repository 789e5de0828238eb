"""Several runs side by side: seeds of one setting, or different experiments.

Runs whose recorded settings and dataset differ in nothing but the seeds make one group. One group of two runs or more
is "seeds": a mean curve, the band that further seeds are expected in (Student t for one more run), r for each and for
all. Anything else is "experiments": a table, and differences between groups. Where both groups have two seeds or
more, a difference has Welch's interval over seeds; where not, only the noise of the records is known, and ``covers``
says so.

Branches of one trunk, each a budget of its own, have the trunk's records in common. Between two of them the noise of
these is drawn once (run_parts.py). Between groups of seeds whose trunks are the same, seed by seed, the differences
are paired and have Student's interval, so that what a trunk has in common with itself is not taken for scatter.

Means of r are taken on Fisher's scale, z = artanh r, on which r is nearly normal, and so no interval reaches beyond
1. A difference of two means of r has the interval of Zou (2007, Psychological Methods 12) from theirs. Measured with
three and five seeds and r of seven records around 0.6, 20,000 times: the interval of the mean, asked for 95 %, holds
it in 95 % (on r itself in 92), that of a difference in 98 to 99 %.

Where the final scoring of all runs stands beside their histories, groups are compared by it too (final_scores.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import stats

from pipeline.analyse.schema.side_by_side import (
    Band,
    ComparedRun,
    Covers,
    FinalDifference,
    GroupDifference,
    MeanR,
    Metric,
    RunsKind,
    SeveralRuns,
)
from pipeline.analyse.side_by_side.final_scores import final_differences, final_scorings
from pipeline.analyse.side_by_side.run_parts import Part, difference, part_of, shared_until
from pipeline.files.history import History, common_accuracy
from pipeline.files.run_record import recorded_config
from pipeline.formatting import step_number
from pipeline.statistics.smoothing import is_constant, running_mean

LEVEL = 0.95
BAND_STEPS = 200
SMOOTHING = 40  # a running mean spans this part of the records
METRICS: tuple[Metric, ...] = ("r", "end_accuracy", "mean_accuracy")
MOST_PAIRS = 10  # of groups; with more groups only the first is compared with every other
NOTES: dict[RunsKind, str] = {
    "seeds": "Runs of one setting: the band is where one further seed is expected at a step, 95 times in 100; with few "
    "seeds it is wide because the scatter itself is hardly known.",
    "experiments": "Different settings: a difference whose interval covers records only says that these two runs "
    "differ, not that their settings do.",
}


@dataclass(frozen=True)
class Run:
    path: Path
    label: str
    group: str
    history: History
    key: str | None  # its list of the accuracy that is compared
    whole: Part
    common: Part


def several(histories: list[tuple[Path, History]]) -> SeveralRuns | None:
    """The histories side by side; None for fewer than two."""
    if len(histories) < 2:
        return None
    role = common_accuracy([history for _, history in histories])
    until = min(float(history.last_step) for _, history in histories)
    labels, groups = _labels(histories), _groups([history for _, history in histories])
    names = dict(zip(reversed(groups), reversed(labels), strict=True))
    runs = [
        Run(path, label, names[group], history, key, part_of(history, key), part_of(history, key, until))
        for (path, history), label, group in zip(histories, labels, groups, strict=True)
        for key in [history.key_of(role)]
    ]
    kind: RunsKind = "seeds" if len(set(groups)) == 1 else "experiments"
    return SeveralRuns(
        kind=kind,
        histories=[_compared(run) for run in runs],
        band=_band(runs, until) if kind == "seeds" else None,
        r=_mean_r(runs) if kind == "seeds" else None,
        differences=_differences(runs, until),
        final=_finals(runs) or None,
        differing_settings=_differing([history for _, history in histories]),
        note=NOTES[kind],
    )


def _compared(run: Run) -> ComparedRun:
    steps, accuracy = run.whole.steps, run.whole.accuracy
    smooth = running_mean(accuracy, len(accuracy) // SMOOTHING)
    best = int(np.argmax(smooth)) if len(smooth) else None
    spread = run.whole.spread_of("end_accuracy")
    end = run.whole.end()
    rho = stats.spearmanr(steps, accuracy).statistic if len(steps) > 2 and not is_constant(accuracy) else None
    end_interval = None
    if spread is not None and end is not None:
        low, high = np.quantile(spread, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        end_interval = (float(end + low), float(end + high))
    facts = run.history.facts
    return ComparedRun(
        path=str(run.path),
        label=run.label,
        group=run.group,
        seed=facts.count("seed"),
        records=len(run.history),
        total_steps=run.history.last_step,
        key=run.key,
        r=run.whole.r,
        interval_autocorrelation=run.whole.r_interval(),
        rho=None if rho is None else float(rho),
        end_accuracy=end,
        end_interval=end_interval,
        best_accuracy=None if best is None else float(smooth[best]),
        best_step=None if best is None else step_number(steps[best]),
        test_accuracy=facts.number("test", run.history.columns.accuracy.train),
        branch=facts.branch(),
    )


def _band(runs: list[Run], until: float) -> Band | None:
    """Mean and band of the smoothed curves, interpolated to common steps."""
    key, curves = runs[0].key, []
    if key is None:
        return None
    begin = max(float(run.whole.steps[0]) if len(run.whole.steps) else until for run in runs)
    steps = np.linspace(begin, until, BAND_STEPS)
    if until > BAND_STEPS:  # of a log in fewer steps, as in epochs, whole ones would be too few
        steps = np.unique(np.rint(steps))
    for run in runs:
        x, y = run.history.points(run.key)
        if not len(x):
            return None
        curves.append(np.interp(steps, x, running_mean(y, len(y) // SMOOTHING)))
    table = np.array(curves)
    mean, sd = table.mean(axis=0), table.std(axis=0, ddof=1)
    half = stats.t.ppf((1 + LEVEL) / 2, len(runs) - 1) * sd * np.sqrt(1 + 1 / len(runs))
    return Band(
        key=key,
        steps=[step_number(step) for step in steps],
        mean=mean.tolist(),
        low=(mean - half).tolist(),
        high=(mean + half).tolist(),
        between_sd=sd.tolist(),
    )


def _mean_r(runs: list[Run]) -> MeanR | None:
    values = [run.common.r for run in runs]
    known = np.array([value for value in values if value is not None])
    if len(known) < 2:
        return None
    mean, interval = on_fishers_scale(known)
    return MeanR(mean, float(known.std(ddof=1)), interval)


def on_fishers_scale(values: np.ndarray) -> tuple[float, tuple[float, float]]:
    """The mean of two correlations or more (``values``, float [N]) and Student's 95 % interval of it, both by z."""
    z = np.arctanh(np.clip(values, -1 + 1e-15, 1 - 1e-15))
    low, high = _student(z)
    return float(np.tanh(z.mean())), (float(np.tanh(low)), float(np.tanh(high)))


def _student(values: np.ndarray) -> tuple[float, float]:
    """Student's 95 % interval of the mean of two ``values`` or more (float [N])."""
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half


def _differences(runs: list[Run], until: float) -> list[GroupDifference]:
    """Each pair of groups, each metric: over the common horizon, except for the accuracy at each run's own end."""
    groups = _by_group(runs)
    found = []
    for first, second in _pairs(groups):
        for metric in METRICS:
            shared = shared_until(groups[first][0].history, groups[second][0].history)
            value, interval, covers = _group_difference(groups[first], groups[second], metric)
            found.append(
                GroupDifference(
                    first=first,
                    second=second,
                    metric=metric,
                    until=None if metric == "end_accuracy" else step_number(until),
                    difference=value,
                    interval=interval,
                    covers=covers,
                    shared_until=shared or None,
                )
            )
    return found


def _finals(runs: list[Run]) -> list[FinalDifference]:
    """Each pair of groups by their final scoring."""
    scorings = dict(zip((run.path for run in runs), final_scorings([run.path for run in runs]), strict=True))
    found = []
    groups = _by_group(runs)
    for first, second in _pairs(groups):
        before, after = ([scorings[run.path] for run in groups[group]] for group in (first, second))
        found += final_differences(first, second, before, after)
    return found


def _by_group(runs: list[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.group, []).append(run)
    return groups


def _pairs(groups: dict[str, list[Run]]) -> list[tuple[str, str]]:
    """The pairs of groups that are compared."""
    pairs = list(combinations(groups, 2))
    return pairs if len(pairs) <= MOST_PAIRS else [pair for pair in pairs if pair[0] == next(iter(groups))]


def _group_difference(
    first: list[Run], second: list[Run], metric: Metric
) -> tuple[float | None, tuple[float, float] | None, Covers]:
    """``metric`` of ``second`` - ``first``, its 95 % interval, and what that covers."""

    def part(run: Run) -> Part:
        return run.whole if metric == "end_accuracy" else run.common

    if len(first) < 2 or len(second) < 2:
        shared = shared_until(first[0].history, second[0].history)
        return *difference(part(first[0]), part(second[0]), metric, shared), "records"
    if pairs := _pairs_of_one_trunk(first, second):
        values = [(part(one).value_of(metric), part(two).value_of(metric)) for one, two in pairs]
        apart = np.array([two - one for one, two in values if one is not None and two is not None])
        return (float(apart.mean()), _student(apart), "seeds") if len(apart) > 1 else (None, None, "seeds")
    before, after = (
        np.array([value for value in (part(run).value_of(metric) for run in group) if value is not None])
        for group in (first, second)
    )
    if len(before) < 2 or len(after) < 2:
        return None, None, "seeds"
    if metric == "r":
        (one, (one_low, one_high)), (two, (two_low, two_high)) = on_fishers_scale(before), on_fishers_scale(after)
        low, high = np.hypot(two - two_low, one_high - one), np.hypot(two_high - two, one - one_low)
        return two - one, (float(two - one - low), float(two - one + high)), "seeds"
    found = float(after.mean() - before.mean())
    return found, _welch(before, after, found), "seeds"


def _welch(before: np.ndarray, after: np.ndarray, found: float) -> tuple[float, float] | None:
    """Welch's 95 % interval of ``found``, the mean of ``after`` - that of ``before`` (float [2 or more] each).

    None where the values of each group are all the same.
    """
    if is_constant(before) and is_constant(after):
        return None
    parts = np.array([group.var(ddof=1) / len(group) for group in (before, after)])
    freedom = parts.sum() ** 2 / (parts**2 / [len(before) - 1, len(after) - 1]).sum()  # Satterthwaite 1946
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(parts.sum()))
    return found - half, found + half


def _pairs_of_one_trunk(first: list[Run], second: list[Run]) -> list[tuple[Run, Run]]:
    """The runs of two groups two by two, where each has just one of the other group that shares its first records."""
    pairs = [(one, two) for one in first for two in second if shared_until(one.history, two.history)]
    sizes = {len(pairs), len(first), len(second), *(len({id(pair[side]) for pair in pairs}) for side in (0, 1))}
    return pairs if len(sizes) == 1 else []


def _labels(histories: list[tuple[Path, History]]) -> list[str]:
    """File names, with as many folders before them as it takes to tell them apart."""
    parts = [path.with_suffix("").parts for path, _ in histories]
    for depth in range(1, max(map(len, parts)) + 1):
        labels = ["/".join(part[-depth:]) for part in parts]
        if len(set(labels)) == len(labels):
            return labels
    return [f"{path} ({number})" for number, (path, _) in enumerate(histories, start=1)]


def _groups(histories: list[History]) -> list[int]:
    """For each history the place of the first one of the same settings and dataset; one without settings is alone."""
    identities: list[object] = []
    for place, history in enumerate(histories):
        config = recorded_config(history.run)
        dataset = history.run.get("dataset")
        fingerprint = dataset.get("fingerprint") if isinstance(dataset, dict) else None
        settings = {name: value for name, value in config.items() if name not in ("seed", "data_seed")}
        identities.append((settings, fingerprint) if config and "log" not in history.run else place)
    return [identities.index(identity) for identity in identities]


def _differing(histories: list[History]) -> list[str]:
    configs = [recorded_config(history.run) for history in histories]
    names = dict.fromkeys(name for config in configs for name in config)
    return [name for name in names if any(config.get(name) != configs[0].get(name) for config in configs)]
