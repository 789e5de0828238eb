"""How much text a dataset holds, and from where."""

from __future__ import annotations

from typing import Any

from pipeline.characters.han import is_han
from pipeline.files.dataset import Dataset


def statistics(dataset: Dataset) -> dict[str, Any]:
    """Sentences, characters (all but white space are counted), articles and pairs, in all and of each source."""
    sources: dict[str, dict[str, int]] = {}
    articles: dict[str, set[int]] = {}
    for document in dataset.documents:
        known = sources.setdefault(document.source, dict.fromkeys(("sentences", "characters", "articles", "pairs"), 0))
        text = "".join(dataset.sentences[document.start : document.start + document.count])
        known["sentences"] += document.count
        known["characters"] += sum(not character.isspace() for character in text)
        known["pairs"] += document.count - 1
        articles.setdefault(document.source, set()).add(document.page)
    for source, pages in articles.items():
        sources[source]["articles"] = len(pages)
    text = "".join(dataset.sentences)
    return {
        "sentences": len(dataset.sentences),
        "characters": sum(not character.isspace() for character in text),
        "distinct_han": len({character for character in text if is_han(character)}),
        "vocabulary": len(dataset.vocab),
        "sources": sources,
    }
