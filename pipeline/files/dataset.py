"""The dataset file between the stages: sentences in document order, the documents that slice them, the vocabulary.

JSON, UTF-8::

    sentences  list of str, in document order
    documents  list of {title, page, pageid, revid, domain, source, start, count}
    vocab      list of str (one character each), by descending frequency, ties by code point
    metadata   {sentence_count, vocab_size, avg_sentence_length, deduplication_rate, domains, sources, license,
                created, min_freq, format}, and vocab_of, the fingerprint of another dataset whose vocabulary it has

``sentences[start : start + count]`` are one document, and neighbours in it were neighbours in the article. Where a
sentence was dropped the document is split; its pieces share ``page``, an integer for the article. The published format,
``sentences`` and ``vocab`` alone, is read too: it has no documents, so it can train MLM but not NSP.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.files import atomic
from pipeline.stage import InputError

FORMAT = 1
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")  # ids 0..4 in every vocabulary
DEFAULT_DATASET = Path("data/large_wikipedia_dataset.json")

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


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
        for part in (self.sentences, [asdict(document) for document in self.documents], self.vocab):
            digest.update(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))
            digest.update(b"\n")
        return digest.hexdigest()


def count_characters(sentences: Iterable[str]) -> Counter[str]:
    """Occurrences of every character but white space, which the tokenizer drops."""
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(sentence)
    for character in [character for character in counts if character.isspace()]:
        del counts[character]
    return counts


def build_vocab(counts: Counter[str], min_freq: int) -> list[str]:
    """Characters seen at least ``min_freq`` times, the most frequent first, ties by code point."""
    frequent = [character for character, count in counts.items() if count >= min_freq]
    return sorted(frequent, key=lambda character: (-counts[character], character))


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


def write_vocab_txt(path: Path, vocab: list[str]) -> None:
    atomic.write_text(path, "".join(token + "\n" for token in (*SPECIAL_TOKENS, *vocab)))


def read_vocab_txt(path: Path) -> list[str]:
    """The vocabulary in a vocab.txt, without the special tokens that stand first.

    Raises:
        InputError: the file is missing or is no vocab.txt of this program.
    """
    try:
        tokens = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except FileNotFoundError:
        raise InputError(f"{path}: the vocabulary is not there; the trainer writes it beside every model") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the vocabulary is not UTF-8 at byte {error.start}; use the trainer's") from None
    specials, vocab = tuple(tokens[: len(SPECIAL_TOKENS)]), tokens[len(SPECIAL_TOKENS) :]
    if specials != SPECIAL_TOKENS:
        raise InputError(f"{path}: must begin with {' '.join(SPECIAL_TOKENS)}, one a line; use the trainer's")
    for position, token in enumerate(vocab, start=len(SPECIAL_TOKENS) + 1):
        if len(token) != 1 or token.isspace():
            raise InputError(f"{path}: line {position} is {token!r}, not one visible character; use the trainer's")
    if len(set(vocab)) != len(vocab):
        raise InputError(f"{path}: repeats a character; use the trainer's")
    return vocab


def read_dataset(path: Path) -> Dataset:
    """Read and check a dataset file.

    Raises:
        InputError: the file is missing, is no JSON, or breaks the format described at the top of this module.
    """
    value = read_json_object(path, "the dataset", "make one with rare_char_fetch.py")
    sentences = _strings(path, value, "sentences")
    vocab = _strings(path, value, "vocab")
    if not sentences:
        raise InputError(f"{path}: holds no sentences; collect some with rare_char_fetch.py")
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


def read_json_object(path: Path, what: str, advice: str) -> dict[str, Any]:
    """The JSON object in ``path``, or an InputError that names ``what`` it is and gives ``advice``."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: {what} is not there; {advice}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: {what} is not UTF-8 at byte {error.start}; {advice}") from None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InputError(f"{path}: {what} is broken JSON at {where}; {advice}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: {what} has numbers too long or brackets too deep to read; {advice}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: {what} must be a JSON object, not {type(value).__name__}; {advice}")
    if _SURROGATE_ESCAPE.search(text):
        _refuse_half_characters(path, what, value)
    return value


def _refuse_half_characters(path: Path, what: str, value: Any) -> None:
    """JSON can escape half of a surrogate pair; UTF-8 cannot hold it, so it could be read but never written."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        near = text[max(error.start - 20, 0) : error.start]
        raise InputError(f"{path}: {what} holds half a character (a lone surrogate) after {near!r}") from None


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
