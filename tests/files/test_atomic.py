"""Writes that a reader never sees half of, whoever else writes and whatever kills them."""

import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import pytest

from pipeline.files import atomic, lock
from pipeline.stage import InputError
from tests.helpers.tiny import ROOT

NOBODY = 65534


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("broken", ["os.fsync", "pathlib.Path.replace"])
def test_a_write_that_fails_keeps_the_old_file(tmp_path, monkeypatch, broken):
    path = tmp_path / "dataset.json"
    atomic.write_text(path, "old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(broken, fail)
    with pytest.raises(OSError, match="No space") as caught:
        atomic.write_text(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_nothing_can_be_written_the_error_names_the_file_itself():
    with pytest.raises(OSError) as caught:  # noqa: PT011  the name is what matters
        atomic.write_text(Path("/proc/self/nothing.json"), "new")
    assert caught.value.filename == "/proc/self/nothing.json"


@pytest.mark.parametrize("other", ["history.json", "another.json"])
def test_writers_do_not_meet(tmp_path, monkeypatch, other):
    """One writes the same file, or one beside it, from start to end while the other has written and not yet renamed."""
    sync, writes = os.fsync, []

    def written_meanwhile(handle):
        if not writes:
            writes.append(other)
            atomic.write_text(tmp_path / other, "between")
            assert (tmp_path / other).read_text() == "between"
        sync(handle)

    monkeypatch.setattr(os, "fsync", written_meanwhile)
    atomic.write_text(tmp_path / "history.json", "last")
    assert (tmp_path / "history.json").read_text() == "last"
    assert names(tmp_path) == sorted({other, "history.json"})


def test_what_a_killed_writer_leaves_goes_with_the_next_write(tmp_path):
    """And what only looks like it, or is not ours, stays."""
    program = """
import os, signal, sys
from pathlib import Path
from pipeline.files import atomic

atomic.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
atomic.write_text(Path(sys.argv[1]), "half")
"""
    command = [sys.executable, "-c", program, str(tmp_path / "state_437.pth")]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    [left] = names(tmp_path)
    assert left.startswith(".state_437.pth.")
    for name in (".notes.tmp", "x.0123456789ab.tmp", ".dataset.json.tmp"):
        (tmp_path / name).write_text("a user's")
    atomic.write_text(tmp_path / "history.json", "new")
    assert names(tmp_path) == [".dataset.json.tmp", ".notes.tmp", "history.json", "x.0123456789ab.tmp"]


def test_a_temporary_file_taken_for_abandoned_is_made_again(tmp_path, monkeypatch):
    """Between its making and its locking another writer may find it and remove it."""
    really, removed = lock.try_lock, []

    def removed_first(file):
        if not removed:
            removed.append(file.name)
            Path(file.name).unlink()
        return really(file)

    monkeypatch.setattr(lock, "try_lock", removed_first)
    atomic.write_text(tmp_path / "history.json", "new")
    assert len(removed) == 1
    assert (tmp_path / "history.json").read_text() == "new"
    assert names(tmp_path) == ["history.json"]


def test_writes_do_without_locks(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", fail)
    atomic.write_text(tmp_path / "history.json", "new")
    assert names(tmp_path) == ["history.json"]


# --- places that cannot be written


def without_privileges(check):
    """Call ``check`` in a child process for which permissions count, which root's do not."""
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(NOBODY)
            check()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture
def place():
    """A folder that everybody may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def refused(path, said):
    with pytest.raises(InputError, match=said):
        atomic.refuse_unwritable(path)


def test_a_folder_without_permission(place):
    (place / "closed").mkdir(mode=0o555)
    without_privileges(lambda: refused(place / "closed" / "file", "cannot be written .Permission denied"))
    without_privileges(lambda: refused(place / "closed" / "below" / "file", "cannot be written .Permission denied"))
    assert list((place / "closed").iterdir()) == []


def test_a_read_only_file_is_meant_to_stay(place):
    path = place / "history.json"
    path.write_text("kept", encoding="utf-8")
    path.chmod(0o444)
    without_privileges(lambda: refused(path, "is read-only"))
    assert path.read_text(encoding="utf-8") == "kept"


def test_a_folder_or_a_file_in_the_way(place):
    (place / "file").touch()
    refused(place, "is a folder")
    refused(place / "file" / "below", "cannot be written")


def test_a_good_place_is_left_as_it_was(place):
    atomic.refuse_unwritable(place / "deep" / "new")
    assert list((place / "deep").iterdir()) == []
    (place / "old").write_bytes(b"content")
    atomic.refuse_unwritable(place / "old")
    assert (place / "old").read_bytes() == b"content"


@pytest.mark.parametrize(
    ("name", "written"), [("训练", "训练"), ("\udce8\udcae\udcad.pth", "训.pth"), ("\udcff", "\ufffd")]
)
def test_names_that_the_locale_could_not_decode(tmp_path, name, written):
    """In an ASCII locale Python gives the bytes of a file's name as surrogate escapes."""
    atomic.write_json(tmp_path / "sidecar.json", name)
    assert (tmp_path / "sidecar.json").read_text(encoding="utf-8") == f'"{written}"\n'
