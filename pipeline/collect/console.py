"""What collecting says on the terminal: how far it is, and what came out."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from pipeline.characters.standard_table import standard_levels
from pipeline.collect.article import Article
from pipeline.collect.compiler import Compiler
from pipeline.files.dataset import Dataset

ARTICLES_A_LINE = 5_000  # how often progress is said where stdout is not a terminal
SECONDS_A_LINE = 60
RARE_SHOWN = 400  # characters still rare that are printed; the dataset's metadata has them all


class ApiProgress:
    """Says how far an API fetch is: a bar on a terminal, a line a minute elsewhere."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._pages = 0
        self._said = time.monotonic()
        self._bar = tqdm(
            total=compiler.limits.target_sentences, desc="fetching", unit=" sentences", disable=not sys.stderr.isatty()
        )

    def __enter__(self) -> ApiProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def page(self) -> None:
        """One more page is stored."""
        self._pages += 1
        sentences, han = (reached for _, reached, _ in self._compiler.targets())
        self._bar.update(sentences - self._bar.n)
        self._bar.set_postfix_str(f"{self._pages:,} pages in this run, {han:,} Han", refresh=False)
        if self._bar.disable and time.monotonic() - self._said >= SECONDS_A_LINE:
            self._said = time.monotonic()
            targets = (f"{reached:,} of {target:,} {what}" for what, reached, target in self._compiler.targets())
            print(f"{self._pages:,} pages in this run; {', '.join(targets)}", flush=True)


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


def print_rare(rare: str, floor: int) -> None:
    """Say which characters are still below the floor."""
    levels = standard_levels()
    counts = [sum(levels.get(character) == level for character in rare) for level in (1, 2, 3)]
    others = len(rare) - sum(counts)
    print(f"still rare    {len(rare):,} characters that occur fewer than {floor} times:")
    print(f"              {counts[0]:,}, {counts[1]:,} and {counts[2]:,} of levels 1, 2 and 3 of the standard table,")
    print(f"              and {others:,} others that were seen")
    for line in textwrap.wrap(rare[:RARE_SHOWN], 50):
        print(f"              {line}")
    if len(rare) > RARE_SHOWN:
        print("              …; the dataset's metadata has them all")


def report_targets(compiler: Compiler) -> int:
    """Say which targets are missed, and by how much; the exit code."""
    code = 0
    for what, reached, target in compiler.targets():
        if target is not None and reached < target:
            print(f"target missed: {reached:,} of {target:,} {what}; {target - reached:,} are missing")
            code = 1
    return code
