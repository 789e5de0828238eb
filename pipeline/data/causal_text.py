"""The text of a causal model: split, encoded, and counted.

Documents are kept apart as articles are for BERT (splits.py); where there are fewer than three of them, so that none
could be left for each purpose, their text is one and its last two blocks are held out. A split is one array: the end of
a document, a document, its end, the next document, and so on. No window reaches from one split into another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.characters.han import is_han
from pipeline.data.alphabet import END, Alphabet
from pipeline.data.raw_text import TEST, TRAINING, VALIDATION
from pipeline.data.splits import split_by_article
from pipeline.files.dataset import Dataset, Document
from pipeline.stage import InputError

FEWEST_DOCUMENTS = 3  # one for each purpose
_MOSTLY_HAN = 0.5  # of the visible characters; from there on white space does not tell words


@dataclass(frozen=True)
class Article:
    """A document, or what is used of it: the number of its article, and its text with what the alphabet keeps."""

    page: int
    text: str


@dataclass(frozen=True)
class CausalText:
    """One split. ``symbols`` begins and ends with END and has one between two documents."""

    articles: list[Article]
    symbols: np.ndarray  # uint16 [N]
    borders: np.ndarray  # int64 [D + 1] where END stands among them: document d is what lies between d and d + 1
    white_space: bool  # whether it belongs to the text

    @property
    def targets(self) -> int:
        """Symbols that are predicted: all but the first END."""
        return len(self.symbols) - 1

    def counts(self) -> TextCounts:
        """How much text it is, in the units that results are given in."""
        texts = [article.text for article in self.articles]
        words, visible, han = 0, 0, 0
        for text in texts:
            parts = text.split()
            words, visible = words + len(parts), visible + sum(map(len, parts))
            han += sum(map(is_han, text))
        return TextCounts(
            characters=sum(map(len, texts)),
            bytes=sum(len(text.encode("utf-8", "surrogatepass")) for text in texts),
            words=words if self.white_space and han < _MOSTLY_HAN * visible else None,
            han=han,
        )


@dataclass(frozen=True)
class TextCounts:
    """How long a text is. Words stand between white space; None where it was dropped, or most characters are Han."""

    characters: int
    bytes: int  # of UTF-8
    words: int | None
    han: int  # characters


@dataclass(frozen=True)
class CausalCorpora:
    """The text of a run, split and encoded."""

    alphabet: Alphabet
    train: CausalText
    validation: CausalText
    test: CausalText
    repeats: int  # documents that nearly repeat held-out text, left out of training
    held_out_by: str  # "document", "block" or "file"


def build_causal_corpora(
    dataset: Dataset, name: str, *, level: str, white_space: bool, length: int, held_out: float
) -> CausalCorpora:
    """Split and encode ``dataset``; ``name`` is where it is from, for messages.

    Args:
        white_space: it belongs to the text; else it is dropped.
        length: symbols that a window predicts.
        held_out: share of the documents, or of the one text, for validation, and again for test.

    A dataset without a vocabulary gets that of its training text.

    Raises:
        InputError: there is too little text for a window of training, or none for validation or test.
    """
    keep = Alphabet("byte", "", white_space).kept
    train, validation, test, repeats, by = _split(dataset, held_out, keep)
    if level == "byte":
        alphabet = Alphabet("byte", "", white_space)
    else:
        characters = "".join(dataset.vocab) or _characters(train)
        alphabet = Alphabet("char", characters, white_space)
    texts = tuple(_encoded(articles, alphabet) for articles in (train, validation, test))
    for text, purpose in zip(texts, (TRAINING, VALIDATION, TEST), strict=True):
        if not sum(len(article.text) for article in text.articles):
            raise InputError(f"{name}: no text is left for {purpose}; give more of it")
    if texts[0].targets <= length:
        raise InputError(
            f"{name}: has {texts[0].targets - 1} {alphabet.unit} for training, fewer than one window of --length "
            f"{length}; give more text or a lower --length"
        )
    return CausalCorpora(alphabet, texts[0], texts[1], texts[2], repeats, by)


def _split(
    dataset: Dataset, share: float, keep: Callable[[str], str]
) -> tuple[list[Article], list[Article], list[Article], int, str]:
    """Training, validation and test, how many documents were dropped from training, and what is held out by."""

    def articles(documents: list[Document]) -> list[Article]:
        parts = ((each.page, dataset.sentences[each.start : each.start + each.count]) for each in documents)
        return [Article(page, keep("".join(sentences))) for page, sentences in parts]

    sources = {document.source for document in dataset.documents}
    if {VALIDATION, TEST} <= sources:
        named = [[each for each in dataset.documents if each.source == s] for s in (TRAINING, VALIDATION, TEST)]
        train, validation, test = map(articles, named)
        return train, validation, test, 0, "file"
    pages = {document.page for document in dataset.documents}
    if dataset.documents and len(pages) < FEWEST_DOCUMENTS:
        text = keep("".join(dataset.sentences))
        block = round(share * len(text))
        cuts = (0, len(text) - 2 * block, len(text) - block, len(text))
        train, validation, test = ([Article(0, text[start:end])] for start, end in pairwise(cuts))
        return train, validation, test, 0, "block"
    splits = split_by_article(dataset, share)
    train, validation, test = map(articles, (splits.train, splits.validation, splits.test))
    return train, validation, test, len(splits.repeats), "document"


def _characters(articles: list[Article]) -> str:
    """All characters, by descending frequency, ties by code point."""
    seen = Counter[str]()
    for article in articles:
        seen.update(article.text)
    return "".join(sorted(seen, key=lambda character: (-seen[character], character)))


def _encoded(articles: list[Article], alphabet: Alphabet) -> CausalText:
    ids, offsets = alphabet.encode([article.text for article in articles])
    borders = offsets + np.arange(len(offsets))
    symbols = np.insert(ids, offsets, END)
    return CausalText(articles, symbols, borders, alphabet.white_space)
