"""Several runs side by side, and the scores of their checkpoints along the steps."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pipeline.analyse.checkpoints import checkpoint_trends
from pipeline.analyse.side_by_side.compare_runs import several
from pipeline.files.history import History
from pipeline.files.scores import Scores
from tests.helpers.rates import assert_rate
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


def test_seeds_of_the_data_are_seeds_too():
    runs = seeds(2)
    runs[1][1].run["config"]["data_seed"] = 7
    found = several(runs)
    assert (found.kind, found.differing_settings) == ("seeds", ["data_seed", "seed"])


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
    assert found.r.mean == pytest.approx(np.tanh(np.mean(np.arctanh(values))))
    assert found.r.interval[0] < found.r.mean < found.r.interval[1]
    for row in found.histories:
        assert row.end_interval[0] < row.end_accuracy < row.end_interval[1]
        assert row.test_accuracy == 0.2841


def short_run(generator, seed, lr=1e-3, level=0.0, spread=0.01):
    """Seven records, too few for curves and redrawn noise, so that thousands of runs can be compared."""
    steps = np.arange(1, 8) * 100
    accuracy = 0.2 + level + 0.02 * np.arange(7) / 6 + generator.normal(0, spread) + generator.normal(0, 0.01, 7)
    history = History({"steps": steps.tolist(), "mlm_acc": accuracy.tolist()}, {"config": {"lr": lr, "seed": seed}})
    return Path(f"{lr}/{seed}.json"), history


def accuracies(runs):
    return np.array([history.records["mlm_acc"] for _, history in runs])


@pytest.mark.parametrize("count", [2, 5])
def test_band_and_mean_r_are_those_of_student(count):
    generator = np.random.default_rng(count)
    runs = [short_run(generator, seed) for seed in range(count)]
    found, table = several(runs), accuracies(runs)
    t = stats.t.ppf(0.975, count - 1)
    band, places = found.band, [0, 66, 199]  # steps 100, 299 and 700
    assert [band.steps[place] for place in places] == [100, 299, 700]
    at = np.array([np.interp([100, 299, 700], np.arange(1, 8) * 100, row) for row in table])
    half = t * at.std(axis=0, ddof=1) * np.sqrt(1 + 1 / count)
    for key, expected in (
        ("mean", at.mean(axis=0)),
        ("between_sd", at.std(axis=0, ddof=1)),
        ("low", at.mean(axis=0) - half),
        ("high", at.mean(axis=0) + half),
    ):
        assert [getattr(band, key)[place] for place in places] == pytest.approx(expected.tolist())
    r = np.array([np.corrcoef(np.arange(7), row)[0, 1] for row in table])
    z = np.arctanh(r)
    half = t * z.std(ddof=1) / np.sqrt(count)
    assert vars(found.r) == {
        "mean": pytest.approx(np.tanh(z.mean())),
        "sd": pytest.approx(r.std(ddof=1)),
        "interval": pytest.approx((np.tanh(z.mean() - half), np.tanh(z.mean() + half))),
    }


def test_no_interval_of_a_mean_r_reaches_beyond_one():
    runs = [short_run(np.random.default_rng(seed), seed, spread=0.0) for seed in range(2)]
    runs[0][1].records["mlm_acc"] = np.linspace(0.2, 0.3, 7).tolist()
    low, high = several(runs).r.interval
    assert -1 <= low < high <= 1


@pytest.mark.slow
def test_the_band_holds_one_further_seed_as_often_as_it_says():
    generator, runs, inside = np.random.default_rng(3), 520, 0
    for _ in range(runs):
        *seen, further = [short_run(generator, seed) for seed in range(4)]
        band = several(seen).band
        inside += band.low[-1] <= further[1].records["mlm_acc"][-1] <= band.high[-1]
    assert_rate(inside, runs, 0.95, notices=0.9)


@pytest.mark.slow
def test_the_interval_of_mean_r_holds_it_as_often_as_it_says_though_r_is_skewed():
    """r of seven records around 0.6 is far from normal, and Student's t on r itself holds 91 %."""
    generator, runs, held = np.random.default_rng(4), 520, 0
    noise = np.random.default_rng(5).normal(0, 0.01, (40_000, 7)) + 0.02 * np.arange(7) / 6
    centred, x = noise - noise.mean(axis=1, keepdims=True), np.arange(7) - 3
    truth = np.tanh(np.arctanh(centred @ x / np.linalg.norm(centred, axis=1) / np.linalg.norm(x)).mean())
    for _ in range(runs):
        low, high = several([short_run(generator, seed) for seed in range(5)]).r.interval
        held += low <= truth <= high
    assert_rate(held, runs, 0.95, notices=0.9)


def test_the_band_is_of_running_means_over_a_fortieth_of_the_records():
    """Three of 100 records; at the first there are none before it, and at the last none after it."""
    runs = seeds(3)
    values = np.array([history.records["eval_mlm_acc"] for _, history in runs])
    smooth = np.column_stack(
        [values[:, 0], (values[:, :-2] + values[:, 1:-1] + values[:, 2:]) / 3, values[:, -2:].mean(axis=1)]
    )
    band = several(runs).band
    table = [np.interp(band.steps, runs[0][1].records["steps"], row) for row in smooth]
    assert band.mean == pytest.approx(np.mean(table, axis=0).tolist())


def test_means_of_r_differ_by_the_interval_of_zou():
    """From the intervals of the two means: each end is as far off as the ends that lead there, at right angles."""
    generator = np.random.default_rng(11)
    groups = [[short_run(generator, seed, lr) for seed in range(3)] for lr in (1e-3, 2e-3)]
    [found] = [each for each in several([*groups[0], *groups[1]]).differences if each.metric == "r"]
    one, two = (several(group).r for group in groups)
    apart = two.mean - one.mean
    low = apart - np.hypot(two.mean - two.interval[0], one.interval[1] - one.mean)
    high = apart + np.hypot(two.interval[1] - two.mean, one.mean - one.interval[0])
    assert found.difference == pytest.approx(apart)
    assert found.interval == pytest.approx((low, high))


@pytest.mark.parametrize("sizes", [(2, 2), (3, 5)])
def test_groups_differ_by_welchs_interval(sizes):
    """Satterthwaite's degrees of freedom, written out; the second group less the first."""
    generator = np.random.default_rng(sum(sizes))
    first = [short_run(generator, seed) for seed in range(sizes[0])]
    second = [short_run(generator, seed, 2e-3, 0.05, 0.03) for seed in range(sizes[1])]
    found = {entry.metric: entry for entry in several(first + second).differences}
    metrics = {
        "mean_accuracy": lambda table: table.mean(axis=1),
        "end_accuracy": lambda table: table[:, -1],
        "r": lambda table: np.array([np.corrcoef(np.arange(7), row)[0, 1] for row in table]),
    }
    for metric, of in metrics.items():
        before, after = of(accuracies(first)), of(accuracies(second))
        parts = [values.var(ddof=1) / len(values) for values in (before, after)]
        freedom = sum(parts) ** 2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
        half = stats.t.ppf(0.975, freedom) * np.sqrt(sum(parts))
        difference = after.mean() - before.mean()
        if metric == "r":
            continue
        assert found[metric].difference == pytest.approx(difference)
        assert found[metric].interval == pytest.approx((difference - half, difference + half))
        assert found[metric].covers == "seeds"


def test_runs_of_different_lengths_are_compared_over_what_both_have_but_for_their_ends():
    generator = np.random.default_rng(8)
    runs = [short_run(generator, seed) for seed in range(2)] + [short_run(generator, seed, 2e-3) for seed in range(2)]
    for _, history in runs[2:]:
        for values in history.records.values():
            del values[5:]
    found = {entry.metric: entry for entry in several(runs).differences}
    tables = [accuracies(runs[:2]), accuracies(runs[2:])]
    assert found["mean_accuracy"].until == found["r"].until == 500
    assert found["mean_accuracy"].difference == pytest.approx(tables[1].mean() - tables[0][:, :5].mean())
    assert found["end_accuracy"].until is None
    assert found["end_accuracy"].difference == pytest.approx(tables[1][:, -1].mean() - tables[0][:, -1].mean())
    alike = runs[:2]
    del alike[1][1].records["steps"][5:], alike[1][1].records["mlm_acc"][5:]
    r = [np.corrcoef(np.arange(5), history.records["mlm_acc"][:5])[0, 1] for _, history in alike]
    assert several(alike).r.mean == pytest.approx(np.tanh(np.mean(np.arctanh(r))))


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
