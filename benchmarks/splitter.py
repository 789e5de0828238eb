"""The sentence splitter against another version of it on one text: quotations cut in two, sentences that are too long.

    git show 05c0dbf^:pipeline/collect/sentences.py > before.py
    python benchmarks/splitter.py data/study_text.jsonl --against before.py

TEXT is JSON Lines as ``rare_char_fetch.py --text`` reads them. A sentence is unbalanced where its quotation marks
(“” ‘’ 「」 『』, and an odd number of ") do not close each other in order; a paragraph that is so itself, as where a
quotation goes on in the next one, cannot be cut into balanced sentences, and is counted apart. Characters in sentences
of more than 200 are lost to the dataset. Ratios are ours to the other's: below 1 ours has fewer.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.collect.sentences import split_sentences
from pipeline.collect.text_files import read_text_files
from pipeline.stage import InputError, run_stage

LONGEST = 200  # characters of a sentence in the dataset, by default
_PAIRS = {"”": "“", "’": "‘", "」": "「", "』": "『"}


@dataclass
class Tally:
    """What one splitter made of the text."""

    sentences: int = 0
    unbalanced: int = 0
    in_balanced_paragraphs: int = 0
    characters_lost: int = 0


def main() -> int:
    arguments = parse_arguments()
    splitters = {"ours": split_sentences, "the other": load_splitter(arguments.against)}
    tallies = {name: Tally() for name in splitters}
    paragraphs = characters = 0
    for article in read_text_files([arguments.text]):
        if arguments.source and not article.source.startswith(tuple(arguments.source)):
            continue
        for paragraph in article.paragraphs:
            paragraphs += 1
            characters += len(paragraph)
            whole = is_balanced(paragraph)
            for name, split in splitters.items():
                count(tallies[name], split(paragraph), whole)
    if not characters:
        raise InputError(f"{arguments.text}: holds no text of these sources")
    print(f"{paragraphs:,} paragraphs, {characters:,} characters")
    print(f"{'':10}{'sentences':>12}{'unbalanced':>24}{'in balanced paragraphs':>26}{'characters lost':>20}")
    for name, tally in tallies.items():
        share = tally.unbalanced / max(tally.sentences, 1)
        print(
            f"{name:10}{tally.sentences:12,}{tally.unbalanced:14,} ({share:7.3%}){tally.in_balanced_paragraphs:26,}"
            f"{tally.characters_lost / characters:20.2%}"
        )
    ours, other = tallies.values()
    if other.unbalanced and other.characters_lost:
        print(
            f"ours to the other: unbalanced {ours.unbalanced / other.unbalanced:.3f} x, "
            f"characters lost {ours.characters_lost / other.characters_lost:.3f} x"
        )
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, metavar="TEXT", help="JSON Lines with paragraphs, also packed")
    parser.add_argument("--against", type=Path, required=True, metavar="FILE", help="a module with split_sentences")
    parser.add_argument("--source", nargs="+", metavar="NAME", help="sources whose names begin so (default: all)")
    return parser.parse_args()


def load_splitter(path: Path) -> Callable[[str], list[str]]:
    spec = importlib.util.spec_from_file_location("other_splitter", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"{path}: must be a Python file with split_sentences; write one out of the history")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    split: Callable[[str], list[str]] = module.split_sentences
    return split


def count(tally: Tally, sentences: list[str], whole: bool) -> None:
    for sentence in sentences:
        tally.sentences += 1
        if not is_balanced(sentence):
            tally.unbalanced += 1
            tally.in_balanced_paragraphs += whole
        length = len(" ".join(sentence.split()))
        tally.characters_lost += length if length > LONGEST else 0


def is_balanced(text: str) -> bool:
    """Whether the quotation marks of ``text`` close each other in order; ’ without its ‘ is an apostrophe."""
    opened: list[str] = []
    for character in text:
        if character in _PAIRS.values():
            opened.append(character)
            continue
        closes = _PAIRS.get(character)
        if closes and (closes in opened or character != "’") and (not opened or opened.pop() != closes):
            return False
    return not opened and text.count('"') % 2 == 0


if __name__ == "__main__":
    run_stage(main)
