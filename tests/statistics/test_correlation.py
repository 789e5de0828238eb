"""r, its intervals and its relatives against known truth."""

import numpy as np
import pytest
from scipy import stats

from pipeline.statistics import bootstrap, correlation
from pipeline.statistics.autocorrelation import Autocorrelation, autocorrelation, effective_sample_sizes, lag_one
from pipeline.statistics.binomial import inferred_denominator
from pipeline.statistics.curves import fit_curves
from pipeline.statistics.noise import NOISE_GRID, colour, learn_noise, whiten
from pipeline.statistics.slope import slope_test
from tests.helpers.simulated import CURVES, STEPS, ar_noise, published_like, published_share, true_r


def look(accuracy, steps=STEPS):
    best = fit_curves(steps, accuracy)[0]
    return correlation.pearson(steps, accuracy, best, correlation.draws_around(steps, accuracy, best))


def test_r_and_its_plain_interval_are_those_of_numpy_and_fisher():
    accuracy = CURVES["log"] + np.random.default_rng(5).normal(0, 0.05, len(STEPS))
    found = look(accuracy)
    assert found.r == pytest.approx(np.corrcoef(STEPS, accuracy)[0, 1], abs=1e-12)
    half = stats.norm.ppf(0.975) / np.sqrt(len(STEPS) - 3)
    assert found.interval_iid == pytest.approx(tuple(np.tanh(np.arctanh(found.r) + np.array([-half, half]))))


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_the_interval_holds_the_truth_as_often_as_it_says(phi, monkeypatch):
    """95 % is asked for; the share over 40 runs may fall short by three standard errors, and no further."""
    monkeypatch.setattr(bootstrap, "REPLICATES", 200)
    generator = np.random.default_rng(6)
    curve, sigma, steps = CURVES["exponential"], 0.1, STEPS
    truth = true_r(steps, curve, sigma)
    held = []
    for _ in range(40):
        low, high = look(curve + ar_noise(generator, len(steps), phi, sigma)).interval_autocorrelation
        held.append(low <= truth <= high)
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(held))


def test_autocorrelated_noise_widens_the_interval_and_shrinks_the_sample():
    generator = np.random.default_rng(8)
    wide, narrow = (look(CURVES["linear"] + ar_noise(generator, len(STEPS), phi, 0.1)) for phi in (0.8, 0.0))
    assert np.ptp(wide.interval_autocorrelation) > 1.5 * np.ptp(narrow.interval_autocorrelation)
    assert wide.effective_sample_size < 80 < 200 < narrow.effective_sample_size
    assert wide.interval_autocorrelation[0] < wide.r < wide.interval_autocorrelation[1]


def test_the_same_history_gives_the_same_interval():
    accuracy = CURVES["log"] + ar_noise(np.random.default_rng(1), len(STEPS), 0.5, 0.05)
    assert look(accuracy) == look(accuracy)


def test_whitening_is_undone_by_colouring_and_gives_the_innovations():
    shocks = np.random.default_rng(2).normal(size=(3, 400))
    for phi, theta in NOISE_GRID[::7]:
        process = colour(shocks, phi, theta)
        assert whiten(process, phi, theta) == pytest.approx(shocks)
    process = colour(np.random.default_rng(3).normal(size=(4000, 40)), 0.9, 0.45)[:, 20:]
    assert process.var(axis=0) == pytest.approx(np.full(20, (1 - 0.81 + 0.45**2) / (1 - 0.81)), rel=0.15)


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.9])
def test_the_memory_of_the_noise_is_found_though_the_curve_has_bent_towards_it(phi):
    generator = np.random.default_rng(4)
    found = []
    for _ in range(12):
        accuracy = CURVES["exponential"] + ar_noise(generator, len(STEPS), phi, 0.1)
        fit = fit_curves(STEPS, accuracy)[0]
        noise = learn_noise(accuracy - fit.at(STEPS), fit.tangents(STEPS))
        phi_found, theta = noise.best
        found.append((1 - theta) / (1 - phi_found))  # how much more a slow average of the noise varies
        assert noise.weights.sum() == pytest.approx(1)
    assert np.median(found) == pytest.approx(1 / (1 - phi), rel=0.35)


def test_effective_sample_size_is_that_of_the_theory():
    noise = ar_noise(np.random.default_rng(9), 20_000, 0.5, 1.0)
    assert autocorrelation(noise).effective_sample_size == pytest.approx(20_000 / 3, rel=0.1)
    for method, size in vars(effective_sample_sizes(noise)).items():
        assert size == pytest.approx(20_000 / 3, rel=0.25), method
    alternating = np.tile([1.0, -1.0], 50)
    assert autocorrelation(alternating) == Autocorrelation(1.0, 100.0)
    assert set(vars(effective_sample_sizes(alternating)).values()) == {100.0}
    assert lag_one(alternating) == pytest.approx(-0.99)
    assert lag_one(np.zeros(5)) is None


def test_the_slope_is_that_of_scipy_and_its_test_keeps_its_level_under_autocorrelation():
    generator = np.random.default_rng(10)
    one = CURVES["log"] + generator.normal(0, 0.05, len(STEPS))
    assert slope_test(STEPS, one).slope == pytest.approx(stats.linregress(STEPS, one).slope)
    plain, robust = [], []
    for _ in range(300):
        flat = ar_noise(generator, len(STEPS), 0.7, 1.0)
        plain.append(stats.linregress(STEPS, flat).pvalue < 0.05)
        robust.append(slope_test(STEPS, flat).p < 0.05)
    assert np.mean(plain) > 0.25  # what independence would claim
    assert np.mean(robust) < 0.12


@pytest.mark.parametrize("steps", [np.arange(7.0), np.full(20, 3.0)])
def test_a_slope_that_cannot_be_told_is_none(steps):
    assert slope_test(steps, np.arange(float(len(steps)))) is None


def test_denominators_are_read_off_the_fractions():
    history = published_like()
    assert inferred_denominator(np.array(history.records["mlm_acc"])) == pytest.approx(384, rel=0.05)
    assert inferred_denominator(np.array(history.records["nsp_acc"])) == 32
    assert inferred_denominator(np.random.default_rng(1).random(500)) is None
    assert inferred_denominator(np.array([0.5, 0.25])) is None


def test_r_without_sampling_noise_is_that_of_the_curve():
    history = published_like(targets=100)
    steps, accuracy = (np.array(history.records[key], dtype=float) for key in ("steps", "mlm_acc"))
    fits = fit_curves(steps, accuracy)
    counts = np.full(len(steps), inferred_denominator(accuracy))
    found = correlation.correlation(steps, accuracy, fits, None, counts, "inferred").disattenuated
    clean = np.corrcoef(steps, 0.575 - 0.42 * np.exp(-steps / 16_400))[0, 1]
    assert found.r == pytest.approx(clean, abs=0.02)
    assert found.r > np.corrcoef(steps, accuracy)[0, 1] + 0.02


def test_relatives_of_r_are_those_of_scipy():
    accuracy = CURVES["exponential"] + ar_noise(np.random.default_rng(12), len(STEPS), 0.3, 0.05)
    fits = fit_curves(STEPS, accuracy)
    draws = correlation.draws_around(STEPS, accuracy, fits[0])
    found = correlation.correlation(STEPS, accuracy, fits, draws, np.full(len(STEPS), np.nan), None)
    assert found.spearman.rho == pytest.approx(stats.spearmanr(STEPS, accuracy).statistic)
    assert found.log_step.r == pytest.approx(stats.pearsonr(np.log(STEPS), accuracy).statistic)
    for relative, value in ((found.spearman, found.spearman.rho), (found.log_step, found.log_step.r)):
        low, high = relative.interval_autocorrelation
        assert low < value < high
    assert found.disattenuated.r is None
    assert found.residual_lag1.line > found.residual_lag1.curve


def test_r_falls_as_a_saturating_run_goes_on():
    first, second_half = correlation.horizons(STEPS, CURVES["exponential"])
    assert first[-1].until == STEPS[-1]
    assert first[-1].records == len(STEPS)
    assert first[-1].r == pytest.approx(stats.pearsonr(STEPS, CURVES["exponential"]).statistic)
    assert first[4].r > first[9].r > first[19].r
    assert second_half.records == 150


def test_a_run_like_the_published_one_has_its_shape_of_r():
    """r around the simulated curve, with the noise of counting the targets; it falls as the run gets longer."""
    history = published_like()
    steps, accuracy = (np.array(history.records[key], dtype=float) for key in ("steps", "mlm_acc"))
    first, second_half = correlation.horizons(steps, accuracy)
    found = {part.until: part.r for part in first}
    share = published_share(steps)
    noise = np.sqrt(share * (1 - share) / 384)
    parts = [steps <= 20_000, steps <= 50_000, steps <= 100_000, steps > 50_000]
    expected = [true_r(steps[part], share[part], np.sqrt((noise[part] ** 2).mean())) for part in parts]
    assert [found[20_000], found[50_000], found[100_000], second_half.r] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("accuracy", [[], [0.3], [0.3, 0.4], [0.3] * 50])
def test_too_little_to_tell_is_said_and_not_guessed(accuracy):
    steps = np.arange(1.0, len(accuracy) + 1)
    assert fit_curves(steps, np.array(accuracy)) == []
    found = correlation.pearson(steps, np.array(accuracy), None)
    assert (found.r, found.interval_iid, found.interval_autocorrelation) == (None, None, None)
    assert "r" in found.note
