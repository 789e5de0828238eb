"""Branches of one trunk: which records they share, and that the shared ones say nothing of a difference."""

import numpy as np
import pytest
from scipy import stats

from pipeline.analyse.side_by_side.compare_runs import several
from pipeline.analyse.side_by_side.run_parts import difference, part_of, shared_until
from pipeline.analyse.whole_analysis import analyse
from pipeline.files.history import History
from pipeline.files.run_record import Branch
from pipeline.files.typed_json import to_json
from pipeline.stage import InputError
from pipeline.statistics import bootstrap
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import CURVES, STEPS, ar_noise

CURVE = CURVES["exponential"]
TRUNK = 200  # records that branches have in common, of 300
SCHEDULES = ("wsd:0.32", "wsd:0.3")
DECAYS = (204, 210)  # records before the rate of these begins to fall


def branches(generator, phi=0.0, sigma=0.03, rise=0.0):
    """Two runs with one trunk and noise of their own after it; each gains ``rise`` early in its decay."""
    noise = ar_noise(generator, 300, phi, sigma)
    runs = []
    for number, begin in enumerate(DECAYS):
        own = np.concatenate([noise[:TRUNK], ar_noise(generator, 300 - TRUNK, phi, sigma)]) if number else noise
        decay = rise * (1 - np.exp(-np.maximum(np.arange(300) - begin, 0) / 15))
        runs.append(branch_of(CURVE + own + decay, number))
    return runs


def branch_of(accuracy, decay=0, seed=42, step=int(STEPS[TRUNK - 1])):
    config = {"steps": int(STEPS[-1]), "schedule": SCHEDULES[decay], "seed": seed, "lr": 1e-3, "warmup": 0}
    branch = {"history": f"runs/trunk_{seed}/history.json", "step": step, "sha256": "0" * 64}
    run = {"config": config, "seed": seed, "branch": branch, "dataset": {"fingerprint": "f"}}
    records = {"steps": STEPS[: len(accuracy)].astype(int).tolist(), "mlm_acc": accuracy.tolist()}
    return History({**records, "loss": (9 - accuracy).tolist()}, run)


def test_the_records_in_common_end_where_values_part():
    one, two = branches(np.random.default_rng(1))
    assert shared_until(one, two) == shared_until(two, one) == STEPS[TRUNK - 1]
    trunk = History({key: list(values) for key, values in one.records.items()}, {})
    assert shared_until(trunk, two) == STEPS[TRUNK - 1]
    two.records["loss"][150] = float("nan")
    assert shared_until(one, two) == STEPS[149]
    one.records["loss"][150] = float("nan")
    assert shared_until(one, two) == STEPS[TRUNK - 1]
    one.records["steps"][0] -= 1
    assert shared_until(one, two) == 0


def test_runs_that_did_not_branch_share_nothing_whatever_their_numbers_are():
    one, two = branches(np.random.default_rng(1))
    del one.run["branch"], two.run["branch"]
    assert shared_until(one, two) == 0


@pytest.mark.parametrize("rise", [0.0, 0.1])
def test_a_mean_differs_by_the_noise_of_the_records_that_are_not_shared(rise, monkeypatch):
    """Of independent noise: sigma sqrt(2 (N - m)) / N, and over the last tenth, which is all their own, as ever.

    What a decay gains is not taken for noise.
    """
    monkeypatch.setattr(bootstrap, "REPLICATES", 1000)
    widths = {"mean_accuracy": [], "end_accuracy": [], "mean of strangers": []}
    for seed in range(5):
        one, two = (part_of(run, "mlm_acc") for run in branches(np.random.default_rng(seed), rise=rise))
        for metric in ("mean_accuracy", "end_accuracy"):
            found, interval = difference(one, two, metric, int(STEPS[TRUNK - 1]))
            assert found == pytest.approx(two.value_of(metric) - one.value_of(metric))
            widths[metric].append(np.ptp(interval))
        widths["mean of strangers"].append(np.ptp(difference(one, two, "mean_accuracy")[1]))
    expected = 2 * 1.96 * 0.03
    assert np.median(widths["mean_accuracy"]) == pytest.approx(expected * np.sqrt(2 * 100) / 300, rel=0.2)
    assert np.median(widths["mean of strangers"]) == pytest.approx(expected * np.sqrt(2 / 300), rel=0.2)
    assert np.median(widths["end_accuracy"]) == pytest.approx(expected * np.sqrt(2 / 30), rel=0.2)


def test_where_all_is_shared_there_is_no_difference():
    one, two = (part_of(run, "mlm_acc", float(STEPS[TRUNK - 1])) for run in branches(np.random.default_rng(2)))
    found, interval = difference(one, two, "r", int(STEPS[TRUNK - 1]))
    assert found == 0
    assert interval == pytest.approx((0, 0), abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_intervals_of_branches_hold_the_truth_as_often_as_they_say(phi, monkeypatch):
    """The truth is what they differ by without noise."""
    monkeypatch.setattr(bootstrap, "REPLICATES", 200)
    generator, runs = np.random.default_rng(4), 300
    truths = [part_of(run, "mlm_acc") for run in branches(generator, sigma=1e-12, rise=0.05)]
    held = dict.fromkeys(["end_accuracy", "mean_accuracy"], 0)
    for _ in range(runs):
        one, two = (part_of(run, "mlm_acc") for run in branches(generator, phi, 0.05, rise=0.05))
        for metric in held:
            low, high = difference(one, two, metric, int(STEPS[TRUNK - 1]))[1]
            held[metric] += low <= truths[1].value_of(metric) - truths[0].value_of(metric) <= high
    for count in held.values():
        assert_rate(count, runs, 0.95, notices=0.88)


def test_branches_are_budgets_of_their_own_and_the_report_knows_their_trunk(tmp_path):
    one, two = branches(np.random.default_rng(3))
    found = several([(tmp_path / "a.json", one), (tmp_path / "b.json", two)])
    assert (found.kind, found.differing_settings) == ("experiments", ["schedule"])
    assert [run.group for run in found.histories] == ["a", "b"]
    trunk = Branch("runs/trunk_42/history.json", int(STEPS[TRUNK - 1]), "0" * 64)
    assert [run.branch for run in found.histories] == [trunk, trunk]
    assert {entry.shared_until for entry in found.differences} == {int(STEPS[TRUNK - 1])}
    assert {entry.covers for entry in found.differences} == {"records"}
    [mean] = [entry for entry in found.differences if entry.metric == "mean_accuracy"]
    assert mean.difference == pytest.approx(np.mean(two.records["mlm_acc"]) - np.mean(one.records["mlm_acc"]))
    assert np.ptp(mean.interval) == pytest.approx(2 * 1.96 * 0.03 * np.sqrt(200) / 300, rel=0.3)


def test_seeds_whose_trunks_are_the_same_are_compared_pair_by_pair(tmp_path):
    """Each trunk has a level of its own, by far larger than the gain; the gain is the same in all."""
    generator = np.random.default_rng(5)
    histories = []
    for decay in (0, 1):
        for seed in (1, 2, 3):
            level = np.random.default_rng(seed)
            accuracy = CURVE + level.normal(0, 0.1) + level.normal(0, 0.01, 300)
            accuracy[TRUNK:] += 0.02 * decay + generator.normal(0, 0.004, 100)
            histories.append((tmp_path / f"{decay}_{seed}.json", branch_of(accuracy, decay, seed)))
    found = several(histories)
    [end] = [entry for entry in found.differences if entry.metric == "end_accuracy"]
    ends = np.array([np.mean(history.records["mlm_acc"][-30:]) for _, history in histories])
    apart = ends[3:] - ends[:3]
    expected = stats.ttest_1samp(apart, 0).confidence_interval(0.95)
    assert (end.covers, end.difference) == ("seeds", pytest.approx(apart.mean()))
    assert end.interval == pytest.approx((expected.low, expected.high))
    assert 0 < end.interval[0] < 0.02 < end.interval[1]

    # One run more in one group only, or three branches of one trunk in the other: as if all were independent.
    more = [*histories, (tmp_path / "more.json", branch_of(CURVE + 0.1, 1, seed=4))]
    of_one = histories[:3]
    for number in range(3):
        accuracy = np.array(histories[3][1].records["mlm_acc"])
        accuracy[TRUNK:] += generator.normal(0, 0.004, 100)
        of_one = [*of_one, (tmp_path / f"{number}.json", branch_of(accuracy, 1, 1))]
    for runs in (more, of_one):
        [end] = [entry for entry in several(runs).differences if entry.metric == "end_accuracy"]
        assert end.interval[0] < -0.05


def test_the_analysis_names_the_trunk_of_a_branch_alone():
    one, _ = branches(np.random.default_rng(3))
    found = to_json(analyse(one, None, "now"))
    assert found["branch"] == {"history": "runs/trunk_42/history.json", "step": STEPS[TRUNK - 1], "sha256": "0" * 64}
    del one.run["branch"]
    assert "branch" not in to_json(analyse(one, None, "now"))


def test_a_baseline_that_is_a_branch_of_the_same_trunk():
    one, two = branches(np.random.default_rng(3))
    apart = analyse(two, one, "now").comparison_with_50k
    del one.run["branch"], two.run["branch"]
    as_strangers = analyse(two, one, "now").comparison_with_50k
    widths = [np.ptp(found.common_horizon.r_difference_interval) for found in (apart, as_strangers)]
    assert widths[0] < 0.9 * widths[1]


@pytest.mark.parametrize("branch", ["trunk", {"history": 5, "step": 4}, {"history": "h", "step": -4}, {"step": "four"}])
def test_a_trunk_of_a_wrong_kind_is_named(branch):
    with pytest.raises(InputError, match=r"history: run\.branch"):
        _ = History(run={"branch": branch}).facts.branch()
