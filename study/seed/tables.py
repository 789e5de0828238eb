"""The ladder's results as the tables of docs/SEED.md, and as a figure.

    python study/seed/tables.py results/seed/ladder.json --write docs/SEED.md
    python study/seed/tables.py results/seed/ladder.json --figure results/seed/ladder.png

With --write, what stands between the lines ``<!-- NAME -->`` and ``<!-- end -->`` of the text is made anew.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from pipeline.command_line import StageParser
from pipeline.figures import style
from pipeline.files import atomic
from pipeline.files.json_object import read_json_object
from pipeline.report.seed_ladder import measured, seed_ladder
from pipeline.report.words import report_words
from pipeline.stage import run_stage
from study.seed.goals import goals
from study.seed.rungs import Measured

PLACE = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.S)


def main() -> int:
    arguments = parse_arguments()
    found = read_json_object(arguments.ladder, "the ladder", "study/seed/ladder.py writes one")
    if arguments.write:
        atomic.write_text(arguments.write, filled(arguments.write.read_text(encoding="utf-8"), found))
    if arguments.figure:
        draw(found, arguments.figure)
    if not arguments.write and not arguments.figure:
        print("\n".join(f"{name}:\n{table}" for name, table in tables(found).items()))
    return 0


def filled(text: str, found: Measured) -> str:
    """``text`` with each named table made from ``found``; a rung that was not measured leaves its place empty."""
    made = tables(found)
    return PLACE.sub(lambda place: place[1] + made.get(place[2], "") + place[3], text)


def tables(found: Measured) -> dict[str, str]:
    """The tables by rung, in Markdown."""
    rows: dict[str, list[list[object]]] = {}
    for name, row in measured(found, "sequences").items():
        rows.setdefault("sequences", [["", "floor", "regret", "last tenth", "PPMd", "k/2 log2 N"]]).append(
            [name, *(row[key] for key in ("floor", "regret", "last_tenth", "ppmd_regret", "parametric_cost"))]
        )
    for name, ends in (measured(found, "grid").get("last_tenth") or {}).items():
        rows.setdefault("grid", [["", "last tenth", "all"]]).append([name, ends, found["grid"]["all"][name]])
    if found.get("speed"):
        speed = found["speed"]
        rows["speed"] = [["symbols a second", "of CPU time", "by the clock"]]
        rows["speed"].append(["", round(speed["symbols_per_cpu_second"]), round(speed["symbols_per_second"])])
    for name, row in measured(found, "books").items():
        table = rows.setdefault("books", [["", "characters", "learner", "xz", "bz2", "PPMd", "Kneser-Ney"]])
        alone = [row[key] for key in ("characters", "learner", "xz", "bz2")]
        table.append([name, *alone, ppmd_of(row), row["Kneser-Ney"]])
    for name, row in measured(found, "language").items():
        table = rows.setdefault(
            "language", [["", "characters", "learner", "xz", "bz2", "PPMd", "Kneser-Ney", "escapes"]]
        )
        counted = measured(found, "kneser_ney").get(name, {"bits": None, "escapes": None})
        table.append([name, row["characters"], row["learner"], row["xz"], row["bz2"], ppmd_of(row), *counted.values()])
    for name, row in measured(found, "modalities").items():
        if isinstance(row, dict):
            table = rows.setdefault(
                "modalities", [["", "bits", "accuracy", "bits, second half", "accuracy, second half"]]
            )
            table.append([name.replace("_", " "), *row.values()])
    opened = measured(found, "open")
    for name, row in opened.get("parts", {}).items():
        table = rows.setdefault("open", [["", "together", "alone", "interference"]])
        table.append([name, row["together"], row["alone"], percent(row["together"] / row["alone"] - 1)])
    if opened:
        ppmd, whole = opened["ppmd_bits_per_symbol"], opened["bits_per_symbol"]
        rows["open"].append(["all", whole, whole / (1 + opened["interference"]), percent(opened["interference"])])
        rows["open"].append(["all, PPMd", ppmd, None, None])
        rows["recovery"] = [["symbols after a return", *opened["recovery"]]]
        rows["recovery"].append(["bits above the learner alone", *opened["recovery"].values()])
    expected = measured(found, "expectations")
    for name, units in expected.get("abstraction", {}).items():
        table = rows.setdefault("abstraction", [["R^2", *units]])
        for kind in ("learned", "as drawn"):
            table.append([f"{name}, {kind}", *(row[kind] for row in units.values())])
    if expected:
        pairs, new, wind = expected["composition"], expected["meta_learning"], expected["causes"]
        slope = new["slope_per_doubling"]
        watched = [wind["watched_then_set"], wind["acted_then_set"]]
        rows["expected"] = [
            ["expectation, bits", "where it should hold", "beside"],
            ["a + b: pairs that never came, pairs that came", pairs["held_out_pairs"], pairs["trained_pairs"]],
            ["a new source of a family: last quarter, first quarter", new["last_quarter"], new["first_quarter"]],
            ["the same for a learner that saw nothing", new["fresh"], None],
            ["its regret per doubling of the sources met, standard error", slope, new["slope_standard_error"]],
            ["a window when actions are set: after watching, after acting", *watched],
        ]
    for name, row in measured(found, "ablation").items():
        table = rows.setdefault("ablation", [["", *row]])
        whole = name == "whole"
        table.append([name, *(f"{value:.4f} bits" if whole else f"{value:+.2f} %" for value in row.values())])
    for name, text in measured(found, "scaling").items():
        for what in ("units", "slot_bits"):
            table = rows.setdefault(what, [[what.replace("_", " "), *text[what], "per doubling"]])
            table.append([name, *text[what].values(), slope_of(text["slopes"][what])])
        rows.setdefault("orders", [["orders", *text["orders"]]]).append([name, *text["orders"].values()])
        data = text["data"]
        table = rows.setdefault("data", [["bytes", *data["ends"], "per doubling"]])
        table.append([name, *data["bits"], slope_of(data)])
    if listed := goals(found):
        rows["goals"] = [["", "goal", "reached", "met"]]
        for goal in listed:
            sign, met = "≥" if goal.at_least else "≤", "yes" if goal.met else "**no**"
            rows["goals"].append([goal.what, f"{sign} {number(goal.goal)}", number(goal.measured), met])
    return {name: markdown(table) for name, table in rows.items()}


def percent(share: float) -> str:
    return f"{100 * share:+.1f} %"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3f}"


def ppmd_of(row: Measured) -> float | None:
    """Bits by PPMd, of whatever order."""
    return next(value for key, value in row.items() if key.startswith("PPMd"))


def slope_of(row: Measured) -> str:
    return f"{row['slope_per_doubling']:.4f} ({row['range'][0]:.4f} to {row['range'][1]:.4f})"


def markdown(rows: list[list[object]]) -> str:
    lines = ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    lines.insert(1, "| --- |" + " ---: |" * (len(rows[0]) - 1))
    return "\n".join(lines) + "\n"


def cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def draw(found: Measured, path: Path) -> None:
    """The figure of the report page, in English, as a PNG."""
    atomic.write_bytes(path, style.pictures(seed_ladder(found, report_words("en")))["png"])


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    parser.add_argument("ladder", type=Path, metavar="FILE", help="the results of study/seed/ladder.py")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into FILE (default: print them)")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the figure, a PNG (default: no)")
    return parser.parse_args()


if __name__ == "__main__":
    run_stage(main)
