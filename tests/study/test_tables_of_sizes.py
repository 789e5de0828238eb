"""The headline beside its goals and the smaller model, its registers, and the trials; figures worked out by hand."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pipeline.files.history import History, read_history
from pipeline.files.scores import NspScore, PairScore
from pipeline.stage import InputError
from study.datasets import BOOK
from study.runs import HEADLINE, history_path
from study.tables import at_equal_cost, goals, registers, trials
from study.tables.committed import EndScores, FinishedRun, finished, history, scores
from study.words import further_findings
from tests.helpers.scores import checkpoint_score, mlm_score, validation_scores


def climbing(steps, tokens_per_step, flops_per_step, end):
    """A run of 100 records whose held-out accuracy rises in a line to ``end``; a step takes a second."""
    places = [steps // 100 * (n + 1) for n in range(100)]
    records = {
        "steps": places,
        "mlm_acc": [end * step / steps for step in places],
        "eval_mlm_acc": [end * step / steps for step in places],
        "tokens": [tokens_per_step * step for step in places],
        "seconds": [float(step) for step in places],
    }
    return History(records, {"flops_per_step": flops_per_step})


def test_runs_are_compared_where_the_cheaper_one_ends():
    """The larger model spends four times the tokens and ten times the FLOPs a step: 40 and 10 of its 100 records."""
    small, large = climbing(1000, 100, 1e9, 0.2), climbing(1000, 250, 10e9, 0.4)
    title, heads, rows = at_equal_cost.at_equal_cost(("large", large), ("small", small))
    found = dict(rows)
    assert title.endswith("at equal cost")
    assert heads[1:] == ["large", "small"]
    # the last twentieth of 100 records are five, whose mean is 98 % of the end
    assert found["步 · steps"] == ["1,000", "39.2 %", "19.6 %"]
    # up to record 40 of the large run: the twentieth of the cost holds its records 39 and 40
    assert found["词元 · tokens"] == ["0.1M", "15.8 %", "19.6 %"]
    assert found["FLOPs"] == ["1.00e+12", "4.0 %", "19.6 %"]
    assert found["线程分钟 · thread minutes"][1:] == ["39.2 %", "19.6 %"]


def test_a_cost_that_was_not_recorded_is_left_out():
    small = climbing(1000, 100, 1e9, 0.2)
    bare = History(small.records, {})
    rows = at_equal_cost.at_equal_cost(("a", bare), ("b", small))[2]
    assert [label for label, _ in rows] == ["步 · steps", "词元 · tokens", "线程分钟 · thread minutes"]


def test_goals_are_held_to_what_came():
    """Eight tenths ahead, one level, one behind: eight."""
    tenths = {str(n): 0.30 for n in range(1, 9)} | {"9": 0.2, "10": 0.1}
    last, guess = (
        mlm_score(0.3, tenths={name: (share, 100) for name, share in shares.items()})
        for shares in (tenths, dict.fromkeys(tenths, 0.2))
    )
    scored = validation_scores([checkpoint_score(1000, last)], {"both": guess}).validation
    end = FinishedRun(1, 1, None, None, EndScores(0.41, 0.329, 0.75, {}))
    found = {each.name.rpartition(" ")[2]: each for each in goals.goals(end, scored)}
    assert [(name, each.reached) for name, each in found.items()] == [
        ("MLM", True), ("Han", False), ("NSP", True), ("counting", False)
    ]  # fmt: skip
    assert (found["counting"].goal, found["counting"].came) == ("9", "8")
    rows = dict(goals.table(list(found.values()))[2])
    assert rows["测试 Han · test Han"] == ["33 %", "32.90 %", "否 · no"]


def pair(pairs, accuracy):
    return PairScore(pairs, accuracy, accuracy, pairs // 2, accuracy, pairs // 2, accuracy)


def test_registers_are_weighted_by_their_pairs():
    sources = {"a": pair(100, 0.5), "b": pair(300, 0.9), f"{BOOK} c": pair(10, 0.6), f"{BOOK} d": pair(0, None)}
    entry = checkpoint_score(1000, mlm_score(0.3))
    entry = dataclasses.replace(entry, nsp=NspScore(pair(410, 0.8), pair(410, 0.8), sources))
    assert registers.pairs_of(entry, books=False) == (400, pytest.approx(0.8))
    assert registers.pairs_of(entry, books=True) == (10, pytest.approx(0.6))
    assert registers.pairs_of(dataclasses.replace(entry, nsp=None), books=True) == (0, None)


def test_trials_are_told_as_their_files_have_them():
    (_, heads, pairs), (_, more_heads, words) = trials.tables()
    assert [label for label, _ in pairs] == list(trials.NAMES.values())[:4]
    assert [label for label, _ in words] == list(trials.NAMES.values())[4:]
    assert all(len(cells) == len(heads) for _, cells in pairs)
    assert all(len(cells) == len(more_heads) for _, cells in words)
    first = json.loads(trials.PAIRS.read_text())[0]
    assert dict(pairs)["不变 · unchanged"][2] == f"{100 * first['nsp_acc']:.1f} %"


def test_a_file_of_trials_that_lacks_a_number_is_refused(tmp_path):
    path = tmp_path / "trials.json"
    path.write_text(json.dumps([{"trial": "unchanged", "steps": 3}]))
    with pytest.raises(InputError, match=r"trials\.json: .*mlm_acc"):
        trials.read(list[trials.PairTrial], path, "make it again")


def test_the_steps_to_the_goal_are_beyond_a_run_that_missed_it():
    missed = goals.steps_to_the_goal(read_history(history_path("first_edition/100k")))
    assert missed.target == goals.MLM
    assert missed.steps is None or missed.steps > 100_000


def test_goals_in_words_say_what_came_and_what_was_missing(monkeypatch):
    """Of the smaller model, which misses three; the words are chosen by the numbers."""
    came = {each.name: each.came for each in goals.goals(finished(history(HEADLINE)), scores(HEADLINE))}
    chinese, english = further_findings.goals_and_what_came().text
    assert f"测试 MLM {came['测试 MLM · test MLM']}（40 %）" in chinese
    assert f"test MLM {came['测试 MLM · test MLM']} (40 %)" in english
    assert "By its own curve" in english
    assert "What NSP lacks" in english
    monkeypatch.setattr(goals, "MLM", 0.1)
    monkeypatch.setattr(goals, "NSP", 0.1)
    _, english = further_findings.goals_and_what_came().text
    assert "By its own curve" not in english
    assert "What NSP lacks" not in english
