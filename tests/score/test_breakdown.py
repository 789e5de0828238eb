"""Breakdowns of held-out accuracy: groups, deciles, the published rule, pairs, and the answers they are made from."""

import copy
import dataclasses
import math
import re
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.characters.han import is_han
from pipeline.characters.token_classes import CLASSES, class_numbers, token_class
from pipeline.data.corpora import Encoding
from pipeline.data.held_out_questions import HeldOutQuestions
from pipeline.data.masked_pairs import PairCorpus
from pipeline.data.pairing import NOT_NEXT
from pipeline.data.splits import split_by_article
from pipeline.data.tokenizer import SEP, UNK, Tokenizer
from pipeline.files.scores import GroupSize, PairScore, PublishedRule
from pipeline.model.bert import Bert, to_device
from pipeline.model.precision import Precision
from pipeline.score.breakdown import Breakdown, Grouping, published_rule
from pipeline.score.evaluator import Evaluator
from pipeline.score.frequency_deciles import DECILES, NAMES, NOT_HAN, UNSEEN, character_deciles, text_deciles
from pipeline.score.held_out import score
from pipeline.score.pair_scores import pair_score
from pipeline.score.predictions import predict
from pipeline.train.settings import Settings
from tests.helpers.tiny import tiny_dataset

SETTINGS = Settings(layers=1, hidden=16, heads=2, ffn=32, max_positions=32, length=32, held_out=0.3, mask_rate=0.4)
HAN = np.array([False] * 5 + [True, False, True, True])  # ids 5 的, 6 ，, 7 一, 8 龘


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        ("的龘〇𠀀㐀", "han"),
        ("，。、“”《》—…·,.(%", "punctuation"),
        ("0９٣", "digits"),
        ("aZéＡｚ", "latin"),
        ("+=￥~あアαдⅣ①½℃ー", "other"),
    ],
)
def test_token_classes(characters, name):
    assert {character: token_class(character) for character in characters} == dict.fromkeys(characters, name)


def test_class_numbers_leave_special_tokens_out():
    assert class_numbers(Tokenizer(list("的，")).tokens).tolist() == [-1] * 5 + [0, 1]
    assert CLASSES[:2] == ("han", "punctuation")


counts_and_han = st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=80)


@given(counts_and_han)
def test_deciles_partition_the_han_characters(drawn):
    counts, han = (np.array(column) for column in zip(*drawn, strict=True))
    for group in (text_deciles(counts, han), character_deciles(counts, han)):
        assert ((group == NOT_HAN) == ~han).all()
        assert ((group == UNSEEN) == (han & (counts == 0))).all()
        assert group.max() <= UNSEEN
        seen = np.flatnonzero((group >= 0) & (group < DECILES))
        rising = counts[seen[np.argsort(group[seen], kind="stable")]]
        # A rarer character is never in a higher decile.
        groups_of_sorted = np.sort(group[seen])
        for number in range(1, DECILES):
            lower, higher = rising[groups_of_sorted < number], rising[groups_of_sorted >= number]
            assert not len(lower) or not len(higher) or lower.max() <= higher.min()


@given(st.integers(0, 200))
def test_character_deciles_are_equally_large(size):
    group = character_deciles(np.arange(size, 0, -1), np.ones(size, dtype=bool))
    sizes = np.bincount(group, minlength=DECILES)
    assert sizes.sum() == size
    assert sizes.max() - sizes.min() <= 1
    assert not size or group[0] == group.max()  # the most frequent character is in the highest decile there is


def test_text_deciles_hold_equal_shares_of_the_text():
    counts = np.sort(np.random.default_rng(1).integers(1, 200, 3000))[::-1]
    group = text_deciles(counts, np.ones(3000, dtype=bool))
    shares = np.bincount(group, weights=counts) / counts.sum()
    assert shares == pytest.approx(np.full(DECILES, 0.1), abs=0.001)


def test_text_deciles_by_hand():
    # 100 occurrences: 的 50 (its middle lies at 75), 一 30 (at 35), 是 18 (at 11), and two that end at 1 and 2.
    group = text_deciles(np.array([50, 30, 18, 1, 1, 0]), np.ones(6, dtype=bool))
    assert [NAMES[number] for number in group] == ["8", "4", "2", "1", "1", "unseen in training"]


@settings(max_examples=50)
@given(st.data())
def test_breakdown_against_brute_force(data):
    size = data.draw(st.integers(0, 30))
    drawn = st.lists(st.integers(5, 8), min_size=size, max_size=size)
    labels, predicted = (np.array(data.draw(drawn), dtype=np.int64) for _ in range(2))
    groups = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=size, max_size=size)), dtype=np.int64)
    losses = np.array(data.draw(st.lists(st.floats(0, 20), min_size=size, max_size=size)))
    breakdown = Breakdown(labels, HAN, {"by_class": Grouping(["a", "b", "c"], groups)})
    result = breakdown.score(predicted, losses, ~HAN[predicted])
    assert result.targets == size
    assert result.by_source == {}
    for number, name in enumerate("abc"):
        members = [index for index in range(size) if groups[index] == number]
        found = result.by_class[name]
        assert found.targets == len(members)
        described = breakdown.describe()["by_class"][name]
        assert described == GroupSize(len(members), len({labels[index] for index in members}))
        if members:
            assert found.accuracy == sum(labels[i] == predicted[i] for i in members) / len(members)
            assert found.loss == pytest.approx(sum(losses[i] for i in members) / len(members))
        else:
            assert found.accuracy is None
            assert found.loss is None
    if size:
        assert result.perplexity == pytest.approx(math.exp(losses.mean()))
        assert result.bits_per_character == pytest.approx(losses.mean() / math.log(2))
        lenient = [p == t or not (HAN[p] or HAN[t]) for p, t in zip(predicted, labels, strict=True)]
        assert result.published_rule.accuracy == sum(lenient) / size
        assert result.published_rule.targets_not_han == (labels == 6).sum()
    without = breakdown.score(predicted)
    assert (without.loss, without.perplexity, without.by_class["a"].loss) == (None, None, None)
    assert without.accuracy == result.accuracy


def test_published_rule_by_hand():
    labels = np.array([5, 5, 5, 6, 6, 6])
    predicted = np.array([5, 7, 6, 6, UNK, 5])
    assert published_rule(labels, predicted, HAN).tolist() == [True, False, False, True, True, False]


def test_published_rule_with_summed_probabilities():
    """Both targets are predicted 的; for the comma, all that is not Han is together likelier than 的."""
    breakdown = Breakdown(np.array([5, 6]), HAN, {})
    rule = breakdown.score(np.array([5, 5]), np.zeros(2), np.array([False, True])).published_rule
    assert rule == PublishedRule(targets=2, accuracy=0.5, accuracy_summed=1.0, targets_not_han=1)


def test_a_diverged_loss_is_still_json():
    result = Breakdown(np.array([5]), HAN, {}).score(np.array([5]), np.array([1e6]))
    assert result.loss == 1e6
    assert result.perplexity is None


def test_pair_score():
    result = pair_score(np.array([True, True, False, True]), np.array([False, True]))
    assert result == PairScore(
        pairs=6,
        accuracy=4 / 6,
        balanced_accuracy=(0.75 + 0.5) / 2,
        is_next=4,
        is_next_accuracy=0.75,
        not_next=2,
        not_next_accuracy=0.5,
    )
    assert pair_score(np.array([True]), np.empty(0, bool)).balanced_accuracy is None
    assert pair_score(np.empty(0, bool), np.empty(0, bool)).accuracy is None


@pytest.fixture(scope="module")
def held_out():
    """A random model, and the validation split of a tiny dataset, as the trainer and as the evaluator see it."""
    dataset = tiny_dataset(articles=200)
    splits = split_by_article(dataset, SETTINGS.held_out)
    tokenizer = Tokenizer(dataset.vocab)
    corpus = PairCorpus(dataset.sentences, splits.validation, tokenizer, SETTINGS.length, 0.15, True)
    torch.manual_seed(0)
    model = Bert(dataclasses.replace(SETTINGS.shape(len(tokenizer)), init_std=0.3))
    encoding = Encoding(dataset, tokenizer, SETTINGS.length)
    evaluator = Evaluator(encoding, splits.validation, splits.train, None)
    return model, corpus, tokenizer, evaluator


def test_predictions_against_the_logits(held_out):
    model, corpus, tokenizer, _ = held_out
    han = tokenizer.han_ids()
    batches = HeldOutQuestions(corpus, 100).batches()
    called = []
    found = predict(model, batches, han, Precision("fp32", torch.device("cpu")), lambda: called.append(1))
    assert len(called) == len(batches)
    place = 0
    for batch in batches:
        with torch.no_grad():
            inputs = to_device(batch, model.shape.heads, torch.device("cpu"))
            chances = model.eval()(inputs)[0].double().softmax(-1).numpy()
        for row, label in zip(chances, batch.labels, strict=True):
            assert found.tokens[place] == row.argmax()
            assert found.losses[place] == pytest.approx(-math.log(row[label]), abs=1e-5)
            assert found.not_han[place] == (row[~han].sum() > row[han].max())
            place += 1
    assert place == len(found.tokens)
    assert {True, False} == set(found.not_han.tolist())
    assert (found.not_han & han[found.tokens]).any()  # the sum decides somewhere, not the likeliest token


def test_no_batches_no_predictions(held_out):
    model, _, tokenizer, _ = held_out
    found = predict(model, [], tokenizer.han_ids(), Precision("fp32", torch.device("cpu")), lambda: None)
    assert [len(column) for column in vars(found).values()] == [0, 0, 0, 0]


def test_evaluator_agrees_with_the_trainers_score(held_out):
    """Order and batches are others, sequences and masks the same."""
    model, corpus, tokenizer, evaluator = held_out
    precision = Precision("fp32", torch.device("cpu"))
    batches = HeldOutQuestions(corpus).batches()
    assert len(batches) > 2
    expected = score(model, batches, tokenizer.han_ids(), precision)
    mlm, nsp, _ = evaluator.score_model(model, precision, lambda: None)
    assert (mlm.accuracy, mlm.targets) == (expected.mlm_acc, expected.mlm_targets)
    assert mlm.by_class["han"].accuracy == expected.mlm_acc_han
    assert mlm.loss == pytest.approx(expected.mlm_loss, rel=1e-6)
    assert nsp.same_source.accuracy == expected.nsp_acc
    assert nsp.same_source.pairs == nsp.any_source.pairs == expected.nsp_pairs
    assert sum(part.pairs for part in nsp.by_source.values()) == expected.nsp_pairs
    for groups in (mlm.by_text_decile, mlm.by_character_decile, mlm.by("by_script")):
        assert sum(group.targets for group in groups.values()) == expected.mlm_targets_han
        right = sum(group.accuracy * group.targets for group in groups.values() if group.targets)
        assert right / expected.mlm_targets_han == pytest.approx(expected.mlm_acc_han)
    for groups in (mlm.by_class, mlm.by_source):
        assert sum(group.targets for group in groups.values()) == expected.mlm_targets


def test_strangers_of_any_source_stand_where_those_of_the_same_source_stood(held_out):
    _, corpus, _, evaluator = held_out
    plain = {
        example: label
        for batch in HeldOutQuestions(corpus).batches()
        for example, label in zip(batch.examples, batch.next_labels, strict=True)
    }
    strangers = [example for batch in evaluator._strangers for example in batch.examples]
    assert sorted(strangers) == sorted(example for example, label in plain.items() if label == NOT_NEXT)
    assert all(not len(batch.targets) for batch in evaluator._strangers)


def source_of(text):
    """0 or 1 by the last digit of the number that a sentence of the tiny dataset ends with; None where it is masked."""
    found = re.search(r"(\d)回。$", text)
    return int(found[1]) % 2 if found else None


def test_strangers_of_any_source_come_from_any_source():
    """About as many from the other source as from the same; pairs long enough that no sentence is cut."""
    dataset = tiny_dataset(articles=200)
    splits, tokenizer = split_by_article(dataset, SETTINGS.held_out), Tokenizer(dataset.vocab)
    long = dataclasses.replace(SETTINGS, length=64, max_positions=64)
    same = []
    for batch in Evaluator(Encoding(dataset, tokenizer, long.length), splits.validation, splits.train, None)._strangers:
        for end, length in zip(np.cumsum(batch.lengths), batch.lengths, strict=True):
            ids = batch.tokens[end - length : end]
            first, second = np.flatnonzero(ids == SEP)
            a, b = (source_of(tokenizer.decode(text)) for text in (ids[1:first], ids[first + 1 : second]))
            if a is not None and b is not None:
                same.append(a == b)
    assert len(same) > 20
    assert 0.2 < np.mean(same) < 0.8


def test_the_score_against_strangers_of_any_source_is_of_the_answers_on_them(held_out):
    """By a model that takes half of them for neighbours."""
    model, _, tokenizer, evaluator = held_out
    model, precision, answers = copy.deepcopy(model).eval(), Precision("fp32", torch.device("cpu")), []
    with torch.no_grad():
        for batch in evaluator._strangers:
            answers.append(model(to_device(batch, model.shape.heads, precision.device))[1])
        model.next_sentence.bias[0] += (torch.cat(answers)[:, 1] - torch.cat(answers)[:, 0]).median() + 1e-4
    found = evaluator.score_model(model, precision, lambda: None)[1]
    told = predict(model, evaluator._strangers, tokenizer.han_ids(), precision, lambda: None).next_labels
    assert found.any_source.not_next_accuracy == (told == NOT_NEXT).mean() == pytest.approx(0.5, abs=0.1)
    assert found.any_source.is_next_accuracy == found.same_source.is_next_accuracy
    assert found.any_source.not_next_accuracy != found.same_source.not_next_accuracy


def test_frequencies_are_those_of_the_training_text(held_out):
    *_, evaluator = held_out
    dataset = tiny_dataset(articles=200)
    counted = Counter()
    for document in split_by_article(dataset, SETTINGS.held_out).train:
        counted.update("".join(dataset.sentences[document.start : document.start + document.count]))
    han = [count for character, count in counted.items() if is_han(character)]
    for kind, groups in evaluator.groups().items():
        if kind in ("by_text_decile", "by_character_decile"):
            filled = [group for group in groups.values() if group.training_characters]
            assert sum(group.training_characters for group in filled) == len(han)
            assert filled[0].lowest_frequency == min(han)
            assert filled[-1].highest_frequency == max(han)


def test_targets_are_given_to_the_source_of_their_text(held_out):
    """The two sources of the tiny dataset have articles of odd and of even numbers, which the texts name."""
    _, corpus, _, evaluator = held_out
    counted = dict.fromkeys(corpus.sources, 0)
    for batch in HeldOutQuestions(corpus).batches():
        sequence = np.repeat(np.arange(len(batch.lengths)), batch.lengths)
        for target in batch.targets:
            counted[corpus.sources[corpus.source[corpus.first[batch.examples[sequence[target]]]]]] += 1
    assert {name: group.targets for name, group in evaluator.groups()["by_source"].items()} == counted
    assert all(counted.values())
