"""How a stage ends: what happens to its output when nobody reads it, and what a signal does to it."""

import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from tests.helpers.tiny import ROOT

# A stage that prints in every way there is, more than a pipe holds, and then writes a file.
PRINTING = """
import sys, warnings
from pathlib import Path
from tqdm import tqdm
from pipeline.stage import InputError, run_stage

def main():
    print("begun", flush=True)
    sys.stdin.read()
    for number in tqdm(range(200), file=sys.stdout, mininterval=0, disable=False):
        print("中文", "x" * 1000, flush=number % 2 == 0)
        warnings.warn(f"warning {number}" + "y" * 1000)
        print("z" * 1000, file=sys.stderr)
    Path(sys.argv[1]).write_text("complete")
    if len(sys.argv) > 2:
        raise InputError("refused")
    return 0

run_stage(main)
"""


def start(program, *arguments, options=(), **streams):
    command = [sys.executable, *options, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, **streams)


@pytest.fixture
def dead():
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("options", [(), ("-u",)])
def test_readers_that_go_away_in_mid_run_end_nothing(tmp_path, options):
    """As `| head -1` does, and a tee that dies."""
    pipe = subprocess.PIPE
    process = start(PRINTING, tmp_path / "file", options=options, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdout.readline() == b"begun\n"
    process.stdout.close()
    process.stderr.close()
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "file").read_text() == "complete"


def test_each_stream_is_kept_without_the_other(tmp_path, dead):
    other = {"stdin": subprocess.DEVNULL}
    read = start(PRINTING, tmp_path / "one", stdout=subprocess.PIPE, stderr=dead, **other)
    output, _ = read.communicate(timeout=60)
    assert (read.returncode, output.count("中文".encode())) == (0, 200)
    read = start(PRINTING, tmp_path / "two", stdout=dead, stderr=subprocess.PIPE, **other)
    _, errors = read.communicate(timeout=60)
    assert (read.returncode, errors.count(b"z" * 1000)) == (0, 200)
    assert [(tmp_path / name).read_text() for name in ("one", "two")] == ["complete"] * 2


def test_a_full_disk_behind_stdout(tmp_path):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        process = start(PRINTING, tmp_path / "file", stdin=subprocess.DEVNULL, stdout=full, stderr=full)
        assert process.wait(timeout=60) == 0
    assert (tmp_path / "file").read_text() == "complete"


def test_a_reader_that_does_not_keep_up_with_a_pipe_that_does_not_wait(tmp_path):
    """Whoever shares the pipe or terminal may have set it so."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    process = start(PRINTING, tmp_path / "file", stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.DEVNULL)
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "file").read_text() == "complete"
    os.close(reading)
    os.close(writing)


def test_an_error_keeps_its_exit_code_where_it_cannot_be_said(tmp_path, dead):
    process = start(PRINTING, tmp_path / "file", "refused", stdin=subprocess.DEVNULL, stdout=dead, stderr=dead)
    assert process.wait(timeout=60) == 2


def test_streams_that_were_never_open(tmp_path):
    """As `>&- 2>&-` in a shell. The file must not become the process's standard output."""

    def close():
        for number in range(3):
            os.close(number)

    assert start(PRINTING, tmp_path / "file", preexec_fn=close).wait(timeout=60) == 0
    assert (tmp_path / "file").read_text() == "complete"


def test_a_terminal_that_is_closed(tmp_path):
    ours, its = pty.openpty()
    process = start(PRINTING, tmp_path / "file", stdin=subprocess.PIPE, stdout=its, stderr=its)
    os.close(its)
    assert os.read(ours, 5) == b"begun"
    os.close(ours)
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "file").read_text() == "complete"


def test_a_stage_that_only_shows_something_ends_with_its_reader():
    program = "from pipeline.stage import run_stage\ndef main():\n    while True: print('again', flush=True)\n"
    process = start(f"{program}run_stage(main, outlives_reader=False)", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("outlives", [True, False])
def test_characters_that_the_terminal_lacks_become_question_marks(outlives):
    show = f"run_stage(lambda: print('中文 100') or 0, outlives_reader={outlives})"
    result = subprocess.run(
        [sys.executable, "-c", f"from pipeline.stage import run_stage\n{show}"],
        cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr) == (0, b"?? 100\n", b"")


# A stage with a loop that holds signals back once it has something to save, as the training loop does. It sends itself
# the signals that are given for a place in the order given, so that nothing depends on the moment.
STOPPABLE = """
import json, signal, sys
from pipeline.stage import StopSignal, run_stage

signals_at = json.loads(sys.argv[1])

def reach(place):
    print(place, flush=True)
    for name in signals_at.get(place, []):
        signal.raise_signal(getattr(signal, name))

def main():
    try:
        reach("before")
        with StopSignal() as signals:
            reach("first step")
            signals.hold()
            reach("second step")
            signals.hold()
            reach("third step")
        reach("saved")
        if not signals.code:
            reach("after")
        return signals.code
    finally:
        reach("cleaning up")
        print("clean", flush=True)

run_stage(main)
"""
LOOP = ["before", "first step", "second step", "third step", "saved"]
END = ["cleaning up", "clean"]


def stopped(signals_at, ignored=()):
    """Exit code, what was printed and the complaint of a stage that gets ``signals_at`` these places."""

    def heed():  # a shell that runs the tests in the background has them ignore Ctrl-C; a user's terminal does not
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    command = [sys.executable, "-c", STOPPABLE, json.dumps(signals_at)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=heed, check=False)
    return result.returncode, result.stdout.splitlines(), result.stderr


SIGNALS = [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 143)]


@pytest.mark.parametrize(("name", "code"), SIGNALS)
def test_a_loop_finishes_and_saves(name, code):
    assert stopped({"second step": [name]}) == (code, [*LOOP, *END], "")


@pytest.mark.parametrize(("name", "code"), SIGNALS)
@pytest.mark.parametrize("place", ["before", "first step", "after"])
def test_elsewhere_a_stage_ends_at_once(place, name, code):
    """Before there is anything to save, and in the final scoring, which the same command begins again."""
    expected = [*LOOP, "after"][: [*LOOP, "after"].index(place) + 1]
    said = "interrupted; run the same command again to go on\n"
    assert stopped({place: [name]}) == (code, [*expected, *END], said)


@pytest.mark.parametrize("again", [("SIGTERM", "SIGTERM"), ("SIGHUP", "SIGTERM", "SIGTERM"), ("SIGTERM", "SIGHUP")])
def test_the_system_may_ask_again(again):
    """Slurm and Kubernetes signal every process, and torchrun passes on what it got itself."""
    assert stopped({"second step": again}) == (143, [*LOOP, *END], "")
    assert stopped({"second step": again[:1], "third step": again[1:]}) == (143, [*LOOP, *END], "")
    assert stopped({"third step": again[:1], "saved": again[1:]}) == (143, [*LOOP, *END], "")
    said = "interrupted; run the same command again to go on\n"
    cleaned = {"before": again[:1], "cleaning up": again[1:]}
    assert stopped(cleaned) == (143, ["before", *END], said)


def test_a_second_ctrl_c_ends_at_once():
    said = "interrupted; run the same command again to go on\n"
    assert stopped({"second step": ["SIGINT", "SIGINT"]}) == (130, [*LOOP[:3], *END], said)
    assert stopped({"second step": ["SIGINT"], "third step": ["SIGINT"]}) == (130, [*LOOP[:4], *END], said)
    assert stopped({"before": ["SIGINT"], "cleaning up": ["SIGINT"]})[0] == -signal.SIGINT


def test_the_first_signal_gives_the_code():
    assert stopped({"second step": ["SIGINT", "SIGTERM"]}) == (130, [*LOOP, *END], "")
    assert stopped({"second step": ["SIGTERM", "SIGINT"]}) == (143, [*LOOP, *END], "")


def test_what_nohup_has_a_stage_ignore_stays_ignored():
    everywhere = {place: ["SIGHUP"] for place in (*LOOP, "after", "cleaning up")}
    assert stopped(everywhere, ignored=[signal.SIGHUP]) == (0, [*LOOP, "after", *END], "")


def test_a_system_without_sighup():
    """Windows has none."""
    program = "import signal\ndel signal.SIGHUP\n" + STOPPABLE
    command = [sys.executable, "-c", program, json.dumps({"second step": ["SIGTERM"]})]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (143, "")
