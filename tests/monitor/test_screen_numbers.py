"""The numbers on the screen of check_progress.py, and in its warnings, counted again from the history."""

import math
import re
from datetime import datetime

import numpy as np
import pytest

from pipeline.files.history import History
from pipeline.monitor.disk_need import DiskNeed
from pipeline.monitor.progress import measure
from pipeline.monitor.run_health import findings
from pipeline.monitor.screen import screen
from pipeline.monitor.words import screen_words
from pipeline.terminal import Surface
from tests.helpers.pages import seconds_of
from tests.helpers.said import numbers_in, says
from tests.helpers.synthetic import make_history

NOW = 1_000_000.0
AGE = 7.0


@pytest.fixture
def history():
    """60 records of a run that slows down after the 50th, whose best held-out accuracy is not its last."""
    history = make_history(60, finished=False)
    lists = history.records
    lists["seconds"] = [3.0 * number + 6.0 * max(0, number - 50) for number in range(1, 61)]
    lists["eval_mlm_acc"][57] = 0.31
    history.run["config"]["warmup"] = 400
    return history


def look(history, reference=None, disk=None):
    return measure(history, NOW - AGE, NOW, disk, reference)


def said(sentences):
    return [each.say(screen_words("en")) for each in sentences]


def row(progress, name):
    """The cells of the row with this name."""
    [line] = [line for line in screen(progress, Surface(100)).splitlines() if line.startswith(f"  {name} ")]
    return re.split(r"\s{2,}", line.strip().removeprefix(name).strip())


def test_changed_settings_are_shown_with_their_step(history):
    assert "changed" not in screen(look(history))
    history.run["changes"] = [
        {"step": 1200, "setting": "lr", "from": 1e-3, "to": 5e-4},
        {"step": 1200, "setting": "clip", "from": 1.0, "to": 0.5},
        {"step": 1600, "setting": "processor", "from": "A quite long name of a processor", "to": None},
    ]
    lines = screen(look(history), Surface(100)).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("  changed "))
    assert [re.split(r"\s{2,}", line.strip()) for line in lines[start : start + 3]] == [
        ["changed", "after step 1,200", "lr 0.001 to 0.0005"],
        ["clip 1.0 to 0.5"],
        ["changed", "after step 1,600", "processor A quite long na… to None"],
    ]
    assert look(history).to_json()["changes"] == history.run["changes"]
    history.run["changes"] = [5]
    assert "changed" not in screen(look(history))


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        (None, ["linear", "the rate falls after step 400"]),
        ("wsd:0.25", ["wsd:0.25", "the rate falls after step 3,000"]),
        ("constant", ["constant"]),
    ],
)
def test_the_schedule_and_the_trunk(history, schedule, told):
    if schedule:
        history.run["config"]["schedule"] = schedule
    assert row(look(history), "schedule") == told
    assert look(history).to_json()["schedule"] == told[0]
    assert "branch" not in screen(look(history))
    history.run["branch"] = {"history": "runs/trunk/history.json", "step": 1200, "sha256": "0" * 64}
    assert row(look(history), "branch") == ["from step 1,200", "of runs/trunk/history.json"]
    history.run["config"]["schedule"] = "by hand"
    assert "schedule" not in screen(look(history))


def test_how_far_and_how_fast(history):
    found = look(history)
    steps, records = row(found, "step")
    assert numbers_in(steps) == ["2400", "4000"]
    assert says(records, 60, AGE)
    assert " 60.0 %" in screen(found).splitlines()[1]
    now, overall = row(found, "rate")
    assert numbers_in(now) == ["4.44"]  # 10 records of 40 steps, 9 s each
    assert numbers_in(overall) == ["10.00"]  # 2,400 steps in 240 s
    so_far, left = row(found, "time")
    assert seconds_of(so_far.removesuffix(" so far")) == 240
    assert seconds_of(left.partition(" left")[0]) == round(1600 / (400 / 90) - AGE)
    done = datetime.fromisoformat(left.partition("done at ")[2]).timestamp()
    assert done == pytest.approx(NOW - AGE + 1600 / (400 / 90), abs=60)
    assert found.eta_seconds == pytest.approx(1600 / (400 / 90) - AGE)


def test_a_slow_run_is_told_in_seconds_a_step(history):
    history.records["seconds"] = [1000.0 * number for number in range(1, 61)]
    assert [numbers_in(cell) for cell in row(look(history), "rate")] == [["25.0"], ["25.0"]]


def test_the_last_and_the_best_held_out_accuracy_and_the_last_training_values(history):
    found, lists = look(history), history.records
    last, best = row(found, "held-out")
    assert numbers_in(last) == [f"{100 * lists['eval_mlm_acc'][-1]:.2f}"]
    assert numbers_in(best) == ["31.00", str(lists["steps"][57])]
    mlm, nsp, loss, rate = row(found, "training")
    assert (mlm, nsp) == (f"MLM {100 * lists['mlm_acc'][-1]:.2f} %", f"NSP {100 * lists['nsp_acc'][-1]:.2f} %")
    assert (loss, rate) == (f"loss {lists['loss'][-1]:.3f}", f"lr {lists['lr'][-1]:.2e}")


def test_the_curve_spans_the_least_and_the_greatest_held_out_accuracy(history):
    drawn, span = row(look(history), "curve")
    values = history.records["eval_mlm_acc"]
    assert numbers_in(span) == [f"{100 * min(values):.1f}", f"{100 * max(values):.1f}"]
    assert "held-out" in span
    assert (drawn[0], max(drawn)) == ("▁", "█")
    for key in list(history.records):
        if key.startswith("eval"):
            del history.records[key]
    _, span = row(look(history), "curve")
    values = history.records["mlm_acc"]
    assert numbers_in(span) == [f"{100 * min(values):.1f}", f"{100 * max(values):.1f}"]
    assert "training" in span


def test_the_rough_forecast_is_of_held_out_accuracy_after_the_warm_up_at_the_last_step(history):
    found = look(history)
    lists = history.records
    steps, values = (np.array(lists[key][10:], dtype=float) for key in ("steps", "eval_mlm_acc"))  # after step 400

    def at_the_end(shape):
        """The value at step 4,000 of the least-squares line through this function of the step; its misfit."""
        slope, start = np.polyfit(shape(steps), values, 1)
        return start + slope * shape(4000.0), np.sum((values - start - slope * shape(steps)) ** 2)

    logarithm, _ = at_the_end(np.log)
    span = steps[-1] - steps[0]
    fits = [at_the_end(lambda step, tau=tau: -np.exp(-step / tau)) for tau in np.geomspace(span / 20, 10 * span, 400)]
    exponential, _ = min(fits, key=lambda fit: fit[1])
    assert found.forecast_end == pytest.approx(sorted((logarithm, exponential)), abs=1.5e-3)
    assert abs(logarithm - exponential) > 3e-3
    assert numbers_in(row(found, "at the end")[0]) == [f"{100 * end:.1f}" for end in found.forecast_end]


def test_the_distance_from_a_reference_run(history):
    reference = make_history(100, noise=3)
    found = look(history, reference)
    steps = history.records["steps"]
    apart = np.array(history.records["eval_mlm_acc"]) - np.array(reference.records["eval_mlm_acc"][: len(steps)])
    means = apart[4:].reshape(7, 8).mean(axis=1)  # of eight records each, from the last one back
    error = np.median(np.abs(np.diff(means))) / 0.6745 / math.sqrt(2)
    difference, range_ = row(found, "reference")
    assert numbers_in(difference) == [f"{100 * apart[-8:].mean():+.2f}"]
    assert says(range_, 196 * error, 8)
    assert "held-out" in range_
    reference.records["eval_mlm_acc"] = [value + 0.05 for value in reference.records["eval_mlm_acc"]]
    [warning] = [text for text in said(look(history, reference).warnings) if "reference" in text]
    assert says(warning, abs(100 * (apart[-8:].mean() - 0.05)), 2400)
    assert "below" in warning


def test_checkpoints_and_what_is_still_to_come(history):
    disk = DiskNeed("ck", checkpoints=6, used=4_500_000, needed=5_500_000, free=7_000_000_000)
    here, to_come = row(look(history, disk=disk), "checkpoints")
    assert says(here, 6, 4.5)
    assert says(to_come, 5.5, 7.0)


def test_a_diverging_loss_is_told_with_both_means_and_the_step_of_the_lower():
    history = make_history(100)
    losses = history.records["loss"]
    for number in range(80, 100):
        losses[number] += 0.1 * (number - 79)
    [warning] = [text for text in said(findings(history)) if text.startswith("diverging")]
    means = {end: sum(losses[end - 8 : end]) / 8 for end in range(8, 93)}
    lowest = min(means, key=means.get)
    assert says(warning, sum(losses[-8:]) / 8, 8, means[lowest], history.records["steps"][lowest - 5])


def test_overfitting_is_told_with_what_is_lost_since_the_best_step():
    history = make_history(200, 20)
    held_out = history.records["eval_mlm_acc"]
    for number in range(120, 200):
        held_out[number] -= 0.005 * min(number - 119, 20)
        history.records["mlm_acc"][number] += 0.001 * (number - 119)
    [warning] = [text for text in said(findings(history)) if text.startswith("overfitting")]
    smooth = [sum(held_out[n - 5 : n + 6]) / 11 for n in range(5, 195)]  # over a twentieth of the records
    best = max(range(len(smooth)), key=smooth.__getitem__)
    last = sum(held_out[194:]) / 6
    assert says(warning, 100 * (smooth[best] - last), history.records["steps"][best + 5])


def test_nsp_at_chance_names_the_share_of_all_pairs():
    history = make_history(100)
    history.records["nsp_acc"] = [0.5 + 0.002 * (-1) ** number for number in range(100)]
    history.records["nsp_pairs"] = [2000] * 100
    [warning] = [text for text in said(findings(history)) if text.startswith("NSP")]
    right = sum(round(2000 * share) for share in history.records["nsp_acc"])
    assert says(warning, 100 * right / 200_000, 200_000)
    history.records["nsp_acc"][75:] = [0.52] * 25  # the last quarter is above chance
    assert not [text for text in said(findings(history)) if text.startswith("NSP")]


def test_the_json_holds_what_the_screen_shows(history):
    found = look(history)
    value = found.to_json()
    lists = history.records
    assert {key: value[key] for key in ("mlm_acc", "nsp_acc", "loss", "lr", "eval_mlm_acc", "seconds")} == {
        key: lists[key][-1] for key in ("mlm_acc", "nsp_acc", "loss", "lr", "eval_mlm_acc", "seconds")
    }
    assert (value["eval_mlm_acc_best"], value["eval_mlm_acc_best_step"]) == (0.31, lists["steps"][57])
    assert (value["records"], value["step"], value["total_steps"], value["percent"]) == (60, 2400, 4000, 60.0)
    assert (value["rate_now"], value["rate_overall"]) == (pytest.approx(400 / 90), pytest.approx(10.0))
    assert value["last_record_age"] == AGE
    assert value["usual_interval"] == pytest.approx(9.0)


def test_a_history_of_the_first_lists_alone_shows_no_made_up_numbers():
    whole = make_history(30)
    history = History({key: whole.records[key] for key in ("steps", "mlm_acc", "nsp_acc", "loss", "lr")}, {})
    shown = screen(look(history))
    assert not re.search(r"^  (rate|time|held-out|at the end|checkpoints|reference) ", shown, re.MULTILINE)
    assert row(look(history), "step")[0] == "1,200"
