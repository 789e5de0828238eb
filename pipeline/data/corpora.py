"""The three corpora of a run: the articles that train, validate and test, encoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.data.masked_pairs import HELD_OUT_MASK_RATE, PairCorpus
from pipeline.data.splits import Splits, split_by_article
from pipeline.data.tokenizer import FIRST_CHARACTER, Tokenizer
from pipeline.files.dataset import Dataset, Document
from pipeline.stage import InputError


@dataclass(frozen=True)
class Encoding:
    """How documents of ``dataset`` become a corpus: its tokenizer, and the longest sequence in tokens."""

    dataset: Dataset
    tokenizer: Tokenizer
    length: int

    def corpus(self, documents: list[Document], mask_rate: float = HELD_OUT_MASK_RATE) -> PairCorpus:
        """``documents`` encoded. Without documents in the dataset every sentence is MLM only."""
        next_sentence = bool(self.dataset.documents)
        return PairCorpus(self.dataset.sentences, documents, self.tokenizer, self.length, mask_rate, next_sentence)


@dataclass(frozen=True)
class Corpora:
    """The articles of a dataset, split and encoded."""

    encoding: Encoding
    splits: Splits
    train: PairCorpus
    validation: PairCorpus
    test: PairCorpus

    @property
    def tokenizer(self) -> Tokenizer:
        return self.encoding.tokenizer


def build_corpora(dataset: Dataset, path: Path, *, length: int, mask_rate: float, held_out: float) -> Corpora:
    """Split and encode ``dataset``, which was read from ``path``.

    Args:
        length: longest sequence in tokens, specials included.
        mask_rate: of the training text; validation and test are masked at ``HELD_OUT_MASK_RATE``.
        held_out: share of the articles for validation, and again for test.

    Raises:
        InputError: there are too few articles for training, validation and test, or no known character to predict.
    """
    encoding = Encoding(dataset, Tokenizer(dataset.vocab), length)
    splits = split_by_article(dataset, held_out)
    for purpose, documents in (("training", splits.train), ("validation", splits.validation), ("test", splits.test)):
        if not documents:
            dropped = f" ({len(splits.repeats)} nearly repeat held-out text)" if splits.repeats else ""
            raise InputError(f"{path}: no article is left for {purpose}{dropped}; the dataset needs at least three")
    corpora = Corpora(
        encoding,
        splits,
        encoding.corpus(splits.train, mask_rate),
        encoding.corpus(splits.validation),
        encoding.corpus(splits.test),
    )
    for purpose, corpus in (("training", corpora.train), ("validation", corpora.validation), ("test", corpora.test)):
        if not (corpus.tokens >= FIRST_CHARACTER).any():
            raise InputError(
                f"{path}: the text for {purpose} has no character of the vocabulary, so nothing can be predicted; "
                "compile the dataset again, with a lower --min-freq or more text"
            )
    return corpora
