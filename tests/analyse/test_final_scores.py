"""Finished runs compared by the answers of their final scoring, read from the files beside their histories."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.analyse.side_by_side.compare_runs import several
from pipeline.analyse.side_by_side.final_scores import final_scorings
from pipeline.files.final_scoring import (
    FinalScoring,
    SequenceScores,
    final_scoring_beside,
    read_final_scoring,
    write_final_scoring,
)
from pipeline.stage import InputError
from pipeline.statistics.crossed import crossed_difference
from tests.helpers.synthetic import make_history

ARTICLES = np.repeat(np.arange(30), 3) + 900  # three sequences of each
TARGETS = np.full(90, 20)


def scores(hits, questions="q"):
    return SequenceScores(questions, ARTICLES.tolist(), TARGETS.tolist(), hits.tolist())


@pytest.fixture
def runs(tmp_path):
    """Two settings of two seeds each, with a scoring beside every history; and the right answers by run."""
    generator, found, hits = np.random.default_rng(1), [], []
    for lr, share in ((1e-3, 0.3), (2e-3, 0.36)):
        for seed in (1, 2):
            history = make_history(20, noise=seed)
            history.run["config"] |= {"lr": lr, "seed": seed}
            path = tmp_path / f"{lr}_{seed}" / "history.json"
            path.parent.mkdir()
            history.write(path)
            hits.append(generator.binomial(TARGETS, share))
            scoring = FinalScoring(1, seed, "d", 800, scores(hits[-1]), scores(hits[-1] // 2, "t"))
            write_final_scoring(final_scoring_beside(path), scoring)
            found.append((path, history))
    return found, np.array(hits)


def test_groups_that_answered_the_same_questions_are_compared_by_article(runs):
    found, hits = runs
    validation, test = several(found).final
    by_article = hits.reshape(4, 30, 3).sum(axis=2)
    expected = crossed_difference(by_article[:2], by_article[2:], np.full(30, 60))
    assert (validation.split, test.split) == ("validation", "test")
    assert (validation.first, validation.second) == tuple(dict.fromkeys(row.group for row in several(found).histories))
    assert (validation.articles, validation.targets) == (30, 1_800)
    assert validation.difference == pytest.approx((hits[2:].mean() - hits[:2].mean()) / 20)
    assert validation.interval == pytest.approx(expected.interval)
    assert validation.multibootstrap == expected.multibootstrap
    assert validation.covers == "seeds and articles"
    alone = several([found[0], found[2]]).final
    assert [each.covers for each in alone] == ["articles", "articles"]
    assert alone[0].multibootstrap is None


def test_other_questions_or_a_run_without_a_scoring_are_not_compared(runs):
    found, hits = runs
    last = final_scoring_beside(found[3][0])
    write_final_scoring(last, FinalScoring(1, 2, "d", 800, scores(hits[3], "other"), scores(hits[3], "t")))
    assert [each.split for each in several(found).final] == ["test"]
    last.unlink()
    assert several(found).final is None
    assert several(found[:2]).final is None  # one setting
    last.write_text("{")
    with pytest.raises(InputError):
        several(found)


def test_a_scoring_shared_by_two_histories_is_taken_for_neither(runs):
    """In one folder ``a.json`` and ``b.json`` have the same place for it; set against itself, it would differ by 0."""
    [(first, _), *_], _ = runs
    other = first.with_name("other.json")
    assert final_scoring_beside(first) == final_scoring_beside(other)
    assert final_scorings([first, other]) == [None, None]
    assert final_scorings([first]) != [None]


def test_sentence_pairs_are_compared_by_article_too(runs):
    """One question a sequence, none of every third; articles without any pair count for nothing."""
    found, _ = runs
    told = np.random.default_rng(4).binomial(1, [[0.6], [0.6], [0.8], [0.8]], (4, 90))
    asked = np.arange(90) % 3 > 0
    asked[:9] = False
    for (path, _), row in zip(found, told, strict=True):
        place = final_scoring_beside(path)
        before = read_final_scoring(place)
        pairs = [int(hit) if there else None for hit, there in zip(row, asked, strict=True)]
        write_final_scoring(place, replace(before, validation=replace(before.validation, pair_hits=pairs)))
    compared = several(found).final
    asked_of = [("validation", "tokens"), ("validation", "pairs"), ("test", "tokens")]
    assert [(each.split, each.of) for each in compared] == asked_of
    pairs = compared[1]
    hits, targets = ((np.where(asked, each, 0)).reshape(-1, 30, 3).sum(axis=2) for each in (told, np.ones((1, 90))))
    expected = crossed_difference(hits[:2, 3:], hits[2:, 3:], targets[0, 3:])
    assert pairs.articles == 27
    assert pairs.multibootstrap == expected.multibootstrap
    assert pairs.targets == asked.sum() == 54
    assert pairs.difference == pytest.approx(told[2:, asked].mean() - told[:2, asked].mean())
    assert pairs.interval == pytest.approx(expected.interval)
    assert 0.05 < pairs.difference < 0.35


def test_pairs_are_not_compared_where_a_run_was_not_asked_about_them(runs):
    found, _ = runs
    place = final_scoring_beside(found[0][0])
    before = read_final_scoring(place)
    write_final_scoring(place, replace(before, validation=replace(before.validation, pair_hits=[1] * 90)))
    assert [each.of for each in several(found).final] == ["tokens", "tokens"]
