"""The tables of the second edition say what their runs' files say; every figure here is worked out by hand."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.forecast import around, by_rules, conformal
from benchmarks.real_curves import history_curves
from pipeline.files.history import History, read_history
from pipeline.files.scores import CountingComparison
from pipeline.files.typed_json import to_json
from pipeline.stage import InputError
from study import forecasts as beforehand
from study.ladder_forecasts import forecast_of
from study.runs import history_path
from study.tables import branches, counting_to_context, forecasts, rare_characters, second_edition, seeds, sizes
from study.tables.forecasts import ACCURACIES
from tests.helpers.scores import checkpoint_score, mlm_score, validation_scores
from tests.helpers.tiny import ROOT


def run(test=0.3, steps=1000, **changes):
    """A finished run of 100 records whose accuracy rises by 0.1 % a record, two seconds a record, one of them ten."""
    count = 100
    seconds = np.cumsum(np.where(np.arange(count) == 40, 10.0, 2.0))
    records = {
        "steps": [steps // count * (n + 1) for n in range(count)],
        "mlm_acc": [0.001 * n for n in range(count)],
        "seconds": seconds.tolist(),
        "tokens": [400 * (n + 1) for n in range(count)],
    }
    facts = {"test": {"mlm_acc": test, "mlm_acc_han": test - 0.05, "nsp_acc": 0.6}, "finished": "2026-11-28T00:00:00"}
    return History(records, {**facts, "parameters": 1234, "flops_per_step": 2e9, **changes})


def test_minutes_are_those_of_an_undisturbed_thread():
    _, heads, rows = sizes.sizes([("large", run(steps=2000)), ("small", run(0.25))])
    assert [name for name, _ in rows] == ["small", "large"]
    assert rows[0][1] == ["1,000", "1,234", "0.0M", "2.00e+12", "3", "25.0 %", "20.0 %", "60.0 %"]
    assert rows[1][1][0] == "2,000"
    assert sizes.undisturbed_minutes(run()) == pytest.approx(200 / 60)  # not 208 s
    assert sizes.undisturbed_minutes(run(threads=2)) == pytest.approx(400 / 60)
    assert len(heads) == len(rows[0][1])


def test_branches_are_paired_by_seed():
    pairs = {1000: {42: (run(0.30), run(0.31)), 43: (run(0.32), run(0.30))}, 2000: {42: (run(0.4), run(0.39))}}
    rows = dict(branches.branches(pairs)[2])
    assert rows["1,000，42"] == ["30.00 %", "31.00 %", "+1.00"]
    # mean -0.5, standard error 1.5, and 12.706 of it to either side with one degree of freedom
    assert rows["1,000，平均 · mean"] == ["-", "-", "-0.50 (-19.56 … 18.56)"]
    assert "2,000，平均 · mean" not in rows
    assert rows["每个种子的步数 · steps for each seed"] == ["3,000", "2,200", "-27%"]
    assert branches.steps_spent([12_500, 25_000, 50_000, 100_000]) == (187_500, 117_500)


def test_seeds_and_twins():
    runs = {"seed_42": run(0.30), "seed_43": run(0.31), "seed_44": run(0.32)}
    rows = dict(seeds.seeds(runs, {"another order": (runs["seed_42"], run(0.29))})[2])
    assert rows["seed_43"] == ["31.0 %", "26.0 %", "60.0 %", "1.000"]
    assert rows["标准差（百分点） · standard deviation (points)"] == ["1.00", "1.00", "0.00", "0.000"]
    assert rows["another order（百分点之差） · (points apart)"] == ["-1.00", "-1.00", "+0.00", "+0.000"]


def along(*accuracies):
    """Checkpoints at 1, 2, 4, ... whose first tenth has these accuracies, the second one more."""
    compared = CountingComparison(50, {"commonest": 0.9, "left": 0.2, "both": 0.1},
                                  {"commonest": 0.5, "left": 1.25, "both": None}, 50)  # fmt: skip
    scored = [
        checkpoint_score(2**n, mlm_score(share, tenths={"1": (share, 100), "2": (share + 0.1, 100)}))
        for n, share in enumerate(accuracies)
    ]
    guess = {"both": mlm_score(0.2, tenths={"1": (0.2, 100), "2": (0.25, 100)})}
    found = validation_scores([dataclasses.replace(each, counting=compared) for each in scored], guess).validation
    assert found is not None
    return found


def test_a_tenth_has_passed_when_no_later_checkpoint_falls_back():
    scored = along(0.1, 0.21, 0.19, 0.22, 0.3)
    rows = dict(rare_characters.rare_characters(scored)[2])
    assert rows["第 1 组 · tenth 1"] == ["100", "20.0 %", "30.0 %", "+10.0", "8"]
    assert rows["第 2 组 · tenth 2"] == ["100", "25.0 %", "40.0 %", "+15.0", "2"]
    assert set(rows) == {"第 1 组 · tenth 1", "第 2 组 · tenth 2"}  # the groups that were scored
    behind = dict(rare_characters.rare_characters(along(0.3, 0.1))[2])
    assert behind["第 1 组 · tenth 1"] == ["100", "20.0 %", "10.0 %", "-10.0", "-"]


def test_from_counting_to_context_has_a_row_a_checkpoint():
    scored = along(*np.linspace(0.1, 0.3, 8))  # steps 1 to 128
    _, heads, rows = counting_to_context.counting_to_context(scored)
    assert [label for label, _ in rows] == ["1", "2", "4", "8", "16", "32", "64", "128"]
    assert rows[0][1] == ["10.0 %", "90.0 %", "20.0 %", "10.0 %", "0.50", "1.25", "-"]
    assert len(heads) == 7


# --- forecasts made beforehand


@pytest.fixture(scope="module")
def ended():
    return read_history(history_path("first_edition/ladder_25000"))


@pytest.fixture(scope="module")
def made(ended):
    return [beforehand.forecast_of(ended, "ladder", share) for share in (20, 50)]


def test_a_forecast_is_held_to_the_last_twentieth(ended, made):
    steps, accuracy = ended.points("mlm_acc")
    came = accuracy[steps > 23_750].mean()
    rows = dict(forecasts.each_forecast(made, {"ladder": ended})[2])
    assert set(rows) == {f"ladder, {share} %, {name}" for share in (20, 50) for name in ACCURACIES.values()}
    expected, interval, shown, error, held = rows["ladder, 50 %, 训练 · training"]
    end = made[1].ends["mlm_acc"]
    assert (expected, shown) == (f"{100 * end.expected:.1f} %", f"{100 * came:.1f} %")
    assert interval == f"{100 * end.interval[0]:.1f} … {100 * end.interval[1]:.1f} %"
    assert float(error) == pytest.approx(100 * (end.expected - came), abs=0.005)
    assert held.startswith("是" if end.interval[0] <= came <= end.interval[1] else "否")
    assert not forecasts.each_forecast(made, {})[2]  # the run goes on


def test_a_run_with_few_held_out_records_is_held_to_them(ended):
    """Of every tenth record, as in a short run: at half of it they are enough for a forecast."""
    held_out = [value if place % 10 == 9 else None for place, value in enumerate(ended.records["eval_mlm_acc"])]
    sparse = History({**ended.records, "eval_mlm_acc": held_out}, ended.run)
    made = beforehand.forecast_of(sparse, "sparse", 50)
    expected, _, shown, *_ = dict(forecasts.each_forecast([made], {"sparse": sparse})[2])[
        "sparse, 50 %, 留出 · held out"
    ]
    assert shown == f"{100 * held_out[-1]:.1f} %"
    assert expected == f"{100 * made.ends['eval_mlm_acc'].expected:.1f} %"


def test_a_forecast_of_other_records_is_refused(made):
    with pytest.raises(InputError, match="does not begin with the records that the forecast at 20 % of ladder"):
        forecasts.each_forecast(made, {"ladder": read_history(history_path("first_edition/seed_43"))})


def test_a_target_is_reached_between_the_ends_of_two_runs():
    ends = {1000: 0.2, 4000: 0.3, 16_000: 0.4}
    assert forecasts.steps_between(ends, 0.3) == 4000
    assert forecasts.steps_between(ends, 0.35) == pytest.approx(8000)
    assert forecasts.steps_between(ends, 0.25) == pytest.approx(2000)
    assert forecasts.steps_between(ends, 0.45) is None
    assert forecasts.steps_between({1000: 0.2}, 0.2) is None


def test_the_steps_to_a_target_are_held_to_the_ladder():
    ladder = {steps: read_history(history_path(f"first_edition/ladder_{steps}")) for steps in (12_500, 25_000)}
    made = forecast_of([ladder[12_500]], 25_000)
    target = made.targets["mlm_acc"]
    assert not forecasts.steps_to_targets([made], {12_500: ladder[12_500]})[2]  # passed by no run yet
    expected, interval, came, held = dict(forecasts.steps_to_targets([made], ladder)[2])[
        f"12,500 → {100 * target.target:.1f} %, 训练 · training"
    ]
    assert expected == f"{target.steps:,.0f}"
    reached = float(came.replace(",", ""))
    assert 12_500 < reached < 25_000
    low, high = (float(end.replace(",", "")) if end != "-" else np.inf for end in interval.split(" … "))
    assert [low, high] == [round(end) if end else np.inf for end in target.interval]
    assert held.startswith("是" if low <= reached <= high else "否")


def test_rules_see_the_same_records(ended, made):
    others = history_curves(read_history(history_path("long")), "mlm_acc", "long", "another", "masked language model")
    references = [each for curve in others for each in by_rules(curve)]
    found = forecasts.held(made, {"ladder": ended}, references)
    assert len(found) == 2 * 2 * 3
    curve = forecasts.curve_of(ended, "mlm_acc")
    half = conformal(references, "last", "of the study", 0.5)
    low, _, high = around(by_rules(curve)[2].rules["last"], half)
    mine = [each for each in found if (each.by, each.percent, each.came) == ("last", 50, curve.end)]
    assert [each.interval for each in mine] == [(low, high)]
    missed = forecasts.Held("last", 50, 0.2, (0.19, 0.21), 0.22)
    assert (missed.hit, round(missed.score, 6)) == (False, 12.0)  # 2 wide, and 1 outside costs 10
    rows = forecasts.beside_simple_rules(made, {"ladder": ended}, others)[2]
    assert [label.split()[0] for label, _ in rows] == ["20", "20", "20", "50", "50", "50"]
    assert rows[0][1][1].endswith("/ 2")


def test_the_page_has_the_tables_whose_runs_are_there(tmp_path, made, monkeypatch):
    names = {
        "cosine_12500_seed_42": "ladder_12500",
        "cosine_25000_seed_42": "ladder_25000",
        "branch_12500_seed_42": "seed_42",
        "seed_43": "seed_43",
    }
    for name, committed in names.items():
        (tmp_path / name).mkdir()
        shutil.copy(ROOT / history_path(f"first_edition/{committed}"), tmp_path / name / "training_history.json")
    folder = tmp_path / "forecasts"
    folder.mkdir()
    first = read_history(history_path("first_edition/ladder_12500"))
    (folder / "ladder_25000.json").write_text(json.dumps(to_json(forecast_of([first], 25_000))))
    mine = dataclasses.replace(made[0], run="cosine_25000_seed_42")
    (folder / "cosine_25000_seed_42_20.json").write_text(json.dumps(to_json(mine)))
    monkeypatch.setattr(
        second_edition, "history_path", lambda name: tmp_path / Path(name).name / "training_history.json"
    )
    runs = second_edition.read_runs()
    titles = [title.partition(" · ")[2] for title, _, _ in second_edition.tables(runs, folder)]
    assert titles == [
        "Goals",
        "Size and cost",
        "From counting to context",
        "Rare characters and scripts",
        "Register",
        "The price of being able to continue: test MLM",
        "What chance does",
        "Forecasts made beforehand",
        "Beside simple rules (points)",
        "Longer runs from shorter ones",
        "Steps to a target",
    ]
    none = dataclasses.replace(runs, finished={})
    assert len(second_edition.tables(none, folder)) == 4  # those of the headline
