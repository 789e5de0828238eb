"""The reading of progress and of the run object, and the text of figures."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analyse.facts import Facts
from pipeline.analyse.figure_style import short_step, spread
from pipeline.analyse.progress import duration, measure, screen, sparkline
from pipeline.stage import InputError
from tests.synthetic import make_history

NAN = float("nan")


@given(st.lists(st.floats(-100, 100), max_size=12).map(sorted), st.floats(0.01, 10))
def test_labels_are_spread_apart_and_stay_in_order(places, least):
    moved = spread(places, least)
    assert len(moved) == len(places)
    assert all(after - before >= least * (1 - 1e-6) for before, after in pairwise(moved))
    assert sum(moved) == pytest.approx(sum(places), abs=1e-6)  # moved apart around their centre


@pytest.mark.parametrize(("step", "text"), [(40, "40"), (2440, "2,440"), (2500, "2.5K"), (100_000, "100K")])
def test_short_step(step, text):
    assert short_step(step) == text


def look(history, age=1.0, now=1_000_000.0):
    return measure(Path("h.json"), history, now - age, now)


def test_progress_of_a_run_half_way():
    found = look(make_history(50, finished=False))
    assert (found.state, found.step, found.total_steps, found.percent) == ("running", 2000, 4000, 50.0)
    assert found.rate_now == found.rate_overall == pytest.approx(40 / 3)
    assert found.eta_seconds == pytest.approx(150 - 1)
    assert found.eval_mlm_acc_best == max(make_history(50).records["eval_mlm_acc"])


def test_a_rate_that_changed_is_the_rate_now():
    history = make_history(50, finished=False)
    for number in range(30, 50):
        history.records["seconds"][number] += 3.0 * (number - 29)
    found = look(history)
    assert found.rate_now == pytest.approx(20 / 3)
    assert found.rate_overall == pytest.approx(2000 / 210)


@pytest.mark.parametrize(("age", "state"), [(1, "running"), (59, "running"), (61, "stalled")])
def test_a_silent_writer_is_said_to_have_stalled(age, state):
    found = look(make_history(50, finished=False), age)
    assert found.state == state
    assert any("stalled" in warning for warning in found.warnings) == (state == "stalled")
    assert (found.eta_seconds is None) == (state == "stalled")


def test_a_slow_run_is_given_more_time():
    history = make_history(50, finished=False)
    history.records["seconds"] = [80.0 * number for number in range(1, 51)]
    assert look(history, 399).state == "running"
    assert look(history, 401).state == "stalled"


def test_a_finished_run_never_stalls():
    found = look(make_history(), 1e6)
    assert (found.state, found.eta_seconds, found.warnings) == ("finished", None, [])


def test_nsp_at_chance_and_no_numbers_are_warned_of():
    history = make_history(50)
    history.records["nsp_acc"] = [0.5 + 0.03 * (-1) ** number for number in range(50)]
    history.records["loss"][7] = NAN
    warnings = "\n".join(look(history).warnings)
    assert "NSP at chance: 50.0 % over the last 12 records" in warnings
    assert "loss: 1 NaN or infinite, the last at step 320" in warnings


@pytest.mark.parametrize("records", [0, 1, 2])
def test_progress_of_a_run_that_has_just_begun(records):
    found = look(make_history(records, finished=False))
    assert found.state == ("running" if records else "waiting")
    assert f"{records} records" in screen(found)


def test_sparkline():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([]) == ""
    assert len(sparkline([float(number) for number in range(1000)])) == 60


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(42, "42 s"), (59.7, "1 min 00 s"), (312, "5 min 12 s"), (81_060, "22 h 31 min"), (273_600, "3 d 4 h")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_facts_are_given_absent_or_refused():
    facts = Facts(Path("h.json"), {"a": {"n": 3, "x": NAN, "t": "text", "b": True}, "empty": None})
    assert (facts.count("a", "n"), facts.number("a", "n"), facts.text("a", "t")) == (3, 3, "text")
    assert (facts.number("a", "x"), facts.number("a", "no"), facts.number("empty", "n"), facts.text("z")) == (None,) * 4
    for ask in (lambda: facts.number("a", "t"), lambda: facts.count("a", "b"), lambda: facts.text("a", "n")):
        with pytest.raises(InputError, match=r"h.json: run\.a\.\w must be"):
            ask()
    with pytest.raises(InputError, match=r"run\.a\.t must be an object"):
        facts.number("a", "t", "deeper")
