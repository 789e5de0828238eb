"""Anomalies that were put in are found, each by its kind, list and steps; what is no anomaly is none."""

import numpy as np
import pytest

from pipeline.analyse.health.anomalies import anomalies
from pipeline.files.history import History
from tests.helpers.rates import assert_rate
from tests.helpers.simulated import ar_noise
from tests.helpers.synthetic import make_history


def test_each_kind_is_named_with_its_steps():
    history = make_history()
    assert anomalies(history) == []
    records = history.records
    records["loss"][50] += 5
    records["eval_mlm_acc"][70] -= 0.2
    records["mlm_acc"][20:32] = [0.2] * 12
    records["seconds"][60:] = [value + 5000 for value in records["seconds"][60:]]
    records["lr"][80:] = [value / 3 for value in records["lr"][80:]]
    records["grad_norm"][5] = float("nan")
    found = {(entry.key, entry.kind): entry for entry in anomalies(history)}
    assert found[("loss", "spike")].steps == [2040]
    assert found[("eval_mlm_acc", "drop")].steps == [2840]
    assert found[("mlm_acc", "stall")].count == 12
    assert found[("seconds", "stall")].steps == [2440]
    assert found[("lr", "lr_break")].steps == [3240]
    assert found[("grad_norm", "nan")].first_step == 240


def test_a_recorded_change_of_the_rate_is_not_an_anomaly():
    rates = np.linspace(1e-3, 0, 100)
    rates[50:] /= 10
    history = history_with(lr=rates)
    assert found_in(history, "lr", "lr_break") == [5100]
    for step, found in ((5000, []), (5050, []), (4999, [5100]), (5100, [5100])):  # it holds after that step
        history.run["changes"] = [{"step": step, "setting": "lr", "from": 1e-3, "to": 1e-4}]
        assert found_in(history, "lr", "lr_break") == found


def history_with(**lists):
    """A hundred records, one every 100 steps; what is given takes the place of the faultless lists."""
    plain = {"steps": list(range(100, 10_001, 100)), "mlm_acc": np.linspace(0.1, 0.5, 100).tolist()}
    return History({**plain, **{key: list(values) for key, values in lists.items()}}, {})


def found_in(history, key, kind):
    return [step for entry in anomalies(history) if (entry.key, entry.kind) == (key, kind)
            for step in entry.steps]  # fmt: skip


def test_ten_equal_values_are_frozen_and_nine_are_not():
    for count in (9, 10, 11):
        accuracy = np.linspace(0.1, 0.5, 100)
        accuracy[40 : 40 + count] = accuracy[40]
        expected = list(range(4100, 4100 + 100 * count, 100)) if count >= 10 else []
        assert found_in(history_with(mlm_acc=accuracy), "mlm_acc", "stall") == expected


def test_values_that_repeat_by_rounding_are_frozen_only_where_chance_makes_no_such_row():
    """Accuracies of two decimals near a plateau: half of them are like the one before."""
    rounded = np.round(0.5 + np.random.default_rng(6).normal(0, 0.004, 100), 2)
    assert (rounded[1:] == rounded[:-1]).sum() > 40
    assert found_in(history_with(mlm_acc=rounded), "mlm_acc", "stall") == []
    for count, found in ((10, False), (40, True)):
        changed = rounded.copy()
        changed[20 : 20 + count] = 0.5
        assert bool(found_in(history_with(mlm_acc=changed), "mlm_acc", "stall")) == found


def test_a_model_at_rest_keeps_its_values():
    """Held-out accuracy that no longer moves, because the rate has fallen to a hundredth of its peak."""
    accuracy = np.append(np.linspace(0.1, 0.5, 80), [0.5] * 20)
    frozen = list(range(8000, 10_001, 100))[:20]
    for end, found in ((0.009, []), (0.011, frozen)):
        rates = np.append(np.linspace(1.0, end, 79), [end] * 21)
        history = history_with(eval_mlm_acc=accuracy, loss=1 - accuracy, lr=rates)
        assert found_in(history, "eval_mlm_acc", "stall") == found
        assert found_in(history, "loss", "stall") == frozen  # of other text in each record


def test_a_list_that_never_changes_is_an_anomaly():
    steps = list(range(100, 10_001, 100))
    sparse = [0.3 if place % 10 == 0 else None for place in range(100)]
    for key in ("mlm_acc", "loss", "eval_mlm_acc", "eval_loss"):
        for values, found in (([0.3] * 100, steps), (sparse, steps[::10]), ([None] * 10 + sparse[:90], [])):
            history = history_with(**{key: values})
            assert found_in(history, key, "constant") == found[:20]
            assert found_in(history, key, "stall") == []
            assert sum(entry.count for entry in anomalies(history) if entry.kind == "constant") == len(found)


def test_a_pause_is_more_than_ten_usual_intervals_and_a_minute():
    for usual, pause, found in ((8.0, 79.0, False), (8.0, 81.0, True), (1.0, 59.0, False), (1.0, 61.0, True)):
        gaps = np.full(100, usual)
        gaps[[30, 60, 61]] = pause
        expected = [3100, 6100, 6200] if found else []
        assert found_in(history_with(seconds=np.cumsum(gaps)), "seconds", "stall") == expected


def test_every_spike_of_a_list_is_listed():
    values = 0.3 + ar_noise(np.random.default_rng(2), 100, 0.0, 0.01)
    values[[20, 50, 51, 80]] += 0.2
    assert found_in(history_with(mlm_acc=values), "mlm_acc", "spike") == [2100, 5100, 5200, 8100]


def test_a_curve_bends_where_the_rate_jumps():
    generator = np.random.default_rng(9)
    loss = 3 - 0.002 * np.arange(100) + generator.normal(0, 0.001, 100)
    loss[50] -= 0.02
    assert found_in(history_with(loss=loss), "loss", "drop") == [5100]
    for first, spared in ((50, True), (45, True), (43, False)):  # places of the first lower rate
        rates = np.where(np.arange(100) < first, 1e-3, 1e-4)
        assert found_in(history_with(loss=loss, lr=rates), "loss", "drop") == ([] if spared else [5100])


def test_pauses_that_are_usual_are_none():
    """An evaluation every ten records takes a hundred times as long as a record."""
    gaps = np.full(100, 1.0)
    gaps[9::10] = 100.0
    assert found_in(history_with(seconds=np.cumsum(gaps)), "seconds", "stall") == []
    gaps[55] = 1000.0
    assert found_in(history_with(seconds=np.cumsum(gaps)), "seconds", "stall") == [5600]


def test_a_loss_that_goes_up_is_divergence_from_its_lowest_on():
    loss = 2 + np.exp(-np.arange(100) / 10) + np.random.default_rng(1).normal(0, 0.01, 100)
    assert found_in(history_with(loss=loss), "loss", "divergence") == []
    loss[60:] += np.linspace(0, 1, 40)
    (entry,) = [each for each in anomalies(history_with(loss=loss)) if each.kind == "divergence"]
    assert 5000 < entry.first_step <= 6500
    assert entry.last_step == 10_000
    assert entry.note.startswith(f"loss {loss[-8:].mean():.3f} over the last 8 records, ")


@pytest.mark.slow
def test_five_lists_together_are_flagged_as_often_as_was_measured():
    """The level of 1 % is of the run, shared among its lists; a steep start of 100 records makes it 1.5 %."""
    generator, runs, flagged = np.random.default_rng(7), 2700, 0
    steps = np.arange(1, 101) * 100
    rise = 1 - np.exp(-steps / 1500)
    shapes = {"mlm_acc": (0.1, 0.4, 0.01), "loss": (8, -4, 0.05), "eval_mlm_acc": (0.1, 0.4, 0.004),
              "eval_loss": (8, -4, 0.02), "grad_norm": (1, 0, 0.1)}  # fmt: skip
    for _ in range(runs):
        lists = {
            key: (first + change * rise + ar_noise(generator, 100, 0.4, sigma)).tolist()
            for key, (first, change, sigma) in shapes.items()
        }
        flagged += bool(anomalies(History({"steps": steps.tolist(), **lists}, {})))
    assert_rate(flagged, runs, 0.015, notices=0.03)
