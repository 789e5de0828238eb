"""A small copy of public training curves for the tests: thinned, with their origin and licence.

    python benchmarks/compact_curves.py DIR --output tests/data/real_curves

DIR holds histories and an index.json (real_curves.py) that names repository, path and licence of each. A few curves of
each cluster are taken; of more than 200 records as many means of neighbours are kept, with the last step and rate of
each, and five digits.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.files import atomic
from pipeline.files.json_object import read_json_object
from pipeline.stage import run_stage

Entry = dict[str, Any]  # of index.json, or a history
KEPT = ("file", "repo", "path", "what", "licence", "schedule", "task", "cluster", "accuracy_is")
MOST_RECORDS = 200
MOST_OF_A_CLUSTER = 4
DIGITS = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--output", type=Path, default=Path("tests/data/real_curves"), help="(default: %(default)s)")
    arguments = parser.parse_args()
    index = json.loads((arguments.folder / "index.json").read_text(encoding="utf-8"))
    arguments.output.mkdir(parents=True, exist_ok=True)
    kept = []
    for entry in chosen(index):
        history = read_json_object(arguments.folder / entry["file"], "the history", "give a folder of histories")
        records = len(history["steps"])
        atomic.write_text(arguments.output / entry["file"], json.dumps(thinned(history), separators=(",", ":")) + "\n")
        kept.append({**{key: entry[key] for key in KEPT}, "records": min(records, MOST_RECORDS), "of": records})
    atomic.write_json(arguments.output / "index.json", kept, indent=1)
    atomic.write_text(arguments.output / "README.md", origin(kept))
    print(f"{len(kept)} curves, {sum(path.stat().st_size for path in arguments.output.iterdir()):,} bytes")
    return 0


def chosen(index: list[Entry]) -> list[Entry]:
    """At most four entries of each cluster, evenly chosen among its schedules."""
    found = []
    for cluster in dict.fromkeys(entry["cluster"] for entry in index):
        mine = sorted((entry for entry in index if entry["cluster"] == cluster), key=lambda entry: entry["schedule"])
        places = np.unique(np.linspace(0, len(mine) - 1, min(len(mine), MOST_OF_A_CLUSTER)).astype(int))
        found += [mine[place] for place in places]
    return found


def thinned(history: Entry) -> Entry:
    """The history with at most 200 records."""
    count = len(history["steps"])
    edges = np.linspace(0, count, min(count, MOST_RECORDS) + 1).astype(int)
    last = edges[1:] - 1
    means = {
        key: [rounded(np.mean(np.array(values, dtype=float)[start:end])) for start, end in pairwise(edges)]
        for key, values in history.items()
        if key in ("mlm_acc", "loss") and None not in values
    }
    exact = {"steps": [history["steps"][place] for place in last], "lr": [history["lr"][place] for place in last]}
    return {"steps": exact["steps"], **means, "lr": exact["lr"], "run": {}}


def origin(kept: list[Entry]) -> str:
    """Where the curves come from."""
    licences = dict.fromkeys((entry["repo"], entry["licence"]) for entry in kept)
    lines = [f"| https://github.com/{repository} | {licence} |" for repository, licence in licences]
    return "\n".join([
        "# Training curves of public repositories",
        "",
        "Thinned copies by `benchmarks/compact_curves.py`; `index.json` names the path of each in its repository and "
        "what it is. `mlm_acc` is an accuracy, or exp(-loss) where only a loss was logged.",
        "",
        "| repository | licence |",
        "| --- | --- |",
        *lines,
        "",
    ])  # fmt: skip


def rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


if __name__ == "__main__":
    run_stage(main)
