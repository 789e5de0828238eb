"""From articles to the dataset: sentences, length filter, de-duplication, and documents split where one was dropped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from pipeline.characters.han import is_han
from pipeline.collect.article import FORMULA, LEFT_OUT, Article
from pipeline.collect.sentences import split_sentences
from pipeline.files import atomic
from pipeline.files.dataset import FORMAT, Dataset, Document
from pipeline.files.vocabulary import build_vocab


@dataclass(frozen=True)
class Limits:
    """What a sentence must be to enter the dataset, and when there is enough (None: read everything)."""

    min_length: int
    max_length: int
    min_freq: int
    target_sentences: int | None = None
    target_vocab: int | None = None


@dataclass(frozen=True)
class Used:
    """An article that gave sentences, as attribution asks for it."""

    title: str
    pageid: int | None
    revid: int | None
    url: str
    source: str
    license: str


class Compiler:
    """A dataset that grows article by article.

    A sentence is kept when its length in characters is within the limits, it has a Han character and no gap where a
    formula was, and it is the first of its kind in the whole dataset. Where one is dropped, its document ends and the
    next piece begins. What comes out depends on the articles and their order alone, not on when they arrived.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.sentences: list[str] = []
        self.counts: Counter[str] = Counter()  # characters of the sentences kept
        self.han = 0  # distinct Han characters among them
        self.used: list[Used] = []  # in the order of the sentences
        self._documents: list[Document] = []
        self._seen: set[str] = set()
        self._licenses: set[str] = set()
        self._pages = 0
        self._repeats = 0

    def add(self, article: Article) -> None:
        """Take what is good of one article."""
        limits = self.limits
        first = start = len(self.sentences)
        for sentence in _sentences(article):
            fits = (
                limits.min_length <= len(sentence) <= limits.max_length
                and any(map(is_han, sentence))
                and FORMULA not in sentence
            )
            if fits and sentence not in self._seen:
                self._seen.add(sentence)
                self.sentences.append(sentence)
                self.han += sum(is_han(character) for character in set(sentence) if character not in self.counts)
                self.counts.update(sentence)
                continue
            self._repeats += fits
            self._close(article, start)
            start = len(self.sentences)
        self._close(article, start)
        if article.license:
            self._licenses.add(article.license)
        if len(self.sentences) > first:
            self.used.append(
                Used(article.title, article.pageid, article.revid, article.url, article.source, article.license)
            )
        self._pages += 1

    def enough(self) -> bool:
        """Whether a target is set and every target that is set is met."""
        met = [reached >= target for _, reached, target in self.targets() if target is not None]
        return bool(met) and all(met)

    def targets(self) -> list[tuple[str, int, int | None]]:
        """What is counted, how much there is, and how much there shall be."""
        return [
            ("sentences", len(self.sentences), self.limits.target_sentences),
            ("distinct Han characters", self.han, self.limits.target_vocab),
        ]

    def dataset(self) -> Dataset:
        """What has been collected so far."""
        visible = Counter({character: count for character, count in self.counts.items() if not character.isspace()})
        return Dataset(
            sentences=self.sentences,
            vocab=build_vocab(visible, self.limits.min_freq),
            documents=self._documents,
            metadata={
                "sentence_count": len(self.sentences),
                "vocab_size": self.han,
                "avg_sentence_length": sum(map(len, self.sentences)) / max(len(self.sentences), 1),
                "deduplication_rate": self._repeats / max(len(self.sentences) + self._repeats, 1),
                "domains": sorted({document.domain for document in self._documents if document.domain}),
                "sources": sorted({document.source for document in self._documents}),
                "license": "; ".join(sorted(self._licenses)),
                "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "min_freq": self.limits.min_freq,
                "format": FORMAT,
            },
        )

    def _close(self, article: Article, start: int) -> None:
        """End the document that began at sentence ``start``, unless nothing is in it."""
        if len(self.sentences) > start:
            self._documents.append(
                Document(
                    title=article.title,
                    page=self._pages,
                    pageid=article.pageid,
                    revid=article.revid,
                    domain=article.domain,
                    source=article.source,
                    start=start,
                    count=len(self.sentences) - start,
                )
            )


def compile_dataset(articles: Iterable[Article], limits: Limits) -> Compiler:
    """Read ``articles`` in order, to the end or to the first article that meets every target that is set."""
    compiler = Compiler(limits)
    for article in articles:
        compiler.add(article)
        if compiler.enough():
            break
    return compiler


def write_used(path: Path, compiler: Compiler) -> None:
    """List every article used, a JSON object a line with title, ids, URL and licence, as CC BY-SA asks."""
    atomic.write_text(path, "".join(json.dumps(asdict(used), ensure_ascii=False) + "\n" for used in compiler.used))


def _sentences(article: Article) -> Iterable[str]:
    """Sentences with runs of white space made one blank; an empty one where something was left out."""
    for paragraph in article.paragraphs:
        if paragraph == LEFT_OUT:
            yield ""
            continue
        for piece in split_sentences(paragraph):
            sentence = " ".join(piece.split())
            if sentence:
                yield sentence
