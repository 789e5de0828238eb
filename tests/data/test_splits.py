"""The split into training, validation and test."""

import dataclasses
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.data import splits as splitting
from pipeline.data.splits import split_by_article
from pipeline.files.dataset import Dataset, Document

SHARE = 0.1
CHARACTERS = [chr(code) for code in range(0x4E00, 0x4E00 + 2000)]


def sentence(rng, length=20):
    return "".join(rng.choices(CHARACTERS, k=length))


def dataset_of(titles, seed=0, pieces=2):
    """An article for each title, each in ``pieces`` documents of two random sentences."""
    sentences, documents = [], []
    for page, title in enumerate(titles):
        rng = random.Random(f"{seed} {title} {page if not title else ''}")
        for _ in range(pieces):
            documents.append(Document(title, page, None, None, "", "自撰", len(sentences), 2))
            sentences += [sentence(rng), sentence(rng)]
    return Dataset(sentences, ["一"], documents)


def titles_of(documents):
    return {document.title for document in documents}


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 60), st.integers(0, 1000), st.booleans(), st.sampled_from([0.02, 0.1, 0.3, 0.5]))
@example(3, 983, False, 0.3)  # all three articles hash below the share
def test_every_document_is_in_one_place_and_no_article_on_two_sides(articles, seed, titled, share):
    dataset = dataset_of([f"第{number}篇{seed}" if titled else "" for number in range(articles)], seed)
    splits = split_by_article(dataset, share)
    parts = [splits.train, splits.validation, splits.test, splits.repeats]
    assert sorted(document.start for part in parts for document in part) == [d.start for d in dataset.documents]
    pages = [{document.page for document in part} for part in parts[:3]]
    assert not pages[0] & pages[1]
    assert not pages[0] & pages[2]
    assert not pages[1] & pages[2]
    assert all(pages)
    assert not splits.repeats


def test_shares_are_about_what_was_asked_for():
    splits = split_by_article(dataset_of([f"第{number}篇" for number in range(2000)], pieces=1), SHARE)
    for part in (splits.validation, splits.test):
        assert 150 < len(part) < 250  # 200 expected; five standard deviations are 67


def test_an_article_keeps_its_place_when_others_are_added():
    few = [f"第{number}篇" for number in range(100)]
    many = [title for number in range(100) for title in (f"新{number}", f"第{number}篇")]
    before = split_by_article(dataset_of(few), SHARE)
    after = split_by_article(dataset_of(many), SHARE)
    for name in ("train", "validation", "test"):
        assert titles_of(getattr(before, name)) == titles_of(getattr(after, name)) & set(few)


def test_an_untitled_article_goes_by_its_text():
    dataset = dataset_of([""] * 100)
    splits = split_by_article(dataset, SHARE)
    held = {dataset.sentences[document.start] for document in splits.validation}
    moved = dataset_of(["新"] * 7 + [""] * 100)  # the same texts under other page numbers
    for document in moved.documents[14:]:
        at = document.start - 28
        moved.sentences[document.start : document.start + 2] = dataset.sentences[at : at + 2]
    again = split_by_article(moved, SHARE)
    assert {moved.sentences[d.start] for d in again.validation if not d.title} == held


def test_articles_of_one_name_are_on_one_side():
    # A small dataset takes the lowest article for validation; its namesake must not be taken for test.
    for name in "天地人山水":
        splits = split_by_article(dataset_of([name, name, "甲", "乙"]), 1e-9)
        placed = [part for part in (splits.train, splits.validation, splits.test) if name in titles_of(part)]
        assert len(placed) == 1


@pytest.fixture(scope="module")
def dataset():
    return dataset_of([f"第{number}篇" for number in range(100)], pieces=1)


def with_sentences(dataset, *sentences):
    """``dataset`` and one more article, the first title from 新0 on that falls into training."""
    for number in range(100):
        document = Document(f"新{number}", 1000, None, None, "", "自撰", len(dataset.sentences), len(sentences))
        grown = Dataset([*dataset.sentences, *sentences], dataset.vocab, [*dataset.documents, document])
        splits = split_by_article(grown, SHARE)
        if document in splits.train + splits.repeats:
            return document, splits
    raise AssertionError("no title falls into training")


@pytest.mark.parametrize("side", ["validation", "test"])
def test_a_near_repeat_of_held_out_text_is_dropped_from_training(dataset, side):
    held = getattr(split_by_article(dataset, SHARE), side)[0]
    one, two = dataset.sentences[held.start : held.start + 2]
    near = one[:9] + "〇" + one[10:], two + "〇〇"
    document, splits = with_sentences(dataset, *near)
    assert splits.repeats == [document]


def test_what_shares_less_than_half_stays(dataset):
    held = split_by_article(dataset, SHARE).validation[0]
    fresh = sentence(random.Random(1), 30)
    document, splits = with_sentences(dataset, dataset.sentences[held.start], fresh)
    assert document in splits.train
    assert splits.repeats == []


def test_shingles_do_not_reach_over_a_sentence_end(dataset):
    held = split_by_article(dataset, SHARE).validation[0]
    text = dataset.sentences[held.start]
    short_pieces = [text[at : at + 7] for at in range(0, 20, 7)]
    document, splits = with_sentences(dataset, *short_pieces)
    assert document in splits.train


def test_without_documents_every_sentence_is_an_article():
    rng = random.Random(3)
    sentences = [sentence(rng) for _ in range(300)]
    splits = split_by_article(Dataset(sentences, ["一"]), SHARE)
    parts = [splits.train, splits.validation, splits.test]
    assert sorted(document.start for part in parts for document in part) == list(range(300))
    assert all(len(part) > 10 for part in parts)


@pytest.mark.parametrize("portion", [1, 7, 1000])
def test_taking_documents_in_portions_changes_nothing(dataset, portion, monkeypatch):
    held = split_by_article(dataset, SHARE).test
    repeated = [dataset.sentences[document.start] for document in held]
    monkeypatch.setattr(splitting, "DOCUMENTS_AT_ONCE", portion)
    document, splits = with_sentences(dataset, *repeated)
    assert splits.repeats == [document]
    assert splits.train == split_by_article(dataset, SHARE).train


def test_short_sentences_repeat_too(dataset):
    """A sentence of fewer than eight characters counts as a whole."""
    documents = [dataclasses.replace(document) for document in dataset.documents]
    held = split_by_article(dataset, SHARE).validation[0]
    sentences = list(dataset.sentences)
    sentences[held.start] = "天地玄黄。"
    changed = Dataset(sentences, dataset.vocab, documents)
    document, splits = with_sentences(changed, "天地玄黄。")
    assert splits.repeats == [document]
    document, splits = with_sentences(changed, "天地玄黄")
    assert document in splits.train
