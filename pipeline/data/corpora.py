"""The three corpora of a run, from its dataset and settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.files.dataset import Dataset, Document
from pipeline.data.splits import Splits, split_by_article
from pipeline.stage import InputError
from pipeline.data.masked_pairs import HELD_OUT_MASK_RATE, PairCorpus
from pipeline.train.settings import Settings
from pipeline.data.tokenizer import Tokenizer


@dataclass(frozen=True)
class Corpora:
    """The dataset's tokenizer and its articles, encoded: those that train, validate, and test."""

    tokenizer: Tokenizer
    splits: Splits
    train: PairCorpus
    validation: PairCorpus
    test: PairCorpus


def build_corpora(dataset: Dataset, settings: Settings, path: Path) -> Corpora:
    """Split and encode ``dataset``, which was read from ``path``. Without documents every sentence is MLM only.

    Validation and test are masked at ``HELD_OUT_MASK_RATE``, training at the settings' own rate.

    Raises:
        InputError: an article is lacking for training, validation or test.
    """
    tokenizer = Tokenizer(dataset.vocab)
    splits = split_by_article(dataset, settings.held_out)

    def encode(documents: list[Document], purpose: str, mask_rate: float = HELD_OUT_MASK_RATE) -> PairCorpus:
        if not documents:
            raise InputError(f"{path}: no article is left for {purpose}; the dataset needs at least three")
        next_sentence = bool(dataset.documents)
        return PairCorpus(dataset.sentences, documents, tokenizer, settings.length, mask_rate, next_sentence)

    return Corpora(
        tokenizer,
        splits,
        encode(splits.train, "training", settings.mask_rate),
        encode(splits.validation, "validation"),
        encode(splits.test, "test"),
    )
