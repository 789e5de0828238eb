"""How the study's two datasets are made from public texts (docs/DATASET.md names them and says where they are).

    python study/datasets.py choose WIKIPEDIA ISOLATED BOOKS --output data/study_text.jsonl
    python rare_char_fetch.py --source text data/study_text.jsonl --target-sentences 325300 \\
        --output data/large_wikipedia_dataset.json
    python study/datasets.py subset data/large_wikipedia_dataset.json --output data/small_wikipedia_dataset.json

``choose`` writes all Wikipedia text, the isolated Wikipedia sentences one a document, so that none has a neighbour,
then book chapters: first those that bring in characters not seen yet, most new ones first, until 10,049 distinct
Chinese characters occur, then others in a random order with a fixed seed; reading stops at the
chapter that fills up 325,537 sentences or a few less.

``subset`` keeps the large dataset's validation and test articles and its vocabulary, and of its Wikipedia training
documents as many as make 27,368 sentences, drawn with a fixed seed: a run on it differs from one on the large dataset
by its training text and nothing else.

Input files are JSON Lines, plain or packed, as ``rare_char_fetch.py --source text`` reads them.
"""

from __future__ import annotations

import dataclasses
import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.characters.han import is_han
from pipeline.collect.article import Article
from pipeline.collect.sentences import split_sentences
from pipeline.collect.text_files import read_text_files
from pipeline.command_line import StageParser
from pipeline.data.splits import split_by_article
from pipeline.files import atomic
from pipeline.files.dataset import Dataset, Document, read_dataset, write_dataset
from pipeline.stage import run_stage
from pipeline.train.settings import PRESETS

HAN = 10_049  # distinct characters of the published dataset
SMALL = 27_368  # sentences of the published small dataset
BOOK = "public-domain book"  # how the source of every book begins
SEED = 42


def main() -> int:
    parser = StageParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, title="commands")
    choosing = commands.add_parser("choose", help="write the text of the large dataset, in order")
    for name in ("wikipedia", "isolated", "books"):
        choosing.add_argument(name, type=Path, metavar=name.upper(), help=f"JSON Lines of {name} text")
    subsetting = commands.add_parser("subset", help="write the small dataset")
    subsetting.add_argument("dataset", type=Path, metavar="FILE", help="the large dataset")
    for command in (choosing, subsetting):
        command.add_argument("--output", type=Path, required=True, metavar="FILE", help="file to write")
    arguments = parser.parse_args()
    if arguments.command == "choose":
        texts = [list(read_text_files([path])) for path in (arguments.wikipedia, arguments.isolated, arguments.books)]
        articles = chosen_text(*texts)
        lines = [json.dumps(dataclasses.asdict(article), ensure_ascii=False) + "\n" for article in articles]
        atomic.write_text(arguments.output, "".join(lines))
    else:
        write_dataset(arguments.output, small_dataset(read_dataset(arguments.dataset)))
    return 0


def chosen_text(wikipedia: list[Article], isolated: list[Article], books: list[Article]) -> list[Article]:
    """All articles of the large dataset and more, in the order in which they are taken."""
    alone = [
        dataclasses.replace(article, paragraphs=[sentence])
        for article in isolated
        for paragraph in article.paragraphs
        for sentence in split_sentences(paragraph)
    ]
    rare, others = rarest_first(books, distinct_han(wikipedia + alone))
    random.Random(SEED).shuffle(others)
    return wikipedia + alone + rare + others


def rarest_first(books: list[Article], seen: set[str]) -> tuple[list[Article], list[Article]]:
    """The chapters that bring ``seen`` up to ``HAN`` characters, each the one with most new ones, and the rest."""
    fresh = {number: distinct_han([chapter]) - seen for number, chapter in enumerate(books)}
    count, rare = len(seen), []
    while count < HAN and any(fresh.values()):
        best = max(fresh, key=lambda number: (len(fresh[number]), -number))
        found = fresh.pop(best)
        rare.append(books[best])
        count += len(found)
        fresh = {number: characters - found for number, characters in fresh.items()}
    return rare, [books[number] for number in sorted(fresh)]


def distinct_han(articles: Iterable[Article]) -> set[str]:
    return {character for a in articles for p in a.paragraphs for character in set(p) if is_han(character)}


def small_dataset(large: Dataset) -> Dataset:
    splits = split_by_article(large, PRESETS["small"].held_out)
    pool = [document for document in splits.train if not document.source.startswith(BOOK) and document.count > 1]
    random.Random(SEED).shuffle(pool)
    chosen, room = [], SMALL
    for document in pool:
        if room:
            chosen.append(dataclasses.replace(document, count=min(document.count, room)))
            room -= chosen[-1].count
    sentences: list[str] = []
    documents: list[Document] = []
    for document in sorted(chosen + splits.validation + splits.test, key=lambda document: document.start):
        documents.append(dataclasses.replace(document, start=len(sentences)))
        sentences += large.sentences[document.start : document.start + document.count]
    facts = {
        **large.metadata,
        "sentence_count": len(sentences),
        "vocab_size": len({character for text in sentences for character in text if is_han(character)}),
        "avg_sentence_length": sum(map(len, sentences)) / len(sentences),
        "sources": sorted({document.source for document in documents}),
        "vocab_of": large.fingerprint(),
    }
    return Dataset(sentences, large.vocab, documents, facts)


if __name__ == "__main__":
    run_stage(main)
