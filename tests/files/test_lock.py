"""Locks: one process holds, another is told who does, and nothing keeps anybody out once its holder is gone."""

import errno
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.files import lock
from pipeline.stage import InputError
from tests.helpers.tiny import ROOT

# Holds a folder and a file, starts a process of its own, and waits until it is killed or its standard input is closed.
HOLDING = """
import subprocess, sys
from pathlib import Path
from pipeline.files import lock

with lock.hold(folders=[Path(sys.argv[1])], files=[Path(sys.argv[2])]):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(child.pid, flush=True)
    sys.stdin.read()
    child.kill()
"""


@pytest.fixture
def places(tmp_path):
    return tmp_path / "folder", tmp_path / "file.json"


@pytest.fixture
def holder(places):
    """Another process that holds both places."""
    command = [sys.executable, "-c", HOLDING, *map(str, places)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        child = int(process.stdout.readline())
        yield process
        process.kill()
        subprocess.run(["kill", "-KILL", str(child)], stderr=subprocess.DEVNULL, check=False)


def lock_files(folder):
    return sorted(path.name for path in folder.rglob(".*lock"))


def test_another_process_is_told_who_holds(places, holder):
    folder, file = places
    for held, asked in ((folder, {"folders": [folder]}), (file, {"files": [file]})):
        with pytest.raises(InputError) as refused, lock.hold(**asked):
            pass
        said = str(refused.value)
        assert said.startswith(f"{held}: process {holder.pid} on {platform.node()} (since 20")
        assert f"-c {folder} {file})" in said
    with lock.hold(folders=[folder.parent], files=[folder.parent / "other.json"]):
        pass


def test_a_holder_that_ends_leaves_nothing(places, holder):
    assert lock_files(places[0].parent) == [".file.json.lock", ".lock"]
    holder.communicate(timeout=60)
    assert lock_files(places[0].parent) == []
    with lock.hold(folders=[places[0]], files=[places[1]]):
        pass


def test_a_killed_holder_keeps_nobody_out(places, holder):
    """Although its files are still there, and a process that it started still runs."""
    holder.kill()
    holder.wait(timeout=60)
    assert lock_files(places[0].parent) == [".file.json.lock", ".lock"]
    with lock.hold(folders=[places[0]], files=[places[1]]):
        written = json.loads((places[0] / ".lock").read_text(encoding="utf-8"))
        assert (written["pid"], written["host"]) == (os.getpid(), platform.node())
    assert lock_files(places[0].parent) == []


def test_what_fails_inside_is_released(places):
    with pytest.raises(ValueError, match="inside"), lock.hold(folders=[places[0]]):
        raise ValueError("inside")
    assert lock_files(places[0].parent) == []
    with lock.hold(folders=[places[0]]):
        pass


@pytest.mark.usefixtures("holder")
def test_what_was_held_before_the_refusal_is_released(places):
    other = places[0].with_name("other")
    with pytest.raises(InputError, match=r"file\.json"), lock.hold(folders=[other], files=[places[1]]):
        pass
    assert lock_files(other) == []
    with lock.hold(folders=[other]):
        pass


def test_a_holder_that_has_not_signed_yet(places):
    folder, _ = places
    folder.mkdir()
    with (folder / ".lock").open("w") as file:
        assert lock.try_lock(file) is True
        with pytest.raises(InputError, match="folder: another process is writing there"), lock.hold(folders=[folder]):
            pass


def test_a_file_that_its_holder_removed_in_the_meantime_is_no_lock(places, monkeypatch):
    """It was opened here before the holder removed it: a lock on it would keep nobody out."""
    folder, _ = places
    removed, really = [], lock.try_lock

    def removed_first(file):
        if not removed:
            removed.append(file.name)
            Path(file.name).unlink()
        return really(file)

    monkeypatch.setattr(lock, "try_lock", removed_first)
    with lock.hold(folders=[folder]):
        assert removed == [str(folder / ".lock")]
        with (folder / ".lock").open("a") as file:
            assert really(file) is False


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_said_and_used(places, monkeypatch, capsys, number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", fail)
    folder, file = places
    with lock.hold(folders=[folder], files=[file]):
        said = capsys.readouterr().out
        assert said.count("\n") == 1
        assert f"no locks on the file system of {folder}, {file};" in said
    assert lock_files(folder.parent) == []
