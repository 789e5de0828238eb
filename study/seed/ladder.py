"""The ladder of the seed predictor: every rung with one setting, beside floors and baselines.

    python study/seed/ladder.py                                        # make seed-ladder: all rungs
    python study/seed/ladder.py --quick --output runs/seed/ladder.json # make seed-quick: two minutes
    python study/seed/ladder.py --rungs books --book 红楼梦=honglou.txt

Each rung is written as soon as it is measured, so a ladder that was stopped goes on with the rungs that its file lacks;
--again measures the named ones again. The learner's rates were chosen on streams with seeds below 100, on 水浒传 and on
the test split of WikiText-103; what is measured here is none of those: 三国演义, and each --text. Each --book is only
coded, beside the same baselines.

The results are one object: by a rung's name what it found (rungs.py, expectations.py, scaling.py), and in ``measured``
when, how long and on what machine. ``language``, ``kneser_ney`` and ``books`` have an entry for each text, which stays
when others join.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from pipeline.command_line import StageParser
from pipeline.files import atomic
from pipeline.files.json_object import read_json_object
from pipeline.formatting import now
from pipeline.predictor import engine
from pipeline.predictor.state import REMOVABLE
from pipeline.stage import InputError, run_stage
from study.seed import expectations, rungs, scaling
from study.seed.grid_world import walk
from study.seed.rungs import Measured
from study.seed.sequences import SOURCES

OUTPUT = Path("results/seed/ladder.json")
RUNGS = (
    "speed",
    "sequences",
    "grid",
    "language",
    "modalities",
    "open",
    "expectations",
    "ablation",
    "scaling",
    "kneser_ney",
    "books",
)


def main() -> int:
    arguments = parse_arguments()
    found = read_json_object(arguments.output, "the ladder", "") if arguments.output.exists() else {}
    texts: dict[str, Path | None] = {"三国演义": None, **arguments.text}
    measured = plan(arguments.quick, texts, arguments.book, {} if arguments.again else found)
    wanted = {"language": texts, "kneser_ney": texts, "books": arguments.book}
    for name in arguments.rungs:
        missing = set(wanted.get(name, ())) - set(found.get(name, {}))
        if name == "books" and not arguments.book:
            continue
        if name in found and not missing and not arguments.again:
            continue
        began, cpu = time.perf_counter(), time.process_time()
        print(f"{name} ...", flush=True)
        result = measured[name]()
        result["measured"] = {
            "when": now(),
            "seconds": round(time.perf_counter() - began, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "engine": engine.NAME,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "quick": arguments.quick,
        }
        found[name] = result
        atomic.write_json(arguments.output, found, indent=1)
        print(json.dumps(result, ensure_ascii=False, indent=1), flush=True)
    print(f"{arguments.output}: {', '.join(name for name in RUNGS if name in found)}")
    return 0


def plan(
    quick: bool, texts: dict[str, Path | None], books: dict[str, Path], before: Measured
) -> dict[str, Callable[[], Measured]]:
    """The rungs by name; each is a function that measures it. Texts measured ``before`` are not measured again."""
    slow = engine.NAME.startswith("python")
    size, seeds = (300 if slow else 3000, rungs.SEEDS[:1]) if quick else (50_000, rungs.SEEDS)
    part = 2_000 if slow else 10_000 if quick else 40_000
    cut = 5000 if quick else None

    read, counted = before.get("language", {}), before.get("kneser_ney", {})
    unread = {name: path for name, path in texts.items() if name not in read}
    uncounted = {name: path for name, path in texts.items() if name not in counted}
    opened = before.get("books", {})
    unopened: dict[str, Path | None] = {name: path for name, path in books.items() if name not in opened}

    def some_texts() -> dict[str, bytes]:
        english = next((path for path in texts.values() if path), None)
        more = rungs.read_text(english).encode() if english else SOURCES["brackets"](rungs.dice(7), part).data
        return {"chinese": rungs.sample_text().encode()[:part], "other": more[:part]}

    def read_books() -> Measured:
        found, kneser_ney = rungs.language(unopened, cut), rungs.kneser_ney(unopened, cut)
        return opened | {name: row | {"Kneser-Ney": kneser_ney[name]["bits"]} for name, row in found.items()}

    def some_streams() -> dict[str, scaling.Stream]:
        streams = {name: (data[: part // 3], slice(None)) for name, data in some_texts().items()}
        streams["lag copy"] = SOURCES["lag copy"](rungs.dice(101), part // 5).data, slice(None)
        streams["grid"] = walk(rungs.dice(101), part // 10).data, slice(1, None, 2)
        if rungs.has_digits():
            streams["labels"] = rungs.labelled(part // 100)
        return streams

    def expected() -> Measured:
        return {
            "abstraction": expectations.abstraction(size // 3 * 2),
            "composition": expectations.composition(size),
            "meta_learning": expectations.meta_learning(8 if quick else 64, 500),
            "causes": expectations.causes(size // 5 * 2),
        }

    return {
        "speed": lambda: rungs.speed(part),
        "sequences": lambda: rungs.sequences(size, seeds),
        "grid": lambda: rungs.grid(size if quick else 80_000, seeds),
        "language": lambda: read | rungs.language(unread, cut),
        "kneser_ney": lambda: counted | rungs.kneser_ney(uncounted, cut),
        "modalities": lambda: rungs.modalities(size // 50 if quick else None),
        "books": read_books,
        "open": lambda: rungs.open_stream(12 if quick else 78, size // 6 if quick else 3000, texts),
        "expectations": expected,
        "ablation": lambda: scaling.ablation(some_streams(), REMOVABLE),
        "scaling": lambda: scaling.scaling(some_texts()),
    }


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    parser.add_argument(
        "--rungs",
        nargs="+",
        choices=RUNGS,
        default=list(RUNGS),
        metavar="RUNG",
        help=f"which (default: {', '.join(RUNGS)})",
    )
    parser.add_argument(
        "--text", action="append", default=[], metavar="NAME=FILE", help="a text beside 三国演义 (default: none)"
    )
    parser.add_argument(
        "--book",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a text for the rung books; packed files (.gz, .bz2, .xz) are read too (default: none, and no such rung)",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all works (default: no)")
    parser.add_argument("--again", action="store_true", help="measure what is there already too (default: no)")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE", help="default: %(default)s")
    arguments = parser.parse_args()
    arguments.text, arguments.book = named(parser, arguments.text), named(parser, arguments.book)
    return arguments


def named(parser: argparse.ArgumentParser, given: list[str]) -> dict[str, Path]:
    """The files of ``NAME=FILE`` by name."""
    found = {}
    for each in given:
        name, sign, path = each.partition("=")
        if not (name and sign and path):
            parser.error(f"{each}: must be NAME=FILE")
        if not Path(path).is_file():
            raise InputError(f"{path}: not found; give the path of a text")
        found[name] = Path(path)
    return found


if __name__ == "__main__":
    run_stage(main)
