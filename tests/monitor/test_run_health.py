"""The rules of the progress screen: where their limits lie, and how often faultless runs are warned of."""

import numpy as np
import pytest

from pipeline.analyse.health.divergence import diverged
from pipeline.analyse.nsp import nsp_against_chance
from pipeline.analyse.overfitting import overfitting
from pipeline.files.history import History, read_history
from pipeline.monitor.progress import measure
from pipeline.monitor.run_health import anomalous, difference_from_reference, findings, nsp_at_chance, overfit, remarks
from pipeline.monitor.screen import screen
from pipeline.monitor.words import screen_words
from tests.helpers.rates import assert_rate, power
from tests.helpers.simulated import ar_noise, published_like
from tests.helpers.synthetic import make_history
from tests.helpers.tiny import ROOT

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


def said(sentences):
    return [each.say(screen_words("en")) for each in sentences]


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
            assert diverged(part) is None


def test_a_faultless_run_that_is_looked_at_again_and_again_is_seldom_said_to_overfit():
    """1 % is stated of a look; of ten runs, each seen five times, two that are warned of would be 1 in 200 trials."""
    generator = np.random.default_rng(5)
    runs = [run_of(generator, phi) for phi in (0.0, 0.4) for _ in range(5)]
    assert sum(any(overfit(cut(run, end)) for end in range(40, RECORDS + 1, 40)) for run in runs) <= 1


def test_the_screen_reports_the_anomalies_of_the_analysis_in_words():
    history = make_history(200, total=10_000)
    assert findings(history) == []
    records = history.records
    records["loss"][50] += 5
    records["eval_mlm_acc"][70:84] = [0.2] * 14
    records["mlm_acc"] = [0.25] * 200
    records["grad_norm"][5] = float("nan")
    records["grad_norm"][9] = float("inf")
    records["seconds"][60:] = [value + 5000 for value in records["seconds"][60:]]
    records["lr"][80:] = [value / 3 for value in records["lr"][80:]]
    assert said(findings(history)) == [
        "grad_norm: 2 NaN or infinite, the last at step 400",
        "spike: loss at step 2,040",
        "never changes: mlm_acc at step 40 to 8,000, 200 records",
        "the same value again and again: eval_mlm_acc at step 2,840 to 3,360, 14 records",
        "a long pause: seconds at step 2,440",
        "the learning rate jumps: lr at step 3,240",
    ]
    records["loss"][150:] = [9.0] * 50
    (told,) = [line for line in said(anomalous(history)) if line.startswith("diverging")]
    assert told.startswith("diverging: loss 9.000 over the last 8 records, ")


def test_held_out_falling_while_training_rises_is_overfitting():
    fall = -0.3 * np.maximum(0.0, SHARE - 0.6)
    history = run_of(np.random.default_rng(2), eval_mlm_acc=fall)
    judged = overfitting(history).accuracy
    assert judged.found
    assert said(overfit(history)) == [
        f"overfitting: held-out accuracy {-100 * judged.change:.1f} points below its best at step "
        f"{judged.since_step:,}, training improves"
    ]
    both = -0.3 * np.maximum(0.0, SHARE - 0.5)  # training falls too: that is no overfitting
    assert overfit(run_of(np.random.default_rng(2), eval_mlm_acc=fall, mlm_acc=both)) == []


def test_the_screen_calls_overfitted_what_the_analysis_does_and_nothing_else():
    """Falls from none to clear, of accuracy and of loss, and a run within its first pass over the data."""
    told, noise = [], ar_noise(np.random.default_rng(9), RECORDS, 0.4, 0.05)
    for number, size in enumerate((0.0, 0.04, 0.1, 0.2, 0.4)):
        fall = -size * np.maximum(0.0, SHARE - 0.5)
        history = run_of(np.random.default_rng(number), eval_mlm_acc=fall)
        history.records["eval_loss"] = (LOSS - 5 * fall + noise).tolist()
        judged = overfitting(history)
        sentences = said(overfit(history))
        assert [text.split()[2] for text in sentences] == [
            name for name in ("accuracy", "loss") if getattr(judged, name).found
        ]
        told.append(len(sentences))
        history.run |= {"train_examples": 4000, "config": {"batch_size": 1}}  # 4,000 steps are one pass
        assert overfit(history) == []
    assert (min(told), max(told)) == (0, 2)


def test_a_long_run_is_judged_by_means_of_its_records():
    """1,500 of them at most: of 30,000 records the answer is nearly that of 1,500 means of 20 each."""
    places, noise = np.arange(30_000) / 30_000, np.random.default_rng(1).normal(0, 0.01, 30_000)
    records = {
        "steps": list(range(1, 30_001)),
        "mlm_acc": (0.3 + 0.1 * places).tolist(),
        "eval_mlm_acc": (0.3 - 0.003 * np.maximum(0, places - 0.5) + noise).tolist(),
    }
    means = {key: np.reshape(values, (1500, 20)).mean(axis=1).tolist() for key, values in records.items()}
    long, short = overfitting(History(records, {})).accuracy, overfitting(History(means, {})).accuracy
    assert long.found
    assert 1e-9 < long.p == pytest.approx(short.p, rel=1e-6, abs=0)


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
    assert any("off the reference" in warning for warning in said(progress.warnings))
    assert "reference" in screen(progress)


def test_nsp_is_judged_as_in_the_analysis():
    """The published run, which does not count its pairs, is at chance; one that ends above it is not."""
    history = published_like()
    assert nsp_against_chance(history).training.at_chance
    assert said(nsp_at_chance(history)) == [
        f"NSP at chance: {100 * np.mean(history.records['nsp_acc']):.1f} % of 32,000 pairs"
    ]
    assert nsp_at_chance(cut(history, 7)) == []
    learning = make_history(100)
    assert not nsp_against_chance(learning).training.at_chance
    assert nsp_at_chance(learning) == []
    assert nsp_at_chance(History({"steps": STEPS, "nsp_acc": [0.5] * RECORDS}, {})) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "results").rglob("training_history*.json")), ids=lambda path: path.parent.name
)
def test_no_committed_run_is_warned_of_its_nsp_at_any_time(path):
    """They leave chance late or, the short ones, never; until that is due it is a remark."""
    history = read_history(path)
    for end in range(10, len(history) + 1, max(10, len(history) // 40)):
        assert nsp_at_chance(cut(history, end)) == []


def test_nsp_at_chance_is_a_remark_until_it_is_due():
    history = make_history(100, finished=False)
    history.records["nsp_acc"] = [0.5] * 100
    history.records["nsp_pairs"] = [1499] * 100
    assert said(remarks(history)) == ["NSP still at chance: 50.0 % of 149,900 pairs; due by 150,000 pairs"]
    assert said(findings(history)) == []
    history.records["nsp_pairs"] = [1500] * 100
    assert (remarks(history), len(nsp_at_chance(history))) == ([], 1)
    progress = measure(cut(history, 50), 0.0, 1.0)
    assert "healthy     nothing wrong found" in screen(progress)
    assert "note        NSP still at chance: 50.0 % of 75,000 pairs" in screen(progress)
