"""The corpora of a run, and datasets that cannot give them."""

import dataclasses
from pathlib import Path

import pytest

from pipeline.data.corpora import build_corpora
from pipeline.files.dataset import Dataset, Document
from pipeline.stage import InputError
from tests.helpers.tiny import tiny_dataset


def corpora_of(dataset):
    return build_corpora(dataset, Path("mine.json"), length=32, mask_rate=0.15, held_out=0.1)


def test_a_text_without_a_known_character_has_nothing_to_predict():
    dataset = tiny_dataset(articles=60)
    with pytest.raises(InputError, match=r"^mine\.json: the text for training has no character of the vocabulary"):
        corpora_of(dataclasses.replace(dataset, vocab=["龘"]))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_every_split_needs_something_to_predict(split):
    dataset = tiny_dataset(articles=60)
    sentences = list(dataset.sentences)
    for document in getattr(corpora_of(dataset).splits, split):
        for place in range(document.start, document.start + document.count):
            sentences[place] = "ﾊ" * 20
    with pytest.raises(InputError, match=f"the text for {split} has no character of the vocabulary"):
        corpora_of(dataclasses.replace(dataset, sentences=sentences))


def test_what_was_dropped_is_counted_where_nothing_is_left():
    sentences = ["天地玄黄宇宙洪荒日月盈昃。"] * 8
    documents = [Document(str(page), page, None, None, "", "", page, 1) for page in range(8)]
    with pytest.raises(InputError, match=r"no article is left for training \(\d nearly repeat held-out text\); the"):
        corpora_of(Dataset(sentences, list("天地玄黄"), documents))
