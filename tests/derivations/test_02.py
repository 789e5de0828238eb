"""Note 2, CoSENT: gradients by autograd, bounds by enumeration, infima by descending to them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau, spearmanr
from torch import Tensor
from torch.nn import functional as F


def loss(positive: Tensor, negative: Tensor, scale: float) -> Tensor:
    """CoSENT by its double sum, for cosines of positive and negative pairs."""
    differences = scale * (negative[None] - positive[:, None]).flatten()
    return torch.logsumexp(torch.cat((torch.zeros(1, dtype=differences.dtype), differences)), 0)


def graded(cosines: np.ndarray, labels: np.ndarray, scale: float) -> float:
    total = sum(math.exp(scale * (cosines[b] - cosines[a])) for a in range(len(labels)) for b in range(len(labels))
                if labels[a] > labels[b])  # fmt: skip
    return math.log1p(total)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def some_cosines(seed: int = 0) -> tuple[Tensor, Tensor]:
    return torch.tanh(draw(5, seed=seed)), torch.tanh(draw(7, seed=seed + 1))


def pairwise(vectors: np.ndarray) -> np.ndarray:
    """The cosines of all pairs of different rows."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def simplex(count: int) -> np.ndarray:
    return math.sqrt(count / (count - 1)) * (np.eye(count) - 1 / count)


def test_eq_01_a_separating_classifier_with_reversed_cosines():
    similar = (torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))  # |u - v| sums to 2, cosine 0
    different = (torch.tensor([1.0, 1.0]), torch.tensor([9.0, 9.0]))  # |u - v| sums to 16, cosine 1
    weights = torch.tensor([[0.0, 0, 0, 0, -3, -3], [0.0, 0, 0, 0, 3, 3]])
    bias = torch.tensor([24.0, -24.0])
    for (u, v), label in ((similar, 0), (different, 1)):
        logits = weights @ torch.cat((u, v, (u - v).abs())) + bias
        assert F.cross_entropy(logits[None], torch.tensor([label])).item() < 1e-6
    assert F.cosine_similarity(*similar, dim=0) < F.cosine_similarity(*different, dim=0)


def gradient_of_cosine(u: Tensor, v: Tensor) -> Tensor:
    u = u.clone().requires_grad_()
    F.cosine_similarity(u, v, dim=0).backward()
    assert u.grad is not None
    return u.grad


def test_eq_03_gradient_of_the_cosine():
    u, v = draw(2, 8)
    cosine = (u @ v) / (u.norm() * v.norm())
    torch.testing.assert_close(gradient_of_cosine(u, v), (v / v.norm() - cosine * u / u.norm()) / u.norm())


def test_eq_04_the_gradient_is_orthogonal_to_the_vector():
    u, v = draw(2, 8, seed=1)
    assert abs(u @ gradient_of_cosine(u, v)) < 1e-14


def test_eq_05_gradient_steps_lengthen_the_vector():
    u, v = draw(2, 8, seed=2)
    lengths = [u.norm().item()]
    for _ in range(20):
        gradient = gradient_of_cosine(u, v)
        assert (u - 0.5 * gradient).square().sum().item() == pytest.approx(
            u.square().sum().item() + 0.25 * gradient.square().sum().item()
        )
        u = u - 0.5 * gradient
        lengths.append(u.norm().item())
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0] * 1.01


def test_eq_06_size_of_the_gradient_is_the_sine():
    u, direction = draw(2, 8, seed=3)
    direction = direction - (direction @ u) / (u @ u) * u
    for angle in (0.01, 0.5, math.pi / 2, 3.1):
        v = math.cos(angle) * u / u.norm() + math.sin(angle) * direction / direction.norm()
        assert gradient_of_cosine(u, v).norm().item() == pytest.approx(math.sin(angle) / u.norm().item(), rel=1e-6)


def test_eq_07_mean_cosine_has_a_lower_bound():
    random = np.random.default_rng(0)
    lowest = min(pairwise(random.standard_normal((4, 3))).mean() for _ in range(2000))
    assert -1 / 3 <= lowest < -0.3


def test_eq_08_the_simplex_attains_it():
    for count in (2, 3, 10):
        np.testing.assert_allclose(pairwise(simplex(count)), -1 / (count - 1), atol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(simplex(count), axis=1), 1)
        assert np.linalg.matrix_rank(simplex(count)) == count - 1


def descend(vectors: Tensor, objective, steps: int = 800, rate: float = 0.05) -> Tensor:
    vectors = vectors.clone().requires_grad_()
    optimizer = torch.optim.Adam([vectors], rate)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / steps)
        optimizer.zero_grad()
        objective(F.normalize(vectors, dim=1)).backward()
        optimizer.step()
    return F.normalize(vectors.detach(), dim=1)


def test_eq_09_regression_leaves_a_remainder():
    rows, columns = torch.triu_indices(4, 4, 1)

    def regression(unit: Tensor) -> Tensor:
        return (1 + (unit @ unit.T)[rows, columns]).square().sum()

    reached = regression(descend(draw(4, 6), regression, 300)).item()
    assert reached == pytest.approx(6 * (1 - 1 / 3) ** 2, rel=1e-4)


def test_eq_10_rank_correlation_ignores_monotone_maps():
    random = np.random.default_rng(1)
    cosines, labels = np.tanh(random.standard_normal(30)), random.random(30)
    squeezed = 0.8 + 0.1 * cosines
    assert spearmanr(squeezed, labels)[0] == pytest.approx(spearmanr(cosines, labels)[0])
    errors = [((values - labels) ** 2).sum() for values in (cosines, squeezed)]
    assert abs(errors[0] - errors[1]) > 1


def test_eq_12_graded_labels_contain_the_two_level_case():
    positive, negative = some_cosines()
    cosines, labels = torch.cat((positive, negative)).numpy(), np.array([1] * 5 + [0] * 7)
    assert graded(cosines, labels, 20.0) == pytest.approx(loss(positive, negative, 20.0).item())
    assert graded(cosines, np.arange(12), 20.0) > graded(cosines, np.array([0] * 6 + [1] * 6), 20.0)


def test_eq_13_the_double_sum_factors():
    positive, negative = some_cosines(2)
    for scale in (1.0, 20.0, 50.0):
        factored = F.softplus(torch.logsumexp(scale * negative, 0) + torch.logsumexp(-scale * positive, 0))
        torch.testing.assert_close(factored, loss(positive, negative, scale))


def test_eq_14_between_the_worst_violation_and_a_logarithm():
    for seed in range(20):
        positive, negative = some_cosines(seed)
        worst = max(0.0, (negative.max() - positive.min()).item())
        for scale in (1.0, 20.0):
            assert scale * worst <= loss(positive, negative, scale).item() <= scale * worst + math.log(1 + 35)


def test_eq_15_large_lambda_sees_the_worst_pair_alone():
    positive, negative = some_cosines(4)
    worst = max(0.0, (negative.max() - positive.min()).item())
    assert worst > 0.5
    assert loss(positive, negative, 1e4).item() / 1e4 == pytest.approx(worst, abs=1e-3)
    assert loss(positive + 2, negative, 1e4).item() / 1e4 < 1e-3
    assert math.exp(20 * 0.05) == pytest.approx(math.e)


def gradients(positive: Tensor, negative: Tensor, scale: float) -> tuple[Tensor, Tensor, float]:
    positive, negative = positive.clone().requires_grad_(), negative.clone().requires_grad_()
    value = loss(positive, negative, scale)
    value.backward()
    assert positive.grad is not None
    assert negative.grad is not None
    return positive.grad, negative.grad, value.item()


def test_eq_16_gradient_in_the_cosines():
    positive, negative = some_cosines(5)
    of_positive, of_negative, _ = gradients(positive, negative, 3.0)
    terms = (3 * (negative[None] - positive[:, None])).exp()
    weights = 3 * terms / (1 + terms.sum())
    torch.testing.assert_close(of_negative, weights.sum(0))
    torch.testing.assert_close(of_positive, -weights.sum(1))


def test_eq_17_push_and_pull_balance():
    for seed in range(5):
        positive, negative = some_cosines(seed)
        of_positive, of_negative, value = gradients(positive, negative, 20.0)
        assert of_negative.sum().item() == pytest.approx(-of_positive.sum().item())
        assert of_negative.sum().item() == pytest.approx(20 * (1 - math.exp(-value)))
        assert of_negative.sum() < 20
    # What is in order is left alone.
    assert gradients(positive * 0 + 0.9, negative * 0 - 0.9, 20.0)[1].sum() < 1e-10


def test_eq_18_lipschitz_in_the_cosines():
    steepest = 0.0
    for seed in range(200):
        positive, negative = some_cosines(seed)
        noise = 0.01 * torch.sign(draw(12, seed=seed))
        if seed % 2:  # the steepest direction: down with the positives, up with the negatives
            noise = torch.cat((torch.full((5,), -0.01), torch.full((7,), 0.01))).double()
        change = (loss(positive + noise[:5], negative + noise[5:], 20.0) - loss(positive, negative, 20.0)).abs().item()
        steepest = max(steepest, change / 0.01)
    assert 39 < steepest < 40


def test_eq_19_unbounded_for_short_vectors():
    vectors = draw(6, 8, seed=7)
    for length in (1.0, 1e-3):
        scaled = (length * F.normalize(vectors, dim=1)).requires_grad_()
        unit = F.normalize(scaled, dim=1)
        cosines = unit @ unit.T
        loss(cosines[0, 1:2], cosines[0, 2:], 20.0).backward()
        assert scaled.grad is not None
        norms = scaled.grad.norm(dim=1)
        assert (norms < 40 / length).all()
        assert norms.max() > 1 / length


def groups(count: int, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Index pairs of ``count`` groups of ``size``: all pairs within as positives, all between as negatives."""
    label = np.repeat(np.arange(count), size)
    a, b = np.triu_indices(len(label), 1)
    within = torch.from_numpy(label[a] == label[b])
    first, second = torch.from_numpy(a), torch.from_numpy(b)
    return first[within], second[within], first[~within], second[~within]


def settle(count: int, size: int, scale: float) -> tuple[float, float, int]:
    """Descend; gives the loss that is reached, the mean cosine of negatives and |P||N|."""
    a, b, c, d = groups(count, size)

    def objective(unit: Tensor) -> Tensor:
        cosines = unit @ unit.T
        # The logarithm of the sum: the same minimum, with a gradient that does not fade near it.
        return torch.logsumexp(scale * (cosines[c, d][None] - cosines[a, b][:, None]).flatten(), 0)

    unit = descend(draw(count * size, 5, seed=3), objective)
    cosines = unit @ unit.T
    reached = torch.log1p((scale * (cosines[c, d][None] - cosines[a, b][:, None])).exp().sum()).item()
    return reached, cosines[c, d].mean().item(), len(a) * len(c)


def test_eq_20_two_groups_reach_the_infimum():
    reached, cosine, pairs = settle(2, 3, 4.0)
    assert cosine == pytest.approx(-1, abs=1e-3)
    bound = math.log1p(pairs * math.exp(-8))
    assert bound * (1 - 1e-9) <= reached < bound * 1.01


def test_eq_21_odd_cycles_forbid_the_infimum():
    """Five sentences in a ring of negatives cannot all be antipodal to their neighbours; four can."""
    for count, reachable in ((4, True), (5, False)):
        ends = torch.arange(count), (torch.arange(count) + 1) % count

        def objective(unit: Tensor, ends=ends) -> Tensor:
            return torch.logsumexp(20 * (unit[ends[0]] * unit[ends[1]]).sum(1), 0)

        unit = descend(draw(count, 4, seed=4), objective, 500)
        cosines = (unit[ends[0]] * unit[ends[1]]).sum(1)
        assert (cosines.max().item() < -0.99) == reachable
        if not reachable:
            assert cosines.max().item() == pytest.approx(math.cos(math.pi * 4 / 5), abs=0.01)


def test_eq_22_three_groups_end_at_the_simplex():
    reached, cosine, pairs = settle(3, 2, 4.0)
    assert cosine == pytest.approx(-0.5, abs=1e-3)
    bound = math.log1p(pairs * math.exp(-4 * 1.5))
    assert bound * (1 - 1e-9) <= reached < bound * 1.01


@pytest.mark.parametrize(("count", "written"), [(2, 4.2484e-16), (3, 9.3576e-12), (10, 2.2336e-8)])
def test_eq_22_table_of_infima(count, written):
    positives = torch.ones(10, dtype=torch.float64)
    negatives = torch.full((10,), -1 / (count - 1), dtype=torch.float64)
    total = (20 * (negatives[None] - positives[:, None])).exp().sum()
    assert torch.log1p(total).item() == pytest.approx(written, rel=1e-4)


def test_eq_23_addition_loses_what_log1p_keeps():
    values = 100 * np.exp(-20 * np.array([2, 3 / 2, 10 / 9]))
    assert (np.log(np.float32(1) + values.astype(np.float32)) == 0).all()
    np.testing.assert_allclose(np.log1p(values.astype(np.float32)), values, rtol=1e-6)
    wrong = np.log(1 + values[0])
    assert wrong == pytest.approx(4.4409e-16, rel=1e-4)
    assert round(100 * (wrong / np.log1p(values[0]) - 1), 1) == 4.5
    assert np.float32(1) + np.float32(2**-24) == 1 < np.float32(1) + np.float32(2**-23)


def inversions(order: tuple[int, ...]) -> int:
    return sum(order[i] > order[j] for i in range(len(order)) for j in range(i + 1, len(order)))


def test_eq_24_the_loss_bounds_misordered_pairs():
    random = np.random.default_rng(2)
    for _ in range(100):
        cosines = np.tanh(random.standard_normal(8))
        wrong = sum(cosines[b] > cosines[a] for a in range(8) for b in range(a))  # labels are the places
        assert 28 - wrong <= math.expm1(graded(cosines, -np.arange(8), 20.0)) + 1e-9
    barely = np.array([0.0, 1e-9, 2e-9])  # the bound is nearly attained where violations are tiny
    assert math.expm1(graded(barely, np.array([2, 1, 0]), 20.0)) == pytest.approx(3)


def test_eq_25_kendall_from_inversions():
    for order in itertools.permutations(range(6)):
        assert kendalltau(range(6), order)[0] == pytest.approx(1 - 4 * inversions(order) / 30)


def test_eq_26_spearman_from_rank_differences():
    for order in itertools.permutations(range(5)):
        squares = sum((i - rank) ** 2 for i, rank in enumerate(order))
        assert spearmanr(range(5), order)[0] == pytest.approx(1 - 6 * squares / 120)


def test_eq_27_inversions_bound_rank_differences():
    tight = 0
    for order in itertools.permutations(range(7)):
        differences = [abs(i - rank) for i, rank in enumerate(order)]
        assert sum(differences) <= 2 * inversions(order)
        assert sum(d * d for d in differences) <= 12 * inversions(order)
        tight += sum(differences) == 2 * inversions(order)
    assert tight > 50


def test_eq_28_the_loss_bounds_spearman_from_below():
    random = np.random.default_rng(3)
    informative = 0
    for _ in range(300):
        labels = np.arange(8.0)
        cosines = np.sort(random.random(8)) + 0.05 * random.standard_normal(8)
        bound = 1 - 12 * math.expm1(graded(cosines, labels, 10.0)) / 72
        rho = spearmanr(cosines, labels)[0]
        assert rho >= bound - 1e-9
        informative += bound > -1
        if graded(cosines, labels, 10.0) < math.log(2):
            assert rho == pytest.approx(1)
    assert informative > 20
    assert graded(np.linspace(-0.9, 0.9, 8), np.arange(8), 20.0) < math.log(2)


def test_eq_29_a_lower_loss_with_a_lower_spearman():
    labels = np.arange(10)
    crowded = np.linspace(1e-3, 0, 10)  # all in reverse, within a thousandth
    apart = np.concatenate((np.linspace(-0.95, -0.9, 8), [0.95, 0.05]))  # the two highest labels exchanged, 0.9 apart
    assert spearmanr(crowded, labels)[0] == pytest.approx(-1)
    assert spearmanr(apart, labels)[0] == pytest.approx(0.988, abs=5e-4)
    assert graded(crowded, labels, 20.0) == pytest.approx(3.83, abs=0.01)
    assert graded(apart, labels, 20.0) == pytest.approx(18.0, abs=0.01)


def test_eq_30_infonce_is_cosent_with_one_positive():
    cosines = torch.tanh(draw(6, 6, seed=8))
    for i in range(6):
        infonce = F.cross_entropy(cosines[i][None] / 0.05, torch.tensor([i]))
        others = torch.cat((cosines[i, :i], cosines[i, i + 1 :]))
        torch.testing.assert_close(infonce, loss(cosines[i, i : i + 1], others, 20.0))


def test_eq_31_cosent_is_at_least_all_anchors_together():
    cosines = 0.3 * torch.tanh(draw(6, 6, seed=9))
    positive, off = cosines.diagonal(), ~torch.eye(6, dtype=torch.bool)
    each = [F.cross_entropy(cosines[i][None] / 0.05, torch.tensor([i])) for i in range(6)]
    together = sum(math.expm1(value.item()) for value in each)
    whole = math.expm1(loss(positive, cosines[off], 20.0).item())
    by_hand = sum(
        math.exp(20 * (cosines[k, j] - cosines[i, i]).item())
        for i in range(6) for k in range(6) for j in range(6) if j != k
    )  # fmt: skip
    assert whole == pytest.approx(by_hand)
    assert whole > together * 2


def test_eq_32_mean_cosine_is_the_length_of_the_mean():
    vectors = draw(50, 8, seed=10).numpy() + 1
    mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(0)
    cosine = pairwise(vectors).mean()
    assert cosine == pytest.approx((50 * (mean**2).sum() - 1) / 49)
    assert cosine > 0.3


def value_and_gradient(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A smooth function that is not convex: the sum of theta^2 / (1 + theta^2), second derivative at most 2."""
    return (theta**2 / (1 + theta**2)).sum(-1), 2 * theta / (1 + theta**2) ** 2


def test_eq_33_rate_of_gradient_descent():
    theta = np.array([3.0, -2.0, 0.7])
    start = value_and_gradient(theta)[0]
    smallest, rate = math.inf, 0.5  # 1 / L
    for step in range(1, 400):
        gradient = value_and_gradient(theta)[1]
        smallest = min(smallest, (gradient**2).sum())
        assert smallest <= 2 * start / (rate * step)
        theta = theta - rate * gradient
    assert smallest < 1e-3


def test_eq_34_noise_leaves_a_floor():
    random = np.random.default_rng(4)
    theta = np.tile([3.0, -2.0, 0.7], (3000, 1))
    start, rate, variance = value_and_gradient(theta[0])[0], 0.3, 3 * 0.5**2
    smallest = math.inf
    for step in range(1, 300):
        gradient = value_and_gradient(theta)[1]
        smallest = min(smallest, (gradient**2).sum(1).mean())
        assert smallest <= 2 * start / (rate * step) + 2 * rate * variance
        theta = theta - rate * (gradient + 0.5 * random.standard_normal(theta.shape))
    assert smallest > 0.05  # and it does not go to 0
