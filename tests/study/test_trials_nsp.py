"""Trials of sentence pairs: segments are the articles' own text, the weight counts, and the cost is the same."""

from dataclasses import replace

import pytest
import torch

from pipeline.train.objectives.masked_lm import MaskedLM
from pipeline.train.settings import PRESETS
from study.trials.nsp import HEAVIER, HeavierPairs, compare, in_segments, joined
from tests.helpers.tiny import tiny_dataset


def test_segments_are_sentences_in_order():
    assert joined(["一二", "三四五", "六", "七八九十"], 5) == ["一二三四五", "六七八九十"]
    assert joined(["一二三", "四"], 3) == ["一二三四"]
    assert joined(["一"], 3) == ["一"]
    assert joined([], 3) == []


def test_articles_keep_their_text_and_what_is_told_of_them():
    dataset = tiny_dataset(articles=20)
    found = in_segments(dataset, 40)
    assert "".join(found.sentences) == "".join(dataset.sentences)
    assert len(found.sentences) < len(dataset.sentences)
    for before, after in zip(dataset.documents, found.documents, strict=True):
        text = "".join(dataset.sentences[before.start : before.start + before.count])
        assert "".join(found.sentences[after.start : after.start + after.count]) == text
        assert (before.title, before.source) == (after.title, after.source)


def test_the_pairs_weigh_more():
    mlm, nsp = torch.tensor(5.0), torch.tensor(0.5)
    assert HeavierPairs.combined(None, mlm, nsp) == 5 + HEAVIER * 0.5
    assert MaskedLM.combined(None, mlm, nsp) == 5.5


def test_all_cost_the_same(tmp_path):
    tiny = {"layers": 1, "hidden": 16, "heads": 2, "ffn": 32, "max_positions": 128, "length": 40, "held_out": 0.1}
    settings = replace(PRESETS["quickstart"], steps=30, warmup=2, batch_size=4, **tiny)
    found = compare(tiny_dataset(articles=60), tmp_path, settings)
    assert [each.trial.split()[0] for each in found] == ["unchanged", "NSP", "128", "segments,"]
    assert [each.steps for each in found[:2]] == [30, 30]
    for each in found:
        assert each.flops == pytest.approx(found[0].flops, rel=0.1)
        assert 0 <= each.nsp_acc <= 1
    assert found[0].nsp_acc == found[0].own_nsp_acc
