"""Where the stages read and write when they are told nothing: a user's files, and those that come with the program."""

import json
import shutil

import pytest

from pipeline.figures import style
from pipeline.files.history import DEFAULT_HISTORY
from tests.helpers.in_process import run_here, succeeded
from tests.helpers.synthetic import make_history

COMMITTED_STEP, SHORTER_STEP, OWN_STEP = 4000, 2000, 1200  # of the last record


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory as after ``git clone``: committed runs of synthetic records, and nothing of the user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(style, "pictures", lambda _: {"png": b"png", "svg": b"svg"})  # drawn, but not rendered
    results = tmp_path / "results"
    (results / "50k").mkdir(parents=True)
    make_history().write(results / "training_history_100k.json")
    make_history(50, noise=3).write(results / "50k" / "training_history.json")
    return tmp_path


def own_history(here, records=30):
    make_history(records, noise=5).write(here / DEFAULT_HISTORY)


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def analysis(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_fresh_copy_shows_the_committed_run_and_says_so(here):
    """Nothing that is committed changes, and everything that is made goes into a folder of its own."""
    before = content(here / "results")
    whose = "training_history_100k.json is not here; this is the run that comes with the program"
    shown = succeeded(run_here("check_progress.py"))
    assert " ".join(shown.split()).startswith(f"{whose}, results/training_history_100k.json ")
    told = run_here("check_progress.py", "--json")
    assert json.loads(succeeded(told))["history"] == "results/training_history_100k.json"
    assert whose in told.stderr
    assert succeeded(run_here("analyze_100k.py")).startswith(f"{whose}\n")
    assert "这里没有 training_history_100k.json" in succeeded(run_here("analyze_100k.py", "--lang", "zh"))
    assert succeeded(run_here("visualize_results.py")).startswith(f"{whose}, results/training_history_100k.json\n")
    assert content(here / "results") == before
    made = here / "runs" / "committed"
    assert {path for path in content(here) if path not in before} == {
        made / name
        for name in (
            *("analysis_100k_result.json", "report.html"),
            *(f"{name}_analysis.{kind}" for name in ("correlation", "loss") for kind in ("png", "svg")),
            *(f"{name}.{kind}" for name in ("training_curves", "comparison_50k_100k") for kind in ("png", "svg")),
        )
    }
    comparison = analysis(made / "analysis_100k_result.json")["comparison_with_50k"]
    assert comparison["baseline_last_step"] == SHORTER_STEP


def test_the_committed_analysis_is_drawn_where_none_was_made(here):
    succeeded(run_here("analyze_100k.py", "--output", "results/analysis_100k_result.json"))
    before = content(here / "results")
    succeeded(run_here("visualize_results.py"))
    assert content(here / "results") == before
    assert (here / "runs" / "committed" / "report.html").exists()


def test_a_committed_run_by_name_is_not_written_beside(here):
    before = content(here / "results")
    history = ("--history", "results/50k/training_history.json")
    printed = succeeded(run_here("analyze_100k.py", *history))
    assert "comes with the program" not in printed
    succeeded(run_here("visualize_results.py", *history))
    assert content(here / "results") == before
    assert analysis(here / "runs" / "committed" / "50k" / "analysis.json")["total_steps"] == SHORTER_STEP
    assert (here / "runs" / "committed" / "50k" / "training_curves.png").exists()


def test_a_users_own_run_comes_first(here):
    own_history(here)
    before = content(here)
    shown = succeeded(run_here("check_progress.py"))
    assert shown.startswith("training_history_100k.json")
    assert f"{OWN_STEP:,} of 4,000" in shown
    printed = succeeded(run_here("analyze_100k.py"))
    assert printed.startswith("training_history_100k.json: 30 records")
    assert "compared with" not in printed
    succeeded(run_here("visualize_results.py"))
    found = analysis(here / "analysis_100k_result.json")
    assert found["total_steps"] == OWN_STEP
    assert found["comparison_with_50k"]["baseline_last_step"] is None
    assert {path.parent for path in content(here) if path not in before} == {here}
    assert {path: data for path, data in content(here).items() if path in before} == before


def test_a_shorter_run_beside_the_history_is_its_baseline(here):
    own_history(here)
    make_history(20, noise=6).write(here / "training_history_50k.json")
    assert "compared with: training_history_50k.json" in succeeded(run_here("analyze_100k.py"))
    assert analysis(here / "analysis_100k_result.json")["comparison_with_50k"]["baseline_last_step"] == 800
    shutil.copy(here / "training_history_50k.json", here / "other.json")
    succeeded(run_here("analyze_100k.py", "--baseline", "results/50k/training_history.json"))
    assert analysis(here / "analysis_100k_result.json")["comparison_with_50k"]["baseline_last_step"] == SHORTER_STEP
    # A run is not compared with itself, and several runs are put side by side without one.
    assert "compared with" not in succeeded(run_here("analyze_100k.py", "--history", "training_history_50k.json"))
    several = ("--history", DEFAULT_HISTORY, "other.json")
    assert "compared with" not in succeeded(run_here("analyze_100k.py", *several, "--output", "several.json"))


def test_the_shorter_run_is_drawn_too(here, monkeypatch):
    seen = []
    monkeypatch.setattr("pipeline.figures.comparison.comparison", lambda _, baseline, say: seen.append(baseline) or say)
    own_history(here)
    run_here("analyze_100k.py")
    make_history(20, noise=6).write(here / "training_history_50k.json")
    monkeypatch.setattr("pipeline.figures.contents.contents", lambda _: [])
    succeeded(run_here("visualize_results.py"))
    assert [baseline.last_step for baseline in seen] == [800]


def test_watching_waits_for_the_users_own_run(here):
    """It would end at once with the finished committed one."""
    own_history(here, records=100)
    assert succeeded(run_here("check_progress.py", "--watch", "0.1")).startswith("training_history_100k.json")
