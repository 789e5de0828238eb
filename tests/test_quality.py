"""The judgement: each check measures what it says, and fails on a dataset with that one fault."""

from dataclasses import replace

import pytest

from pipeline.collect.quality import CHECKS, judge, lacks
from pipeline.corpus import Dataset, Document, build_vocab, count_characters
from tests.tiny import tiny_dataset

LENIENT = {check.name: 0 if check.minimum else check.threshold for check in CHECKS}


def good():
    dataset = tiny_dataset()
    dataset.sentences = [f"{sentence}{number}" for number, sentence in enumerate(dataset.sentences)]
    return refreshed(dataset)


def refreshed(dataset):
    """``dataset`` with the vocabulary that its sentences ask for."""
    dataset.vocab = build_vocab(count_characters(dataset.sentences), 1)
    dataset.metadata = {"min_freq": 1}
    return dataset


def values(dataset, **thresholds):
    return {verdict.name: verdict.value for verdict in judge(dataset, {**LENIENT, **thresholds})}


def failing(dataset, **thresholds):
    """Names of the checks that fail; underscores for hyphens in ``thresholds``."""
    given = {name.replace("_", "-"): value for name, value in thresholds.items()}
    return [verdict.name for verdict in judge(dataset, {**LENIENT, **given}) if not verdict.passed]


def test_a_good_dataset_passes():
    assert failing(good()) == []


def test_what_is_measured():
    sentences = ["天地，人 a。", "天地天天天。", "山ok"]
    documents = [Document("", 4, None, None, "", "", 0, 2), Document("", 4, None, None, "", "", 2, 1)]
    dataset = Dataset(sentences, ["天", "。", "地"], documents, {"min_freq": 2})
    assert values(dataset) == {
        "sentences": 3,
        "han": 4,
        "common-han": 1,  # 天
        "mean-length": (7 + 6 + 3) / 3,
        "longest": 7,
        "duplicates": 0,
        "han-share": 9 / 15,
        "markup": 0,
        "broken": 0,
        "vocab-errors": 0,
        "unknown": pytest.approx(6 / 15),
        "articles": 1,
        "pairs": 1,
    }


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_threshold_just_missed_fails_and_just_met_passes(check):
    dataset = good()
    value = values(dataset)[check.name]
    beyond = value + 1e-9 if check.minimum else value - 1e-9
    assert [v.passed for v in judge(dataset, {check.name: value}) if v.name == check.name] == [True]
    assert [v.passed for v in judge(dataset, {check.name: beyond}) if v.name == check.name] == [False]


@pytest.mark.parametrize(
    ("sentence", "check"),
    [
        ("他见过[[旧桥]]两次。", "markup"),
        ("他见过{{旧桥}}两次。", "markup"),
        ("他见过<br>旧桥两次。", "markup"),
        ("他见过</ref>旧桥两次。", "markup"),
        ("他见过-{zh-hans:旧桥;zh-hant:舊橋}-两次。", "markup"),
        ("他见过'''旧桥'''两次。", "markup"),
        ("他见过&nbsp;旧桥两次。", "markup"),
        ("他见过 formula_2 旧桥两次。", "markup"),
        ('他见过 align="right" 旧桥两次。', "markup"),
        ("他见过\x07旧桥两次。", "broken"),
        ("他见过\ufffd旧桥两次。", "broken"),
        ("他见过\ue123旧桥两次。", "broken"),
        ("他见过\U000e0fff旧桥两次。", "broken"),
    ],
)
def test_residue_is_found(sentence, check):
    dataset = good()
    dataset.sentences[-1] = sentence
    assert failing(refreshed(dataset), markup=0, broken=0) == [check]
    [verdict] = [verdict for verdict in judge(dataset, LENIENT) if verdict.name == check]
    assert verdict.value == 1 / len(dataset.sentences)
    assert f"sentences[{len(dataset.sentences) - 1}]" in verdict.note


@pytest.mark.parametrize(
    "sentence", ["若a<b且c>d则成立。", "他说：it's fine。", "费用是R&D;的一半。", "公式E=mc2很有名。"]
)
def test_plain_text_is_no_residue(sentence):
    dataset = good()
    dataset.sentences[-1] = sentence
    assert failing(refreshed(dataset), markup=0, broken=0) == []


def test_a_repeat_is_found():
    dataset = good()
    dataset.sentences[3] = dataset.sentences[5] = dataset.sentences[4]
    assert values(refreshed(dataset))["duplicates"] == 2
    assert failing(dataset) == ["duplicates"]


def test_a_vocabulary_that_disagrees_is_found():
    base = good()
    swapped = [base.vocab[1], base.vocab[0], *base.vocab[2:]]
    for vocab, errors in ((base.vocab[:-1], 1), ([*base.vocab, "龘"], 1), (swapped, 2), ([*base.vocab[1:], "龘"], 2)):
        dataset = replace(base, vocab=vocab)
        assert values(dataset)["vocab-errors"] == errors
        assert "vocab-errors" in failing(dataset)


def test_the_published_format_says_what_it_lacks():
    base = good()
    dataset = Dataset(base.sentences, [character for character in base.vocab if "\u4e00" <= character <= "\u9fff"])
    assert failing(dataset, unknown=1) == ["vocab-errors", "articles", "pairs"]  # punctuation is not in the vocabulary
    notes = {verdict.name: verdict.note for verdict in judge(dataset, {})}
    assert notes["pairs"] == notes["articles"] == "no documents"
    assert [item.split(":")[0] for item in lacks(dataset)] == ["no documents", "no metadata"]
    assert lacks(base) == []
