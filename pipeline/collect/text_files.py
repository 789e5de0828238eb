"""Articles from text files: JSON Lines, what extractors write, and plain text, each also packed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.collect.article import Article, whole
from pipeline.files.packed import read_lines, unpacked_name
from pipeline.stage import InputError

_EXTRACTED = re.compile(r"wiki_\d+")  # what extractors call their files
_ADVICE = "give the path of a text file"


def read_text_files(paths: list[Path]) -> Iterator[Article]:
    """Articles from JSON Lines (``.jsonl``, ``.json``) or plain text (``.txt``), each also packed.

    A line of JSON Lines is an object with ``paragraphs`` (list of str) or ``text`` (paragraphs are its lines) and,
    where known, ``title``, ``source``, ``license``, ``domain``, ``pageid``, ``revid``, ``url``. The files of an
    extractor (``wiki_00``, ``wiki_01``, ...), which have such lines with ``id``, are read as they are called. A plain
    text file is one article, its name the title and its lines the paragraphs.

    Raises:
        InputError: names the file and, where there is one, the line.
    """
    for path in paths:
        name = unpacked_name(path)
        kind = ".json" if _EXTRACTED.fullmatch(name) else Path(name).suffix
        if kind == ".txt":
            lines = [line.strip() for line in read_lines(path, _ADVICE)]
            title = name.removesuffix(".txt")
            yield Article(title=title, paragraphs=[line for line in lines if line], source=title)
        elif kind in (".jsonl", ".json"):
            for number, line in enumerate(read_lines(path, _ADVICE), start=1):
                if line.strip():
                    yield _article_from_json(line, path, number)
        else:
            raise InputError(f"{path}: must be .jsonl, .json or .txt (also .gz, .bz2, .xz); rename or convert it")


def _article_from_json(line: str, path: Path, number: int) -> Article:
    where = f"{path} line {number}"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # a ValueError of its own: a number of thousands of digits
        raise InputError(f"{where}: broken JSON; each line must be one JSON object") from None
    if not isinstance(value, dict):
        raise InputError(f"{where}: must be a JSON object, not {type(value).__name__}")
    paragraphs = value.get("paragraphs")
    if paragraphs is None and isinstance(value.get("text"), str):
        paragraphs = value["text"].split("\n")
    if not isinstance(paragraphs, list) or not all(isinstance(paragraph, str) for paragraph in paragraphs):
        raise InputError(f"{where}: needs 'paragraphs' (a list of strings) or 'text' (a string)")
    texts = {key: value.get(key) or "" for key in ("title", "source", "license", "domain", "url")}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise InputError(f"{where}: {key!r} must be a string, not {type(text).__name__}")
    if isinstance(value.get("id"), str) and "pageid" not in value:  # an extractor's line: numbers are strings in it
        value |= {key: _number(value.get(name)) for key, name in (("pageid", "id"), ("revid", "revid"))}
    for key in ("pageid", "revid"):
        if value.get(key) is not None and type(value[key]) is not int:
            raise InputError(f"{where}: {key!r} must be an integer, not {value[key]!r}")
    return Article(
        title=whole(texts["title"]),
        paragraphs=[whole(paragraph) for paragraph in paragraphs],
        source=whole(texts["source"]) or _host(texts["url"]) or path.name.split(".")[0],
        license=whole(texts["license"]),
        domain=whole(texts["domain"]),
        pageid=value.get("pageid"),
        revid=value.get("revid"),
        url=whole(texts["url"]),
    )


def _number(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 19 else None


def _host(url: str) -> str:
    try:
        return whole(urlsplit(url).hostname or "")
    except ValueError:  # brackets of an IPv6 address that do not close
        return ""
