"""run_seed_predictor.py as a user runs it: a history that the other stages read, kills and signals, bad input."""

import json
import shutil
import signal

import pytest

from pipeline.files.history import read_history
from tests.helpers.in_process import run_here, succeeded
from tests.helpers.said import says
from tests.helpers.stopping import signalled_at
from tests.helpers.tiny import run_script

TEXT = "".join(f"第{number}回，山中马看了{number * number}朵花。The horse saw {number}.\n" for number in range(60))
SETTINGS = ["--units", "4", "--slot-bits", "14", "--record-every", "500", "--save-every", "1000"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(text):
    """A finished run; its folder."""
    folder = text.parent / "whole"
    succeeded(run_here("run_seed_predictor.py", *run_of(text, folder)))
    return folder


def run_of(text, folder):
    return ["--text", text, "--output", folder, *SETTINGS]


def records_of(folder):
    history = read_history(folder / "training_history.json")
    return {**history.records, "seconds": []}, history.run["result"]


def test_the_history_adds_up(whole):
    history = read_history(whole / "training_history.json")
    records, result = history.records, history.run["result"]
    size = len(TEXT.encode())
    assert records["steps"] == [*range(500, size, 500), size]
    paid = sum(mean * count for mean, count in zip(records["bits_per_symbol"], records["symbols"], strict=True))
    assert paid == pytest.approx(result["bits"])
    assert result["bits_per_character"] == pytest.approx(paid / len(TEXT))
    assert result["bits_per_symbol"] == pytest.approx(paid / size)
    assert records["bits_per_symbol"][-1] < records["bits_per_symbol"][0] / 2
    assert records["symbol_acc"][-1] > records["symbol_acc"][0]
    assert not (whole / "state.npz").exists()


def test_the_code_is_as_long_as_the_run_was_charged(whole, text, tmp_path):
    code = tmp_path / "text.seed"
    said = succeeded(run_here("run_seed_predictor.py", "--encode", text, code, *SETTINGS[:4]))
    bits = read_history(whole / "training_history.json").run["result"]["bits"]
    assert says(said, code.stat().st_size, len(TEXT.encode()), round(bits))
    assert code.stat().st_size == pytest.approx(bits / 8, abs=100)
    succeeded(run_here("run_seed_predictor.py", "--decode", code, tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_bytes() == text.read_bytes()


def test_the_other_stages_read_it(whole, tmp_path):
    history = whole / "training_history.json"
    assert "finished" in succeeded(run_here("check_progress.py", "--history", history))
    analysis = tmp_path / "analysis.json"
    succeeded(run_here("analyze_100k.py", "--history", history, "--output", analysis))
    drawn = ["--history", history, "--analysis", analysis, "--output-dir", tmp_path]
    assert "report.html" in succeeded(run_here("visualize_results.py", *drawn))
    found, records = json.loads(analysis.read_text(encoding="utf-8")), read_history(history).records
    assert found["total_steps"] == len(TEXT.encode())
    assert found["mlm_stats"]["max"] == pytest.approx(max(records["symbol_acc"]))
    assert found["loss_stats"]["final"] == pytest.approx(records["bits_per_symbol"][-1])


def test_a_second_command_finds_it_finished(whole, text):
    before = (whole / "training_history.json").read_bytes()
    assert "already finished" in succeeded(run_here("run_seed_predictor.py", *run_of(text, whole)))
    assert before == (whole / "training_history.json").read_bytes()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_a_run_that_was_stopped_ends_the_same(whole, text, tmp_path, number, code):
    folder = tmp_path / "run"
    stopped = signalled_at("symbol 1500/", number, "run_seed_predictor.py", run_of(text, folder))
    assert stopped.returncode == code, stopped.stderr
    assert (folder / "state.npz").exists()
    said = succeeded(run_here("run_seed_predictor.py", *run_of(text, folder)))
    assert says(said.splitlines()[0], 1000 if number == signal.SIGKILL else 1500)
    assert records_of(folder) == records_of(whole)


@pytest.fixture
def begun(text, tmp_path):
    """The folder of a run that was stopped."""
    signalled_at("symbol 1500/", signal.SIGTERM, "run_seed_predictor.py", run_of(text, tmp_path))
    return tmp_path


def test_states_of_others_and_damaged_ones_are_refused(begun, text):
    other = run_here("run_seed_predictor.py", *run_of(text, begun), "--orders", "2")
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)
    assert "belongs to another run (orders: 6 -> 2)" in other.stderr
    state = begun / "state.npz"
    state.write_bytes(state.read_bytes()[:-2000])
    damaged = run_here("run_seed_predictor.py", *run_of(text, begun))
    assert (damaged.returncode, damaged.stderr.count("\n")) == (2, 1)
    assert "damaged, or not a state" in damaged.stderr
    succeeded(run_here("run_seed_predictor.py", *run_of(text, begun), "--no-resume"))


def test_bad_input(tmp_path):
    (tmp_path / "empty.txt").touch()
    shutil.copytree(tmp_path, tmp_path / "folder.txt")
    cases = {
        "not found": ["--text", tmp_path / "absent.txt"],
        "a folder": ["--text", tmp_path / "folder.txt"],
        "empty; give a text": ["--text", tmp_path / "empty.txt"],
        "not a file of --encode": ["--decode", tmp_path / "empty.txt", tmp_path / "out"],
    }
    for said, options in cases.items():
        result = run_here("run_seed_predictor.py", *options, "--output", tmp_path / "out")
        assert (result.returncode, result.stderr.count("\n")) == (2, 1), said
        assert said in result.stderr
    for option, value in {"--units": 0, "--slot-bits": 40, "--orders": 9, "--symbols": 0, "--without": "all"}.items():
        assert run_here("run_seed_predictor.py", option, value, "--output", tmp_path / "out").returncode == 2


@pytest.mark.slow
def test_the_same_without_numba(whole, text, tmp_path):
    """The same code in Python, in a process that finds no numba; the last digits may differ."""
    (tmp_path / "numba.py").write_text("raise ImportError\n", encoding="utf-8")
    hide = "import sys, importlib.util as u; f = u.find_spec; "
    hide += "u.find_spec = lambda name, *rest: None if name == 'numba' else f(name, *rest)\n"
    (tmp_path / "sitecustomize.py").write_text(hide, encoding="utf-8")
    options = [*run_of(text, tmp_path / "run"), "--symbols", "1000"]
    result = run_script("run_seed_predictor.py", *options, environment={"PYTHONPATH": str(tmp_path)})
    assert "numba is not installed" in succeeded(result)
    run = read_history(tmp_path / "run" / "training_history.json")
    assert run.run["config"]["engine"].startswith("python")
    expected = read_history(whole / "training_history.json").records["bits_per_symbol"][:2]
    assert run.records["bits_per_symbol"] == pytest.approx(expected, rel=1e-9)
    assert json.loads((tmp_path / "run" / "training_history.json").read_text(encoding="utf-8"))["run"]["finished"]
