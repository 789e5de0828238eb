"""check_progress.py, run as a user would."""

import functools
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.synthetic import make_history, write_published_shape
from tests.test_stage_analyze import BROKEN
from tests.tiny import ROOT, run_script

SCRIPT = str(ROOT / "check_progress.py")


def check(path, *more):
    return run_script("check_progress.py", "--history", path, *more)


def test_a_run_half_way_on_one_screen(tmp_path):
    path = tmp_path / "h.json"
    make_history(60, finished=False).write(path)
    before = path.read_bytes()
    begun = time.perf_counter()
    result = check(path)
    assert time.perf_counter() - begun < 1
    assert (result.returncode, result.stderr) == (0, "")
    for fact in ("running", "2,400 of 4,000 (60.0 %)", "13.33 steps/s now", "held-out  MLM", "NSP", "▁", "█"):
        assert fact in result.stdout
    assert len(result.stdout.splitlines()) < 24
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_json_for_scripts_is_strict_and_names_no_nan(tmp_path):
    history = make_history(30, finished=False)
    history.records["loss"][-1] = float("nan")
    history.write(tmp_path / "h.json")
    result = check(tmp_path / "h.json", "--json")
    assert result.returncode == 0
    assert "NaN" not in result.stdout.replace("NaN or infinite", "")
    found = json.loads(result.stdout)
    assert (found["state"], found["step"], found["total_steps"], found["loss"]) == ("running", 1200, 4000, None)
    assert found["warnings"] == ["loss: 1 NaN or infinite, the last at step 1,200"]


def test_an_old_file_is_a_stalled_run(tmp_path):
    path = tmp_path / "h.json"
    make_history(30, finished=False).write(path)
    os.utime(path, (time.time() - 3600,) * 2)
    result = check(path)
    assert "stalled: no record for 1 h 00 min, usually one every 3 s" in " ".join(result.stdout.split())


def test_the_five_published_lists(tmp_path):
    write_published_shape(make_history(), tmp_path / "h.json")
    result = check(tmp_path / "h.json")
    assert (result.returncode, result.stderr) == (0, "")
    assert "step      4,000, 100 records" in result.stdout
    assert "left" not in result.stdout


def test_nothing_heavy_is_imported(tmp_path):
    make_history(30).write(tmp_path / "h.json")
    program = (
        "import runpy, sys; sys.argv = ['check_progress.py', '--history', sys.argv[1]]\n"
        f"try: runpy.run_path({SCRIPT!r}, run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'torch', 'numpy', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "h.json")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


def watch(path):
    command = [sys.executable, SCRIPT, "--history", str(path), "--watch", "0.1"]
    # A shell that runs the tests in the background has them ignore Ctrl-C; a user's terminal does not.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, preexec_fn=heed, **pipes)


def test_watch_waits_for_the_run_follows_it_and_ends_with_it(tmp_path):
    path = tmp_path / "h.json"
    with watch(path) as process:
        assert "waiting for the first record" in process.stdout.readline()
        make_history(30, finished=False).write(path)
        while "running" not in process.stdout.readline():
            pass
        make_history().write(path)
        rest, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert "finished" in rest


def test_watch_ends_at_ctrl_c(tmp_path):
    path = tmp_path / "h.json"
    make_history(30, finished=False).write(path)
    with watch(path) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("fault", [fault for fault in BROKEN if fault != "no records"])
def test_bad_input_is_refused(tmp_path, fault):
    path = tmp_path / "h.json"
    if BROKEN[fault] is not None:
        path.write_text(BROKEN[fault])
    result = check(path)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert str(path) in result.stderr


def test_a_run_object_of_wrong_types_is_refused(tmp_path):
    history = make_history(5)
    history.run["config"] = {"steps": "many"}
    history.write(tmp_path / "h.json")
    result = check(tmp_path / "h.json")
    assert result.returncode == 2
    assert "run.config.steps must be a whole number" in result.stderr
