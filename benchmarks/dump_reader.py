"""The dump reader against MediaWiki itself and other extractors: how true the text is, and how fast it comes.

    python tests/helpers/wiki.py marked-up wiki.xml   # a MediaWiki on loopback; the last line is the API's URL
    python benchmarks/dump_reader.py wiki.xml --api URL --truth truth.json

The truth is what the wiki that the dump was made from says of the same pages (``prop=extracts&explaintext=1``); it is
asked for once and kept in ``--truth``. Pages of ``--marked-up`` (JSON Lines with "title") are one group, all others
another. Two texts are compared by their paragraphs without white space, headings left out of all of them: the
normalized indel similarity (1: the same; 0: nothing in common), the mean over pages. Lost is the share of the truth's
Han characters that a text lacks (counted as a multiset, over all pages of the group): what a reader throws away.

Speed is megabytes of unpacked dump to a second of processor time, all processes added up, for each group by itself:
its pages repeated until they are ``--megabytes`` long, read by one cleaning process. The readers take turns,
``--rounds`` times, and the median counts. wikiextractor is measured as it comes (it expands templates) and with
--no-templates, which is faster and loses what they show; mwparserfromhell, the parser library, is our reader with its
``strip_code`` in place of our cleaning.

Ratios are ours to theirs: above 1 ours is ahead. Needs requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections import Counter
from html import unescape
from pathlib import Path
from statistics import mean, median

import mwparserfromhell
from rapidfuzz.distance import Indel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.characters.han import is_han
from pipeline.collect.dump.articles import read_dump
from pipeline.collect.dump.pages import Page, read_pages
from pipeline.collect.wikitext.plain_text import is_redirect, plain_text
from pipeline.files import atomic
from pipeline.files.packed import read_lines
from pipeline.stage import InputError, run_stage

MARKED_UP = Path(__file__).resolve().parent.parent / "tests" / "helpers" / "marked_up_pages.jsonl"
PARSERS = {
    "ours": [sys.executable, __file__, "--only-read", "ours"],
    "wikiextractor": [sys.executable, "-m", "wikiextractor.WikiExtractor", "--json", "--processes", "1", "-q"],
    "wikiextractor --no-templates": [
        *(sys.executable, "-m", "wikiextractor.WikiExtractor", "--json", "--processes", "1", "-q", "--no-templates"),
    ],
    "mwparserfromhell": [sys.executable, __file__, "--only-read", "mwparserfromhell"],
}


def main() -> int:
    arguments = parse_arguments()
    if arguments.only_read:
        if arguments.only_read == "ours":
            for _ in read_dump([arguments.dump], processes=1):
                pass
        else:
            extract(arguments.only_read, arguments.dump)
        return 0
    pages = [page for page in read_pages(arguments.dump) if not is_redirect(page.text)]
    truth = read_truth(arguments.truth, arguments.api, pages)
    lines = arguments.marked_up.read_text(encoding="utf-8").splitlines()
    marked = {json.loads(line)["title"] for line in lines}
    texts = {name: extract(name, arguments.dump) for name in PARSERS}

    plain = {page.title for page in pages} - marked
    speeds = measure(arguments.dump, arguments.megabytes, (marked, plain), arguments.rounds)

    print(f"{'':30}{'similarity to MediaWiki':^26}{'Han lost':^22}{'MB/s per core':^22}")
    print(f"{'':30}{'marked-up':>13}{'plain':>13}" + f"{'marked-up':>11}{'plain':>11}" * 2)
    scores = {}
    for name, text in texts.items():
        alike: dict[bool, list[float]] = {True: [], False: []}
        lost = []
        for page in pages:
            score = similarity(truth[page.title], text.get(page.title, ""), headings(page.text))
            alike[page.title in marked].append(score)
        for group in (marked, plain):
            titles = [page.title for page in pages if page.title in group]
            lost.append(lost_han([truth[title] for title in titles], [text.get(title, "") for title in titles]))
        scores[name] = [mean(alike[True]), mean(alike[False]), *map(median, speeds[name])]
        shares = "".join(f"{score:13.4f}" for score in scores[name][:2]) + "".join(f"{share:11.2%}" for share in lost)
        print(f"{name:30}{shares}" + "".join(f"{speed:11.2f}" for speed in scores[name][2:]))
    ours = scores.pop("ours")
    for name, theirs in scores.items():
        alike_to = [mine / its for mine, its in zip(ours[:2], theirs[:2], strict=True)]
        fast = [
            [mine / its for mine, its in zip(*pair, strict=True)]
            for pair in zip(speeds["ours"], speeds[name], strict=True)
        ]
        print(
            f"ours to {name}: text {alike_to[0]:.3f} x marked-up, {alike_to[1]:.3f} x plain; speed, "
            f"median of the rounds {median(fast[0]):.2f} x marked-up ({min(fast[0]):.2f} to {max(fast[0]):.2f}), "
            f"{median(fast[1]):.2f} x plain ({min(fast[1]):.2f} to {max(fast[1]):.2f})"
        )
    if arguments.worst:
        print_worst(pages, truth, texts, arguments.worst)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path, help="pages-articles dump, .xml, also .bz2, .gz or .xz")
    parser.add_argument("--api", help="the wiki's API, to ask for what --truth does not hold yet")
    parser.add_argument("--truth", type=Path, default=Path("truth.json"), help="the extracts (default: %(default)s)")
    parser.add_argument("--marked-up", type=Path, default=MARKED_UP, help="JSON Lines of pages (default: %(default)s)")
    parser.add_argument("--megabytes", type=float, default=20, help="dump to time on (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each reader, timed (default: %(default)s)")
    parser.add_argument("--worst", type=int, default=0, help="show so many pages that differ most (default: none)")
    parser.add_argument("--only-read", choices=("ours", "mwparserfromhell"), help="read, and stop: for timing")
    return parser.parse_args()


def read_truth(path: Path, api: str | None, pages: list[Page]) -> dict[str, str]:
    truth: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [page.title for page in pages if page.title not in truth]
    if missing and api is None:
        raise InputError(f"{path}: lacks {len(missing)} pages of the dump; give --api to ask the wiki for them")
    for number, title in enumerate(missing, start=1):
        query = {"action": "query", "format": "json", "formatversion": 2, "prop": "extracts", "explaintext": 1}
        query |= {"exsectionformat": "wiki", "titles": title}
        with urllib.request.urlopen(f"{api}?{urllib.parse.urlencode(query)}", timeout=120) as answer:
            truth[title] = json.load(answer)["query"]["pages"][0]["extract"]
        if number % 500 == 0 or number == len(missing):
            atomic.write_json(path, truth)
    return truth


def extract(name: str, dump: Path) -> dict[str, str]:
    """Text by title."""
    if name == "ours":
        return {page.title: plain_text(page.text, page.title) for page in read_pages(dump)}
    if name == "mwparserfromhell":
        return {page.title: mwparserfromhell.parse(page.text).strip_code() for page in read_pages(dump)}
    with tempfile.TemporaryDirectory() as folder:
        unpacked = repeated(dump, Path(folder), 0)
        run([*PARSERS[name], "-o", f"{folder}/out", str(unpacked)])
        files = sorted(path for path in Path(folder, "out").rglob("*") if path.is_file())
        articles = [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    return {article["title"]: article["text"] for article in articles}


def headings(wikitext: str) -> set[str]:
    """Headings of a page as any of the readers may write them."""
    names = {line.strip("= ") for line in wikitext.split("\n") if line.startswith("=") and line.rstrip().endswith("=")}
    return {form for name in names for form in (name, f"{name}.")}


def similarity(truth: str, text: str, left_out: set[str]) -> float:
    def paragraphs(text: str) -> str:
        lines = ("".join(line.split()) for line in text.split("\n") if not line.startswith("=="))
        return "\n".join(line for line in lines if line and line not in left_out)

    return Indel.normalized_similarity(paragraphs(truth), paragraphs(text))


def lost_han(truths: list[str], texts: list[str]) -> float:
    """Share of the Han characters of ``truths`` that are missing from the text of the same page."""
    lost = total = 0
    for truth, text in zip(truths, texts, strict=True):
        wanted = Counter(filter(is_han, truth))
        lost += (wanted - Counter(filter(is_han, text))).total()
        total += wanted.total()
    return lost / max(total, 1)


def measure(
    dump: Path, megabytes: float, groups: tuple[set[str], set[str]], rounds: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Megabytes a second of each reader by group and round; they take turns, so that other load meets them all."""
    speeds: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in PARSERS}
    for _ in range(rounds):
        for group, titles in enumerate(groups):
            for name in PARSERS:
                speeds[name][group].append(megabytes_a_second(name, dump, megabytes, titles))
    return speeds


def megabytes_a_second(name: str, dump: Path, megabytes: float, titles: set[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = repeated(dump, Path(folder), megabytes, titles)
        output = ["-o", f"{folder}/out"] if "wikiextractor" in name else []
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run([*PARSERS[name], *output, str(path)])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return path.stat().st_size / 1e6 / seconds


def run(command: list[str]) -> None:
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(
            f"{' '.join(command[:4])} ended with {done.returncode} after {time.monotonic() - began:.0f} s: "
            f"{done.stderr.strip()[-300:]}"
        )


def repeated(dump: Path, folder: Path, megabytes: float, titles: set[str] | None = None) -> Path:
    """The unpacked dump with its articles repeated until they are ``megabytes`` long, at least once.

    With ``titles`` only those articles are in it. Templates and other pages stand there once.
    """
    content = "".join(read_lines(dump, "give a pages-articles dump"))
    pages = re.findall(r"  <page>.*?</page>\n", content, re.DOTALL)
    articles = [page for page in pages if "<ns>0</ns>" in page]
    others = [page for page in pages if "<ns>0</ns>" not in page]
    if titles is not None:
        articles = [page for page in articles if unescape(page.partition("<title>")[2].partition("<")[0]) in titles]
    text = "".join(articles)
    times = max(1, round(megabytes * 1e6 / len(text.encode())))
    path = folder / "pages.xml"
    head, tail = content[: content.index("  <page>")], "</mediawiki>\n"
    path.write_text("".join([head, *others, text * times, tail]), encoding="utf-8")
    return path


def print_worst(pages: list[Page], truth: dict[str, str], texts: dict[str, dict[str, str]], count: int) -> None:
    ours = texts["ours"]
    scored = sorted((similarity(truth[p.title], ours.get(p.title, ""), headings(p.text)), p.title) for p in pages)
    for score, title in scored[:count]:
        print(f"\n--- {title}: {score:.4f}\n{truth[title]}\n--- ours\n{ours.get(title, '')}")


if __name__ == "__main__":
    run_stage(main)
