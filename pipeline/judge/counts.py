"""How much text a dataset holds, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.characters.han import is_han
from pipeline.files.dataset import Dataset


@dataclass
class Amount:
    """Text of one source: sentences, characters (all but white space), articles, pairs of neighbouring sentences."""

    sentences: int = 0
    characters: int = 0
    articles: int = 0
    pairs: int = 0


@dataclass(frozen=True)
class Statistics:
    """Text in all (``characters``: all but white space) and of each source."""

    sentences: int
    characters: int
    distinct_han: int
    vocabulary: int
    sources: dict[str, Amount] = field(default_factory=dict)


def statistics(dataset: Dataset) -> Statistics:
    """How much text ``dataset`` holds; sentences that belong to no document count in all, but for no source."""
    sources: dict[str, Amount] = {}
    articles: dict[str, set[int]] = {}
    for document in dataset.documents:
        amount = sources.setdefault(document.source, Amount())
        text = "".join(dataset.sentences[document.start : document.start + document.count])
        amount.sentences += document.count
        amount.characters += sum(not character.isspace() for character in text)
        amount.pairs += document.count - 1
        articles.setdefault(document.source, set()).add(document.page)
        amount.articles = len(articles[document.source])
    text = "".join(dataset.sentences)
    return Statistics(
        sentences=len(dataset.sentences),
        characters=sum(not character.isspace() for character in text),
        distinct_han=len({character for character in text if is_han(character)}),
        vocabulary=len(dataset.vocab),
        sources=sources,
    )
