"""Text and JSON read from a file, or one line that says where the file is broken."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path
from typing import Any

from pipeline.files.packed import ENDINGS, read_blocks
from pipeline.stage import InputError

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_BLOCK = 1 << 22  # bytes
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_json_object(path: Path, what: str, advice: str) -> dict[str, Any]:
    """The JSON object in ``path``, or an InputError that names ``what`` it is and gives ``advice``."""
    value = parse_json(read_text(path, what, advice), path, what, advice)
    if not isinstance(value, dict):
        raise InputError(f"{path}: {what} must be a JSON object, not {type(value).__name__}; {advice}")
    return value


def read_text(path: Path, what: str, advice: str) -> str:
    """The text in ``path``: UTF-8, or UTF-16 where it begins with the mark of that, as Windows' shells write it.

    A file that is packed (``.gz``, ``.bz2``, ``.xz``) is unpacked.
    """
    try:
        content = b"".join(read_blocks(path, _BLOCK, advice)) if path.suffix in ENDINGS else path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: {what} is not there; {advice}") from None
    coding = "utf-16" if content.startswith(_UTF_16) else "utf-8"
    try:
        return content.decode(coding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: {what} is not {coding.upper()} at byte {error.start}; {advice}") from None


def parse_json(text: str, path: Path, what: str, advice: str) -> Any:
    """The JSON value ``text``, which was read from ``path``."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InputError(f"{path}: {what} is broken JSON at {where}; {advice}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: {what} has numbers too long or brackets too deep to read; {advice}") from None
    if _SURROGATE_ESCAPE.search(text):
        _refuse_half_characters(path, what, value)
    return value


def _refuse_half_characters(path: Path, what: str, value: Any) -> None:
    """JSON can escape half of a surrogate pair; UTF-8 cannot hold it, so it could be read but never written."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        near = text[max(error.start - 20, 0) : error.start]
        raise InputError(f"{path}: {what} holds half a character (a lone surrogate) after {near!r}") from None
