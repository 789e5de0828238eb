"""From articles to the dataset: sentences, length filter, de-duplication, and documents split where one was dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from pipeline.collect.sentences import split_sentences
from pipeline.collect.sources import Article
from pipeline.corpus import FORMAT, Dataset, Document, build_vocab, count_characters, is_han


@dataclass(frozen=True)
class Limits:
    """What a sentence must be to enter the dataset, and when there is enough (None: read everything)."""

    min_length: int
    max_length: int
    min_freq: int
    target_sentences: int | None = None
    target_vocab: int | None = None


def compile_dataset(articles: Iterable[Article], limits: Limits) -> Dataset:
    """Read ``articles`` in order, to the end or to the first article that meets every target that is set.

    A sentence is kept when its length in characters is within the limits, it has a Han character, and it is the first
    of its kind in the whole dataset. Where one is dropped, its document ends and the next piece begins.
    """
    sentences: list[str] = []
    documents: list[Document] = []
    seen: set[str] = set()
    characters: set[str] = set()
    han = 0
    licenses: set[str] = set()
    repeats = 0
    for page, article in enumerate(articles):
        start = len(sentences)
        for sentence in _sentences(article):
            fits = limits.min_length <= len(sentence) <= limits.max_length and any(map(is_han, sentence))
            if fits and sentence not in seen:
                seen.add(sentence)
                sentences.append(sentence)
                fresh = set(sentence) - characters
                characters |= fresh
                han += sum(map(is_han, fresh))
                continue
            repeats += fits
            _close(documents, article, page, start, len(sentences))
            start = len(sentences)
        _close(documents, article, page, start, len(sentences))
        if article.license:
            licenses.add(article.license)
        if _enough(limits, len(sentences), han):
            break
    return Dataset(
        sentences=sentences,
        vocab=build_vocab(count_characters(sentences), limits.min_freq),
        documents=documents,
        metadata={
            "sentence_count": len(sentences),
            "vocab_size": han,
            "avg_sentence_length": sum(map(len, sentences)) / max(len(sentences), 1),
            "deduplication_rate": repeats / max(len(sentences) + repeats, 1),
            "domains": sorted({document.domain for document in documents if document.domain}),
            "sources": sorted({document.source for document in documents}),
            "license": "; ".join(sorted(licenses)),
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "min_freq": limits.min_freq,
            "format": FORMAT,
        },
    )


def _sentences(article: Article) -> Iterable[str]:
    """Sentences with runs of white space made one blank."""
    for paragraph in article.paragraphs:
        for piece in split_sentences(paragraph):
            sentence = " ".join(piece.split())
            if sentence:
                yield sentence


def _close(documents: list[Document], article: Article, page: int, start: int, end: int) -> None:
    if end > start:
        documents.append(
            Document(
                title=article.title,
                page=page,
                pageid=article.pageid,
                revid=article.revid,
                domain=article.domain,
                source=article.source,
                start=start,
                count=end - start,
            )
        )


def _enough(limits: Limits, sentences: int, han: int) -> bool:
    """Whether a target is set and every target that is set is met."""
    targets = [(limits.target_sentences, sentences), (limits.target_vocab, han)]
    met = [reached >= target for target, reached in targets if target is not None]
    return bool(met) and all(met)
