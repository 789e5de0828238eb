"""The dataset file between the stages: sentences in document order, the documents that slice them, the vocabulary.

JSON, UTF-8::

    sentences  list of str, in document order
    documents  list of {title, page, pageid, revid, domain, source, start, count}
    vocab      list of str (one character each), by descending frequency, ties by code point
    metadata   {sentence_count, vocab_size, avg_sentence_length, deduplication_rate, domains, sources, license,
                created, min_freq, format}, and vocab_of, the fingerprint of another dataset whose vocabulary it has

``sentences[start : start + count]`` are one document, and neighbours in it were neighbours in the article. Where a
sentence was dropped the document is split; its pieces share ``page``, an integer for the article. The published format,
``sentences`` and ``vocab`` alone, is read too: without documents it can train MLM but not NSP.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.files import atomic
from pipeline.files.json_object import read_json_object
from pipeline.files.vocabulary import write_vocab_txt
from pipeline.stage import InputError

FORMAT = 1
DEFAULT_DATASET = Path("data/large_wikipedia_dataset.json")


@dataclass(frozen=True)
class Document:
    """A run of sentences that stood one after the other in one article."""

    title: str
    page: int
    pageid: int | None
    revid: int | None
    domain: str
    source: str
    start: int
    count: int


@dataclass
class Dataset:
    """The dataset in memory. ``documents`` is empty for the published format."""

    sentences: list[str]
    vocab: list[str]
    documents: list[Document] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """SHA-256 of everything a training run depends on; not of ``metadata``, which holds a date."""
        digest = hashlib.sha256()
        for part in (self.sentences, [vars(document) for document in self.documents], self.vocab):
            digest.update(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))
            digest.update(b"\n")
        return digest.hexdigest()


def write_dataset(path: Path, dataset: Dataset) -> None:
    """Write the dataset and, beside it, ``vocab.txt`` in Hugging Face's form (one token a line, specials first)."""
    value = {
        "sentences": dataset.sentences,
        "documents": [asdict(document) for document in dataset.documents],
        "vocab": dataset.vocab,
        "metadata": dataset.metadata,
    }
    # In this order, so that a dataset that is there is complete.
    write_vocab_txt(path.with_name("vocab.txt"), dataset.vocab)
    atomic.write_json(path, value)


def read_dataset(path: Path) -> Dataset:
    """Read and check a dataset file.

    Raises:
        InputError: the file is missing, is no JSON, or breaks the format described at the top of this module.
    """
    value = read_json_object(path, "the dataset", "make one with rare_char_fetch.py")
    sentences = _strings(path, value, "sentences")
    vocab = _strings(path, value, "vocab")
    if not sentences:
        raise InputError(f"{path}: 'sentences' is empty; collect some with rare_char_fetch.py")
    if not vocab:
        raise InputError(f"{path}: holds an empty vocab; make the dataset again with rare_char_fetch.py")
    for position, token in enumerate(vocab):
        if len(token) != 1 or token.isspace():
            raise InputError(f"{path}: vocab[{position}] is {token!r}; each entry must be one visible character")
    if len(set(vocab)) != len(vocab):
        raise InputError(f"{path}: vocab repeats a character; each must stand there once")
    metadata = value.get("metadata", {})
    if not isinstance(metadata, dict):
        raise InputError(f"{path}: metadata must be an object, not {type(metadata).__name__}")
    documents = _documents(path, value.get("documents", []), len(sentences))
    return Dataset(sentences, vocab, documents, metadata)


def _strings(path: Path, value: dict[str, Any], key: str) -> list[str]:
    if key not in value:
        raise InputError(f"{path}: has no {key!r}; a dataset needs at least 'sentences' and 'vocab'")
    items = value[key]
    if not isinstance(items, list):
        raise InputError(f"{path}: {key!r} must be a list of strings, not {type(items).__name__}")
    for position, item in enumerate(items):
        if not isinstance(item, str):
            raise InputError(f"{path}: {key}[{position}] must be a string, not {type(item).__name__}")
    return items


def _documents(path: Path, items: Any, sentence_count: int) -> list[Document]:
    if not isinstance(items, list):
        raise InputError(f"{path}: 'documents' must be a list, not {type(items).__name__}")
    documents = []
    end = 0
    for position, item in enumerate(items):
        where = f"{path}: documents[{position}]"
        if not isinstance(item, dict):
            raise InputError(f"{where} must be an object, not {type(item).__name__}")
        for key in ("page", "start", "count"):
            if type(item.get(key)) is not int:
                raise InputError(f"{where} needs an integer {key!r}, not {item.get(key)!r}")
        for key in ("title", "domain", "source"):
            if not isinstance(item.get(key, ""), str):
                raise InputError(f"{where} needs a string {key!r}, not {item[key]!r}")
        for key in ("pageid", "revid"):
            if item.get(key) is not None and type(item[key]) is not int:
                raise InputError(f"{where} needs an integer or null {key!r}, not {item[key]!r}")
        document = Document(
            title=item.get("title", ""),
            page=item["page"],
            pageid=item.get("pageid"),
            revid=item.get("revid"),
            domain=item.get("domain", ""),
            source=item.get("source", ""),
            start=item["start"],
            count=item["count"],
        )
        if document.count < 1 or document.start < end or document.start + document.count > sentence_count:
            raise InputError(
                f"{where} takes sentences {document.start} to {document.start + document.count}, but slices must be "
                f"in order, without overlap, and within the {sentence_count} sentences"
            )
        end = document.start + document.count
        documents.append(document)
    return documents
