"""Locks on what is being written: known to every process that asks, and gone with the process that held them.

A lock is on an open file (flock, on Windows msvcrt), so the system releases it however its holder ends. The file says
who holds it and is removed at the end; one that a killed holder left behind is not locked and keeps nobody out.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from pipeline.formatting import now
from pipeline.stage import InputError

_HELD = {errno.EAGAIN, errno.EACCES}

if sys.platform == "win32":
    import msvcrt

    _BEYOND = 2**30  # a locked byte cannot be read, so one is locked that no file has

    def _lock(file: IO[Any]) -> None:
        os.lseek(file.fileno(), _BEYOND, os.SEEK_SET)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(file: IO[Any]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def try_lock(file: IO[Any]) -> bool | None:
    """Whether ``file``, open for writing, is ours until it is closed; None where its file system has no locks."""
    try:
        _lock(file)
    except OSError as error:
        return False if error.errno in _HELD else None
    return True


def remove(path: Path, file: IO[Any]) -> None:
    """Remove ``path``, which is open as ``file`` and locked: first removed, then unlocked, where the system can."""
    if os.name == "posix":
        path.unlink(missing_ok=True)
    file.close()
    if os.name != "posix":
        with contextlib.suppress(OSError):  # Windows removes no file that another has open
            path.unlink()


@contextlib.contextmanager
def hold(*, folders: Sequence[Path] = (), files: Sequence[Path] = ()) -> Iterator[None]:
    """Keep other processes that ask from writing into ``folders`` and ``files`` meanwhile.

    Raises:
        InputError: another process holds one of them; the message says which.
    """
    lock_files = {folder: folder / ".lock" for folder in folders}
    lock_files |= {file: file.with_name(f".{file.name}.lock") for file in files}
    with contextlib.ExitStack() as held:
        unlocked = [str(place) for place, path in lock_files.items() if not held.enter_context(_held(place, path))]
        if unlocked:
            where = ", ".join(unlocked)
            print(f"warning: no locks on the file system of {where}; start nothing else that writes there", flush=True)
        yield


@contextlib.contextmanager
def _held(place: Path, path: Path) -> Iterator[bool]:
    """Hold ``place`` by locking ``path``; gives whether there are locks on its file system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("a+", encoding="utf-8")
        locked = try_lock(file)
        if locked is not True or _is_there(path, file):
            break
        file.close()  # its holder ended, and removed it, after it was opened here
    if locked is False:
        with file:
            raise InputError(f"{place}: {_holder(file)} is writing there; wait for it, stop it, or give another path")
    try:
        file.truncate(0)
        me = {"pid": os.getpid(), "host": platform.node(), "since": now(), "command": shlex.join(sys.argv)}
        file.write(json.dumps(me) + "\n")
        file.flush()
        yield locked is True
    finally:
        remove(path, file)


def _is_there(path: Path, file: IO[Any]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _holder(file: IO[Any]) -> str:
    """Who a lock file says holds it; between locking and writing that is not known."""
    file.seek(0)
    try:
        holder = json.loads(file.read())
        return f"process {holder['pid']} on {holder['host']} (since {holder['since']}: {holder['command']})"
    except (ValueError, TypeError, KeyError):
        return "another process"
