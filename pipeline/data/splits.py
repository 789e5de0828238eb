"""Which articles train the model, which validate it, and which are scored once at the end.

The split is by article, never by sentence: SHA-256 of source and title (of the text, where the title is missing) gives
each article a fixed place in [0, 1). The lowest ``share`` validate, the next ``share`` test, the rest train, so an
article keeps its place however the dataset around it grows. A training document that nearly repeats held-out text is
dropped from training: at least half of its character 8-grams stand in validation or test. A sentence that is shorter
than that counts as one.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from pipeline.files.dataset import Dataset, Document

SHINGLE = 8  # characters, a power of two; long enough that stock phrases alone do not make two documents alike
REPEATED = 0.5  # share of a document's shingles from which on it counts as a repeat
_FACTOR = 0x9E3779B97F4A7C15
_FILTER_BITS = 22  # of a hash, by which most text is told to differ from all that is held out
_FILTER = np.uint64(64 - _FILTER_BITS)
DOCUMENTS_AT_ONCE = 1 << 12  # compared together; it takes many times the memory of their text


@dataclass(frozen=True)
class Splits:
    """Documents of each split, in dataset order; ``repeats`` are the training documents that were dropped."""

    train: list[Document]
    validation: list[Document]
    test: list[Document]
    repeats: list[Document]


def split_by_article(dataset: Dataset, share: float) -> Splits:
    """Split ``dataset`` by article; ``share`` (0 to 0.5) of the articles validate and as many test.

    A small dataset may have none of its articles in a range of the hash, or all of them; then the borders move to the
    nearest article, so that none of the three is empty as long as there are three articles.
    """
    documents = dataset.documents or [
        Document("", position, None, None, "", "", position, 1) for position in range(len(dataset.sentences))
    ]
    places = _places(dataset, documents)
    ranked = sorted(set(places.values()))
    first_test = max(1, min(bisect_left(ranked, share), len(ranked) - 2))
    first_train = max(first_test + 1, min(bisect_left(ranked, 2 * share), len(ranked) - 1))
    validation_places = set(ranked[:first_test])
    test_places = set(ranked[first_test:first_train])

    train, validation, test = [], [], []
    for document in documents:
        if places[document.page] in validation_places:
            validation.append(document)
        elif places[document.page] in test_places:
            test.append(document)
        else:
            train.append(document)
    fresh, repeats = _drop_repeats(dataset.sentences, train, validation + test)
    return Splits(fresh, validation, test, repeats)


def _places(dataset: Dataset, documents: list[Document]) -> dict[int, float]:
    """Each article's place in [0, 1), by page number."""
    digests = {}
    for document in documents:
        if document.page not in digests:
            digests[document.page] = hashlib.sha256(f"{document.source}\n{document.title}\n".encode())
        if not document.title:
            text = "".join(dataset.sentences[document.start : document.start + document.count])
            digests[document.page].update(text.encode())
    return {page: int.from_bytes(digest.digest()[:8], "big") / 2**64 for page, digest in digests.items()}


def _drop_repeats(
    sentences: list[str], train: list[Document], held_out: list[Document]
) -> tuple[list[Document], list[Document]]:
    held_hashes, _ = _shingles(sentences, held_out)
    if not len(held_hashes):
        return train, []
    held_hashes = np.unique(held_hashes)
    filled = np.zeros(1 << _FILTER_BITS, dtype=bool)
    filled[held_hashes >> _FILTER] = True
    fresh: list[Document] = []
    repeats: list[Document] = []
    for start in range(0, len(train), DOCUMENTS_AT_ONCE):
        some = train[start : start + DOCUMENTS_AT_ONCE]
        hashes, owners = _shingles(sentences, some)
        seen = filled[hashes >> _FILTER]  # most are told to be new by this alone
        maybe = hashes[seen]
        seen[seen] = held_hashes[np.searchsorted(held_hashes, maybe).clip(max=len(held_hashes) - 1)] == maybe
        totals = np.bincount(owners, minlength=len(some))
        repeated = np.bincount(owners, weights=seen, minlength=len(some))
        is_repeat = (totals > 0) & (repeated >= REPEATED * totals)
        for document, repeat in zip(some, is_repeat, strict=True):
            (repeats if repeat else fresh).append(document)
    return fresh, repeats


def _shingles(sentences: list[str], documents: list[Document]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all 8-grams that lie within one sentence (uint64 [N]), and the index of each one's document [N].

    A shorter sentence is filled up with zeros, which stand in no text.
    """
    texts, owner_of_text = [], []
    for index, document in enumerate(documents):
        texts.extend(sentences[document.start : document.start + document.count])
        owner_of_text.extend([index] * document.count)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    for place in np.flatnonzero(lengths < SHINGLE):
        texts[place] = texts[place].ljust(SHINGLE, "\0")
    lengths = lengths.clip(min=SHINGLE)
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    count = len(codes) - SHINGLE + 1
    if count < 1:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    # A polynomial in an odd constant, modulo 2^64: of pairs, then of pairs of pairs, and so on.
    hashes, factor, width = codes, _FACTOR, 1
    while width < SHINGLE:
        hashes = hashes[:-width] * np.uint64(factor) + hashes[width:]
        factor, width = factor * factor % 2**64, 2 * width
    text_of_code = np.repeat(np.arange(len(texts)), lengths)
    inside = text_of_code[:count] == text_of_code[SHINGLE - 1 :]
    owners = np.array(owner_of_text, dtype=np.int64)[text_of_code[:count]]
    return hashes[inside], owners[inside]
