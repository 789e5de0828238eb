"""The measurement of false alarms and power: what counts as found, and as a false alarm."""

import json

import numpy as np
import pytest

from benchmarks import anomalies as benchmark
from benchmarks.anomalies import LABELS, Run, false_alarms, plant, power, rates, runs_in, runs_of_results
from pipeline.analyse.health.anomalies import FALSE_ALARMS, anomalies
from pipeline.files.history import History
from tests.helpers.rates import rate_bounds
from tests.helpers.synthetic import make_history
from tests.helpers.tiny import ROOT


def with_spikes(*places):
    history = make_history(100)
    for place in places:
        history.records["loss"][place] += 5
    return history


def test_what_a_label_covers_is_no_false_alarm():
    history = with_spikes(40, 70)
    steps = [40 * 41, 40 * 71]
    assert false_alarms(history, []) == steps
    for label, left in (({"lists": ["loss"], "steps": [1600, 1700]}, steps[1:]),
                        ({"lists": ["loss"], "steps": [1640, 2840]}, []),
                        ({"lists": ["mlm_acc"], "steps": [1640, 2840]}, steps),
                        ({"lists": ["loss"], "steps": [1641, 2839]}, steps)):  # fmt: skip
        assert false_alarms(history, [label]) == left


def test_rates_are_of_runs_and_of_records_and_their_interval_is_by_cluster():
    runs = [Run(str(place), "ab"[place // 20], make_history(50)) for place in range(40)]
    alarms = [[100.0, 140.0] if place < 4 else [] for place in range(40)]  # four of twenty runs of the first cluster
    first, second, everything = rates(runs, alarms, np.random.default_rng(1))
    assert (first["cluster"], first["runs"], first["flagged"], first["per_run"]) == ("a", 20, 4, 0.2)
    assert first["per_1000_records"] == pytest.approx(8)
    assert second["per_run_interval"] == [0, 0]
    assert (everything["runs"], everything["per_run"]) == (40, 0.1)
    assert everything["per_run_interval"][0] == 0  # both draws may be of the second cluster
    assert everything["per_run_interval"][1] > first["per_run"]


def test_planted_events_are_found_and_slight_ones_are_not(monkeypatch):
    found = {}
    for size in (benchmark.SPIKE, 0.5):
        monkeypatch.setattr(benchmark, "SPIKE", size)
        planted = list(plant(Run("", "", make_history(200, total=10_000)), 4, np.random.default_rng(2)))
        found[size] = {row["what"]: row["found"] for row in power(planted) if row["cluster"] == "all"}
        assert {row["planted"] for row in power(planted)} == {20, 16}
    assert found[6]["spike"] >= 0.8
    assert found[6]["spike"] >= found[6]["spike of the noise"]
    assert found[6]["stall"] == found[6]["frozen"] == 1
    assert found[0.5]["spike"] == 0


def test_a_history_is_left_as_it_was():
    history = make_history(100)
    before = json.dumps(history.records)
    list(plant(Run("", "", history), 1, np.random.default_rng(2)))
    assert json.dumps(history.records) == before


def test_runs_of_a_folder_have_the_clusters_of_its_index(tmp_path):
    make_history(40).write(tmp_path / "a.json")
    make_history(40).write(tmp_path / "b.json")
    (tmp_path / "index.json").write_text(json.dumps([{"file": "a.json", "cluster": "those"}]), encoding="utf-8")
    assert [(run.name, run.cluster) for run in runs_in(tmp_path)] == [("a", "those"), ("b", tmp_path.name)]


def test_every_committed_run_is_labelled_and_labels_are_ranges():
    curves = json.loads(LABELS.read_text(encoding="utf-8"))["curves"]
    assert {run.name for run in runs_of_results()} <= curves.keys()
    for label in [label for labels in curves.values() for label in labels]:
        assert label["kind"] in ("event", "doubtful")
        assert label["lists"]
        assert label["steps"][0] <= label["steps"][1]
    assert isinstance(next(runs_of_results()).history, History)


def test_the_committed_runs_have_the_labelled_events_and_no_false_alarm():
    """What was seen by eye, such as a pause of two minutes, is found; nothing else is."""
    curves = json.loads(LABELS.read_text(encoding="utf-8"))["curves"]
    runs = list(runs_of_results())
    assert len(runs) >= 9
    assert not {run.name for run in runs if false_alarms(run.history, curves[run.name])}
    labelled = [(run, label) for run in runs for label in curves[run.name] if label["kind"] == "event"]
    assert labelled
    for run, label in labelled:
        first, last = label["steps"]
        events = [event for event in anomalies(run.history) if event.key in label["lists"]]
        assert any(first <= step <= last for event in events for step in event.steps), (run.name, label)


@pytest.mark.slow
def test_real_curves_are_flagged_no_oftener_than_is_said_and_events_planted_in_them_are_found():
    """The committed runs, and public curves of six clusters."""
    runs = [*runs_of_results(), *runs_in(ROOT / "tests" / "data" / "real_curves")]
    assert len(runs) >= 30
    labels = json.loads(LABELS.read_text(encoding="utf-8"))["curves"]
    flagged = [run.name for run in runs if false_alarms(run.history, labels[run.name])]
    assert len(flagged) <= rate_bounds(FALSE_ALARMS, len(runs))[1], flagged
    planted = [each for number, run in enumerate(runs) for each in plant(run, 1, np.random.default_rng([7, number]))]
    found = {row["what"]: row["found"] for row in power(planted) if row["cluster"] == "all"}
    assert len(planted) > 300
    assert found["spike"] >= 0.75  # 0.8 less a standard error of so many
    assert min(found["stall"], found["frozen"]) >= 0.98
