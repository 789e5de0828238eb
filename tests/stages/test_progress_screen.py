"""check_progress.py, run as a user would."""

import fcntl
import functools
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import datetime

import pytest

from pipeline.collect.api.store import Page, Store, progress
from pipeline.formatting import columns_of
from pipeline.monitor.fetch_screen import fetch_screen
from tests.helpers.synthetic import make_history, write_published_shape
from tests.helpers.tiny import ROOT, run_script
from tests.stages.test_analyze import BROKEN

SCRIPT = str(ROOT / "check_progress.py")


def check(path, *more):
    return run_script("check_progress.py", "--history", path, *more)


def test_a_run_half_way_on_one_screen(tmp_path):
    path = tmp_path / "h.json"
    make_history(60, finished=False).write(path)
    before = path.read_bytes()
    result = check(path)
    assert (result.returncode, result.stderr) == (0, "")
    for fact in (
        "running",
        "2,400 of 4,000",
        "60.0 %",
        "13.33 steps/s now",
        "held-out    MLM",
        "NSP",
        "▁",
        "█",
        "at the end",
        "GB free",
        "nothing wrong found",
    ):
        assert fact in result.stdout
    assert len(result.stdout.splitlines()) < 24
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_it_answers_in_under_a_second(tmp_path):
    """A second of the processor's time, which other work on the machine does not lengthen much, on the headline."""

    def seconds(history):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, SCRIPT, "--history", str(history)], cwd=ROOT, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    make_history(1000, 100, total=200_000, finished=False).write(tmp_path / "h.json")
    for history in (tmp_path / "h.json", ROOT / "results" / "training_history_100k.json"):
        assert min(seconds(history) for _ in range(3)) < 1


def test_the_screen_needs_neither_scipy_nor_torch(tmp_path):
    make_history(200, finished=False).write(tmp_path / "h.json")
    make_history(200, noise=8).write(tmp_path / "reference.json")
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "print(code, sorted({name.split('.')[0] for name in sys.modules} & {'numpy', 'scipy', 'torch', 'matplotlib'}))"
    )
    options = ["--history", str(tmp_path / "h.json"), "--reference", str(tmp_path / "reference.json")]
    result = subprocess.run(
        [sys.executable, "-c", code, SCRIPT, *options], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "0 ['numpy']"


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
    assert "step        4,000                   100 records" in result.stdout
    assert "min left" not in result.stdout
    assert "not in this log: held-out accuracy, held-out loss, time" in result.stdout
    assert "GB free" not in result.stdout


def test_a_reference_run_and_the_checkpoints(tmp_path):
    history = make_history(60, finished=False)
    history.records["eval_mlm_acc"] = [value - 0.05 for value in history.records["eval_mlm_acc"]]
    history.run["config"]["save_interval"] = 400
    history.write(tmp_path / "h.json")
    make_history().write(tmp_path / "r.json")
    (tmp_path / "ck").mkdir()
    for step in range(400, 2401, 400):
        (tmp_path / "ck" / f"step_{step}.pth").write_bytes(b"x" * 500_000)
    (tmp_path / "ck" / "state_2400.pth").write_bytes(b"x" * 1_500_000)
    options = ["--reference", tmp_path / "r.json", "--checkpoint-dir", tmp_path / "ck"]
    result = check(tmp_path / "h.json", *options)
    assert (result.returncode, result.stderr) == (0, "")
    screen = " ".join(result.stdout.split())
    assert "checkpoints 6, with states 4.5 MB 5.5 MB to come" in screen
    assert "off the reference: held-out accuracy 5." in screen
    found = json.loads(check(tmp_path / "h.json", *options, "--json").stdout)
    assert found["deviation"]["difference"] == pytest.approx(-0.05, abs=0.01)
    assert found["disk"]["needed"] == 4 * 500_000 + 2 * 1_500_000 + 500_000
    missing = check(tmp_path / "h.json", "--reference", tmp_path / "none.json")
    assert missing.returncode == 2
    assert "none.json" in missing.stderr


def test_checkpoints_that_stay_need_room(tmp_path):
    """At step 2,400 with the early and the newest weights: one more, two states, one that stays, the final model."""
    history = make_history(60, finished=False)
    history.run["config"].update(save_interval=400, early_checkpoints=True)
    history.run["keep_states"] = "every:1800"
    history.write(tmp_path / "h.json")
    (tmp_path / "ck").mkdir()
    for name, size in (("step_2400.pth", 500_000), ("state_2400.pth", 1_500_000)):
        (tmp_path / "ck" / name).write_bytes(b"x" * size)
    for step in (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000):
        (tmp_path / "ck" / f"step_{step}.pth").write_bytes(b"")
    options = ["--checkpoint-dir", tmp_path / "ck", "--json"]
    found = json.loads(check(tmp_path / "h.json", *options).stdout)
    assert found["disk"]["needed"] == 500_000 + (2 + 1) * 1_500_000 + 500_000
    history.run["keep_states"] = "all"
    history.write(tmp_path / "h.json")
    refused = check(tmp_path / "h.json", *options)
    assert (refused.returncode, "h.json: run.keep_states 'all' must be steps" in refused.stderr) == (2, True)


def test_nothing_heavy_is_imported(tmp_path):
    make_history(30).write(tmp_path / "h.json")
    program = (
        "import runpy, sys; sys.argv = ['check_progress.py', '--history', sys.argv[1]]\n"
        f"try: runpy.run_path({SCRIPT!r}, run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'torch', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "h.json")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


def watch(path, what="--history"):
    command = [sys.executable, SCRIPT, what, str(path), "--watch", "0.1"]
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


def fetch_half_way(path):
    """A store with two pages of three, as the fetch leaves it."""
    store = Store(path, "https://zh.example.org/w/api.php", "zh-cn")
    with store.transaction():
        store.add_to_frontier([(1, "山"), (2, "水"), (3, "火")], "自然", "search")
        for entry, fetched in zip(
            store.waiting(), ("2026-01-05T08:00:00+00:00", "2026-01-05T08:00:30+00:00"), strict=False
        ):
            page = Page(entry.pageid, 7, entry.title, "自然", "https://zh.example.org", fetched, "山高水长。")
            store.settle(entry, "stored", page)
        store.put(sentences=120, target_sentences=480, distinct_han=900, target_vocab=1000, requests=9, retries=1)
    return store


def test_a_fetch_in_progress_is_shown_from_its_store_while_it_is_written(tmp_path):
    store = fetch_half_way(tmp_path / "s.sqlite")  # still open: reading must not wait for its writer
    result = run_script("check_progress.py", "--store", tmp_path / "s.sqlite")
    assert (result.returncode, result.stderr) == (0, "")
    screen = " ".join(result.stdout.split())
    for fact in ("s.sqlite silent", "25.0 %", "2 stored", "1 waiting", "120 of 480", "900 of 1,000", "9 1 of them",
                 "2.0 pages/min", "silent: no page for"):  # fmt: skip
        assert fact in screen, fact
    as_json = json.loads(run_script("check_progress.py", "--store", tmp_path / "s.sqlite", "--json").stdout)
    assert (as_json["pages"], as_json["pending"], as_json["finished"]) == (2, 1, None)
    store.close()


def test_a_fetch_that_goes_on_is_told_how_long_it_will_take(tmp_path):
    fetch_half_way(tmp_path / "s.sqlite").close()
    facts = progress(tmp_path / "s.sqlite")
    now = datetime.fromisoformat(facts.updated).timestamp() + 5
    shown = " ".join(fetch_screen(facts, now).split())
    assert "s.sqlite fetching" in shown
    assert "2.0 pages/min about 3 min 00 s left" in shown
    assert "pages arriving" in shown


def test_watching_a_fetch_waits_for_its_store_and_ends_with_it(tmp_path):
    path = tmp_path / "s.sqlite"
    with watch(path, "--store") as process:
        assert "waiting for the store" in process.stdout.readline()
        store = fetch_half_way(path)
        store.put(finished="2026-01-05T08:01:00+00:00", reason="targets met")
        store.close()
        rest, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert "finished: targets met" in rest


def test_what_is_no_store_is_refused(tmp_path):
    (tmp_path / "s.sqlite").write_text("no database")
    for path in (tmp_path / "s.sqlite", tmp_path / "none.sqlite"):
        result = run_script("check_progress.py", "--store", path)
        assert (result.returncode, result.stdout) == (2, "")
        assert len(result.stderr.splitlines()) == 1
        assert path.name in result.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_on_a_terminal_screens_are_redrawn_in_place(tmp_path):
    make_history(60).write(tmp_path / "h.json")
    reader, writer = os.openpty()
    command = [sys.executable, SCRIPT, "--history", str(tmp_path / "h.json"), "--watch", "1"]
    subprocess.run(command, cwd=ROOT, stdout=writer, check=True, timeout=120, env={**os.environ, "TERM": "xterm"})
    os.close(writer)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert shown.startswith("\x1b[?25l\x1b[H\x1b[J")  # the cursor is hidden, and shown again at the end
    assert shown.endswith("\x1b[?25h")
    assert "\x1b[K" in shown


def on_terminal(columns, lines, *arguments):
    """What check_progress.py shows on a terminal of this size, without terminal codes; the terminal's lines."""
    reader, writer = os.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    settings = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    settings.pop("COLUMNS", None)
    settings.pop("LINES", None)
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, stdout=writer, check=True, timeout=120, env=settings)
    os.close(writer)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", shown).replace("\r", "").removesuffix("\n").split("\n")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
@pytest.mark.parametrize(("language", "state"), [("en", "running"), ("zh", "运行中")])
def test_a_terminal_of_40_columns_shows_all_that_is_needed(tmp_path, language, state):
    make_history(60, finished=False).write(tmp_path / "h.json")
    shown = on_terminal(40, 24, "--history", tmp_path / "h.json", "--lang", language)
    assert max(map(columns_of, shown)) <= 40
    assert len(shown) < 24
    assert shown[0].endswith(state)
    assert "13.33" in "".join(shown)


def test_an_encoding_without_bars_or_chinese_gets_ascii_and_english(tmp_path):
    make_history(60, finished=False).write(tmp_path / "h.json")
    command = [sys.executable, SCRIPT, "--history", str(tmp_path / "h.json"), "--lang", "zh"]
    settings = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, env=settings)
    assert result.stderr == "the encoding ascii has no Chinese characters: this is in English\n"
    assert result.stdout.isascii()
    assert "?" not in result.stdout
    assert "####" in result.stdout
    settings["PYTHONIOENCODING"] = "gbk"
    result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, env=settings)
    shown = result.stdout.decode("gbk")
    assert "运行中" in shown
    assert "####" in shown  # these bars are two columns wide on a Chinese terminal, or missing
