"""The numbers of a whole text against their definitions, and the example of the guide."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pipeline.data.causal_text import build_causal_corpora
from pipeline.data.causal_windows import context
from pipeline.files.dataset import Dataset, Document
from pipeline.model.gpt import Gpt, GptShape
from pipeline.model.precision import Precision
from pipeline.score.next_symbols import SymbolScores, score_symbols, text_scores

CPU = Precision("fp64", torch.device("cpu"))
TEXTS = ["ab ba " * 40, "abba bab b", "ab bé b"]


def corpora_of(texts, level="char"):
    documents = [
        Document(str(page), page, None, None, "", source, page, 1)
        for page, source in enumerate(("training", "validation", "test"))
    ]
    return build_causal_corpora(
        Dataset(texts, [], documents), "here", level=level, white_space=True, length=6, held_out=0.1
    )


def model_of(corpora):
    torch.manual_seed(1)
    return Gpt(GptShape(len(corpora.alphabet), 1, 8, 2, 16, 8, 0.5, 0.5, 0.5)).double().train()


def test_each_symbol_is_scored_from_its_window():
    corpora = corpora_of(TEXTS)
    model, text, length = model_of(corpora), corpora.validation, 6
    found = score_symbols(model, text, length, CPU)
    assert model.training
    model.eval()
    symbols = torch.from_numpy(text.symbols.astype(np.int64))
    for place in range(text.targets):
        # Windows begin at multiples of half a window, the last one so that it ends with the text.
        starts = [*range(0, text.targets - length + 1, context(length)), text.targets - length]
        start = min(start for start in starts if start <= place < start + length)
        logits = model(symbols[None, start : place + 1])[0, -1]
        label = symbols[place + 1]
        assert found.nats[place] == pytest.approx(F.cross_entropy(logits, label).item(), rel=1e-9)
        assert found.right[place] == (logits.argmax() == label)


def test_the_numbers_are_what_their_names_say():
    corpora = corpora_of(TEXTS)
    scores = SymbolScores(np.linspace(1, 3, 8), np.array([1, 0, 0, 1, 1, 0, 1, 0], dtype=bool))
    found = text_scores(corpora.test, corpora.alphabet, scores)
    nats = 16 + math.log(1114112 - 3)  # seven characters and an end; and which one "é" is, of all but a, b and space
    assert (found.characters, found.bytes, found.words, found.unknown, found.next_targets) == (7, 8, 3, 1, 8)
    assert found.next_acc == 0.5
    assert found.loss == pytest.approx(2)
    assert found.nats_per_character == pytest.approx(nats / 7)
    assert found.bits_per_character == pytest.approx(nats / 7 / math.log(2))
    assert found.bits_per_byte == pytest.approx(nats / 8 / math.log(2))
    assert found.word_perplexity == pytest.approx(math.exp(nats / 3))


def test_bytes_know_every_character():
    corpora = corpora_of(TEXTS, "byte")
    assert corpora.test.targets == 9
    found = text_scores(corpora.test, corpora.alphabet, SymbolScores(np.ones(9), np.zeros(9, dtype=bool)))
    assert (found.unknown, found.next_acc, found.next_acc_han) == (0, 0, None)
    assert found.nats_per_character == pytest.approx(9 / 7)


def test_the_published_perplexity_of_characters_is_329_of_words():
    """2.95 a character is 1.562 bits, and 329 a word of 1,120,496 / 209,338 = 5.3526 characters with its space."""
    text = " ".join("a" * (5 if number % 20 < 7 else 4) for number in range(2000)) + " "
    corpora = corpora_of(["ab " * 9, "ab", text])
    assert len(text) / 2000 == pytest.approx(1_120_496 / 209_338, abs=0.003)
    nats = np.full(corpora.test.targets, 1.0828 * len(text) / corpora.test.targets)
    found = text_scores(corpora.test, corpora.alphabet, SymbolScores(nats, np.zeros(len(nats), dtype=bool)))
    assert math.exp(found.nats_per_character) == pytest.approx(2.95, abs=0.005)
    assert found.bits_per_character == pytest.approx(1.562, abs=0.0005)
    assert found.word_perplexity == pytest.approx(329, rel=0.005)


def test_words_are_not_counted_in_chinese():
    corpora = corpora_of(["天地 " * 50, "天地 天", "地 天"])
    found = text_scores(corpora.test, corpora.alphabet, SymbolScores(np.ones(4), np.zeros(4, dtype=bool)))
    assert (found.words, found.word_perplexity) == (None, None)
    assert found.next_targets_han == 2
