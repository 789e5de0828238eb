"""Note 3, words that can never be predicted: the product's verdicts against hulls, duals and enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linprog, minimize
from scipy.spatial import ConvexHull
from torch.utils.flop_counter import FlopCounterMode

from pipeline.model.bert import NORM_EPSILON, Bert, Shape
from pipeline.probe.unpredictable import TOLERANCE, behind_norm, best_margin, reach, witnessed

PLANE = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (0.2, 0.3)])


def cloud(count: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width))


def inside_hull(points: np.ndarray) -> set[int]:
    return set(range(len(points))) - set(ConvexHull(points).vertices.tolist())


def under_upper_hull(points: np.ndarray, bias: np.ndarray) -> set[int]:
    hull = ConvexHull(np.column_stack((points, bias)))
    return set(range(len(points))) - set(hull.simplices[hull.equations[:, -2] > 1e-12].ravel().tolist())


def upper_height(points: np.ndarray, bias: np.ndarray, k: int) -> float:
    """U_k at w_k by its definition, -inf outside of the hull."""
    others = np.arange(len(points)) != k
    solved = linprog(
        -bias[others],
        A_eq=np.vstack((points[others].T, np.ones(others.sum()))),
        b_eq=np.append(points[k], 1.0),
        method="highs",
    )
    return -solved.fun if solved.status == 0 else -math.inf


def test_eq_02_at_zero_all_classes_tie():
    scores = cloud(40, 3) @ np.zeros(3)
    assert (scores == scores.max()).sum() == 40


@pytest.mark.parametrize(("count", "width"), [(40, 2), (60, 3), (60, 5)])
def test_eq_03_out_of_reach_means_inside_the_hull(count, width):
    points = cloud(count, width)
    inside = inside_hull(points)
    assert len(inside) >= 10
    assert set(reach(points, np.zeros(count)).never.tolist()) == inside


def nearest(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The point of the hull nearest to ``target``."""
    count = len(points)
    found = minimize(
        lambda a: ((a @ points - target) ** 2).sum(), np.full(count, 1 / count), bounds=[(0, 1)] * count,
        jac=lambda a: 2 * points @ (a @ points - target),
        constraints={"type": "eq", "fun": lambda a: a.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    return found.x @ points


def test_eq_04_the_nearest_point_separates():
    points = cloud(12, 3, seed=1)
    inside = inside_hull(points)
    outside = set(range(12)) - inside
    assert inside
    assert outside
    for k in range(12):
        differences = np.delete(points[k] - points, k, axis=0)
        h = nearest(differences, np.zeros(3))
        assert ((differences @ h).min() > 1e-4) == (k in outside)


@pytest.mark.parametrize(("count", "width"), [(40, 2), (60, 3)])
def test_eq_05_with_bias_the_upper_hull_decides(count, width):
    points, bias = cloud(count, width), cloud(count, 1, seed=2)[:, 0]
    never = set(reach(points, bias).never.tolist())
    assert never == under_upper_hull(points, bias)
    assert never < inside_hull(points)
    for k in never:  # each with its certificate
        assert upper_height(points, bias, k) >= bias[k] - 1e-9


def test_eq_06_the_programme_finds_the_best_margin():
    """Against the whole programme at once, and no random vector does better."""
    points, bias = 0.3 * cloud(200, 2, seed=3), 0.3 * cloud(200, 1, seed=4)[:, 0]
    random = 5 * cloud(20_000, 2, seed=5)
    for k in (0, 1, 2, 3):
        lead = np.delete(points[k] - points, k, axis=0), np.delete(bias[k] - bias, k)
        whole = linprog([0, 0, -1], A_ub=np.column_stack((-lead[0], np.ones(199))), b_ub=lead[1],
                        bounds=[(None, None)] * 2 + [(None, 1)])  # fmt: skip
        margin = best_margin(points, bias, k)
        # Where a few rivals already keep it from the first place, the rest need not be looked at.
        assert margin == pytest.approx(-whole.fun, abs=1e-7) or -whole.fun <= margin <= TOLERANCE
        assert np.minimum((random @ lead[0].T + lead[1]).min(1).max(), 1) <= max(margin, 0) + 1e-9


def test_eq_07_the_dual_has_the_same_value():
    points, bias = 0.3 * cloud(30, 2, seed=3), 0.3 * cloud(30, 1, seed=4)[:, 0]
    values = []
    for k in range(30):
        lead = np.delete(points[k] - points, k, axis=0), np.delete(bias[k] - bias, k)
        equal = np.vstack((np.column_stack((lead[0].T, np.zeros(2))), np.ones(30)))
        dual = linprog(np.append(lead[1], 1.0), A_eq=equal, b_eq=[0, 0, 1])
        values.append(dual.fun)
        assert best_margin(points, bias, k) == pytest.approx(dual.fun, abs=1e-7)
    assert min(values) < -0.01
    assert max(values) == pytest.approx(1)


def test_eq_08_the_height_of_the_upper_hull_is_the_threshold():
    points, bias = cloud(12, 2, seed=6), cloud(12, 1, seed=7)[:, 0]
    inner = inside_hull(points).pop()
    height = upper_height(points, bias, inner)
    for shift, lost in ((-1e-3, True), (1e-3, False)):
        bias[inner] = height + shift
        assert (inner in reach(points, bias).never) == lost
    corner = ConvexHull(points).vertices[0]
    bias[corner] = -100
    assert upper_height(points, bias, corner) == -math.inf
    assert corner not in reach(points, bias).never


def test_eq_09_five_classes_in_the_plane():
    weights = np.array([0.45, 0.25, 0.30, 0, 0])
    np.testing.assert_allclose(weights @ PLANE, PLANE[4])
    raised = np.array([1.0, 0, 1, 0, 0])
    assert upper_height(PLANE, raised, 4) == pytest.approx(0.75)
    assert upper_height(PLANE, np.zeros(5), 4) == pytest.approx(0)
    for bias, lost in (
        ([0, 0, 0, 0, 0], True),
        ([0, 0, 0, 0, 0.1], False),
        ([1, 0, 1, 0, 0.6], True),
        ([1, 0, 1, 0, 0.8], False),
    ):
        assert (4 in reach(PLANE, np.array(bias, float)).never) == lost


def test_eq_10_equal_vectors_hide_each_other():
    points = np.vstack((cloud(10, 6), cloud(10, 6)[3:4]))
    assert set(reach(points, np.zeros(11)).never.tolist()) == {3, 10}
    bias = np.zeros(11)
    bias[10] = 0.1
    assert set(reach(points, bias).never.tolist()) == {3}


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def test_eq_11_log_probabilities_are_tied():
    bias = np.array([0.3, -0.2, 0.1, 0.5, 0.4])
    weights = np.array([0.45, 0.25, 0.30, 0])
    logs = np.log(softmax(3 * cloud(50, 2, seed=8) @ PLANE.T + bias))
    np.testing.assert_allclose(logs[:, 4] - logs[:, :4] @ weights, bias[4] - bias[:4] @ weights)


def test_eq_12_an_inner_class_has_at_most_half():
    hidden = 10 * cloud(5000, 2, seed=9)
    p = softmax(hidden @ PLANE.T)
    assert (p[:, 4] <= p[:, :4] @ np.array([0.45, 0.25, 0.30, 0]) + 1e-12).all()
    assert p[:, 4].max() <= 0.5
    assert p[:, 2].max() > 0.99


def test_eq_13_fewer_hidden_vectors_reach_fewer_classes():
    points = cloud(40, 2)
    free = set(range(40)) - set(reach(points, np.zeros(40)).never.tolist())
    half_plane = np.abs(cloud(20_000, 2, seed=10))  # a network whose hidden units are never negative
    reached = set((half_plane @ points.T).argmax(1).tolist())
    assert reached < free


def head() -> Bert:
    torch.manual_seed(0)
    model = Bert(Shape(50, 1, 16, 2, 32, 16, 0.0, 0.0, 0.3, "bert")).double()
    torch.nn.init.normal_(model.transform_norm.weight, 1, 0.3)
    torch.nn.init.normal_(model.transform_norm.bias, 0, 0.3)
    torch.nn.init.normal_(model.decoder.bias, 0, 0.3)
    return model


def test_eq_14_our_norm_gives_a_sphere():
    model = head()
    vectors = torch.randn(100, 16, dtype=torch.float64) * 5 + 2
    with torch.no_grad():
        z = (model.transform_norm(vectors) - model.transform_norm.bias) / model.transform_norm.weight
    assert z.sum(1).abs().max() < 1e-10
    variance = vectors.var(1, correction=0)
    torch.testing.assert_close(z.square().sum(1), 16 * variance / (variance + NORM_EPSILON))


def arrays(model: Bert) -> list[np.ndarray]:
    norm = model.transform_norm
    return [t.detach().numpy() for t in (model.decoder.weight, model.decoder.bias, norm.weight, norm.bias)]


def test_eq_15_the_norm_folds_into_the_output_layer():
    model = head()
    vectors = torch.randn(20, 16, dtype=torch.float64)
    weights, bias = behind_norm(*arrays(model))
    z = torch.nn.functional.layer_norm(vectors, (16,), eps=NORM_EPSILON).numpy()
    with torch.no_grad():
        expected = model.decoder(model.transform_norm(vectors)).numpy()
    np.testing.assert_allclose(z @ weights.T + bias, expected)
    np.testing.assert_allclose(weights.sum(1), 0, atol=1e-12)
    assert np.abs(bias - model.decoder.bias.detach().numpy()).max() > 0.1


def test_eq_16_no_coordinate_exceeds_the_root():
    z = torch.nn.functional.layer_norm(torch.randn(2000, 5).double().exp() ** 6, (5,), eps=0).abs()
    assert 1.99 < z.max() <= 2 + 1e-12
    spike = torch.nn.functional.layer_norm(torch.tensor([[9.0, 0, 0, 0, 0]]).double(), (5,), eps=0)
    assert spike.max().item() == pytest.approx(2)


def ball_margin(points: np.ndarray, bias: np.ndarray, k: int, radius: float) -> tuple[float, float]:
    """Both sides of the minimax identity, each by a general solver; the left from below."""
    lead, offset = np.delete(points[k] - points, k, axis=0), np.delete(bias[k] - bias, k)
    # The most that can be: z and t with t under every lead, z in the ball.
    under = {"type": "ineq", "fun": lambda x: lead @ x[:-1] + offset - x[-1]}
    inside = {"type": "ineq", "fun": lambda x: radius**2 - x[:-1] @ x[:-1]}
    start = np.append(np.zeros(points.shape[1]), offset.min() - 1)
    left = minimize(lambda x: -x[-1], start, constraints=[under, inside], options={"maxiter": 500})
    count = len(lead)
    right = min(
        minimize(
            lambda a: radius * np.linalg.norm(a @ lead) + a @ offset, start, bounds=[(0, 1)] * count,
            constraints={"type": "eq", "fun": lambda a: a.sum() - 1}, options={"maxiter": 500, "ftol": 1e-12},
        ).fun
        for start in np.random.default_rng(0).dirichlet(np.ones(count), 4)
    )  # fmt: skip
    return -left.fun, right


def test_eq_17_minimax_in_the_ball():
    points, bias = cloud(8, 3, seed=11), 0.5 * cloud(8, 1, seed=12)[:, 0]
    for k in range(8):
        left, right = ball_margin(points, bias, k, 1.5)
        assert left == pytest.approx(right, abs=1e-4)


def test_eq_18_a_vertex_with_a_low_bias_is_out_of_reach():
    points, bias = cloud(8, 3, seed=11), np.zeros(8)
    corner = int(np.linalg.norm(points, axis=1).argmax())
    distance = np.linalg.norm(points[corner] - nearest(np.delete(points, corner, axis=0), points[corner]))
    assert corner not in reach(points, bias).never
    for factor, lost in ((0.99, False), (1.01, True)):  # the rivals all have bias 0, so the nearest point decides
        bias[corner] = -factor * 1.5 * distance
        assert (ball_margin(points, bias, corner, 1.5)[0] < 0) == lost
        assert corner not in reach(points, bias).never  # without a bound on h the bias can be drowned


def test_eq_19_what_the_box_forbids_the_sphere_forbids():
    weights, bias = behind_norm(cloud(80, 4, seed=13), 3 * cloud(80, 1, seed=14)[:, 0], np.ones(4), np.zeros(4))
    found = reach(weights, bias, 2.0)
    z = torch.nn.functional.layer_norm(torch.from_numpy(cloud(100_000, 4, seed=15)), (4,), eps=0).numpy()
    seen = set((z @ weights.T + bias).argmax(1).tolist())
    never = set(found.never.tolist())
    assert len(never) > 30
    assert not seen & never
    assert len(seen) >= 5
    # More is out of reach here than for vectors of any length.
    assert set(reach(weights, bias).never.tolist()) < never


def test_eq_20_gradient_of_the_distance():
    points = torch.from_numpy(cloud(9, 4, seed=16))
    alpha = torch.full((8,), 1 / 8, dtype=torch.float64, requires_grad=True)
    rest = points[1:]
    (0.5 * (points[0] - alpha @ rest).square().sum()).backward()
    torch.testing.assert_close(alpha.grad, -(rest @ (points[0] - alpha.detach() @ rest)))


def frank_wolfe(points: np.ndarray, target: np.ndarray, rounds: int) -> list[tuple[float, float, np.ndarray]]:
    """(f, gap, r) of each round."""
    p, seen = points[0].copy(), []
    for t in range(rounds):
        r = target - p
        best = points[(points @ r).argmax()]
        seen.append((0.5 * float(r @ r), float((best - p) @ r), r))
        p = p + 2 / (t + 2) * (best - p)
    return seen


def test_eq_22_a_small_gap_is_a_witness():
    points = cloud(60, 3)
    inside = inside_hull(points)
    for k in range(60):
        rest = np.delete(points, k, axis=0)
        certified = False
        for _, gap, r in frank_wolfe(rest, points[k], 400):
            lead = ((points[k] - rest) @ r).min()
            assert lead == pytest.approx(r @ r - gap)
            if gap < r @ r - 1e-12:
                certified = True
                assert lead > 0
        assert certified == (k not in inside)


def test_eq_23_rate_of_frank_wolfe():
    points = cloud(60, 3)
    diameter = max(np.linalg.norm(a - b) for a in points for b in points)
    for k in (0, 5, 20):
        rest = np.delete(points, k, axis=0)
        best = 0.5 * ((points[k] - nearest(rest, points[k])) ** 2).sum()
        for t, (value, _, _) in enumerate(frank_wolfe(rest, points[k], 300)[1:], start=1):
            assert value - best <= 2 * diameter**2 / (t + 2) + 1e-6


def test_eq_24_the_longest_vector_is_its_own_witness():
    for seed in range(20):
        points = cloud(100, 3, seed=seed)
        longest = np.linalg.norm(points, axis=1).argmax()
        assert (points @ points[longest]).argmax() == longest
        assert witnessed(points, np.zeros(100), None, 100)[longest]


def test_eq_25_the_perceptron_fails_few_times():
    points = cloud(60, 3)
    for k in set(range(60)) - inside_hull(points):
        leads = np.delete(points[k] - points, k, axis=0)
        gap = nearest(leads, np.zeros(3))
        margin, largest = (leads @ gap).min() / np.linalg.norm(gap), np.linalg.norm(leads, axis=1).max()
        h, failures = np.zeros(3), 0
        while (leads @ h).min() <= 0:
            h, failures = h + leads[(leads @ h).argmin()], failures + 1
        assert failures <= (largest / margin) ** 2 * 1.001


def share_without_origin(count: int, draws: int = 1500) -> float:
    """How often points in the plane lie within one half-plane, by the gaps between their angles."""
    points = np.random.default_rng(17).standard_normal((draws, count, 2))
    angles = np.sort(np.arctan2(points[..., 1], points[..., 0]), axis=1)
    gaps = np.diff(np.concatenate((angles, angles[:, :1] + 2 * math.pi), axis=1), axis=1)
    return float((gaps.max(1) > math.pi).mean())


def wendel(count: int, width: int) -> float:
    return sum(math.comb(count - 1, j) for j in range(width)) / 2 ** (count - 1)


@pytest.mark.parametrize("count", [3, 5, 8])
def test_eq_26_wendel(count):
    expected = wendel(count, 2)
    assert share_without_origin(count) == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 1500))


def test_eq_27_twice_the_dimension_is_even_odds():
    assert [wendel(2 * width, width) for width in (2, 10, 128)] == [0.5] * 3
    assert share_without_origin(4) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("width", "lost"), [(2, 192), (4, 143), (8, 33), (12, 2), (16, 0)])
def test_eq_28_gaussian_classes_are_seldom_lost(width, lost):
    never = reach(cloud(200, width), np.zeros(200)).never
    assert len(never) == lost
    bound = 199 / 2 * 2 ** (-width / 2)
    assert len(never) <= 200 * min(bound, 1)
    if width == 16:
        assert round(bound, 3) == 0.389


def test_eq_29_nothing_is_lost_at_128():
    bound = 9999 / 2 * 2.0**-64
    assert bound == pytest.approx(2.7e-16, rel=0.01)
    points = cloud(2000, 128)
    assert ((points @ points.T).argmax(1) == np.arange(2000)).all()


def test_eq_30_cost_of_a_round():
    weights = torch.empty(10_020, 128, device="meta")
    with FlopCounterMode(display=False) as counter:
        weights @ weights.T
    assert counter.get_total_flops() == 2 * 10_020**2 * 128
    assert round(counter.get_total_flops() / 2e9, 1) == 12.9
