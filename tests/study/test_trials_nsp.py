"""Trials of sentence pairs: segments are the articles' own text, the weight counts, and the cost is the same."""

from dataclasses import replace

import pytest
import torch

from pipeline.data.corpora import build_corpora
from pipeline.files.dataset import write_dataset
from pipeline.stage import InputError
from pipeline.train.objectives.masked_lm import MaskedLM
from pipeline.train.settings import PRESETS
from study.trials.nsp import HEAVIER, HeavierPairs, compare, in_segments, joined
from study.trials.trial import read_start, train
from tests.helpers.tiny import TINY_SETTINGS, run_script, tiny_dataset


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
    found = compare(tiny_dataset(articles=60), tmp_path, settings, None)
    assert [each.trial.split()[0] for each in found] == ["unchanged", "NSP", "128", "segments,"]
    assert [each.steps for each in found[:2]] == [30, 30]
    for each in found:
        assert each.flops == pytest.approx(found[0].flops, rel=0.1)
        assert 0 <= each.nsp_acc <= 1
    assert found[0].nsp_acc == found[0].own_nsp_acc
    assert found[0].nsp_books is None
    assert found[0].nsp_wikipedia == pytest.approx(found[0].nsp_acc)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    write_dataset(folder / "dataset.json", tiny_dataset(articles=60))
    files = ["--history", folder / "history.json", "--checkpoint-dir", folder, "--final", folder / "final.pth"]
    run_script("train_large_100k.py", *TINY_SETTINGS, "--dataset", folder / "dataset.json", *files)
    return folder


def test_a_trial_goes_on_from_a_checkpoint(trained):
    dataset = tiny_dataset(articles=60)
    start = read_start(trained / "step_8.pth", dataset)
    settings = start.settings_for(3)
    assert (start.step, settings.steps) == (8, 3)
    assert 0 < settings.lr < start.settings.lr == 1e-3
    corpora = build_corpora(dataset, trained, length=settings.length, mask_rate=settings.mask_rate, held_out=0.1)
    still = replace(settings, lr=1e-12, warmup=0)
    weights = train("still", corpora, still, start=start).model.state_dict()
    for name, value in start.weights.items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=1e-6)


def test_a_checkpoint_of_another_dataset_is_refused(trained):
    with pytest.raises(InputError, match=r"step_8\.pth: was trained on another dataset"):
        read_start(trained / "step_8.pth", tiny_dataset(articles=30))


def test_a_checkpoint_with_too_few_positions_is_refused(trained):
    dataset = trained / "dataset.json"
    done = run_script("study/trials/nsp.py", trained / "step_8.pth", "--dataset", dataset, "--steps", "5")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "step_8.pth: has 32 positions; a trial needs 128" in done.stderr
