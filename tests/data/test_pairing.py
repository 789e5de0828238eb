"""Pairs of sentences: true neighbours and strangers, told apart by nothing but their text."""

import numpy as np
import pytest

from pipeline.data.pairing import IS_NEXT, NO_PAIR, NOT_NEXT, PairMaker

# Sentences of each article, all of one source. A pair needs two sentences in a row.
SHAPES = {
    "20 equal articles": [200] * 20,
    "one of 1,000 and 19 of 50": [1000] + [50] * 19,
    "five unequal ones": [700, 300, 150, 60, 20],
    "5,000 and 500": [5000, 500],
    "3,000 and 30": [3000, 30],
}
LABELLED = 20_000


def corpus_of(counts, sources=1):
    """The arguments of a PairMaker for articles of so many sentences; sources alternate."""
    page = np.repeat(np.arange(len(counts)), counts)
    last = np.cumsum(counts) - 1
    first = np.setdiff1d(np.arange(len(page)), last)
    return first, np.ones(len(first), dtype=bool), page, page % sources


def drawn(arguments, least):
    """A of each labelled pair, B, and the label, over as many epochs as give ``least`` pairs; and the first epoch."""
    first, maker, random = arguments[0], PairMaker(*arguments), np.random.default_rng(3)
    epochs = [maker.draw(random) for _ in range(-(-least // maker.labelled))]
    labels = np.concatenate([epoch.labels for epoch in epochs])
    b = np.concatenate([epoch.second for epoch in epochs])
    a = np.tile(first, len(epochs))
    has_label = labels != NO_PAIR
    return a[has_label], b[has_label], labels[has_label], epochs[0], maker


def best_guess(feature, labels):
    """The accuracy on one half of the pairs of guessing by the label that a value of ``feature`` has most on the other.

    The halves are drawn; a value that was not seen is guessed as IS_NEXT.
    """
    learn = np.random.default_rng(5).random(len(labels)) < 0.5
    values, number = np.unique(feature, return_inverse=True)
    votes = np.bincount(number[learn], weights=np.where(labels[learn] == IS_NEXT, 1.0, -1.0), minlength=len(values))
    guess = np.where(votes >= 0, IS_NEXT, NOT_NEXT)[number]
    return float(np.mean(guess[~learn] == labels[~learn])), int((~learn).sum())


@pytest.mark.parametrize("counts", SHAPES.values(), ids=SHAPES)
def test_no_single_feature_tells_the_label(counts):
    """Within five standard errors of a fair coin, by guesses that were learnt on other pairs."""
    arguments = corpus_of(counts)
    page = arguments[2]
    place = np.concatenate([np.arange(count) for count in counts])
    length = np.random.default_rng(1).integers(5, 40, len(page)) + 30 * (place == 0) + 5 * (page % 3)
    a, b, labels, *_ = drawn(arguments, 2 * LABELLED)
    features = {"article": page, "length": length, "place": place, "tenth of the article": 10 * place // (page + 1)}
    for name, feature in features.items():
        for side, chosen in (("A", a), ("B", b)):
            accuracy, count = best_guess(feature[chosen], labels)
            assert count >= 0.45 * 2 * LABELLED
            assert abs(accuracy - 0.5) < 5 * 0.5 / np.sqrt(count), (name, side, accuracy)


@pytest.mark.parametrize("counts", SHAPES.values(), ids=SHAPES)
def test_every_article_has_as_many_false_pairs_as_true_ones(counts):
    arguments = corpus_of(counts)
    *_, epoch, maker = drawn(arguments, 1)
    page_of_pair = arguments[2][arguments[0]]
    is_next, not_next = (np.bincount(page_of_pair[epoch.labels == label], minlength=len(counts)) for label in (0, 1))
    assert is_next.tolist() == not_next.tolist()
    # Also by the article that B is of.
    of_b = [np.bincount(arguments[2][epoch.second[epoch.labels == label]], minlength=len(counts)) for label in (0, 1)]
    assert of_b[0].tolist() == of_b[1].tolist()
    assert (epoch.labels != NO_PAIR).sum() == maker.labelled == 2 * is_next.sum()
    assert (epoch.labels == NO_PAIR).sum() == maker.unlabelled


@pytest.mark.parametrize(
    ("counts", "labelled"),
    [([201] * 20, 4000), ([200] * 20, 3960), ([1001] + [51] * 19, 2 * (475 + 475)), ([3001, 31], 60), ([500], 0)],
)
def test_what_cannot_be_balanced_has_no_label_and_is_counted(counts, labelled):
    """Half of the pairs of every article, and of the largest as many as of all others together."""
    maker = PairMaker(*corpus_of(counts))
    assert maker.labelled == labelled
    assert maker.unlabelled == sum(count - 1 for count in counts) - labelled


def test_true_pairs_are_neighbours_and_false_ones_of_another_article_of_the_source():
    arguments = corpus_of([30, 12, 7, 40, 25, 9], sources=2)
    page, source = arguments[2:]
    a, b, labels, epoch, _ = drawn(arguments, 500)
    is_next = labels == IS_NEXT
    assert (b[is_next] == a[is_next] + 1).all()
    assert (page[a[~is_next]] != page[b[~is_next]]).all()
    assert (source[a] == source[b]).all()
    assert is_next.mean() == 0.5
    unlabelled = epoch.labels == NO_PAIR
    assert (epoch.second[unlabelled] == arguments[0][unlabelled] + 1).all()


def test_an_article_in_pieces_is_one_article():
    page = np.repeat([0, 1, 0, 1], 10)
    first = np.setdiff1d(np.arange(40), [9, 19, 29, 39])
    a, b, labels, *_ = drawn((first, np.ones(36, dtype=bool), page, np.zeros(40, dtype=int)), 500)
    assert (page[a] != page[b]).tolist() == (labels == NOT_NEXT).tolist()


def test_a_sentence_without_a_neighbour_has_no_pair():
    first, paired, page, source = corpus_of([10, 10, 10])
    paired = np.arange(len(first)) % 3 != 0
    epoch = PairMaker(first, paired, page, source).draw(np.random.default_rng(0))
    assert set(epoch.labels[~paired]) == {NO_PAIR}
    assert set(epoch.labels[paired]) == {IS_NEXT, NOT_NEXT}


def test_without_pairs_there_are_no_labels():
    maker = PairMaker(np.arange(3), np.zeros(3, dtype=bool), np.arange(3), np.zeros(3, dtype=int))
    assert (maker.labelled, maker.unlabelled) == (0, 0)
    epoch = maker.draw(np.random.default_rng(0))
    assert epoch.labels.tolist() == [NO_PAIR] * 3
    assert maker.strangers(epoch, np.random.default_rng(0)).labels.tolist() == [NO_PAIR] * 3


def test_another_epoch_leaves_out_other_pairs_and_draws_other_strangers():
    maker, random = PairMaker(*corpus_of([11, 14, 8, 21])), np.random.default_rng(0)
    one, two = maker.draw(random), maker.draw(random)
    assert not np.array_equal(one.labels, two.labels)
    assert not np.array_equal(one.second, two.second)
    assert np.array_equal(maker.draw(np.random.default_rng(0)).second, one.second)


def test_strangers_of_any_source_come_from_all_sources_alike():
    arguments = corpus_of([60] * 40, sources=4)
    page, source = arguments[2:]
    maker, random = PairMaker(*arguments), np.random.default_rng(0)
    pairing = maker.draw(random)
    strangers = maker.strangers(pairing, random)
    false = pairing.labels == NOT_NEXT
    assert np.array_equal(strangers.labels == NOT_NEXT, false)
    assert set(strangers.labels[~false]) == {NO_PAIR}
    a, b = arguments[0][false], strangers.second[false]
    assert (page[a] != page[b]).all()
    assert 0.15 < np.mean(source[a] == source[b]) < 0.35
    assert np.array_equal(np.sort(b), np.sort(pairing.second[false]))
