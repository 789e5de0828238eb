"""Files that may be packed: ``.gz``, ``.bz2`` and ``.xz`` are unpacked as they are read, all others read as they are.

Errors name the file. A damaged one is told from a failing disk, whose error is passed on.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pipeline.stage import InputError

_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
ENDINGS = tuple(_OPENERS)


def unpacked_name(path: Path) -> str:
    """The file's name without the ending that says how it is packed."""
    return path.stem if path.suffix in _OPENERS else path.name


def read_blocks(path: Path, size: int, advice: str) -> Iterator[bytes]:
    """The unpacked content in blocks of at most ``size`` bytes.

    Raises:
        InputError: the file is missing (the message then gives ``advice``), a folder, or damaged.
    """
    with _named(path, advice), _open(path, "rb") as file:
        while block := file.read(size):
            yield block


def read_lines(path: Path, advice: str) -> Iterator[str]:
    """The lines of a UTF-8 text with their ends; a byte order mark is dropped.

    Raises:
        InputError: the file is missing (the message then gives ``advice``), a folder, damaged, or not UTF-8.
    """
    with _named(path, advice), _open(path, "rt", encoding="utf-8-sig") as file:
        yield from file


def _open(path: Path, mode: str, **options: str) -> IO[Any]:
    return _OPENERS.get(path.suffix, open)(path, mode, **options)


@contextmanager
def _named(path: Path, advice: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: not found; {advice}") from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder, not a file; name the files in it") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason}); convert it first") from None
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, OSError) and error.errno:  # the disk, not what the file holds
            raise
        raise InputError(f"{path}: damaged or cut short {path.suffix[1:]} file ({error}); fetch it again") from None
