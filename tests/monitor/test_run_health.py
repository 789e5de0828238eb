"""The rules of the progress screen: where their limits lie, and how often faultless runs are warned of."""

import numpy as np
import pytest
from scipy import stats

from pipeline.files.history import History
from pipeline.monitor.progress import measure
from pipeline.monitor.run_health import difference_from_reference, divergence, nsp_at_chance, overfit
from pipeline.monitor.screen import screen
from tests.helpers.rates import assert_rate, power
from tests.helpers.simulated import ar_noise

RECORDS = 200
STEPS = list(range(20, 4001, 20))
SHARE = np.arange(RECORDS) / RECORDS
ACCURACY, LOSS = 0.3 - 0.24 * np.exp(-4 * SHARE), 4.6 + 3.2 * np.exp(-5 * SHARE)
NOISE = {"mlm_acc": 0.0087, "eval_mlm_acc": 0.0065, "loss": 0.055}


def run_of(generator, phi=0.4, **added):
    """A faultless run of 200 records whose noise remembers; ``added`` by list: what is added to it (float [200])."""
    lists = {
        key: (
            (LOSS if key == "loss" else ACCURACY) + ar_noise(generator, RECORDS, phi, sigma) + added.get(key, 0)
        ).tolist()
        for key, sigma in NOISE.items()
    }
    return History({"steps": STEPS, **lists}, {})


def cut(history, records):
    return History({key: values[:records] for key, values in history.records.items()}, history.run)


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_none_of_hundreds_of_faultless_runs_is_warned_of(phi):
    """Looked at every tenth record; runs enough to meet one at least, were one in a hundred warned of."""
    generator, runs = np.random.default_rng(1), 400
    assert power(0.0, runs, 0.01) > 0.95
    for _ in range(runs):
        history = run_of(generator, phi)
        for end in range(10, RECORDS + 1, 10):
            part = cut(history, end)
            assert divergence(part) == overfit(part) == []


def block_error(values):
    """Of a difference of two means of eight: the median of neighbouring ones over that of a normal size, by numpy."""
    means = np.reshape(values[len(values) % 8 :], (-1, 8)).mean(axis=1)[-20:]
    return np.median(np.abs(np.diff(means))) / stats.norm.ppf(0.75)


def test_a_loss_diverges_from_four_standard_errors_or_three_per_cent_on():
    """Above the least mean of eight records before; the last eight are raised, which moves no median."""
    generator = np.random.default_rng(2)
    for level, sigma in ((0.5, 0.055), (5.0, 0.01)):
        values = level + generator.normal(0, sigma, RECORDS)
        before = [values[start : start + 8].mean() for start in range(RECORDS - 15)]
        limit = max(4 * block_error(values), 0.03 * min(before))
        for part, found in ((0.9, False), (1.1, True)):
            raised = values.copy()
            raised[-8:] += min(before) + part * limit - values[-8:].mean()
            margin = raised[-8:].mean() - min(before)
            assert (margin > max(4 * block_error(raised), 0.03 * min(before))) == found
            assert bool(divergence(History({"steps": STEPS, "loss": raised.tolist()}, {}))) == found


def test_a_rising_loss_is_divergence_and_a_falling_one_is_none():
    rise = np.zeros(RECORDS)
    rise[170:] = 0.04 * np.arange(1, 31)
    assert divergence(run_of(np.random.default_rng(1))) == []
    [found] = divergence(run_of(np.random.default_rng(1), loss=rise))
    assert found.startswith("diverging: loss 5.")


def test_held_out_falling_while_training_rises_is_overfitting():
    fall = -0.3 * np.maximum(0.0, SHARE - 0.6)
    [found] = overfit(run_of(np.random.default_rng(2), eval_mlm_acc=fall))
    assert "points below its best" in found
    both = -0.3 * np.maximum(0.0, SHARE - 0.5)  # training falls too: that is no overfitting
    assert overfit(run_of(np.random.default_rng(2), eval_mlm_acc=fall, mlm_acc=both)) == []


def test_the_error_of_a_difference_from_a_reference_is_that_of_a_mean_of_eight():
    """Independent noise of sigma in both: sqrt(2 / 8) sigma."""
    generator, found, apart = np.random.default_rng(3), [], []
    for _ in range(400):
        each = difference_from_reference(run_of(generator, 0.0), run_of(generator, 0.0))
        found.append(each.error)
        apart.append(each.difference)
    assert np.median(found) == pytest.approx(0.0065 / 2, rel=0.05)
    assert np.std(apart) == pytest.approx(0.0065 / 2, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("phi", "measured", "notices"), [(0.4, 0.005, 0.0125), (0.9, 0.03, 0.05)])
def test_a_run_like_its_reference_is_flagged_as_often_as_was_measured(phi, measured, notices):
    """Four standard errors of so few means: well below 1 % with short memory, 3 % with an autoregression of 0.9."""
    generator, runs = np.random.default_rng(4), 3000
    large = sum(difference_from_reference(run_of(generator, phi), run_of(generator, phi)).is_large for _ in range(runs))
    assert_rate(large, runs, measured, notices=notices)


def test_a_run_off_its_reference_is_said_to_be():
    generator = np.random.default_rng(3)
    worse, reference = run_of(generator, eval_mlm_acc=-0.04), run_of(generator)
    found = difference_from_reference(cut(worse, 120), reference)
    assert (found.of, found.up_to, found.is_large) == ("held-out", 2400, True)
    assert found.difference == pytest.approx(-0.04, abs=0.01)
    for each in (worse, reference):
        each.records.update(nsp_acc=[0.6] * RECORDS, lr=[1e-3] * RECORDS)
    progress = measure(worse, 0.0, 1.0, reference=reference)
    assert any("off the reference" in warning for warning in progress.warnings)
    assert "reference" in screen(progress)


@pytest.mark.parametrize(("records", "judged"), [(8, 8), (32, 8), (60, 15)])
def test_nsp_is_at_chance_within_three_standard_errors_of_the_last_quarter(records, judged):
    values = np.full(records, 0.9)
    values[-judged:] = 0.5 + 0.02 * (-1.0) ** np.arange(judged)
    error = values[-judged:].std(ddof=1) / np.sqrt(judged)
    for part, warned in ((2.9, True), (3.1, False)):
        moved = values.copy()
        moved[-judged:] += 0.5 + part * error - values[-judged:].mean()
        history = History({"steps": list(range(1, records + 1)), "nsp_acc": moved.tolist()}, {})
        assert bool(nsp_at_chance(history)) == warned


def test_a_coin_is_taken_for_skill_as_often_as_students_t_says():
    """Three standard errors that are estimated from eight records: 1.0 %, not the 0.13 % of a normal."""
    generator, runs, let_go = np.random.default_rng(5), 5000, 0
    for values in (generator.binomial(320, 0.5, (runs, 8)) / 320).tolist():
        let_go += not nsp_at_chance(History({"steps": list(range(8)), "nsp_acc": values}, {}))
    assert_rate(let_go, runs, stats.t.sf(3, 7), notices=2 * stats.t.sf(3, 7))
