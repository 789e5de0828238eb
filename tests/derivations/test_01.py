"""Note 1, the BERT baseline: each claim computed from first principles or by this project's model and guesses."""

from __future__ import annotations

import dataclasses
import itertools
import math
from datetime import datetime
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel

from pipeline.baselines.counting import CountingGuesses
from pipeline.data.masked_pairs import PairCorpus, TrainingBatches, generator, split_batch
from pipeline.data.tokenizer import MASK, Tokenizer
from pipeline.files.history import read_history
from pipeline.model.bert import Bert, Shape, to_device
from pipeline.model.flops import flops_of_step
from pipeline.model.loss import RunningTotals
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import PRESETS, Settings
from study import findings
from study.runs import history_path
from tests.helpers.tiny import tiny_dataset

CPU = torch.device("cpu")
SHAPE = Shape(60, 2, 16, 2, 32, 32, 0.0, 0.0, 0.2, "bert")


@pytest.fixture(scope="module")
def corpus() -> PairCorpus:
    dataset = tiny_dataset()
    return PairCorpus(dataset.sentences, dataset.documents, Tokenizer(dataset.vocab), 32, 0.15, True)


def bert(corpus: PairCorpus, **changes: Any) -> Bert:
    torch.manual_seed(0)
    return Bert(dataclasses.replace(SHAPE, vocab_size=corpus.vocab_size, **changes)).double().eval()


def random_joint(*sizes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(math.prod(sizes), 0.5)).reshape(sizes) + 1e-6


def entropy(p: np.ndarray) -> float:
    kept = p[p > 0]
    return float(-(kept * np.log(kept)).sum())


def test_eq_01_the_chain_rule_rebuilds_the_joint():
    joint = random_joint(3, 4, 5)
    joint /= joint.sum()
    first = joint.sum((1, 2))
    second = joint.sum(2) / first[:, None]
    third = joint / joint.sum(2, keepdims=True)
    np.testing.assert_allclose(first[:, None, None] * second[:, :, None] * third, joint)


def test_eq_02_cross_entropy_is_entropy_plus_divergence():
    p, q = random_joint(7, seed=1), random_joint(7, seed=2)
    p, q = torch.tensor(p / p.sum()), torch.tensor(q / q.sum())
    cross = torch.nn.functional.cross_entropy(q.log()[None], p[None]).item()
    divergence = torch.distributions.kl_divergence(
        torch.distributions.Categorical(p), torch.distributions.Categorical(q)
    )
    assert cross == pytest.approx(entropy(p.numpy()) + divergence.item())
    assert divergence > 0.1
    assert cross > entropy(p.numpy())


def test_eq_03_the_running_totals_give_the_mean_over_masked_positions(corpus):
    model, batch = bert(corpus), TrainingBatches(corpus, 8, 1)[1]
    inputs = to_device(batch, 2, CPU)
    mlm, nsp = model(inputs)
    totals = RunningTotals(np.zeros(corpus.vocab_size, bool), CPU)
    totals.add(mlm, nsp, inputs)
    by_hand = [
        math.log(sum(math.exp(v) for v in row)) - row[label]
        for row, label in zip(mlm.tolist(), batch.labels, strict=True)
    ]
    assert len(by_hand) > 10
    assert totals.means().mlm_loss == pytest.approx(sum(by_hand) / len(by_hand))


def test_eq_04_masking_follows_eighty_ten_ten(corpus):
    examples = np.tile(np.arange(len(corpus)), 60)
    batch = corpus.batch(examples, corpus.pair_maker.draw(generator(1, 3, 0)).of(examples), generator(1, 0, 0))
    seen, labels = batch.tokens[batch.targets], batch.labels
    count, alphabet = len(labels), corpus.vocab_size - 5
    assert count > 20_000
    shares = np.array([(seen == MASK).mean(), (seen == labels).mean(), ((seen != MASK) & (seen != labels)).mean()])
    expected = np.array([0.8, 0.1 + 0.1 / alphabet, 0.1 - 0.1 / alphabet])
    assert (np.abs(shares - expected) < 4 * np.sqrt(expected * (1 - expected) / count)).all()


def test_eq_05_conditionals_determine_a_positive_joint():
    joint = random_joint(3, 3, 3, seed=3)
    joint /= joint.sum()
    conditionals = [joint / joint.sum(axis, keepdims=True) for axis in range(3)]
    y = (0, 1, 2)
    ratios = np.empty_like(joint)
    for x in itertools.product(range(3), repeat=3):
        ratio = 1.0
        for i in range(3):
            rest = x[:i], y[i + 1 :]
            ratio *= conditionals[i][(*rest[0], x[i], *rest[1])] / conditionals[i][(*rest[0], y[i], *rest[1])]
        ratios[x] = ratio
    np.testing.assert_allclose(ratios / ratios.sum(), joint)
    # Conditionals that come from no joint distribution: another order of replacement gives another ratio.
    other = random_joint(3, 3, 3, seed=4)
    mixed = [joint / joint.sum(0, keepdims=True), other / other.sum(1, keepdims=True)]
    x, y = (2, 2), (0, 0)
    one = mixed[0][2, 0, 0] / mixed[0][0, 0, 0] * mixed[1][2, 2, 0] / mixed[1][2, 0, 0]
    two = mixed[1][0, 2, 0] / mixed[1][0, 0, 0] * mixed[0][2, 2, 0] / mixed[0][0, 2, 0]
    assert abs(math.log(one / two)) > 0.1


def test_eq_06_an_untrained_pair_head_loses_log_two(corpus):
    model, batch = bert(corpus, init_std=0.001), TrainingBatches(corpus, 32, 1)[1]
    inputs = to_device(batch, 2, CPU)
    totals = RunningTotals(np.zeros(corpus.vocab_size, bool), CPU)
    totals.add(*model(inputs), inputs)
    assert totals.means().nsp_pairs > 10
    assert totals.means().nsp_loss == pytest.approx(math.log(2), abs=1e-3)


def test_eq_07_standard_error_of_an_accuracy():
    draws = np.random.default_rng(0).binomial(582, 0.5, 200_000) / 582
    assert draws.std() == pytest.approx(math.sqrt(0.25 / 582), rel=0.01)
    assert round(100 * draws.std(), 2) == pytest.approx(2.07, abs=0.02)
    assert round(100 * math.sqrt(0.25 / 32), 2) == 8.84
    possible = np.arange(33) / 32 * 100
    nearest = np.sort(np.abs(possible - 50.23).argsort()[:2])
    assert possible[nearest].tolist() == [50.0, 53.125]
    assert np.abs(possible - 50.23).min() > 0.2


def test_eq_08_more_context_never_raises_the_entropy():
    joint = random_joint(5, 4, 3, seed=5)  # x, a, b
    joint /= joint.sum()
    given_a = sum(entropy(joint.sum(2)[:, a]) for a in range(4)) - entropy(joint.sum((0, 2)))
    given_both = entropy(joint) - entropy(joint.sum(0))
    p_a = joint.sum((0, 2))
    information = 0.0
    for a in range(4):
        table = joint[:, a] / p_a[a]
        product = table.sum(1, keepdims=True) * table.sum(0, keepdims=True)
        information += p_a[a] * (table * np.log(table / product)).sum()
    assert given_both == pytest.approx(given_a - information)
    assert information > 0.05


def test_eq_09_equality_needs_conditional_independence():
    p_a, p_x, p_b = random_joint(4, seed=6), random_joint(4, 5, seed=7), random_joint(4, 3, seed=8)
    p_a, p_x, p_b = p_a / p_a.sum(), p_x / p_x.sum(1, keepdims=True), p_b / p_b.sum(1, keepdims=True)
    joint = np.einsum("a,ax,ab->xab", p_a, p_x, p_b)

    def lost(joint: np.ndarray) -> float:
        given_a = entropy(joint.sum(2)) - entropy(joint.sum((0, 2)))
        return given_a - (entropy(joint) - entropy(joint.sum(0)))

    assert lost(joint) == pytest.approx(0, abs=1e-12)
    joint[0, 0, 0] += 0.05
    assert lost(joint / joint.sum()) > 1e-4


def test_eq_10_both_neighbours_guess_at_least_as_well(corpus):
    """In-sample on the text that they were fitted on, with every other character seen."""
    guesses = CountingGuesses(corpus)
    batch = TrainingBatches(corpus, 200, 1)[1]
    tokens = batch.tokens.copy()
    tokens[batch.targets] = batch.labels
    inner = np.flatnonzero((tokens >= 5) & np.isin(np.roll(batch.positions, -1) - batch.positions, (1,)))
    whole = dataclasses.replace(batch, tokens=tokens, targets=inner, labels=tokens[inner])
    shares = {name: (guess == whole.labels).mean() for name, guess in guesses.guess(whole).items()}
    assert len(inner) > 3000
    assert shares["both"] > shares["left"] + 0.05 > shares["commonest"] + 0.1
    # The inequality itself, for Bayes guesses under any joint distribution.
    joint = random_joint(5, 4, 3, seed=9)
    joint /= joint.sum()
    assert joint.max(0).sum() > joint.sum(2).max(0).sum() > joint.sum((1, 2)).max()


def test_eq_10_measured_on_the_committed_run():
    run = read_history(history_path(findings.LADDER[100_000])).run
    shares = [round(100 * run["test"]["guesses"][name]["all"], 1) for name in ("commonest", "left", "both")]
    assert shares == [6.2, 11.9, 26.1]
    assert round(run["test"]["mlm_loss"], 2) == 4.54


def test_eq_11_variance_of_a_score_is_the_head_width():
    random = np.random.default_rng(0)
    for width in (16, 64):
        scores = (random.standard_normal((100_000, width)) * random.choice((-1.0, 1.0), (100_000, width))).sum(1)
        assert scores.var() == pytest.approx(width, rel=0.02)
        assert (scores / math.sqrt(width)).var() == pytest.approx(1, rel=0.02)


def jacobian(scores: torch.Tensor) -> torch.Tensor:
    return torch.autograd.functional.jacobian(lambda s: torch.softmax(s, 0), scores)


def test_eq_12_jacobian_of_softmax():
    scores = torch.randn(7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    p = torch.softmax(scores, 0)
    torch.testing.assert_close(jacobian(scores), torch.diag(p) - torch.outer(p, p))


def test_eq_13_saturation_kills_the_jacobian():
    random = torch.Generator().manual_seed(0)
    query = torch.randn(2000, 1, 64, generator=random)
    keys = torch.randn(2000, 64, 64, generator=random)
    raw = (query * keys).sum(-1)
    for scores, trace in ((raw / 8, 0.96), (raw, 0.29)):
        p = torch.softmax(scores, -1)
        assert (1 - p.square().sum(-1)).mean().item() == pytest.approx(trace, abs=0.01)
    for scale in (0.1, 1.0, 10.0, 100.0):
        one = jacobian(scale * torch.randn(6, dtype=torch.float64, generator=random))
        assert torch.linalg.matrix_norm(one, 2) <= 0.5
    pair = jacobian(torch.zeros(2, dtype=torch.float64))
    assert torch.linalg.matrix_norm(pair, 2).item() == pytest.approx(0.5)  # the bound is attained
    assert jacobian(torch.tensor([50.0, 0.0, 0.0])).abs().max() < 1e-20


def test_eq_14_heads_do_not_change_the_parameter_count():
    counts = set()
    for heads in (1, 2, 4, 8):
        with torch.device("meta"):
            layer = Bert(dataclasses.replace(SHAPE, heads=heads)).layers[0]
        counts.add(sum(p.numel() for m in (layer.query_key_value, layer.attention_output) for p in m.parameters()))
    assert counts == {4 * 16**2 + 4 * 16}


def test_eq_15_a_head_has_at_most_the_rank_of_its_width(corpus):
    weight = bert(corpus, heads=4).layers[0].query_key_value.weight.detach()
    query, key = weight[:16].view(4, 4, 16), weight[16:32].view(4, 4, 16)
    ranks = [int(torch.linalg.matrix_rank(query[head].T @ key[head])) for head in range(4)]
    assert ranks == [4] * 4
    assert int(torch.linalg.matrix_rank(weight[:16].T @ weight[16:32])) == 16


def test_eq_16_without_positions_order_is_lost(corpus):
    model = bert(corpus)
    batch = split_batch(TrainingBatches(corpus, 4, 1)[1], 4)[-1]
    n = len(batch.tokens)
    batch = dataclasses.replace(
        batch, segments=np.zeros(n, np.int64), targets=np.arange(n), labels=np.zeros(n, np.int64)
    )
    order = np.random.default_rng(0).permutation(n)
    shuffled = dataclasses.replace(batch, tokens=batch.tokens[order])
    with torch.no_grad():
        differs = (model(to_device(shuffled, 2, CPU))[0] - model(to_device(batch, 2, CPU))[0][order]).abs().max()
        model.position_embedding.weight.zero_()
        same = (model(to_device(shuffled, 2, CPU))[0] - model(to_device(batch, 2, CPU))[0][order]).abs().max()
    assert differs > 0.1
    assert same < 1e-12


def rotated(vector: np.ndarray, place: int) -> np.ndarray:
    """RoPE by its definition, on consecutive pairs."""
    width = len(vector)
    result = np.empty(width)
    for pair in range(width // 2):
        angle = place * 10000 ** (-2 * pair / width)
        x, y = vector[2 * pair : 2 * pair + 2]
        result[2 * pair] = x * math.cos(angle) - y * math.sin(angle)
        result[2 * pair + 1] = x * math.sin(angle) + y * math.cos(angle)
    return result


def test_eq_17_rotations_compose_and_keep_lengths():
    q = np.random.default_rng(0).standard_normal(16)
    np.testing.assert_allclose(rotated(rotated(q, -5), 12), rotated(q, 7), atol=1e-12)
    assert np.linalg.norm(rotated(q, 33)) == pytest.approx(np.linalg.norm(q))
    matrix = np.array([rotated(row, 9) for row in np.eye(16)]).T
    np.testing.assert_allclose(matrix.T @ q, rotated(q, -9), atol=1e-12)


def test_eq_18_scores_depend_on_the_distance_alone():
    q, k = np.random.default_rng(1).standard_normal((2, 16))
    scores = [rotated(q, m) @ rotated(k, m + 6) for m in (0, 1, 50, 400)]
    np.testing.assert_allclose(scores, q @ rotated(k, 6))
    assert abs(rotated(q, 3) @ rotated(k, 10) - scores[0]) > 1e-3


def test_eq_19_spans_of_equal_text_need_positions_to_differ():
    random = np.random.default_rng(2)
    starts, ends = random.standard_normal((2, 3, 8))
    text = [0, 1, 2, 1]  # the character 1 stands at places 1 and 3
    plain = np.array([[starts[a] @ ends[b] for b in text] for a in text])
    turned = np.array(
        [[rotated(starts[a], i) @ rotated(ends[b], j) for j, b in enumerate(text)] for i, a in enumerate(text)]
    )
    assert plain[0, 1] == plain[0, 3]
    assert abs(turned[0, 1] - turned[0, 3]) > 1e-2
    assert len(list(itertools.combinations_with_replacement(range(30), 2))) == 30 * 31 // 2


def test_eq_21_the_loss_is_a_smooth_maximum():
    random = np.random.default_rng(3)
    for scale in (0.1, 1, 30):
        scores = scale * random.standard_normal(50)
        smooth = torch.logsumexp(torch.tensor([0.0, *scores]), 0).item()
        largest = max(0.0, scores.max())
        assert largest <= smooth <= largest + math.log(51) + 1e-6


def test_eq_22_gradients_of_all_negatives_sum_below_one():
    for count in (10, 100_000):
        scores = torch.randn(count, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        torch.logsumexp(torch.cat((torch.zeros(1), scores)), 0).backward()
        torch.testing.assert_close(scores.grad, scores.detach().exp() / (1 + scores.detach().exp().sum()))
        assert 0.9 < scores.grad.sum() < 1


def test_eq_23_gradient_of_cross_entropy():
    scores = torch.randn(9, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    torch.nn.functional.cross_entropy(scores[None], torch.tensor([4])).backward()
    expected = torch.softmax(scores.detach(), 0)
    expected[4] -= 1
    torch.testing.assert_close(scores.grad, expected)


def test_eq_24_label_smoothing_has_a_finite_optimum():
    scores = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=100, tolerance_grad=1e-12, tolerance_change=1e-14)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(scores[None], torch.tensor([0]), label_smoothing=0.1)
        value.backward()
        return value

    optimizer.step(loss)
    assert (scores[0] - scores[1]).item() == pytest.approx(math.log(19), abs=1e-4)
    assert round(math.log(19), 2) == 2.94
    assert loss().item() == pytest.approx(0.1985, abs=1e-4)
    with_five = torch.log(torch.tensor([0.9 + 0.02] + [0.02] * 4))
    assert (with_five[0] - with_five[1]).item() == pytest.approx(math.log((1 - 0.1 + 0.1 / 5) / (0.1 / 5)), abs=1e-6)


def test_eq_25_span_decoding_equals_brute_force():
    random = np.random.default_rng(4)
    apart = 0
    for _ in range(100):
        start, end = random.standard_normal((2, 20))
        brute = max(start[i] + end[j] for i in range(20) for j in range(20) if i <= j < i + 6)
        windowed = max(start[i] + end[i : i + 6].max() for i in range(20))
        assert windowed == brute
        apart += end.argmax() < start.argmax()
    assert apart > 20  # alone, the two maxima often give an end before the start


def test_eq_26_assignment_equals_brute_force():
    random = np.random.default_rng(5)
    for _ in range(20):
        scores = random.standard_normal((4, 6))
        brute = max(sum(scores[i, c] for i, c in enumerate(chosen)) for chosen in itertools.permutations(range(6), 4))
        rows, columns = linear_sum_assignment(scores, maximize=True)
        assert scores[rows, columns].sum() == pytest.approx(brute)


def gain_of_assignment(blanks: int, advantage: float, groups: int = 1500) -> tuple[float, float]:
    """Accuracy of each blank alone and what assignment adds, of ``groups`` groups with ten candidates."""
    random = np.random.default_rng(6)
    scores = random.standard_normal((groups, blanks, 10))
    right = np.arange(blanks)
    scores[:, right, right] += advantage
    alone = (scores.argmax(2) == right).mean()
    together = np.mean([(linear_sum_assignment(each, maximize=True)[1] == right).mean() for each in scores])
    for each in scores[:200]:
        rows, columns = linear_sum_assignment(each, maximize=True)
        free, bound = len(set(each.argmax(1))) == blanks, each.max(1).sum() - each[rows, columns].sum()
        assert (bound < 1e-12) == free
        assert bound >= -1e-12
    return float(alone), float(together - alone)


def test_eq_27_gain_of_assignment_depends_on_group_and_noise():
    assert gain_of_assignment(1, 1.7)[1] == 0
    found = {case: gain_of_assignment(*case) for case in ((7, 1.7), (10, 2.0), (10, 6.0))}
    expected = {(7, 1.7): (0.58, 0.044), (10, 2.0): (0.67, 0.11), (10, 6.0): (1.0, 0.0)}
    for case, (alone, gain) in expected.items():
        assert found[case] == (pytest.approx(alone, abs=0.01), pytest.approx(gain, abs=0.006))


def test_eq_28_the_trainers_schedule():
    settings = Settings(steps=1000, warmup=100, lr=2e-3)
    for step in (1, 50, 100, 101, 550, 999, 1000):
        rate = step / 100 if step <= 100 else math.cos(math.pi / 2 * (step - 100) / 900) ** 2
        assert settings.rates.rate(step) == pytest.approx(2e-3 * rate, abs=1e-12)


class Recorder(torch.optim.SGD):
    """Keeps the gradient that it was given to step with."""

    def step(self, _=None):
        self.given = flat_gradient(self.param_groups[0]["params"])


def flat_gradient(parameters) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])


def test_eq_29_clipping_keeps_the_direction(corpus):
    model = bert(corpus)
    inputs = to_device(TrainingBatches(corpus, 8, 1)[1], 2, CPU)
    for clip in (0.01, 1e6):
        optimizer = Optimizer(model, Settings(clip=clip))
        recorder = Recorder(model.parameters(), lr=0.0)
        optimizer.parts = [recorder]
        torch.nn.functional.cross_entropy(model(inputs)[0], inputs.labels).backward()
        before = flat_gradient(model.parameters())
        assert optimizer.step(0.0).item() == pytest.approx(before.norm().item())
        torch.testing.assert_close(recorder.given, before * min(1.0, clip / before.norm().item()), rtol=1e-3, atol=0)


def gradients(model: Bert, parts: list, denominators: list[float]) -> torch.Tensor:
    model.zero_grad()
    for part, denominator in zip(parts, denominators, strict=True):
        inputs = to_device(part, 2, CPU)
        (torch.nn.functional.cross_entropy(model(inputs)[0], inputs.labels, reduction="sum") / denominator).backward()
    return flat_gradient(model.parameters())


def test_eq_30_accumulation_equals_the_whole_batch(corpus):
    model, batch = bert(corpus), TrainingBatches(corpus, 16, 1)[1]
    parts, total = split_batch(batch, 3), len(batch.labels)
    assert len({len(part.labels) for part in parts}) > 1
    difference = gradients(model, [batch], [total]) - gradients(model, parts, [total] * 3)
    assert difference.abs().max() < 1e-12


def test_eq_31_means_of_means_differ(corpus):
    model, batch = bert(corpus), TrainingBatches(corpus, 16, 1)[1]
    parts, total = split_batch(batch, 3), len(batch.labels)
    whole = gradients(model, [batch], [total])
    wrong = gradients(model, parts, [3 * len(part.labels) for part in parts])
    assert 0.01 < ((wrong - whole).norm() / whole.norm()).item() < 0.5
    sums, counts = np.array([3.0, 8.0, 5.0]), np.array([2, 7, 3])
    surplus = ((1 / 3 - counts / counts.sum()) * sums / counts).sum()
    assert (sums / counts).mean() == pytest.approx(sums.sum() / counts.sum() + surplus)


def descend(curvatures: np.ndarray, rate: float, steps: int, noise: float, runs: int = 4000) -> np.ndarray:
    """Mean squared distance from the optimum of a quadratic at each step."""
    random = np.random.default_rng(7)
    theta = np.ones((runs, len(curvatures)))
    distances = []
    for _ in range(steps):
        theta = theta - rate * (theta * curvatures + noise * random.standard_normal(theta.shape))
        distances.append((theta**2).sum(1).mean())
    return np.array(distances)


def test_eq_32_contraction_down_to_a_noise_floor():
    curvatures, noise = np.array([0.5, 1.0, 4.0]), 0.3  # mu 0.5, L 4
    variance = 3 * noise**2
    for rate in (0.25, 0.05):
        found = descend(curvatures, rate, 200, noise)
        bound = 3 * (1 - 0.5 * rate) ** np.arange(1, 201) + rate * variance / 0.5
        assert (found < bound * 1.02).all()
        assert found[-1] > rate * variance / 20  # it does not go to 0
    assert descend(curvatures, 0.05, 200, noise)[-1] < descend(curvatures, 0.25, 200, noise)[-1] / 3
    flat = 1.0
    for _ in range(10_000):  # x^4 / 4 is convex but not strongly: 1 / sqrt(steps), slower than any geometric rate
        flat -= 0.1 * flat**3
    assert 0.02 < flat < 0.03


def test_eq_33_one_step_contracts_or_diverges():
    random = np.random.default_rng(8)
    curvatures, rate = np.array([0.5, 1.0, 4.0]), 0.2
    for theta in random.standard_normal((200, 3)):
        after = ((theta - rate * curvatures * theta) ** 2).sum()
        value = (curvatures * theta**2).sum() / 2
        assert after <= (1 - 0.5 * rate) * (theta**2).sum() - 2 * rate * (1 - 4 * rate) * value + 1e-12
    assert descend(curvatures, 0.51, 200, 0.0, 1)[-1] > 1e3  # above 2 / L


def formula_34(vocab: int, hidden: int = 768, ffn: int = 3072, layers: int = 12) -> int:
    layer = 4 * hidden**2 + 2 * hidden * ffn + 9 * hidden + ffn
    return (vocab + 516) * hidden + layers * layer + hidden**2 + hidden


def parameters(vocab: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in BertModel(BertConfig(vocab_size=vocab)).parameters())


@pytest.mark.parametrize(("vocab", "count"), [(21_128, 102_267_648), (30_522, 109_482_240), (28_996, 108_310_272)])
def test_eq_34_parameters_of_three_berts(vocab, count):
    assert parameters(vocab) == count == formula_34(vocab)


def test_eq_34_parameters_of_our_presets():
    for name in ("quickstart", "small", "paper-100k"):
        shape = PRESETS[name].shape(10_025)
        with torch.device("meta"):
            count = sum(p.numel() for p in Bert(shape).parameters())
        hidden = shape.hidden
        heads = hidden**2 + hidden + 2 * hidden + 10_025 + 2 * hidden + 2  # transform, its norm, decoder's bias, NSP
        encoder = formula_34(10_025, hidden, shape.ffn, shape.layers) - (512 - shape.max_positions) * hidden
        assert count == encoder + heads


def test_eq_35_the_difference_is_the_vocabulary():
    assert parameters(30_522) - parameters(21_128) == (30_522 - 21_128) * 768
    assert parameters(30_522) - parameters(28_996) == (30_522 - 28_996) * 768


def products(vocab: int, n: int, hidden: int = 768, ffn: int = 3072, layers: int = 12) -> tuple[int, int]:
    """Multiply-adds of the encoder and of the MLM head everywhere, counted matrix by matrix."""
    encoder = 0
    for _ in range(layers):
        encoder += 4 * n * hidden * hidden + n * hidden * ffn + n * ffn * hidden
        encoder += 12 * (n * (hidden // 12) * n + n * n * (hidden // 12))
    return encoder, n * hidden * hidden + n * hidden * vocab


def test_eq_36_encoder_needs_11_17_gmac():
    encoder, _ = products(21_128, 128)
    formula = 12 * (128 * (4 * 768**2 + 2 * 768 * 3072) + 2 * 128**2 * 768)
    assert encoder == formula
    assert round(encoder / 1e9, 2) == 11.17
    quadratic = 2 * 128**2 * 768 / (128 * (4 * 768**2 + 2 * 768 * 3072))
    assert round(100 * quadratic, 1) == 2.8
    assert 2 * 4608**2 * 768 == 4608 * (4 * 768**2 + 2 * 768 * 3072)


def test_eq_37_with_the_head_everywhere_13_33_gmac():
    encoder, head = products(21_128, 128)
    assert round((encoder + head) / 1e9, 2) == 13.33
    assert (round(head / 1e9, 2), round(0.15 * head / 1e9, 2)) == (2.15, 0.32)


def test_eq_38_a_step_costs_three_forwards(corpus):
    """Our count of a step against torch's own count of the products of forward and backward."""
    shape = dataclasses.replace(SHAPE, vocab_size=corpus.vocab_size)
    model, batch = Bert(shape).eval(), TrainingBatches(corpus, 1, 1)[1]
    inputs = to_device(batch, 2, CPU)
    counts = []
    for backward in (False, True):
        with FlopCounterMode(display=False) as counter:
            loss = model(inputs)[0].sum()
            if backward:
                loss.backward()
        counts.append(counter.get_total_flops())
    ours = flops_of_step(shape, [batch])
    assert counts[0] == pytest.approx(ours / 3, rel=0.02)  # torch also counts the pooler and the two NSP columns
    assert counts[1] == pytest.approx(ours, rel=0.03)


def test_eq_39_time_needs_the_number_of_steps():
    run = read_history(history_path(findings.LADDER[100_000])).run
    seconds = (datetime.fromisoformat(run["finished"]) - datetime.fromisoformat(run["started"])).total_seconds()
    assert divmod(seconds, 60) == (70, 59)
    assert round(run["flops_per_step"] / 1e8, 3) == 5.838
    throughput = run["flops_per_step"] * run["config"]["steps"] / seconds
    assert round(throughput / 1e9, 1) == 13.7
    assert round(22.5 * 3600 / 100_000, 2) == 0.81
