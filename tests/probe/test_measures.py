"""The whole probe of a model: what it takes of a dataset, and that each measure is the model's own."""

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.data.splits import split_by_article
from pipeline.files.dataset import read_dataset
from pipeline.probe.half_precision import half_shares
from pipeline.probe.measures import BETAS, GAMMAS, probe, probe_text
from pipeline.probe.reading import read_subject


@pytest.fixture(scope="module")
def dataset(probed_dataset):
    return read_dataset(probed_dataset)


@pytest.fixture(scope="module")
def text(dataset):
    return probe_text(dataset)


def test_neighbours_are_held_out_and_the_rest_is_not(dataset, text):
    splits = split_by_article(dataset, 0.02)
    where = {}
    for kind in ("train", "validation", "test"):
        for each in getattr(splits, kind):
            where |= {dataset.sentences[n]: (kind, each.page, n) for n in range(each.start, each.start + each.count)}
    assert len(text.first) == len(text.second) >= 5
    for first, second in zip(text.first, text.second, strict=True):
        (kind, page, place), (_, other, following) = where[first], where[second]
        assert kind != "train"
        assert (page, place + 1) == (other, following)
    assert len(set(text.first) | set(text.second)) == len(text.first) + len(text.second)
    assert {where[sentence][0] for sentence in text.fitted_on} == {"train"}


def test_every_part_of_a_masked_model(masked_run, text):
    subject = read_subject(masked_run / "final.pth")
    found = probe("model", subject, text)
    assert found.objective == "masked_lm"
    assert found.parameters == sum(p.numel() for p in subject.model.parameters())
    assert len(found.layers) == len(found.attention_entropy) == 2
    assert all(0.5 < entropy <= 1.000001 for entropy in found.attention_entropy)
    subject.model.zero_grad()
    subject.sample(text.dataset, text.documents).loss().backward()
    gradients = [p.grad for p in subject.model.parameters() if p.grad is not None]
    assert found.half_precision == half_shares(gradients)
    first = [p.grad for p in subject.model.layers[0].parameters()]
    norm = torch.cat([gradient.flatten() for gradient in first]).norm().item()
    assert found.layers[0].weight_gradient == pytest.approx(norm, rel=1e-5)
    assert found.cost.flops > 0 < found.cost.seconds
    assert found.embeddings.unseen is None  # every character is in the text, and [PAD] and the like are not counted
    rows = subject.model.token_embedding.weight[5:].detach()
    assert found.embeddings.mean_norm == pytest.approx(rows.norm(dim=1).mean().item(), rel=1e-5)
    assert [(each.beta, each.gamma) for each in found.vectors.retrieval] == [(b, g) for b in BETAS for g in GAMMAS]
    vectors = subject.sentence_vectors(text.first), subject.sentence_vectors(text.second)
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in vectors]
    nearest = (unit[0] @ unit[1].T).argmax(1) == np.arange(len(text.first))
    assert found.vectors.at(0, 0) == pytest.approx(nearest.mean())
    assert found.vectors.candidates == len(text.first)


def test_a_planted_token_is_out_of_reach(masked_run):
    subject = read_subject(masked_run / "final.pth")
    planted = subject.tokens.index("马")
    with torch.no_grad():
        subject.model.decoder.weight[planted] = subject.model.decoder.weight[10:14].mean(0)
        subject.model.decoder.bias[planted] = -5.0
    found = probe("model", subject, None)
    assert found.predictability.never == 1
    assert found.predictability.examples == ["马"]
    assert (found.layers, found.vectors, found.embeddings, found.cost, found.half_precision) == (None,) * 5


def test_every_part_of_a_causal_model(causal_run, text):
    found = probe("model", read_subject(causal_run / "final.pth"), text)
    assert (found.objective, found.step) == ("causal_lm", 8)
    assert found.layers[1].stream > found.layers[0].stream  # pre-LayerNorm: the stream adds up
    assert 0.5 < min(found.attention_entropy) <= max(found.attention_entropy) <= 1.000001
    assert found.vectors.width == 16
    assert (read_subject(causal_run / "final.pth").specials, found.embeddings.unseen) == (2, None)
    assert found.predictability.tokens == len(read_subject(causal_run / "final.pth").tokens)


def test_documents_of_one_sentence_have_no_neighbours(masked_run, dataset):
    alone = dataclasses.replace(dataset, documents=[])
    found = probe("model", read_subject(masked_run / "final.pth"), probe_text(alone))
    assert found.vectors is None
    assert found.layers is not None


def test_one_article_alone_leaves_nothing_to_fit_on(masked_run, dataset):
    longest = max(dataset.documents, key=lambda each: each.count)
    one = dataclasses.replace(dataset, documents=[longest])
    text = probe_text(one)
    assert (len(text.first), text.fitted_on) == (longest.count // 2, [])
    found = probe("model", read_subject(masked_run / "final.pth"), text)
    assert found.vectors is None
    assert found.layers is not None
