"""The reading of progress and health, and the screen that shows them."""

import random
from dataclasses import replace
from math import exp
from pathlib import Path

import numpy as np
import pytest

from pipeline.files.checkpoints.names import KeptStates
from pipeline.files.history import History
from pipeline.files.run_record import Facts
from pipeline.formatting import bytes_text, columns_of, duration
from pipeline.monitor.disk_need import disk_need
from pipeline.monitor.progress import measure
from pipeline.monitor.quick_forecast import forecast_end
from pipeline.monitor.run_health import difference_from_reference, findings
from pipeline.monitor.screen import screen
from pipeline.monitor.words import screen_words
from pipeline.stage import InputError
from pipeline.terminal import SPARKS, Surface
from tests.helpers.synthetic import make_history

NAN = float("nan")


def look(history, age=1.0, now=1_000_000.0):
    return measure(history, now - age, now)


def said(sentences):
    return [each.say(screen_words("en")) for each in sentences]


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
    assert any("stalled" in warning for warning in said(found.warnings)) == (state == "stalled")
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
    history.records["nsp_pairs"] = [3_200] * 50
    warnings = "\n".join(said(look(history).warnings))
    assert "NSP at chance: 50.0 % of 160,000 pairs" in warnings
    assert "loss: 1 NaN or infinite, the last at step 320" in warnings


@pytest.mark.parametrize("records", [0, 1, 2])
def test_progress_of_a_run_that_has_just_begun(records):
    found = look(make_history(records, finished=False))
    assert found.state == ("running" if records else "waiting")
    assert f"{records} record{'' if records == 1 else 's'}" in screen(found)


def test_sparkline():
    surface = Surface()
    assert surface.sparkline([0, 1, 2, 3, 4, 5, 6, 7], 60) == SPARKS
    assert surface.sparkline([5.0, 5.0], 60) == "▁▁"
    assert surface.sparkline([], 60) == ""
    assert len(surface.sparkline([float(number) for number in range(1000)], 60)) == 60


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


def test_a_reference_with_other_steps_is_interpolated_and_one_without_common_steps_is_no_reference():
    history, coarse = make_history(100), make_history(25, 160)
    assert abs(difference_from_reference(history, coarse).difference) < 0.01
    assert difference_from_reference(history, make_history(100, 100_000)) is None
    assert difference_from_reference(history, make_history(5)) is None  # too few records of the run lie within it
    published = replace(coarse, records={key: coarse.records[key] for key in ("steps", "mlm_acc")})
    assert difference_from_reference(history, published).of == "training"


@pytest.mark.parametrize("seen", [0.3, 0.6, 0.9])
def test_the_rough_forecast_lies_around_the_truth(seen):
    dice = random.Random(5)
    exponential = [(step, 0.57 - 0.42 * exp(-step / 16_000) + dice.gauss(0, 0.01)) for step in range(100, 100_001, 100)]
    low, high = forecast_end(exponential[: int(1000 * seen)], 2000, 100_000)
    assert low - 0.01 < 0.57 < high + 0.01
    assert high - low < (0.25 if seen < 0.5 else 0.11)


def test_the_rough_forecast_is_where_the_two_curves_end():
    """Fitted by numpy to the same 60 means: tau from a twentieth of what was seen to ten times it."""
    dice = random.Random(6)
    points = [(step, 0.5 - 0.4 * exp(-step / 30_000) + dice.gauss(0, 0.01)) for step in range(100, 40_001, 100)]
    later = np.array([point for point in points if point[0] > 2000])
    means = np.array([part.mean(axis=0) for part in np.split(later, [380 * place // 60 for place in range(1, 60)])])
    x, y = means.T
    span = x[-1] - x[0]
    fits = [np.polyfit(-np.exp(-x / tau), y, 1, full=True)[:2] for tau in np.geomspace(span / 20, 10 * span, 40)]
    place = int(np.argmin([left[0] for _, left in fits]))
    tau = np.geomspace(span / 20, 10 * span, 40)[place]
    ends = [
        np.polyval(fits[place][0], -np.exp(-100_000 / tau)),
        np.polyval(np.polyfit(np.log(x), y, 1), np.log(100_000)),
    ]
    assert forecast_end(points, 2000, 100_000) == pytest.approx(sorted(ends))


def test_the_rough_forecast_waits_until_there_is_something_to_see():
    points = [(step, 0.2) for step in range(100, 5001, 100)]
    assert forecast_end(points, 2000, 100_000) is None
    assert forecast_end(points, 2000, 50_001) is None
    assert forecast_end(points, 2000, 50_000) is not None  # a tenth of the run has been seen
    assert forecast_end(points[:15], 500, 2000) is None
    assert forecast_end(points, 2000, 10_000) == pytest.approx((0.2, 0.2))


def weigh(folder, steps, states, size=1000):
    folder.mkdir(exist_ok=True)
    for kind, numbers, bytes_ in (("step", steps, size), ("state", states, 3 * size)):
        for number in numbers:
            (folder / f"{kind}_{number}.pth").write_bytes(b"x" * bytes_)


def test_the_disk_need_follows_from_the_files_that_are_there(tmp_path):
    weigh(tmp_path, [100, 200, 300], [200, 300])
    need = disk_need(tmp_path, 300, 1000, 100, None)
    assert (need.checkpoints, need.used) == (3, 9000)
    assert need.needed == 7 * 1000 + 1 * 3000 + 1000  # seven grid points, a state beside the old two, the final model
    assert need.free > 0
    assert not need.is_short
    assert replace(need, free=need.needed - 1).is_short


def test_a_run_that_keeps_only_the_newest_needs_room_for_one_more(tmp_path):
    weigh(tmp_path, [200, 300], [200, 300])
    assert disk_need(tmp_path, 300, 1000, 100, None).needed == 1000 + 3000 + 1000


def test_early_checkpoints_and_kept_states_need_room(tmp_path):
    """To come of a run at step 3 of 20: weights at 4, 5, 8, 10, 15, 16, 20; states at 6, 10, 12, 18 that stay."""
    weigh(tmp_path, [0, 1, 2], [])
    kept = KeptStates(frozenset({3, 10}), every=6)
    need = disk_need(tmp_path, 3, 20, 5, None, early=True, kept=kept)
    assert need.needed == 7 * 1000 + (3 + 4) * 3000 + 1000
    # --keep 1 at step 10: the early ones stay, so that 16 comes beside them, and one more point of the grid.
    weigh(tmp_path, [0, 1, 2, 4, 8, 10], [6, 10])
    (tmp_path / "step_5.pth").unlink(missing_ok=True)
    assert disk_need(tmp_path, 10, 20, 5, None, early=True).needed == 2 * 1000 + 1 * 3000 + 1000


def test_a_branch_has_none_of_its_trunks_checkpoints(tmp_path):
    """From step 600 of a trunk to 1,000: one state and two points of the grid are there, two are to come."""
    weigh(tmp_path, [700, 800], [800])
    assert disk_need(tmp_path, 850, 1000, 100, None, begun=600).needed == 2 * 1000 + 2 * 3000 + 1000
    assert disk_need(tmp_path / "none", 640, 1000, 100, 50, begun=600).needed == 4 * 200 + 3 * 600 + 200


def test_before_the_first_checkpoint_the_parameters_tell_the_size(tmp_path):
    need = disk_need(tmp_path / "not" / "there", 0, 1000, 100, 50)
    assert need.needed == 10 * 200 + 3 * 600 + 200
    assert disk_need(tmp_path, 0, 1000, 100, None).needed is None
    assert disk_need(tmp_path, 500, 1000, 100, 50).needed is None  # no checkpoint where there must be some
    assert disk_need(tmp_path, 1000, 1000, 2000, 50).needed == 0


def test_a_short_disk_is_warned_of(tmp_path):
    need = replace(disk_need(tmp_path, 0, 4000, 100, 10**6), free=10**6)
    found = measure(make_history(50, finished=False), 0.0, 1.0, need)
    assert any("disk: checkpoints to come need 200 MB" in warning and "1.0 MB are free" in warning
               for warning in said(found.warnings))  # fmt: skip


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (3_449_000, "3.4 MB"), (81_600_000_000, "81.6 GB"), (250_000_000_000, "250 GB"),
     (2_500_000_000_000, "2.5 TB")],
)  # fmt: skip
def test_bytes_text(count, text):
    assert bytes_text(count) == text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("columns", [30, 40, 50, 59, 80, 120, 200])
def test_the_screen_fits_its_terminal(columns, language):
    found = look(make_history(60, finished=False))
    text = screen(found, Surface(columns), language)
    assert max(map(columns_of, text.split("\n"))) <= min(120, columns)
    if columns >= 40:
        assert text.count("\n") < 24
    assert "\x1b" not in text
    assert "\x1b[1m" in screen(found, Surface(columns, styled=True), language)


def test_findings_of_an_empty_history():
    assert findings(History()) == []
