"""How often runs without events are called anomalous, and how many planted events are found, on real curves.

    python benchmarks/anomalies.py                                          # the runs in results/
    python benchmarks/anomalies.py --histories DIR ... --json FILE          # and those in folders

A folder holds histories; an ``index.json`` in it, a list of objects with ``file`` and ``cluster``, says which of them
are near relatives. Events that are there are labelled by eye, as ranges of steps, in ``anomaly_labels.json``: whatever
is found elsewhere, by any detector, is a false alarm. The interval of a rate is by cluster: clusters are drawn with
replacement (2,000 times), and the runs in each. Power: in a copy of each run, in one of its lists at a time, is planted

- a spike or drop of 6 robust standard deviations: 1.4826 times the median absolute deviation of the list's distances
  from the leave-one-out parabola through three neighbours on either side, around the place; and of 6 of those of the
  noise itself, which are smaller by the root of 1.5;
- a stall: the value of one record in the 19 after it too;
- frozen values: one record's value to the end, where 20 records or more are left;

at a random place at least 10 records from either end, and found where an anomaly of that list and a fitting kind has
its step.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.analyse.health.anomalies import anomalies, tested_keys
from pipeline.files.history import History, read_history
from pipeline.stage import run_stage
from pipeline.statistics.robust.outliers import scatter_of_parabolas

ROOT = Path(__file__).resolve().parent.parent
LABELS = Path(__file__).with_name("anomaly_labels.json")
OURS = "ours"
DRAWS = 2000
SPIKE, STALL, MARGIN = 6.0, 20, 10  # robust standard deviations; records; records from either end
NOISE = 1.5**-0.5  # standard deviation of noise over that of its distance from a parabola through six neighbours


@dataclass(frozen=True)
class Run:
    name: str
    cluster: str
    history: History


@dataclass(frozen=True)
class Planted:
    """Whether each planted event was found, by what it was."""

    cluster: str
    what: str
    found: bool


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=Path, nargs="*", default=[], metavar="DIR", help="folders (default: none)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures (default: not written)")
    parser.add_argument("--plants", type=int, default=2, metavar="N", help="each of a kind a list (default: 2)")
    parser.add_argument("--seed", type=int, default=42, metavar="N", help="of places and draws (default: 42)")
    arguments = parser.parse_args()
    runs = [*runs_of_results(), *(run for folder in arguments.histories for run in runs_in(folder))]
    labels = json.loads(LABELS.read_text(encoding="utf-8"))["curves"]
    alarms = [false_alarms(run.history, labels.get(run.name, [])) for run in runs]
    planted = [each for number, run in enumerate(runs)
               for each in plant(run, arguments.plants, np.random.default_rng([arguments.seed, number]))]  # fmt: skip
    figures = {
        "false_alarms": rates(runs, alarms, np.random.default_rng(arguments.seed)),
        "power": power(planted),
        "found": {run.name: steps for run, steps in zip(runs, alarms, strict=True) if steps},
    }
    print_figures(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def runs_of_results() -> Iterator[Run]:
    for path in sorted((ROOT / "results").rglob("training_history*.json")):
        yield Run(path.relative_to(ROOT).with_suffix("").as_posix(), OURS, read_history(path))


def runs_in(folder: Path) -> Iterator[Run]:
    index = folder / "index.json"
    listed = json.loads(index.read_text(encoding="utf-8")) if index.exists() else []
    clusters = {entry["file"]: entry["cluster"] for entry in listed}
    for path in sorted(folder.glob("*.json")):
        if path != index:
            yield Run(path.stem, clusters.get(path.name, folder.name), read_history(path))


def false_alarms(history: History, labels: list[dict[str, Any]]) -> list[float]:
    """The steps of all anomalies that no label covers."""
    steps = [(entry.key, step) for entry in anomalies(history) for step in entry.steps]
    return sorted({step for key, step in steps if not any(
        key in label["lists"] and label["steps"][0] <= step <= label["steps"][1] for label in labels)})  # fmt: skip


def rates(runs: list[Run], alarms: list[list[float]], generator: np.random.Generator) -> list[dict[str, Any]]:
    """False alarms by cluster and, last, over all clusters, with 95 % intervals by cluster."""
    clusters = {name: [place for place, run in enumerate(runs) if run.cluster == name]
                for name in dict.fromkeys(run.cluster for run in runs)}  # fmt: skip
    flagged = np.array([bool(steps) for steps in alarms])
    counts = np.array([len(steps) for steps in alarms])
    records = np.array([len(run.history) for run in runs])

    def entry(name: str, places: list[int], drawn: list[list[int]]) -> dict[str, Any]:
        def of(chosen: list[int]) -> tuple[float, float]:
            return float(flagged[chosen].mean()), 1000 * float(counts[chosen].sum() / records[chosen].sum())

        interval = np.quantile([of(each) for each in drawn], [0.025, 0.975], axis=0)
        per_run, per_thousand = of(places)
        return {
            "cluster": name,
            "runs": len(places),
            "flagged": int(flagged[places].sum()),
            "per_run": per_run,
            "per_run_interval": interval[:, 0].tolist(),
            "per_1000_records": per_thousand,
            "per_1000_records_interval": interval[:, 1].tolist(),
        }

    found = [
        entry(name, places, [generator.choice(places, len(places)).tolist() for _ in range(DRAWS)])
        for name, places in clusters.items()
    ]
    names = list(clusters)
    drawn = [
        [int(place) for name in generator.choice(names, len(names))
         for place in generator.choice(clusters[str(name)], len(clusters[str(name)]))]
        for _ in range(DRAWS)
    ]  # fmt: skip
    return [*found, entry("all", list(range(len(runs))), drawn)]


def plant(run: Run, times: int, generator: np.random.Generator) -> Iterator[Planted]:
    """Plant each kind of event ``times`` in each list that is tested, one at a time."""
    history = run.history
    for key in tested_keys(history):
        known = np.flatnonzero(np.isfinite(history.series(key)))
        values = history.series(key)[known]
        scatter = scatter_of_parabolas(values)
        for _ in range(times):
            place = int(generator.integers(MARGIN, len(values) - MARGIN))
            for what, share in (("spike", 1.0), ("spike of the noise", NOISE)):
                sign = int(generator.choice([-1, 1]))
                changed = values.copy()
                changed[place] += sign * share * SPIKE * scatter[place]
                kinds = {"spike"} if sign > 0 else {"drop"}
                yield Planted(run.cluster, what, is_found(history, key, known, changed, place, kinds))
            if key == "grad_norm":
                continue
            early = min(place, len(values) - STALL - 1)
            for what, end in (("stall", early + STALL), ("frozen", len(values))):
                changed = values.copy()
                changed[early:end] = changed[early]
                yield Planted(run.cluster, what, is_found(history, key, known, changed, early + 1, {"stall"}))


def is_found(history: History, key: str, known: np.ndarray, values: np.ndarray, place: int, kinds: set[str]) -> bool:
    """Whether the history with ``values`` in the records ``known`` of its list ``key`` shows an anomaly there."""
    changed = list(history.records[key])
    for record, value in zip(known, values, strict=True):
        changed[record] = float(value)
    found = anomalies(replace(history, records={**history.records, key: changed}))
    step = history.steps[known[place]]
    return any(entry.key == key and entry.kind in kinds and step in entry.steps for entry in found)


def power(planted: list[Planted]) -> list[dict[str, Any]]:
    """The share of planted events found, by kind and cluster and, last of a kind, over all runs."""
    found = []
    clusters = list(dict.fromkeys(each.cluster for each in planted))
    for what in dict.fromkeys(each.what for each in planted):
        for cluster in [*clusters, "all"]:
            hits = [each.found for each in planted if each.what == what and cluster in (each.cluster, "all")]
            if hits:
                found.append({"what": what, "cluster": cluster, "planted": len(hits), "found": sum(hits) / len(hits)})
    return found


def print_figures(figures: dict[str, Any]) -> None:
    print(f"{'cluster':46} {'runs':>5} {'flagged':>8}  of 100 runs           per 1,000 records")
    for row in figures["false_alarms"]:
        low, high = (100 * end for end in row["per_run_interval"])
        few, many = row["per_1000_records_interval"]
        print(f"{row['cluster']:46} {row['runs']:5} {row['flagged']:8}  {100 * row['per_run']:5.1f} "
              f"({low:4.1f} to {high:4.1f})   {row['per_1000_records']:5.2f} ({few:.2f} to {many:.2f})")  # fmt: skip
    for row in figures["power"]:
        print(f"{row['what']:20} {row['cluster']:46} {row['planted']:6,} planted, {100 * row['found']:5.1f} % found")
    for name, steps in figures["found"].items():
        print(f"false alarm: {name}: steps {', '.join(f'{step:g}' for step in steps[:8])}")


if __name__ == "__main__":
    run_stage(main)
