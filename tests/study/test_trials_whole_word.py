"""Whole words as targets: complete, about as many characters as one by one, and all else of a batch the same."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.data.tokenizer import FIRST_CHARACTER, Tokenizer
from pipeline.train.settings import PRESETS
from study.trials.whole_word import by_words, compare
from tests.helpers.tiny import tiny_dataset


def cut(text):
    """Words of three characters, the last one of what is left."""
    return [text[start : start + 3] for start in range(0, len(text), 3)]


@pytest.fixture(scope="module")
def corpora():
    dataset = tiny_dataset(articles=60)
    corpus = PairCorpus(dataset.sentences, dataset.documents, Tokenizer(dataset.vocab), 40, 0.3, True)
    return corpus, by_words(corpus, dataset.sentences, cut)


def test_a_word_is_masked_as_a_whole(corpora):
    _, whole = corpora
    checked = 0
    for step in range(1, 21):
        batch = TrainingBatches(whole, 8, 3)[step]
        is_target = np.zeros(len(batch.tokens), dtype=bool)
        is_target[batch.targets] = True
        labels = batch.tokens.copy()
        labels[batch.targets] = batch.labels
        start = 0
        for length, example in zip(batch.lengths, batch.examples, strict=True):
            first = whole.first[example]
            place = start + 1
            words = whole.words[whole.offsets[first] : whole.offsets[first + 1]][: length - 2]
            for word in np.unique(words):
                members = place + np.flatnonzero(words == word)
                known = labels[members] >= FIRST_CHARACTER
                assert is_target[members][known].all() or not is_target[members].any()
                checked += len(members) == 3
            start += length
    assert checked > 500


def test_about_as_many_characters_are_chosen(corpora):
    single, whole = ([len(TrainingBatches(corpus, 8, 3)[step].targets) for step in range(1, 41)] for corpus in corpora)
    assert np.mean(single) <= np.mean(whole) <= np.mean(single) + 2 * 8  # at most a word less one, in each sequence


def test_nothing_but_the_masks_differs(corpora):
    single, whole = (TrainingBatches(corpus, 8, 3)[5] for corpus in corpora)
    for name in ("lengths", "segments", "positions", "next_labels", "examples"):
        assert (getattr(single, name) == getattr(whole, name)).all()
    for batch in (single, whole):
        batch.tokens[batch.targets] = batch.labels
    assert (single.tokens == whole.tokens).all()
    assert set(single.targets) != set(whole.targets)


def test_both_are_trained_and_asked_the_same(tmp_path):
    tiny = {"layers": 1, "hidden": 16, "heads": 2, "ffn": 32, "max_positions": 40, "length": 40, "held_out": 0.1}
    settings = replace(PRESETS["quickstart"], steps=6, warmup=2, batch_size=4, **tiny)
    characters, words = compare(tiny_dataset(articles=60), tmp_path, settings, cut)
    assert (characters.masking, words.masking) == ("characters", "words")
    assert characters.mlm_loss != words.mlm_loss
    assert 0 <= words.mlm_acc <= 1
