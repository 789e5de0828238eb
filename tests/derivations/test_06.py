"""Note 6, whitening: the product's transform against the covariance, bounds that are attained, simulated retrieval."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.probe.whitening import effective_rank, mean_cosine, retrieved, spectrum, unit

WIDTH = 8


def cloud(count: int = 500, seed: int = 0) -> np.ndarray:
    """Vectors with a mean and a spectrum that is far from even."""
    random = np.random.default_rng(seed)
    mixing = random.standard_normal((WIDTH, WIDTH)) * np.arange(1, WIDTH + 1) ** -1.5
    return random.standard_normal((count, WIDTH)) @ mixing.T + 2 * random.standard_normal(WIDTH)


def covariance(vectors: np.ndarray) -> np.ndarray:
    centred = vectors - vectors.mean(0)
    return (centred[:, :, None] * centred[:, None, :]).mean(0)


def cosines(vectors: np.ndarray) -> np.ndarray:
    return (unit(vectors) @ unit(vectors).T)[np.triu_indices(len(vectors), 1)]


def test_eq_02_the_spectrum_rebuilds_the_covariance():
    found = spectrum(cloud())
    np.testing.assert_allclose(
        (found.directions * found.variances) @ found.directions.T, covariance(cloud()), atol=1e-12
    )
    np.testing.assert_allclose(found.directions.T @ found.directions, np.eye(WIDTH), atol=1e-12)
    assert (np.diff(found.variances) < 0).all()


def test_eq_03_variance_along_a_direction():
    found, vectors = spectrum(cloud()), cloud()
    for j in range(WIDTH):
        assert ((vectors - vectors.mean(0)) @ found.directions[:, j]).var() == pytest.approx(found.variances[j])


def test_eq_04_principal_directions_lose_least():
    vectors, found = cloud() - cloud().mean(0), spectrum(cloud())
    kept = found.directions[:, :3]
    assert ((vectors - vectors @ kept @ kept.T) ** 2).sum(1).mean() == pytest.approx(found.variances[3:].sum())
    random = np.random.default_rng(1)
    for _ in range(200):
        other, _ = np.linalg.qr(kept + 0.3 * random.standard_normal((WIDTH, 3)))
        assert ((vectors - vectors @ other @ other.T) ** 2).sum(1).mean() > found.variances[3:].sum()


def test_eq_06_one_one_whitens():
    white = spectrum(cloud()).transform(cloud(), 1, 1)
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-10)
    np.testing.assert_allclose(covariance(white), np.eye(WIDTH), atol=1e-10)


def test_eq_07_zero_zero_keeps_every_cosine():
    vectors = cloud()
    np.testing.assert_allclose(cosines(spectrum(vectors).transform(vectors, 0, 0)), cosines(vectors), atol=1e-12)
    assert np.abs(cosines(spectrum(vectors).transform(vectors, 0, 0, keep=3)) - cosines(vectors)).max() > 0.01
    assert np.abs(cosines(spectrum(vectors).transform(vectors, 1, 0)) - cosines(vectors)).max() > 0.5


def test_eq_08_all_whitenings_give_the_same_cosines():
    vectors = cloud()
    by_cholesky = (vectors - vectors.mean(0)) @ np.linalg.inv(np.linalg.cholesky(covariance(vectors))).T
    np.testing.assert_allclose(cosines(by_cholesky), cosines(spectrum(vectors).transform(vectors, 1, 1)), atol=1e-8)


def test_eq_09_mahalanobis():
    vectors = cloud()
    white, inverse = spectrum(vectors).transform(vectors, 1, 1), np.linalg.inv(covariance(vectors))
    for i, j in ((0, 1), (2, 40), (99, 7)):
        difference = vectors[i] - vectors[j]
        assert ((white[i] - white[j]) ** 2).sum() == pytest.approx(difference @ inverse @ difference)
    # The worked numbers.
    x, y = np.array([2.0, 1.0]), np.array([2.0, -1.0])
    scale = np.array([4.0, 1.0]) ** -0.5
    assert cosines(np.array([x, y]))[0] == pytest.approx(0.6)
    assert cosines(np.array([x * scale, y * scale]))[0] == pytest.approx(0)


def mean_product(vectors: np.ndarray) -> float:
    return float((vectors @ vectors.T)[np.triu_indices(len(vectors), 1)].mean())


def test_eq_10_mean_product_of_centred_vectors():
    vectors = spectrum(cloud(60)).transform(cloud(60), 1, 0.5)
    assert mean_product(vectors) == pytest.approx(-(vectors**2).sum() / (60 * 59))


def test_eq_11_mean_product_of_whitened_vectors():
    assert mean_product(spectrum(cloud(60)).transform(cloud(60), 1, 1)) == pytest.approx(-WIDTH / 59)
    assert abs(mean_cosine(spectrum(cloud(60)).transform(cloud(60), 1, 1))) < 0.03 < mean_cosine(cloud(60))


def cut(vectors: np.ndarray, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotated vectors, cut, and the share of squared length of each that went."""
    turned = spectrum(vectors).transform(vectors, 0, 0)
    return turned[:, :keep], (turned[:, keep:] ** 2).sum(1) / (turned**2).sum(1)


def test_eq_13_truncation_changes_a_cosine_by_so_much():
    vectors = cloud(300)
    for keep in (2, 4, 6):
        kept, lost = cut(vectors, keep)
        a, b = np.triu_indices(300, 1)
        bound = 1 - np.sqrt((1 - lost[a]) * (1 - lost[b])) + np.sqrt(lost[a] * lost[b])
        change = np.abs(cosines(vectors) - cosines(kept))
        assert (change <= bound + 1e-12).all()
        assert (change / bound).max() > 0.5


def test_eq_14_the_bound_is_attained():
    for share in (0.01, 0.05, 0.3):
        along, across = math.sqrt(1 - share), math.sqrt(share)
        full = cosines(np.array([[along, across], [along, -across]]))[0]
        assert 1 - full == pytest.approx(2 * share)


def test_eq_15_energy_that_is_cut_off():
    vectors, found = cloud(), spectrum(cloud())
    turned = found.transform(vectors, 0, 0)
    expected = (found.variances[3:] + (vectors.mean(0) @ found.directions[:, 3:]) ** 2).sum()
    assert (turned[:, 3:] ** 2).sum(1).mean() == pytest.approx(expected)
    assert expected > 2 * found.variances[3:].sum()  # the mean's share is not small here


def test_eq_16_effective_rank_between_one_and_the_rank():
    assert effective_rank(np.array([3.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_rank(np.full(5, 0.2)) == pytest.approx(5)
    assert 1 < effective_rank(spectrum(cloud()).variances) < WIDTH


def test_eq_17_participation_ratio_is_less():
    random = np.random.default_rng(2)
    for _ in range(100):
        variances = random.exponential(size=10) ** 3
        assert variances.sum() ** 2 / (variances**2).sum() <= effective_rank(variances) + 1e-12
    assert effective_rank(np.ones(4)) == pytest.approx(4**2 / 4)


def test_eq_18_effective_rank_rises_with_gamma():
    vectors = cloud()
    found = spectrum(vectors)
    ranks = []
    for gamma in np.linspace(0, 1, 11):
        ranks.append(effective_rank(spectrum(found.transform(vectors, 1, gamma)).variances))
        theta, step = 1 - gamma, 1e-4
        slope = math.log(
            effective_rank(found.variances ** (theta + step)) / effective_rank(found.variances ** (theta - step))
        )
        shares = found.variances**theta / (found.variances**theta).sum()
        logs = np.log(found.variances)
        variance = (shares * logs**2).sum() - (shares * logs).sum() ** 2
        assert slope / (2 * step) == pytest.approx(-theta * variance, abs=1e-4)
    assert ranks == sorted(ranks)
    assert ranks[-1] > ranks[0] + 2
    worked = [effective_rank(np.array([4.0, 1.0]) ** (1 - gamma)) for gamma in (0, 0.5, 1)]
    assert [round(value, 3) for value in worked] == [1.649, 1.890, 2.0]


def test_eq_19_whitened_rank_is_full():
    narrow = cloud()[:, :5] @ np.random.default_rng(3).standard_normal((5, WIDTH))
    found = spectrum(narrow)
    assert len(found.variances) == 5
    assert effective_rank(spectrum(found.transform(narrow, 1, 1)).variances) == pytest.approx(5)


def test_eq_20_few_vectors_become_a_simplex():
    few = cloud(6)
    found = spectrum(few)
    assert len(found.variances) == 5
    np.testing.assert_allclose(cosines(found.transform(few, 1, 1)), -1 / 5, atol=1e-6)
    assert np.ptp(cosines(few)) > 0.1
    assert np.ptp(cosines(spectrum(cloud(200)).transform(cloud(200), 1, 1))) > 1


SIGNAL = 10 * np.arange(1, 33.0) ** -1.5


def views(noise: np.ndarray, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Two noisy views of the same meanings, rotated, with a mean."""
    random = np.random.default_rng(0)
    turn, _ = np.linalg.qr(random.standard_normal((32, 32)))
    meaning, mean = random.standard_normal((count, 32)) * np.sqrt(SIGNAL), 3 * random.standard_normal(32)
    first = (mean + meaning + random.standard_normal((count, 32)) * np.sqrt(noise)) @ turn.T
    second = (mean + meaning + random.standard_normal((count, 32)) * np.sqrt(noise)) @ turn.T
    return first, second


def scores(weights: np.ndarray, noise: np.ndarray, count: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    meaning = random.standard_normal((count, 32)) * np.sqrt(SIGNAL)
    x, y = (meaning + random.standard_normal((count, 32)) * np.sqrt(noise) for _ in range(2))
    return (weights * x * y).sum(1), (weights * x * np.roll(y, 1, axis=0)).sum(1)


def test_eq_21_scores_of_matches_and_others():
    noise, weights = np.full(32, 0.4), np.linspace(1, 2, 32)
    match, other = scores(weights, noise)
    assert match.mean() - other.mean() == pytest.approx((weights * SIGNAL).sum(), rel=0.02)
    assert other.var() == pytest.approx((weights**2 * (SIGNAL + noise) ** 2).sum(), rel=0.05)


def separation(weights: np.ndarray, noise: np.ndarray) -> float:
    match, other = scores(weights, noise)
    return float((match.mean() - other.mean()) ** 2 / other.var())


def test_eq_22_the_best_weights():
    noise = np.full(32, 0.4)
    total = SIGNAL + noise
    best = separation(SIGNAL / total**2, noise)
    assert best == pytest.approx((SIGNAL**2 / total**2).sum(), rel=0.05)
    for weights in (np.ones(32), 1 / total, total, SIGNAL):
        assert separation(weights, noise) < best


def grid(noise: np.ndarray, beta: float) -> list[float]:
    first, second = views(noise)
    found = spectrum(np.vstack((first, second)))
    shares = [retrieved(*(found.transform(v, beta, g) for v in (first, second))) for g in (0, 0.25, 0.5, 0.75, 1)]
    return [round(100 * share, 1) for share in shares]


def test_eq_23_whitening_suits_proportional_noise():
    noise = 0.6 * SIGNAL
    assert grid(noise, 0) == pytest.approx([28.5, 42.2, 60.0, 74.0, 77.7], abs=0.3)
    assert grid(noise, 1) == pytest.approx([33.0, 47.7, 69.3, 82.3, 85.3], abs=0.3)
    total = SIGNAL + noise
    np.testing.assert_allclose(SIGNAL / total**2 * total * 1.6, 1)  # the best weights are those of whitening


def test_eq_24_whitening_harms_under_even_noise():
    noise = np.full(32, 0.4)
    assert grid(noise, 0) == pytest.approx([43.5, 38.3, 30.5, 23.5, 14.2], abs=0.3)
    assert grid(noise, 1) == pytest.approx([41.2, 43.5, 37.8, 30.5, 20.3], abs=0.3)
    first, second = views(noise)
    found = spectrum(np.vstack((first, second)))
    means = [mean_cosine(found.transform(first, beta, 0)) for beta in (0, 1)]
    assert means == [pytest.approx(0.92, abs=0.005), pytest.approx(-0.002, abs=0.001)]
    drowned = np.full(32, 1e4)  # noise alone decides the variance
    ratio = SIGNAL / (SIGNAL + drowned) ** 2 / SIGNAL
    assert ratio.max() / ratio.min() < 1.01


def test_eq_25_noise_after_whitening():
    noise = np.full(32, 0.4)
    random = np.random.default_rng(5)
    errors = random.standard_normal((50_000, 32)) * np.sqrt(noise)
    whitened = errors / np.sqrt(SIGNAL + noise)
    assert (whitened**2).sum(1).mean() / 32 == pytest.approx((noise / (SIGNAL + noise)).mean(), rel=0.01)
    shares = noise.sum() / (SIGNAL + noise).sum(), (noise / (SIGNAL + noise)).mean()
    assert [round(100 * share) for share in shares] == [36, 63]


def test_eq_26_means_are_merged():
    vectors = cloud()
    a, b = vectors[:120], vectors[120:]
    np.testing.assert_allclose((120 * a.mean(0) + 380 * b.mean(0)) / 500, vectors.mean(0))


def test_eq_27_covariances_are_merged():
    vectors = cloud()
    a, b = vectors[:120], vectors[120:] + 1
    difference = a.mean(0) - b.mean(0)
    merged = (120 * covariance(a) + 380 * covariance(b)) / 500 + 120 * 380 / 500**2 * np.outer(difference, difference)
    np.testing.assert_allclose(merged, covariance(np.vstack((a, b))), atol=1e-12)


def test_eq_29_a_common_part_lifts_all_cosines():
    own = np.eye(9)[:8]
    for beta in (0, 0.3, 1):
        lifted = own + 2 * (1 - beta) * np.eye(9)[8]
        expected = 4 * (1 - beta) ** 2 / (1 + 4 * (1 - beta) ** 2)
        np.testing.assert_allclose(cosines(lifted), expected)
        assert mean_cosine(lifted) == pytest.approx(expected)


def test_eq_30_chance_of_retrieval():
    random = np.random.default_rng(6)
    shares = [retrieved(*random.standard_normal((2, 20, 5))) for _ in range(500)]
    assert np.mean(shares) == pytest.approx(1 / 20, abs=0.006)
