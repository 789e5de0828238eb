"""Note 7, the initial deviation of 0.02: moments by sampling, and our own model at several deviations and depths."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.stats import truncnorm
from torch import Tensor
from torch.nn import functional as F

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.data.tokenizer import Tokenizer
from pipeline.model.bert import Bert, Inputs, Shape, to_device
from pipeline.probe.signal import LayerSignal, layer_signals
from tests.helpers.tiny import tiny_dataset

KAPPA = 768 * 0.02**2


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def corpus() -> PairCorpus:
    dataset = tiny_dataset()
    return PairCorpus(dataset.sentences, dataset.documents, Tokenizer(dataset.vocab), 32, 0.15, True)


@pytest.fixture(scope="module")
def inputs(corpus) -> Inputs:
    return to_device(TrainingBatches(corpus, 32, 1)[1], 2, torch.device("cpu"))


def bert(corpus: PairCorpus, std: float, layers: int = 2, seed: int = 0) -> Bert:
    torch.manual_seed(seed)
    return Bert(Shape(corpus.vocab_size, layers, 128, 2, 512, 128, 0.0, 0.0, std, "bert"))


def signals(corpus: PairCorpus, inputs: Inputs, std: float, layers: int = 2) -> list[LayerSignal]:
    model = bert(corpus, std, layers)
    return layer_signals(model, lambda: F.cross_entropy(model(inputs)[0], inputs.labels))


def test_eq_01_variance_goes_forward():
    x = draw(300) + 2
    y = 0.05 * draw(20_000, 300, seed=1) @ x
    assert y.square().mean().item() == pytest.approx(300 * 0.05**2 * x.square().mean().item(), rel=0.03)


def test_eq_02_and_backward():
    x = draw(20_000).requires_grad_()
    weight = 0.05 * draw(300, 20_000, seed=1)
    upstream = draw(300, seed=2)
    (weight @ x).backward(upstream)
    assert x.grad is not None
    assert x.grad.square().mean().item() == pytest.approx(300 * 0.05**2 * upstream.square().mean().item(), rel=0.03)


def test_eq_03_xavier_is_the_compromise():
    weight = torch.empty(400, 100)
    torch.nn.init.xavier_normal_(weight, generator=torch.Generator().manual_seed(0))
    assert weight.var().item() == pytest.approx(2 / 500, rel=0.02)
    forward, backward = 100 * 2 / 500, 400 * 2 / 500
    assert (forward + backward) / 2 == pytest.approx(1)
    assert round(1 / math.sqrt(768), 3) == 0.036


def test_eq_04_relu_keeps_half():
    z = 1.7 * draw(1_000_000)
    assert z.relu().square().mean().item() == pytest.approx(z.square().mean().item() / 2, rel=0.01)
    weight = torch.empty(500, 500)
    torch.nn.init.kaiming_normal_(weight, generator=torch.Generator().manual_seed(0))
    assert weight.var().item() == pytest.approx(2 / 500, rel=0.02)


def gelu_moment(variance: float) -> float:
    """Formula (5)."""
    angle = math.asin(variance / (1 + variance)) / (2 * math.pi)
    return variance * (0.25 + angle + variance / (math.pi * (1 + variance) * math.sqrt(1 + 2 * variance)))


def test_eq_05_second_moment_of_gelu():
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    for variance in (0.01, 0.307, 1.0, 9.0):
        values = F.gelu(torch.from_numpy(math.sqrt(variance) * nodes)).numpy()
        integral = (weights * values**2).sum() / math.sqrt(2 * math.pi)
        assert gelu_moment(variance) == pytest.approx(integral, rel=1e-4)
    assert round(gelu_moment(1.0), 4) == round(1 / 3 + 1 / (2 * math.sqrt(3) * math.pi), 4) == 0.4252
    assert gelu_moment(1e-6) / 1e-6 == pytest.approx(0.25, rel=1e-4)
    assert gelu_moment(1e6) / 1e6 == pytest.approx(0.5, rel=1e-3)


def test_eq_06_variance_of_a_truncated_normal():
    density, mass = math.exp(-2) / math.sqrt(2 * math.pi), math.erf(2 / math.sqrt(2))
    formula = 1 - 4 * density / mass
    assert formula == pytest.approx(truncnorm(-2, 2).var())
    assert round(formula, 4) == 0.7737
    sample = draw(1_000_000)
    assert sample[sample.abs() < 2].var().item() == pytest.approx(formula, rel=0.01)


def test_eq_07_the_real_deviation_is_0_0176():
    deviation = 0.02 * truncnorm(-2, 2).std()
    assert round(deviation, 4) == 0.0176
    assert round(0.02 / truncnorm(-2, 2).std(), 5) == 0.02274
    assert round(100 * (0.02 / deviation - 1)) == 14
    assert round(100 * ((0.02 / deviation) ** 2 - 1)) == 29


def test_eq_08_bounds_of_torch_are_absolute(corpus):
    torch.manual_seed(0)
    default = torch.nn.init.trunc_normal_(torch.empty(1000, 1000), std=0.02)
    cut = torch.nn.init.trunc_normal_(torch.empty(1000, 1000), std=0.02, a=-0.04, b=0.04)
    assert round(default.std().item(), 4) == 0.0200
    assert default.abs().max() > 0.08
    assert round(cut.std().item(), 4) == 0.0176
    assert cut.abs().max() <= 0.04
    ours = bert(corpus, 0.02).layers[0].up.weight
    assert ours.std().item() == pytest.approx(0.02, rel=0.01)
    assert ours.abs().max() > 0.06


def test_eq_09_scores_have_deviation_kappa():
    width, head, tokens = 256, 32, 60
    sigma = math.sqrt(0.307 / width)
    scores = []
    for seed in range(30):
        x = draw(tokens, width, seed=seed)
        query, key = sigma * draw(2, width, head, seed=100 + seed)
        grid = (x @ query) @ (x @ key).T / math.sqrt(head)
        scores.append(grid[~torch.eye(tokens, dtype=torch.bool)])
    assert torch.cat(scores).std().item() == pytest.approx(0.307, rel=0.03)


def test_eq_10_attention_is_nearly_even():
    for kappa in (0.1, 0.307):
        p = torch.softmax(kappa * draw(2000, 128), -1)
        entropy = -(p * p.log()).sum(-1).mean().item()
        assert math.log(128) - entropy == pytest.approx(kappa**2 / 2, rel=0.05)
    assert round(KAPPA**2 / 2, 3) == 0.047


def normed_embeddings(model: Bert, inputs: Inputs) -> Tensor:
    hidden = model.token_embedding(inputs.tokens) + model.position_embedding(inputs.positions)
    return model.embedding_norm(hidden + model.segment_embedding(inputs.segments)).detach()


def test_eq_11_attention_averages(corpus, inputs):
    """The branch of our model against the length of the mean of what each sequence holds."""
    predicted, measured = [], []
    for seed in range(4):
        model = bert(corpus, 0.02, seed=seed)
        x = normed_embeddings(model, inputs)
        lengths = torch.diff(torch.cat((inputs.firsts, torch.tensor([len(x)]))))
        means = [part.mean(0).square().sum() / 128 for part in x.split(lengths.tolist())]
        squares = sum(length * mean for length, mean in zip(lengths, means, strict=True)) / len(x)
        predicted.append(128 * 0.02**2 * math.sqrt(squares))
        measured.append(layer_signals(model, lambda m=model: F.cross_entropy(m(inputs)[0], inputs.labels))[0].attention)
        assert squares > 2 / float(lengths.double().mean())  # tokens have much in common: not independent
    assert np.mean(measured) == pytest.approx(np.mean(predicted), rel=0.08)
    assert round(KAPPA / math.sqrt(128), 3) == 0.027


def test_eq_12_the_feed_forward_branch():
    assert round(3072 * 0.02**2, 3) == 1.229
    assert round(gelu_moment(KAPPA), 4) == 0.1065
    variance = 3072 * 0.02**2 * gelu_moment(KAPPA)
    assert (round(variance, 3), round(math.sqrt(variance), 3)) == (0.131, 0.362)
    torch.manual_seed(0)
    up, down = torch.nn.Linear(768, 3072), torch.nn.Linear(3072, 768)
    for layer in (up, down):
        torch.nn.init.normal_(layer.weight, std=0.02)
        torch.nn.init.zeros_(layer.bias)
    branch = down(F.gelu(up(F.layer_norm(draw(64, 768), (768,)))))
    assert branch.square().mean().item() == pytest.approx(variance, rel=0.03)


TABLE = {
    0.005: (0.0016, 0.0033, 0.0032),
    0.02: (0.025, 0.054, 0.053),
    0.049: (0.15, 0.36, 0.36),
    0.1: (0.68, 1.66, 1.70),
    0.2: (4.1, 6.9, 7.1),
}


@pytest.mark.parametrize("std", TABLE)
def test_eq_12_table_of_our_branches(corpus, inputs, std):
    first = signals(corpus, inputs, std)[0]
    attention, feed_forward, predicted = TABLE[std]
    assert first.attention == pytest.approx(attention, rel=0.04)
    assert first.feed_forward == pytest.approx(feed_forward, rel=0.02)
    assert math.sqrt(512 * std**2 * gelu_moment(128 * std**2)) == pytest.approx(predicted, rel=0.02)
    assert first.feed_forward == pytest.approx(predicted, rel=0.06)
    assert first.stream == pytest.approx(1, abs=1e-3)


def test_eq_13_the_identity_path_thins():
    """Random branches behind LayerNorms: what is left of the input in the output."""
    x = F.layer_norm(draw(200, 512), (512,))
    hidden = x
    for k in range(24):
        hidden = F.layer_norm(hidden + hidden @ draw(512, 512, seed=k + 1) / math.sqrt(512), (512,))  # v = 1
    kept = (hidden * x).mean().item()
    assert kept == pytest.approx(2.0**-12, abs=4 / math.sqrt(200 * 512))
    hidden = x
    for k in range(24):
        hidden = F.layer_norm(hidden + math.sqrt(0.0638) * hidden @ draw(512, 512, seed=k + 1) / math.sqrt(512), (512,))
    assert (hidden * x).mean().item() == pytest.approx(1.0638**-12, abs=0.02)
    feed_forward = 3072 * 0.02**2 * gelu_moment(KAPPA)
    layer = (1 + feed_forward) * (1 + KAPPA**2 / 128)
    assert (round(layer, 3), round(layer**-6, 3)) == (1.132, 0.476)
    wide = 4 * gelu_moment(1.0)
    assert (round(wide, 2), round(((1 + wide) * (1 + 1 / 128)) ** -6, 4)) == (1.70, pytest.approx(0.0026, abs=2e-4))
    assert round(2.0**-12, 5) == 0.00024


def test_eq_14_narrow_models_need_more(corpus, inputs):
    std = 0.02 * math.sqrt(768 / 128)
    assert round(std, 3) == 0.049
    assert signals(corpus, inputs, std)[0].feed_forward == pytest.approx(0.362, rel=0.03)  # as BERT-base at 0.02


def test_eq_15_the_whole_gradient_stays():
    for v in (0.1, 1.0):
        ratios = []
        for seed in range(20):
            g = draw(512, seed=seed)
            branch = math.sqrt(v / 512) * draw(512, 512, seed=seed + 50)
            ratios.append((((g + branch.T @ g) / math.sqrt(1 + v)).square().sum() / g.square().sum()).item())
        assert np.mean(ratios) == pytest.approx(1, abs=0.05)


RATIOS = {(0.005, 2): 1.00, (0.02, 2): 1.00, (0.049, 2): 0.99, (0.1, 2): 1.04, (0.2, 2): 2.6, (0.005, 12): 1.00,
          (0.02, 12): 0.99, (0.049, 12): 1.03, (0.1, 12): 0.95, (0.2, 12): 27}  # fmt: skip


@pytest.mark.parametrize(("std", "layers"), RATIOS)
def test_eq_15_table_of_our_gradients(corpus, inputs, std, layers):
    found = signals(corpus, inputs, std, layers)
    assert found[0].stream_gradient / found[-1].stream_gradient == pytest.approx(RATIOS[std, layers], rel=0.02)


def test_eq_16_jacobian_of_layernorm():
    x = draw(9).double() * 3 + 1
    measured = torch.autograd.functional.jacobian(lambda v: F.layer_norm(v, (9,), eps=0), x)
    z = F.layer_norm(x, (9,), eps=0)
    identity, ones = torch.eye(9).double(), torch.ones(9, 9).double()
    expected = (identity - ones / 9 - torch.outer(z, z) / 9) / x.std(correction=0)
    torch.testing.assert_close(measured, expected)
    assert (torch.linalg.eigvalsh(expected).abs() < 1e-12).sum() == 2


def pre_norm(layers: int, scale: float) -> float:
    hidden = draw(50, 256)
    for k in range(2 * layers):
        hidden = hidden + scale * F.layer_norm(hidden, (256,)) @ draw(256, 256, seed=k + 1) / 16
    return hidden.var().item()


def test_eq_17_pre_norm_adds_variances():
    for layers in (2, 12):
        assert pre_norm(layers, 0.5) == pytest.approx(1 + 2 * layers * 0.25, rel=0.06)


def test_eq_18_scaled_writes_do_not_depend_on_depth():
    found = [pre_norm(layers, 0.5 / math.sqrt(2 * layers)) for layers in (2, 12, 24)]
    assert found == pytest.approx([1.25] * 3, rel=0.05)


def test_eq_19_the_first_step_of_adam_is_a_sign():
    weight = torch.nn.Parameter(torch.zeros(1000))
    gradient = draw(1000) * torch.logspace(-5, 5, 1000)
    weight.grad = gradient.clone()
    torch.optim.AdamW([weight], lr=1e-3, weight_decay=0, eps=1e-12).step()
    torch.testing.assert_close(weight.data, -1e-3 * gradient.sign())


def test_eq_20_spectral_norms():
    u, v = draw(200), draw(300, seed=1)
    assert torch.linalg.matrix_norm(torch.outer(u, v).sign(), 2).item() == pytest.approx(math.sqrt(60_000), rel=1e-4)
    weight = 0.02 * draw(768, 768)
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(0.02 * 2 * math.sqrt(768), rel=0.03)


def test_eq_21_relative_size_of_a_step():
    step = torch.linalg.matrix_norm(torch.outer(draw(768), draw(768, seed=1)).sign(), 2)
    ratio = (step / torch.linalg.matrix_norm(0.02 * draw(768, 768, seed=2), 2)).item()
    for rate, share in ((1e-4, 7), (1e-3, 69)):
        assert round(100 * rate * math.sqrt(768) / (2 * 0.02)) == share
        assert 100 * rate * ratio == pytest.approx(share, rel=0.05)


def test_eq_22_the_inverse_second_moment():
    for steps in (8, 50):
        means = draw(200_000, steps).double().square().mean(1)
        assert (1 / means).mean().item() == pytest.approx(steps / (steps - 2), rel=0.03)
    # With two steps the mean does not exist: cut at M it grows as log M.
    inverse = 1 / draw(1_000_000, 2).double().square().mean(1)
    means = [inverse.clamp(max=largest).mean().item() for largest in (1e2, 1e4)]
    assert means[1] - means[0] == pytest.approx(math.log(100), abs=0.4)


def test_eq_23_initial_loss_of_our_model(corpus, inputs):
    for std in (0.02, 0.1):
        excess = []
        for seed in range(5):
            with torch.no_grad():
                logits = bert(corpus, std, seed=seed)(inputs)[0]
            excess.append((torch.logsumexp(logits, 1) - logits.mean(1)).mean().item() - math.log(corpus.vocab_size))
        assert np.mean(excess) == pytest.approx(128 * std**2 / 2, rel=0.15)
    assert round(KAPPA / 2, 3) == 0.154


def own_scores(model: Bert, inputs: Inputs) -> tuple[float, float]:
    """At tokens that are not masked: the input's own score over the mean of the others, and the others' deviation."""
    masked = torch.zeros(len(inputs.tokens), dtype=torch.bool).index_fill(0, inputs.targets, True)
    places = (~masked & (inputs.tokens >= 5)).nonzero().flatten()
    asked = inputs._replace(targets=places, labels=inputs.tokens[places])
    with torch.no_grad():
        scores = model(asked)[0]
    own = scores.gather(1, asked.labels[:, None])
    others = scores.scatter(1, asked.labels[:, None], math.nan)
    mean = others.nanmean(1, keepdim=True)
    spread = (others - mean).square().nanmean().sqrt()
    return (own - mean).mean().item(), spread.item()


class Identity(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def without_dense(model: Bert) -> Bert:
    """The head reads what the encoder gives: GELU of the dense layer and its norm are left out."""
    model.shape = dataclasses.replace(model.shape, head="linear")
    model.decoder.weight = model.token_embedding.weight
    return model


def test_eq_24_without_the_dense_layer_the_input_predicts_itself(corpus, inputs):
    lead, spread = own_scores(without_dense(bert(corpus, 0.02)), inputs)
    assert lead == pytest.approx(1.3, abs=0.15)
    assert lead > 6 * spread
    assert lead == pytest.approx(0.02 * 128 / math.sqrt(3), rel=0.2)
    assert round(0.02 * 768 / math.sqrt(3), 1) == 8.9
    assert round(math.sqrt(KAPPA), 2) == 0.55


def test_eq_25_a_random_matrix_removes_the_correlation(corpus, inputs):
    lead, spread = own_scores(bert(corpus, 0.02), inputs)
    assert abs(lead) < 0.3 * spread
    w = draw(128)
    x = w + 0.3 * draw(128, seed=1)
    products = torch.stack([w @ (0.02 * draw(128, 128, seed=seed) @ x) for seed in range(2000)])
    deviation = 0.02 * w.norm() * x.norm()
    assert products.std().item() == pytest.approx(deviation.item(), rel=0.06)
    assert products.mean().abs() < 4 * deviation / math.sqrt(2000)
    assert w @ x > 100


def test_eq_26_effective_depth(corpus, inputs):
    v = 3072 * 0.02**2 * gelu_moment(KAPPA)
    assert round(v / (1 + v), 3) == 0.116
    assert round(12 * (v / (1 + v) + 0.0007), 1) == 1.4
    found = signals(corpus, inputs, 0.049, 12)
    shares = [s**2 / (1 + s**2) for layer in found for s in (layer.attention, layer.feed_forward)]
    assert sum(shares) == pytest.approx(1.75, abs=0.02)
