"""What held-out text is asked: the same for every run, each sequence once, enough of it at a record."""

import dataclasses

import numpy as np
import pytest

from pipeline.data.held_out_questions import SEQUENCES, HeldOutQuestions, counts, digest, first_with_targets
from pipeline.data.masked_pairs import PairCorpus
from pipeline.data.pairing import IS_NEXT, NO_PAIR, NOT_NEXT
from pipeline.data.tokenizer import Tokenizer
from pipeline.files.dataset import Document
from tests.helpers.tiny import tiny_dataset

DATASET = tiny_dataset(articles=90)
TOKENIZER = Tokenizer(DATASET.vocab)


def corpus(length=64):
    return PairCorpus(DATASET.sentences, DATASET.documents, TOKENIZER, length, 0.15, True)


def test_each_sequence_is_asked_once_and_always_the_same():
    one, two = HeldOutQuestions(corpus()).batches(), HeldOutQuestions(corpus()).batches()
    assert digest(one) == digest(two)
    assert [len(batch.lengths) for batch in one[:-1]] == [SEQUENCES] * (len(one) - 1)
    assert len(one) > 2
    assert sorted(np.concatenate([batch.examples for batch in one])) == list(range(len(corpus())))


def test_every_batch_draws_its_own_masks():
    documents = [Document("", 0, None, None, "", "", 0, 3 * SEQUENCES)]
    text = ["天地" * 10] * (3 * SEQUENCES)
    batches = HeldOutQuestions(PairCorpus(text, documents, Tokenizer(["天", "地"]), 64, 0.15, False)).batches()
    assert len({tuple(batch.targets) for batch in batches}) == len(batches) == 3


def test_fewer_examples_are_the_first_of_all():
    every, few = HeldOutQuestions(corpus()).batches(), HeldOutQuestions(corpus(), 100).batches()
    assert digest(few[:1]) == digest(every[:1])
    examples = np.concatenate([batch.examples for batch in few])
    assert examples.tolist() == np.concatenate([batch.examples for batch in every])[:100].tolist()


def test_a_digest_tells_every_question_apart():
    batches = HeldOutQuestions(corpus()).batches()
    for name in ("lengths", "tokens", "segments", "targets", "labels", "next_labels"):
        column = getattr(batches[1], name).copy()
        column[3] += 1
        assert digest([batches[0], dataclasses.replace(batches[1], **{name: column}), *batches[2:]]) != digest(batches)
    assert digest(HeldOutQuestions(corpus(length=40)).batches()) != digest(batches)


def test_strangers_are_the_false_pairs_with_other_second_sentences():
    questions = HeldOutQuestions(corpus())
    asked, strangers = (dict(pairs_of(batches)) for batches in (questions.batches(), questions.strangers()))
    false = {example for example, (label, _) in asked.items() if label == NOT_NEXT}
    assert {example for example, (label, _) in strangers.items() if label == NOT_NEXT} == false
    assert {label for label, _ in strangers.values()} == {NOT_NEXT, NO_PAIR}
    moved = [example for example in false if strangers[example][1] != asked[example][1]]
    assert len(moved) > len(false) / 2
    assert all(strangers[example][1] == asked[example][1] for example in asked if example not in false)
    assert {label for label, _ in asked.values()} == {IS_NEXT, NOT_NEXT, NO_PAIR}


def pairs_of(batches):
    """(example, (label, the ids of its second sentence)), the true ids at the masks."""
    for batch in batches:
        true = batch.tokens.copy()
        true[batch.targets] = batch.labels
        for row, end in enumerate(np.cumsum(batch.lengths)):
            part = slice(end - batch.lengths[row], end)
            second = true[part][batch.segments[part] == 1]
            yield batch.examples[row], (batch.next_labels[row], tuple(second))


@pytest.mark.parametrize("targets", [1, 300, 900])
def test_a_record_is_scored_on_the_fewest_batches_that_hold_enough_targets(targets):
    batches = HeldOutQuestions(corpus()).batches()
    some = first_with_targets(batches, targets)
    assert digest(some) == digest(batches[: len(some)])
    assert sum(len(batch.labels) for batch in some) >= targets > sum(len(batch.labels) for batch in some[:-1])
    assert len(first_with_targets(batches, 10**9)) == len(batches)
    assert first_with_targets([], 5) == []


def test_counts_are_over_all_batches():
    batches = HeldOutQuestions(corpus()).batches()
    labels = np.concatenate([batch.labels for batch in batches])
    han = TOKENIZER.han_ids()
    assert counts(batches, han) == {
        "mlm_targets": len(labels),
        "mlm_targets_han": int(han[labels].sum()),
        "nsp_pairs": corpus().pair_maker.labelled,
    }
    assert 0 < han[labels].sum() < len(labels)
