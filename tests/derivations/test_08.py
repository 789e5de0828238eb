"""Note 8, tied embeddings: sampled at the size of BERT-base, and our own model tied, untied and bare."""

from __future__ import annotations

import dataclasses
import json
import math
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.data.tokenizer import Tokenizer
from pipeline.files.history import read_history
from pipeline.model.bert import Bert, Inputs, Shape, to_device
from study import findings
from study.runs import RESULTS, history_path
from tests.helpers.tiny import tiny_dataset

COUNT, WIDTH, STD, ASKED = 20_000, 768, 0.02, 400


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@cache
def unscaled() -> Tensor:
    return draw(COUNT, WIDTH, seed=1)


def hidden(std: float, epsilon: float = 1e-12) -> Tensor:
    return F.layer_norm(std * unscaled()[:ASKED], (WIDTH,), eps=epsilon)


def log_z(std: float, h: Tensor) -> float:
    return torch.logsumexp(std * (h @ unscaled().T), 1).mean().item()


def own(std: float, h: Tensor) -> Tensor:
    return std * (h * unscaled()[:ASKED]).sum(1)


def formula(std: float, count: int = COUNT, width: int = WIDTH, share: float = 1.0) -> float:
    return math.log(math.exp(width * std * share) + (count - 1) * math.exp(width * std**2 / 2))


def test_eq_01_lengths_concentrate():
    squares = (STD * unscaled()).square().sum(1)
    assert squares.mean().item() == pytest.approx(WIDTH * STD**2, rel=0.002)
    assert (squares.std() / squares.mean()).item() == pytest.approx(math.sqrt(2 / WIDTH), rel=0.02)
    assert round(100 * math.sqrt(2 / WIDTH), 1) == 5.1


def test_eq_02_the_tail_is_exponential():
    for width in (32, 128):
        off = (draw(200_000, width).square().mean(1) - 1).abs()
        for t in (0.3, 0.6, 0.9):
            assert (off >= t).double().mean().item() <= 2 * math.exp(-width * t**2 / 8)
        assert (off >= 0.3).double().mean().item() > 0.001


def test_eq_03_random_vectors_are_nearly_orthogonal():
    a, b = STD * unscaled()[:10_000], STD * unscaled()[10_000:]
    products = (a * b).sum(1)
    assert products.std().item() == pytest.approx(math.sqrt(WIDTH) * STD**2, rel=0.03)
    assert F.cosine_similarity(a, b).std().item() == pytest.approx(1 / math.sqrt(WIDTH), rel=0.03)


def test_eq_04_the_largest_cosine():
    unit = F.normalize(unscaled()[:2000])
    largest = (unit @ unit.T).fill_diagonal_(0).abs().max().item()
    expected = math.sqrt(4 * math.log(2000) / WIDTH)
    assert round(expected, 3) == 0.199
    assert largest == pytest.approx(0.176, abs=0.01)
    assert 0.8 * expected < largest < expected


def test_eq_05_layernorm_divides_by_sigma():
    h, w = hidden(STD), STD * unscaled()[:ASKED]
    assert ((h - w / STD).norm(dim=1) / h.norm(dim=1)).mean() < 0.06
    torch.testing.assert_close(h.norm(dim=1), torch.full((ASKED,), math.sqrt(WIDTH)), rtol=1e-4, atol=0)


def test_eq_06_a_token_scores_d_sigma_with_itself():
    assert own(STD, hidden(STD)).mean().item() == pytest.approx(WIDTH * STD, rel=0.005)
    assert own(STD, hidden(STD)).std().item() == pytest.approx(0.40, abs=0.02)


def test_eq_07_scores_of_other_tokens():
    scores = STD * hidden(STD) @ unscaled()[ASKED:].T
    assert scores.std().item() == pytest.approx(math.sqrt(WIDTH) * STD, rel=0.01)
    assert abs(scores.mean().item()) < 0.01


def test_eq_08_mean_of_a_lognormal():
    scores = STD * hidden(STD) @ unscaled()[ASKED:].T
    assert scores.exp().mean().item() == pytest.approx(math.exp(WIDTH * STD**2 / 2), rel=0.005)


@pytest.mark.parametrize(
    ("std", "predicted", "sampled"),
    [(0.005, 9.915, 9.915), (0.0129, 10.631, 10.644), (0.02, 15.365, 15.381), (0.05, 38.4, 38.44)],
)
def test_eq_09_table_of_log_z(std, predicted, sampled):
    assert formula(std) == pytest.approx(predicted, abs=0.001)
    assert log_z(std, hidden(std)) == pytest.approx(sampled, abs=0.005)


def test_eq_10_initial_loss_is_15_37():
    assert formula(STD) == pytest.approx(15.37, abs=0.006)
    scores = STD * hidden(STD) @ unscaled().T
    targets = torch.arange(ASKED) + 1000  # never the token itself
    assert F.cross_entropy(scores, targets).item() == pytest.approx(15.37, abs=0.1)
    assert round(math.log(COUNT), 2) == 9.90
    assert round(formula(STD) - math.log(COUNT), 1) == 5.5


def test_eq_11_fluctuation_of_the_sum():
    for variance in (0.307, 2.0):
        sums = (math.sqrt(variance) * draw(4000, 500)).double().exp().sum(1)
        assert (sums.std() / sums.mean()).item() == pytest.approx(math.sqrt((math.exp(variance) - 1) / 500), rel=0.06)
    assert round(100 * math.sqrt(math.expm1(0.307) / (COUNT - 1)), 1) == 0.4


@pytest.mark.parametrize(("root", "sampled", "predicted"), [(1, 10.40, 10.40), (3, 14.37, 14.40), (10, 40.4, 44.5)])
def test_eq_12_the_sum_freezes(root, sampled, predicted):
    found = torch.logsumexp(root * draw(200, COUNT), 1).mean().item()
    assert found == pytest.approx(sampled, abs=0.3 if root == 10 else 0.03)
    frozen = root**2 > 2 * math.log(COUNT)
    two_cases = root * math.sqrt(2 * math.log(COUNT)) if frozen else math.log(COUNT) + root**2 / 2
    assert two_cases == pytest.approx(predicted, abs=0.01)
    if frozen:
        expectation = math.log(COUNT) + root**2 / 2
        assert round(expectation, 1) == 59.9
        assert abs(found - two_cases) < abs(found - expectation) / 4


def test_eq_13_epsilon_matters():
    factor = 1 / math.sqrt(1 + 1e-5 / STD**2)
    assert round(factor, 3) == 0.988
    assert round(WIDTH * STD * factor, 2) == 15.17
    ratio = own(STD, hidden(STD, 1e-5)).mean() / own(STD, hidden(STD)).mean()
    assert ratio.item() == pytest.approx(factor, abs=1e-4)


def test_eq_14_three_embeddings_are_added():
    table = STD * draw(21_128, WIDTH, seed=2)
    h = F.layer_norm(table[:ASKED] + STD * draw(ASKED, WIDTH, seed=3) + STD * draw(WIDTH, seed=4), (WIDTH,), eps=1e-12)
    assert torch.logsumexp(h @ table.T, 1).mean().item() == pytest.approx(10.37, abs=0.03)
    assert formula(STD, 21_128, share=1 / math.sqrt(3)) == pytest.approx(10.37, abs=0.006)
    assert round(WIDTH * STD / math.sqrt(3), 2) == 8.87
    assert round(math.log(21_128), 2) == 9.96


def test_eq_15_a_balanced_deviation():
    std = math.log(COUNT) / WIDTH
    assert round(std, 4) == 0.0129
    assert round(formula(std), 2) == 10.63
    assert round(formula(std) - math.log(COUNT), 2) == 0.73
    own_weight, others = math.exp(WIDTH * std), (COUNT - 1) * math.exp(WIDTH * std**2 / 2)
    assert own_weight / others == pytest.approx(1, abs=0.07)


def test_eq_16_not_a_variance():
    std = math.sqrt(math.log(COUNT) / WIDTH)
    assert round(std, 4) == 0.1136
    assert round(own(std, hidden(std)).mean().item()) == 87
    assert log_z(std, hidden(std)) > 86


def test_eq_17_predicting_the_input_costs_nothing():
    scores = STD * hidden(STD) @ unscaled().T
    assert F.cross_entropy(scores, torch.arange(ASKED)).item() == pytest.approx(0.005, abs=0.002)


def test_eq_18_scaling():
    scale = math.log(COUNT) / (WIDTH * STD)
    assert log_z(STD, scale * hidden(STD)) == pytest.approx(10.64, abs=0.005)
    assert own(STD, scale * hidden(STD)).mean().item() == pytest.approx(9.9, abs=0.03)
    assert own(STD, scale * hidden(STD)).std().item() == pytest.approx(0.26, abs=0.01)


FREE = math.log(COUNT) + WIDTH * STD**2 / 2


def test_eq_19_orthogonal_projection():
    turn, _ = torch.linalg.qr(draw(WIDTH, WIDTH, seed=5))
    turned = hidden(STD) @ turn
    assert log_z(STD, turned) == pytest.approx(FREE, abs=0.005)
    assert round(FREE, 2) == 10.06
    assert own(STD, turned).std().item() == pytest.approx(math.sqrt(WIDTH) * STD, rel=0.1)
    assert own(STD, turned).mean().item() == pytest.approx(turn.trace().item() * STD, abs=0.06)


def test_eq_20_shuffled_dimensions():
    shuffle = torch.randperm(WIDTH, generator=torch.Generator().manual_seed(6))
    shuffled = hidden(STD)[:, shuffle]
    assert log_z(STD, shuffled) == pytest.approx(FREE, abs=0.005)
    assert abs(own(STD, shuffled).mean().item()) < 0.1
    assert own(STD, shuffled).std().item() == pytest.approx(math.sqrt(WIDTH) * STD, rel=0.1)
    random = np.random.default_rng(0)
    assert np.mean([(random.permutation(50) == np.arange(50)).sum() for _ in range(5000)]) == pytest.approx(1, abs=0.06)


def test_eq_21_exchanged_halves():
    exchanged = hidden(STD).roll(WIDTH // 2, 1)
    assert log_z(STD, exchanged) == pytest.approx(FREE, abs=0.005)
    assert own(STD, exchanged).std().item() == pytest.approx(math.sqrt(2 * WIDTH) * STD, rel=0.1)
    assert abs(own(STD, exchanged).mean().item()) < 0.12


@pytest.fixture(scope="module")
def corpus() -> PairCorpus:
    dataset = tiny_dataset()
    return PairCorpus(dataset.sentences, dataset.documents, Tokenizer(dataset.vocab), 32, 0.15, True)


@pytest.fixture(scope="module")
def inputs(corpus) -> Inputs:
    return to_device(TrainingBatches(corpus, 32, 1)[1], 2, torch.device("cpu"))


def near_identity(corpus: PairCorpus, std: float, kind: str, seed: int) -> Bert:
    torch.manual_seed(seed)
    head = "linear" if kind == "untied" else "bert"
    model = Bert(Shape(corpus.vocab_size, 2, 128, 2, 512, 128, 0.0, 0.0, std, head))
    with torch.no_grad():
        for parameter in model.layers.parameters():
            if parameter.dim() == 2:
                parameter.mul_(1e-3)
    if kind == "bare":  # tied, and nothing between the encoder and the output
        model.shape = dataclasses.replace(model.shape, head="linear")
    return model


MEASURED = {
    0.02: (4.17, 4.19, 4.14, 4.14, 4.14),
    0.05: (4.68, 4.71, 4.26, 4.26, 4.27),
    0.1: (7.32, 7.46, 4.70, 4.72, 4.75),
    0.2: (14.35, 14.78, 6.26, 6.38, 6.67),
}


@pytest.mark.parametrize("std", MEASURED)
def test_eq_22_table_of_our_model(corpus, inputs, std):
    bare, predicted, untied, dense, free = MEASURED[std]
    for kind, expected in (("bare", bare), ("untied", untied), ("dense", dense)):
        found = []
        for seed in range(5):
            with torch.no_grad():
                scores = near_identity(corpus, std, kind, seed)(inputs)[0]
            found.append((torch.logsumexp(scores, 1) - scores.mean(1)).mean().item())
        assert np.mean(found) == pytest.approx(expected, abs=0.01)
    assert formula(std, corpus.vocab_size, 128, 1 / math.sqrt(3)) == pytest.approx(predicted, abs=0.006)
    assert math.log(corpus.vocab_size) + 128 * std**2 / 2 == pytest.approx(free, abs=0.006)


def test_eq_23_scores_are_symmetric():
    w = STD * unscaled()[:200]
    scores = w @ w.T / STD
    torch.testing.assert_close(scores, scores.T)
    turn, _ = torch.linalg.qr(draw(WIDTH, WIDTH, seed=5))
    turned = w @ turn @ w.T / STD
    assert (turned - turned.T).abs().mean() > 0.1


def test_eq_24_a_symmetric_model_cannot_go_round():
    scores = draw(3, 3).double()
    p = torch.softmax(scores + scores.T, 1)
    assert (p[0, 1] * p[1, 2] * p[2, 0]).item() == pytest.approx((p[1, 0] * p[2, 1] * p[0, 2]).item())
    # Text that goes a, b, c, a: the best symmetric model against the best one without the constraint.
    wanted = torch.tensor([[0.05, 0.9, 0.05], [0.05, 0.05, 0.9], [0.9, 0.05, 0.05]]).double()
    losses = []
    for symmetric in (True, False):
        free = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([free], max_iter=200, line_search_fn="strong_wolfe")

        def closure(free=free, optimizer=optimizer, symmetric=symmetric) -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(free + free.T if symmetric else free, wanted)
            loss.backward()
            return loss

        optimizer.step(closure)
        losses.append(closure().item())
    assert losses[1] == pytest.approx(-(wanted * wanted.log()).sum().item() / 3, abs=1e-4)
    assert losses[0] > losses[1] + 0.3


def test_eq_25_the_gradient_has_two_parts(corpus, inputs):
    torch.manual_seed(0)
    model = Bert(Shape(corpus.vocab_size, 2, 32, 2, 64, 128, 0.0, 0.0, 0.1, "bert")).double()
    F.cross_entropy(model(inputs)[0], inputs.labels, reduction="sum").backward()
    tied = model.token_embedding.weight.grad
    assert tied is not None
    model.decoder.weight = torch.nn.Parameter(model.token_embedding.weight.detach().clone())
    model.zero_grad()
    kept: list[Tensor] = []
    handle = model.decoder.register_forward_pre_hook(lambda _, arguments: kept.append(arguments[0].detach()))
    scores = model(inputs)[0]
    handle.remove()
    F.cross_entropy(scores, inputs.labels, reduction="sum").backward()
    into, out = model.token_embedding.weight.grad, model.decoder.weight.grad
    assert into is not None
    assert out is not None
    torch.testing.assert_close(into + out, tied)
    wrong = torch.softmax(scores.detach(), 1) - F.one_hot(inputs.labels, corpus.vocab_size)
    torch.testing.assert_close(out, wrong.T @ kept[0])
    absent = torch.ones(corpus.vocab_size, dtype=torch.bool).index_fill(0, inputs.tokens, False)
    assert absent.sum() >= 1
    assert (into[absent] == 0).all()
    assert (out[absent].abs().sum(1) > 0).all()


def one_gradient(spread: float) -> tuple[Tensor, Tensor, Tensor]:
    """Gradient of output rows 100 to 199, which are never targets; the hidden vectors share a direction."""
    h = 1 + draw(300, 32)
    rows = (spread * draw(200, 32, seed=1)).requires_grad_()
    scores = h @ rows.T
    F.cross_entropy(scores, torch.arange(300) % 100, reduction="sum").backward()
    assert rows.grad is not None
    return rows.grad[100:], torch.softmax(scores.detach(), 1)[:, 100:], h


def test_eq_26_tokens_that_are_never_targets():
    gradient, p, h = one_gradient(0.1)
    torch.testing.assert_close(gradient, p.T @ h, rtol=1e-3, atol=1e-4)


def test_eq_27_rare_tokens_drift_together():
    gradient, _, h = one_gradient(0.01)
    unit = F.normalize(gradient)
    cosines = (unit @ unit.T)[~torch.eye(100, dtype=torch.bool)]
    assert cosines.min() > 0.95
    assert F.cosine_similarity(-gradient, h.sum(0)[None]).max() < -0.95


def test_eq_28_balance_at_the_optimum():
    h, labels = draw(60, 4).double(), torch.from_numpy(np.random.default_rng(1).integers(0, 5, 60))
    rows = torch.zeros(5, 4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([rows], max_iter=500, tolerance_grad=1e-11, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(h @ rows.T, labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    expected = torch.softmax((h @ rows.T).detach(), 1).T @ h
    observed = F.one_hot(labels, 5).double().T @ h
    torch.testing.assert_close(expected, observed, atol=1e-3, rtol=0)
    assert observed.abs().max() > 1


def test_eq_29_parameters_saved():
    run = read_history(history_path(findings.LADDER[100_000])).run
    tokens = run["dataset"]["vocab"]
    saved = (tokens + 5) * 128
    assert (round(saved / 1e6, 3), round(run["parameters"] / 1e6, 3)) == (1.283, 1.740)
    assert round(100 * saved / run["parameters"], 1) == 73.7
    assert (round(21_128 * 768 / 1e6, 1), round(100 * 21_128 * 768 / 102_267_648, 1)) == (16.2, 15.9)
    sizes = []
    for head in ("linear", "bert"):
        with torch.device("meta"):
            model = Bert(Shape(tokens + 5, 2, 128, 2, 512, 128, 0.0, 0.0, 0.02, head))
        sizes.append(sum(p.numel() for p in model.parameters()))
    head_of_bert = 2 * (128**2 + 128) + 2 * 128  # transform, pooler, norm
    assert sizes[0] - sizes[1] == saved - head_of_bert


def test_eq_30_cost_of_a_projection():
    h, turn, table = (torch.empty(*s, device="meta") for s in ((10, WIDTH), (WIDTH, WIDTH), (WIDTH, 21_128)))
    counts = []
    for other in (turn, table):
        with FlopCounterMode(display=False) as counter:
            h @ other
        counts.append(counter.get_total_flops())
    assert round(100 * counts[0] / counts[1], 1) == 3.6


def test_eq_28_lengths_along_a_trained_model():
    probes = json.loads((RESULTS / "probe" / "probe.json").read_text())["probes"]
    rows = {each["step"]: each["embeddings"] for each in probes}
    rarest, commonest = ({step: found["tenths"][place] for step, found in rows.items()} for place in (0, -1))
    cosines = [round(tenth[step]["cosine"], 2) for step in (512, 40_000) for tenth in (rarest, commonest)]
    assert cosines == [0.85, -0.01, 0.51, 0.75]
    assert [round(rows[step]["rank_correlation"], 2) for step in (512, 40_000)] == [-0.74, 0.77]
    lengths = [round(tenth[step]["norm"], 2) for tenth in (rarest, commonest) for step in (8_000, 40_000)]
    assert lengths == [2.41, 1.78, 2.32, 3.21]

    run = read_history(history_path("study/medium"))
    steps, rates = run.points("lr")
    apart = steps[1] - steps[0]  # a record's rate stands for the steps up to it
    total = float(rates[steps > 8_000].sum() * apart)
    decay = run.run["config"]["weight_decay"]
    assert (round(total, 1), decay) == (24.7, 0.01)
    assert round(lengths[0] * math.exp(-decay * total), 2) == 1.88
