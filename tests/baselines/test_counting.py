import numpy as np
import pytest

from pipeline.baselines import counting
from pipeline.baselines.counting import CountingGuesses
from pipeline.data.masked_pairs import Batch, PairCorpus
from pipeline.data.tokenizer import CLS, MASK, SEP, Tokenizer
from pipeline.files.dataset import Dataset, Document


@pytest.fixture
def fitted():
    """Trained on 甲乙丙, 甲乙丙, 丁乙戊, 丙丙: after 甲 comes 乙, between 丁 and 戊 comes 乙, and so on."""
    tokenizer = Tokenizer(list("丙乙甲丁戊"))
    dataset = Dataset(["甲乙丙", "甲乙丙", "丁乙戊", "丙丙"], [], [Document("", 0, None, None, "", "", 0, 4)])
    return tokenizer, CountingGuesses(PairCorpus(dataset.sentences, dataset.documents, tokenizer, 16, 0.15, True))


def guess_at(fitted, left, right):
    tokenizer, guesses = fitted
    ids = {character: identifier for identifier, character in enumerate(tokenizer.tokens)}
    tokens = np.array([CLS, ids.get(left, left), MASK, ids.get(right, right), SEP])
    none = np.zeros(0, dtype=np.int64)
    batch = Batch(tokens, none, none, np.array([5]), np.array([2]), np.array([0]), none, none)
    return {name: tokenizer.tokens[int(answer[0])] for name, answer in guesses.guess(batch).items()}


def test_guesses(fitted):
    assert guess_at(fitted, "甲", "丙") == {"commonest": "丙", "left": "乙", "both": "乙"}
    assert guess_at(fitted, "丁", "戊")["both"] == "乙"


def test_a_masked_neighbour_tells_nothing(fitted):
    guess = guess_at(fitted, MASK, MASK)
    assert guess == {"commonest": "丙", "left": "丙", "both": "丙"}


def test_backing_off_to_the_better_supported_side(fitted):
    """甲 _ 戊 was never seen: 甲 is always followed by 乙, and 戊 always preceded by 乙."""
    assert guess_at(fitted, "甲", "戊")["both"] == "乙"
    assert guess_at(fitted, MASK, "戊") == {"commonest": "丙", "left": "丙", "both": "乙"}


def test_sentence_ends_are_neighbours(fitted):
    assert guess_at(fitted, SEP, "乙")["both"] == "甲"


def test_accuracies_count_han_apart():
    tokenizer = Tokenizer(list("。甲乙"))
    documents = [Document("", 0, None, None, "", "", 0, 2)]
    corpus = PairCorpus(["甲。", "乙。"], documents, tokenizer, 16, 0.15, True)
    point, first = 5, 6
    none = np.zeros(0, dtype=np.int64)
    tokens = np.array([CLS, first, MASK, SEP, MASK, point, SEP])
    batch = Batch(tokens, none, none, np.array([7]), np.array([2, 4]), np.array([point, first]), none, none)
    accuracies = CountingGuesses(corpus).accuracies([batch], tokenizer.han_ids())
    assert accuracies["commonest"] == {"all": 0.5, "han": 0.0}
    assert accuracies["left"] == {"all": 1.0, "han": 1.0}


def test_counting_in_portions_changes_nothing(monkeypatch):
    random = np.random.default_rng(0)
    tokenizer = Tokenizer(list("丙乙甲丁戊"))
    sentences = ["".join(random.choice(list("丙乙甲丁戊？"), random.integers(0, 9))) for _ in range(200)]
    corpus = PairCorpus(sentences, [Document("", 0, None, None, "", "", 0, 200)], tokenizer, 16, 0.15, True)
    seen = np.array(np.meshgrid(np.arange(10), np.arange(10))).reshape(2, -1)
    tokens = np.stack([seen[0], np.full(100, MASK), seen[1]], axis=1).ravel()
    none = np.zeros(0, dtype=np.int64)
    batch = Batch(tokens, none, none, none, np.arange(100) * 3 + 1, none, none, none)
    whole = CountingGuesses(corpus).guess(batch)
    for portion in (1, 7, 100):
        monkeypatch.setattr(counting, "SENTENCES_AT_ONCE", portion)
        portions = CountingGuesses(corpus).guess(batch)
        assert all((portions[name] == whole[name]).all() for name in counting.GUESSES)
