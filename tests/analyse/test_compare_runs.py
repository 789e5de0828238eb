"""Several runs side by side, and the scores of their checkpoints along the steps."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.analyse.checkpoints import checkpoint_trends
from pipeline.analyse.compare_runs import several
from pipeline.files.scores import Scores
from tests.helpers.scores import RISING, validation_scores
from tests.helpers.simulated import ar_noise, published_like
from tests.helpers.synthetic import make_history


def seeds(count, shift=0.0, spread=0.01, lr=4e-3, first_seed=1):
    """Histories of one setting; their held-out accuracy differs by a level drawn from ``spread``."""
    runs = []
    for seed in range(first_seed, first_seed + count):
        history = make_history()
        generator = np.random.default_rng(seed)
        steps = np.array(history.records["steps"], dtype=float)
        level = 0.3 + shift + generator.normal(0, spread)
        noise = ar_noise(generator, len(steps), 0.3, 0.004)
        history.records["eval_mlm_acc"] = (level - 0.24 * np.exp(-steps / 1300) + noise).tolist()
        history.run["seed"] = history.run["config"]["seed"] = seed
        history.run["config"]["lr"] = lr
        runs.append((Path(f"runs/lr{lr}/seed_{seed}.json"), history))
    return runs


def test_one_history_is_not_several():
    assert several(seeds(1)) is None
    assert several([]) is None


def test_seeds_of_one_setting_have_a_mean_a_band_and_an_r_each():
    found = several(seeds(4))
    assert found.kind == "seeds"
    assert found.differing_settings == ["seed"]
    assert found.differences == []
    assert [row.seed for row in found.histories] == [1, 2, 3, 4]
    assert {row.group for row in found.histories} == {"seed_1"}
    band = found.band
    assert len(band.steps) == len(band.mean) == len(band.low)
    assert band.key == "eval_mlm_acc"
    assert np.all(np.array(band.low) < np.array(band.mean))
    values = [row.r for row in found.histories]
    assert found.r.mean == pytest.approx(np.mean(values))
    assert found.r.interval[0] < found.r.mean < found.r.interval[1]
    for row in found.histories:
        assert row.end_interval[0] < row.end_accuracy < row.end_interval[1]
        assert row.test_accuracy == 0.2841


def test_the_band_holds_one_further_seed_as_often_as_it_says():
    inside = []
    for first in range(0, 100, 4):
        runs = seeds(4, first_seed=first)
        band = several(runs[:3]).band
        inside.append(band.low[-1] <= runs[3][1].records["eval_mlm_acc"][-1] <= band.high[-1])
    assert np.mean(inside) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(inside))


def test_experiments_with_seeds_differ_by_welchs_interval():
    found = several(seeds(3) + seeds(3, shift=0.08, lr=2e-3))
    assert found.kind == "experiments"
    assert found.differing_settings == ["lr", "seed"]
    assert found.band is found.r is None
    ends = {entry.metric: entry for entry in found.differences}
    assert set(ends) == {"r", "end_accuracy", "mean_accuracy"}
    entry = ends["end_accuracy"]
    assert (entry.covers, entry.until) == ("seeds", None)
    assert entry.interval[0] < 0.08 < entry.interval[1]
    assert entry.interval[0] > 0


def test_single_runs_differ_by_the_noise_of_their_records():
    found = several(seeds(1, spread=0) + seeds(1, shift=0.05, lr=2e-3, spread=0, first_seed=9))
    entry = next(entry for entry in found.differences if entry.metric == "end_accuracy")
    assert entry.covers == "records"
    low, high = entry.interval
    assert low < 0.05 < high
    assert high - low < 0.03


def test_histories_without_settings_are_experiments():
    found = several([(Path("a/h.json"), published_like(1, 200)), (Path("b/h.json"), published_like(2, 200))])
    assert found.kind == "experiments"
    assert [row.label for row in found.histories] == ["a/h", "b/h"]
    assert found.histories[0].key == "mlm_acc"


def test_checkpoints_are_followed_along_the_steps():
    trends = checkpoint_trends(Path("s.json"), RISING)
    found = trends.curves
    assert (trends.path, trends.split, found.sequences) == ("s.json", "validation", 300)
    assert found.steps == [400, 800, 1200, 1600]
    assert found.accuracy == [0.2, 0.3, 0.38, 0.4]
    assert found.nsp_accuracy == [None, 0.65, 0.69, 0.7]
    assert found.guesses == {"left": 0.14}
    han = found.groups["class"]["han"]
    assert (han.gain, han.rho, han.half_way_step) == (pytest.approx(0.2), pytest.approx(1.0), 800)
    error = 1.959964 * np.sqrt((0.15 * 0.85 + 0.35 * 0.65) / 800)
    assert han.gain_interval == pytest.approx((0.2 - error, 0.2 + error))
    assert found.groups["class"]["punctuation"].gain_interval is None


def test_a_group_that_an_early_checkpoint_lacks_begins_later():
    second = checkpoint_trends(Path("s.json"), RISING).curves.groups["text_decile"]["2"]
    assert second.accuracy == [None, 0.3, 0.38, 0.4]
    assert (second.first, second.targets) == (0.3, 100)


def test_scores_without_checkpoints_have_no_trends():
    assert checkpoint_trends(Path("s.json"), Scores(1, {})) is None
    assert checkpoint_trends(Path("s.json"), validation_scores([], {})) is None
