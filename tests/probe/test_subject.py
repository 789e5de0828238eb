"""What the probe asks of both kinds of model."""

import numpy as np
import pytest
import torch

from pipeline.data.held_out_questions import HeldOutQuestions
from pipeline.data.masked_pairs import PairCorpus
from pipeline.files.dataset import read_dataset
from pipeline.model.flops import flops_of_window
from pipeline.probe.measures import probe_text
from pipeline.probe.reading import read_subject
from pipeline.probe.subject import MaskedSubject
from pipeline.probe.unpredictable import behind_norm
from tests.helpers import plain_bert


@pytest.fixture(scope="module")
def text(probed_dataset):
    return probe_text(read_dataset(probed_dataset))


@pytest.fixture(scope="module", params=["masked", "causal"])
def subject(request, masked_run, causal_run):
    return read_subject({"masked": masked_run, "causal": causal_run}[request.param] / "final.pth")


def test_a_sentence_has_the_same_vector_alone_as_among_others(subject, text):
    sentences = [
        *text.first[:5],
        *text.fitted_on[:15],
        "山",
        text.first[0] * 9,
    ]  # the last is longer than the model can take
    together = subject.sentence_vectors(sentences)
    alone = np.concatenate([subject.sentence_vectors([sentence]) for sentence in sentences])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert together.shape == (22, 16)


def test_the_output_layer_gives_the_models_own_scores(subject, text):
    kept = []
    module = subject.model.get_submodule("transform_norm" if isinstance(subject, MaskedSubject) else "final_norm")
    handle = module.register_forward_hook(lambda _m, inputs, output: kept.append((inputs[0], output)))
    scores = []
    if isinstance(subject, MaskedSubject):
        ahead = subject.model.get_submodule("decoder").register_forward_hook(
            lambda _m, _i, output: scores.append(output)
        )
        subject.sample(text.dataset, text.documents).loss()
        ahead.remove()
    else:
        scores.append(subject.model(torch.zeros(1, 8, dtype=torch.int64)))
    handle.remove()
    layer = subject.output()
    weights, bias = behind_norm(layer.weights, layer.bias, layer.gain, layer.shift)
    z = torch.nn.functional.layer_norm(kept[0][0], (16,), eps=module.eps).detach().numpy()
    np.testing.assert_allclose(z @ weights.T + bias, scores[0].detach().numpy(), atol=1e-4)


def test_the_masked_loss_is_the_one_that_training_minimizes(masked_run, text):
    subject = read_subject(masked_run / "final.pth")
    corpus = PairCorpus(text.dataset.sentences, text.documents, subject.tokenizer, subject.length, 0.15, True)
    batch = HeldOutQuestions(corpus, 32).batches()[0]
    weights = plain_bert.parameters_of(subject.model.state_dict())
    expected = plain_bert.step_loss(weights, batch, 2).item()
    sample = subject.sample(text.dataset, text.documents)
    assert sample.loss().item() == pytest.approx(expected, rel=1e-4)
    assert sample.tokens == sum(sample.lengths) == len(batch.tokens)


def test_the_causal_loss_is_that_of_the_next_symbol(causal_run, text):
    subject = read_subject(causal_run / "final.pth")
    sample = subject.sample(text.dataset, text.documents)
    whole = [0]
    for each in text.documents:
        whole += [
            *subject.alphabet.encode(["".join(text.dataset.sentences[each.start : each.start + each.count])])[0],
            0,
        ]
    symbols = [int(symbol) for symbol in whole[1:]]  # the sample begins with the first symbol of the first document
    windows, losses = sample.tokens // 24, []
    for window in range(windows):
        read = torch.tensor([symbols[24 * window : 24 * window + 24]])
        shares = subject.model(read)[0].log_softmax(-1)
        losses += [-shares[k, symbols[24 * window + k + 1]].item() for k in range(24)]
    assert sample.loss().item() == pytest.approx(np.mean(losses), rel=1e-4)
    assert windows > 1
    assert sample.flops == windows * flops_of_window(subject.shape, 24)


def test_too_little_text_gives_no_sample(subject, text):
    assert subject.sample(text.dataset, []) is None
