"""Seconds to an accuracy, from curves that are known, and a rehearsal of the whole command."""

import json
import sys
from types import SimpleNamespace

import pytest

from benchmarks import time_to_accuracy as benchmark
from benchmarks.time_to_accuracy import Contestant, Plan, Reached, result, table
from tests.helpers.tiny import write_tiny_dataset


def contestant(name, accuracies, pace):
    """One that needs ``pace`` seconds for ten steps, after each of which it was scored."""
    one = Contestant.__new__(Contestant)
    one.plan = Plan(name, None, None, 1e-3, 10 * len(accuracies))
    one.reached = [Reached(10 * n, pace * n, accuracy) for n, accuracy in enumerate(accuracies, 1)]
    one.step, one.seconds = 10 * len(accuracies), pace * len(accuracies)
    return one


def test_ratios_are_of_the_seconds_to_the_first_score_that_meets_the_target():
    ours = contestant("ours", [0.1, 0.22, 0.19, 0.31], pace=2.0)
    plain = contestant("plain", [0.05, 0.1, 0.2, 0.25, 0.29], pace=3.0)
    rows = result([0.3, 0.2, 0.4], ours, plain)["targets"]
    assert [row["target"] for row in rows] == [0.2, 0.3, 0.4]
    assert (rows[0]["ours_seconds"], rows[0]["plain_seconds"], rows[0]["ratio"]) == (4.0, 9.0, 2.25)
    assert (rows[1]["ours_seconds"], rows[1]["plain_seconds"], rows[1]["ratio"]) == (8.0, None, None)
    assert rows[1]["ratio_is_more_than"] == 15.0 / 8.0
    assert {rows[2][key] for key in ("ours_seconds", "plain_seconds", "ratio", "ratio_is_more_than")} == {None}
    lines = table(result([0.2, 0.3], ours, plain)).splitlines()
    assert lines[1].split() == ["20%", "4", "s", "9", "s", "2.2"]
    assert lines[2].split() == ["30%", "8", "s", "never", ">", "1.9"]


def trials(monkeypatch, accuracies):
    """``best_rate`` over contestants with these curves, of which a turn shows one more score."""

    def made(plan):
        one = contestant("plain", accuracies[plan.lr], pace=1.0)
        one.plan, shown, one.reached = plan, iter(one.reached), []
        one.turn = lambda: one.reached.append(next(shown))
        one.end = lambda: None
        return one

    monkeypatch.setattr(benchmark, "RATES", tuple(accuracies))
    monkeypatch.setattr(benchmark, "Contestant", made)
    monkeypatch.setattr(benchmark.time, "monotonic", iter(range(100)).__next__)
    return benchmark.best_rate(None, None, 0.2, 15)  # patience for three rounds


def test_the_rate_that_first_reaches_the_lowest_target_is_taken(monkeypatch):
    assert trials(monkeypatch, {1e-4: [0.1] * 5, 1e-3: [0.1, 0.2, 0.2], 3e-3: [0.19, 0.19, 0.9]}) == (1e-3, 10.0)


def test_where_none_reaches_it_the_best_of_the_time_given_is_taken(monkeypatch):
    assert trials(monkeypatch, {1e-4: [0.1] * 5, 1e-3: [0.1, 0.15, 0.16], 3e-3: [0.19, 0.11, 0.1]}) == (1e-3, 10.0)


@pytest.mark.slow
def test_the_whole_command(tmp_path, monkeypatch, capsys):
    dataset = write_tiny_dataset(tmp_path)
    output = tmp_path / "found.json"
    options = ["--dataset", dataset, "--minutes", "4", "--steps", "50", "--targets", "0.01", "0.02", "--json", output]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(sys, "argv", ["time_to_accuracy.py", *map(str, options)])
    assert benchmark.main() == 0
    found = SimpleNamespace(**json.loads(output.read_text()))
    assert [row["target"] for row in found.targets] == [0.01, 0.02]
    assert found.targets[0]["ours_seconds"] > 0
    assert found.runs["ours"]["curve"][-1]["step"] == 50
    assert found.runs["plain"]["lr"] in benchmark.RATES
    assert "held out   ours" in capsys.readouterr().out
