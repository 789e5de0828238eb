"""The data of each step: layout, masking, pairs, truncation, and that it is a pure function of seed and step."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.corpora import build_corpora
from pipeline.data.masked_pairs import PairCorpus, TrainingBatches, generator, split_batch
from pipeline.data.pairing import NO_PAIR, Pairing
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, MASK, SEP, UNK, Tokenizer
from pipeline.files.dataset import Document
from tests.helpers.tiny import tiny_dataset

DATASET = tiny_dataset()
TOKENIZER = Tokenizer(DATASET.vocab)
INDEX = {text: number for number, text in enumerate(DATASET.sentences)}  # no sentence stands there twice
PAGE = {s: d.page for d in DATASET.documents for s in range(d.start, d.start + d.count)}
SOURCE = {s: d.source for d in DATASET.documents for s in range(d.start, d.start + d.count)}
FIRSTS = {d.start for d in DATASET.documents}
LASTS = {d.start + d.count - 1 for d in DATASET.documents}


def corpus(length=64, mask_rate=0.15, next_sentence=True, tokenizer=TOKENIZER, documents=DATASET.documents):
    return PairCorpus(DATASET.sentences, documents, tokenizer, length, mask_rate, next_sentence)


def all_of(pairs, seed=0, passes=1):
    """A batch of every example, ``passes`` times over, each time with other pairs."""
    random = generator(seed, 0, 0)
    drawn = [pairs.pair_maker.draw(random) for _ in range(passes)]
    pairing = Pairing(
        *(np.concatenate(column) for column in zip(*(vars(each).values() for each in drawn), strict=True))
    )
    return pairs.batch(np.tile(np.arange(len(pairs)), passes), pairing, random)


def sequences(batch):
    """Each sequence as its true ids, what the model sees, which are targets, segments, positions."""
    true = batch.tokens.copy()
    true[batch.targets] = batch.labels
    is_target = np.zeros(len(true), dtype=bool)
    is_target[batch.targets] = True
    ends = np.cumsum(batch.lengths)
    columns = (true, batch.tokens, is_target, batch.segments, batch.positions)
    return [
        tuple(column[end - length : end] for column in columns) for end, length in zip(ends, batch.lengths, strict=True)
    ]


def texts_of(true):
    """The text between the special tokens of one sequence: A, and B where there is one."""
    separators = np.flatnonzero(true == SEP)
    starts = [0, *separators[:-1]]
    return [TOKENIZER.decode(true[start + 1 : end]) for start, end in zip(starts, separators, strict=True)]


# --- layout and pairs -----------------------------------------------------------------------------


def test_layout():
    batch = all_of(corpus())
    assert batch.lengths.sum() == len(batch.tokens)
    for true, _, is_target, segments, positions in sequences(batch):
        separators = np.flatnonzero(true == SEP).tolist()
        assert true[0] == CLS
        assert np.count_nonzero(true == CLS) == 1
        assert len(separators) in (1, 2)
        assert separators[-1] == len(true) - 1
        assert positions.tolist() == list(range(len(true)))
        assert segments.tolist() == [0] * (separators[0] + 1) + [1] * (len(true) - 1 - separators[0])
        assert is_target.any()


def test_without_next_sentence_every_sentence_is_an_example():
    batch = all_of(corpus(next_sentence=False))
    assert set(batch.next_labels) == {NO_PAIR}
    assert [texts_of(true) for true, *_ in sequences(batch)] == [[text] for text in DATASET.sentences]
    assert not batch.segments.any()


# --- masking ----------------------------------------------------------------------------------------


def test_specials_and_unknown_characters_are_never_targets_and_the_count_is_exact():
    tokenizer = Tokenizer(DATASET.vocab[:20])  # so that many characters are [UNK]
    batch = all_of(corpus(tokenizer=tokenizer, mask_rate=0.3))
    assert np.count_nonzero(batch.tokens == UNK) > 100
    assert batch.labels.min() >= FIRST_CHARACTER
    for true, seen, is_target, *_ in sequences(batch):
        maskable = np.count_nonzero(true >= FIRST_CHARACTER)
        assert is_target.sum() == (max(np.rint(0.3 * maskable), 1) if maskable else 0)
        assert (seen == true)[~is_target].all()


def test_a_sequence_of_unknown_characters_has_no_target():
    pairs = PairCorpus(["天天"], [Document("", 0, None, None, "", "", 0, 1)], Tokenizer(["地"]), 16, 0.15, True)
    batch = all_of(pairs)
    assert batch.tokens.tolist() == [CLS, UNK, UNK, SEP]
    assert len(batch.targets) == len(batch.labels) == 0


def test_eighty_ten_ten():
    sentences = ["天地地天" * 10] * 500
    document = Document("", 0, None, None, "", "", 0, 500)
    batch = all_of(PairCorpus(sentences, [document], Tokenizer(["天", "地"]), 64, 0.5, False), passes=5)
    seen, labels = batch.tokens[batch.targets], batch.labels
    assert len(labels) == 50_000
    assert set(seen) == {MASK, FIRST_CHARACTER, FIRST_CHARACTER + 1}
    # A random character is one of two, so half of those 10 % are the true one.
    for share, expected in ((seen == MASK, 0.8), ((seen != MASK) & (seen != labels), 0.05), (seen == labels, 0.15)):
        assert abs(share.mean() - expected) < 5 * np.sqrt(expected * (1 - expected) / len(labels))


def test_a_random_character_may_be_any():
    batch = all_of(corpus(mask_rate=0.5), passes=60)
    seen = batch.tokens[batch.targets]
    drawn = set(seen[(seen != MASK) & (seen != batch.labels)])
    assert drawn == set(range(FIRST_CHARACTER, len(TOKENIZER)))


def test_every_place_is_masked_alike():
    """Not more often near the start or the end of a sequence."""
    batch = all_of(corpus(mask_rate=0.15), passes=100)
    places = np.concatenate([np.flatnonzero(is_target) / len(true) for true, _, is_target, *_ in sequences(batch)])
    free = np.concatenate([np.flatnonzero(true >= FIRST_CHARACTER) / len(true) for true, *_ in sequences(batch)])
    assert abs(places.mean() - free.mean()) < 5 * free.std() / np.sqrt(len(places))


def test_held_out_text_is_masked_alike_in_every_run():
    made = build_corpora(DATASET, Path("dataset.json"), length=64, mask_rate=0.4, held_out=0.2)
    shares = {}
    for name in ("train", "validation", "test"):
        batch = all_of(getattr(made, name))
        shares[name] = len(batch.labels) / (batch.tokens >= MASK).sum()
    assert shares == pytest.approx({"train": 0.4, "validation": 0.15, "test": 0.15}, abs=0.03)


# --- truncation -------------------------------------------------------------------------------------


def cut_longest_first(a, b, room):
    while a + b > room:
        if a > b:
            a -= 1
        else:
            b -= 1
    return a, b


@given(st.integers(1, 40), st.integers(1, 40), st.integers(5, 50))
def test_the_longer_sentence_is_cut_first(a, b, length):
    sentences = ["天" * a, "地" * b]
    tokenizer = Tokenizer(["天", "地"])
    pair = PairCorpus(sentences, [Document("", 0, None, None, "", "", 0, 2)], tokenizer, length, 0.15, True)
    [(true, *_)] = sequences(all_of(pair))
    expected = cut_longest_first(a, b, length - 3)
    assert (np.count_nonzero(true == 5), np.count_nonzero(true == 6)) == expected
    alone = PairCorpus(sentences[:1], [Document("", 0, None, None, "", "", 0, 1)], tokenizer, length, 0.15, True)
    [(true, *_)] = sequences(all_of(alone))
    assert len(true) == min(a, length - 2) + 2


def test_what_is_cut_is_the_end():
    batch = all_of(corpus(length=20))
    assert batch.lengths.max() == 20
    for true, *_ in sequences(batch):
        for kept in texts_of(true):
            assert any(text.startswith(kept) for text in DATASET.sentences)


# --- order --------------------------------------------------------------------------------------------


def same(one, two):
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in vars(one))


def test_a_batch_depends_on_seed_and_step_only():
    pairs = corpus()
    straight = TrainingBatches(pairs, 16, seed=42)
    in_order = [straight[step] for step in range(1, 31)]
    for step in (30, 1, 17, 16):
        assert same(TrainingBatches(corpus(), 16, seed=42)[step], in_order[step - 1])
        assert same(straight[step], in_order[step - 1])
        assert not same(TrainingBatches(pairs, 16, seed=43)[step], in_order[step - 1])


def test_more_than_a_batch_is_the_coming_batches():
    batches = TrainingBatches(corpus(), 4, seed=42)
    coming = np.concatenate([batches[step].examples for step in range(3, 11)])
    assert batches.from_step(3, 32).examples.tolist() == coming.tolist()
    assert same(batches.from_step(3, 4), batches[3])


def test_every_step_draws_its_own_masks():
    documents = [Document("", 0, None, None, "", "", 0, 20)]
    pairs = PairCorpus(["天地" * 10] * 20, documents, Tokenizer(["天", "地"]), 64, 0.15, False)
    batches = TrainingBatches(pairs, 20, seed=0)
    assert len({tuple(batches[step].targets) for step in range(1, 6)}) == 5


@settings(max_examples=20)
@given(batch_size=st.integers(1, 300), seed=st.integers(0, 100))
def test_an_epoch_shows_every_example_once(batch_size, seed):
    pairs = corpus()
    batches = TrainingBatches(pairs, batch_size, seed)
    steps = -(-3 * len(pairs) // batch_size)
    shown = np.concatenate([batches[step].examples for step in range(1, steps + 1)])
    epochs = [shown[n * len(pairs) : (n + 1) * len(pairs)] for n in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(len(pairs)))
    assert not np.array_equal(epochs[0], epochs[1])


@given(st.integers(1, 40), st.integers(1, 50))
def test_micro_batches_keep_everything(size, parts):
    batch = TrainingBatches(corpus(), size, seed=3)[2]

    def contents(batches):
        return sorted(
            (int(example), int(label), *(tuple(column.tolist()) for column in sequence))
            for part in batches
            for sequence, example, label in zip(sequences(part), part.examples, part.next_labels, strict=True)
        )

    micro = split_batch(batch, parts)
    assert contents(micro) == contents([batch])
    assert len(micro) == min(parts, size)
    sizes = [len(part.lengths) for part in micro]
    assert max(sizes) - min(sizes) <= 1


def test_micro_batches_hold_sequences_of_like_length():
    micro = split_batch(all_of(corpus()), 4)
    for shorter, longer in itertools.pairwise(micro):
        assert shorter.lengths.max() <= longer.lengths.min()


@pytest.mark.parametrize("step", [1, 2])
def test_streams_do_not_share_numbers(step):
    draws = {tuple(generator(seed, stream, step).random(4)) for seed in (0, 1) for stream in range(4)}
    assert len(draws) == 8
