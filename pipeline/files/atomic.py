"""Files that a reader never sees half-written: a temporary name beside the target, synced, then renamed.

Each write has a temporary name of its own, so writers of one file do not meet. What a killed writer left behind is not
locked any more: the next write into the same folder removes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import IO, Any

from pipeline.files import lock
from pipeline.stage import InputError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")


def write_bytes(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` in one step. On any failure the old file stays and no temporary file is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path.parent)
    temporary, file = _begin(path)
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if os.name == "posix":  # while it is locked: nobody takes it for abandoned
                temporary.replace(path)
        if os.name != "posix":  # Windows renames no open file
            temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # a full disk does not say which file it was; others name the temporary one
            error.filename = str(path)
        raise
    _sync_folder(path.parent)


def refuse_unwritable(path: Path) -> None:
    """Raise an InputError where ``write_bytes`` to ``path`` would fail; whatever is there stays as it is."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(f"{path}: is read-only; make it writable or give another path")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.remove(*_begin(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another path") from None


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8.

    The name of a file that the locale could not decode (LC_ALL=C) holds escaped bytes; they are written as they are, or
    as U+FFFD where they are not UTF-8 either.
    """
    write_bytes(path, text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode("utf-8"))


def write_json(path: Path, value: Any, *, indent: int | None = None) -> None:
    """Write ``value`` as UTF-8 JSON, keys in their given order, Chinese readable, with a final newline."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def _begin(path: Path) -> tuple[Path, IO[bytes]]:
    """A new file beside ``path``, open and locked."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        try:
            file = temporary.open("xb")
        except OSError as error:
            error.filename = str(path)
            raise
        if lock.try_lock(file) is not False and temporary.exists():
            return temporary, file
        file.close()  # before it was locked here, another process took it for abandoned


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            with contextlib.suppress(OSError):  # of another user, or just gone
                file = path.open("r+b")
                if lock.try_lock(file):
                    lock.remove(path, file)
                file.close()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be synced."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
