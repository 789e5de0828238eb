"""Pages of a MediaWiki XML dump (``pages-articles``), streamed: ``.xml``, or that packed (``.bz2``, ``.gz``, ``.xz``).

Memory stays at one page and one block of the file. A dump declares no entities, so a file with a document type is
refused before any entity of it can grow (the "billion laughs"), and nothing is ever fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from pipeline.files.packed import ENDINGS, read_blocks, unpacked_name
from pipeline.stage import InputError

_BLOCK = 1 << 20  # bytes of the unpacked file given to the parser at once
_KEPT = {"base", "title", "ns", "id", "text"}  # elements whose text is read; <id> is the page's, the revision's, ...


@dataclass(frozen=True)
class Page:
    """A page of the main namespace, redirects excepted. ``wiki`` is its address up to the title, "" if unknown."""

    wiki: str
    title: str
    pageid: int
    revid: int | None
    text: str


def read_pages(path: Path) -> Iterator[Page]:
    """The articles in a dump, in its order; other namespaces and redirects are left out.

    Raises:
        InputError: the file is missing, damaged, not a MediaWiki dump, broken XML, or declares a document type.
    """
    reader = _Reader(path)
    if not unpacked_name(path).endswith(".xml"):
        raise InputError(f"{path}: must be .xml, also {', '.join(ENDINGS)}; rename or convert it")
    for block in read_blocks(path, _BLOCK, "give the path of a pages-articles dump"):
        reader.feed(block)
        yield from reader.pages
        reader.pages.clear()
    reader.feed(b"", last=True)
    yield from reader.pages


class _Reader:
    """Callbacks of the XML parser; ``pages`` fills up as blocks are fed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pages: list[Page] = []
        self._wiki = ""
        self._inside: list[str] = []
        self._pieces: list[str] | None = None
        self._facts: dict[str, str] = {}
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.buffer_size = 1 << 16
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def feed(self, block: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(block, last)
        except expat.ExpatError as error:
            reason = expat.errors.messages[error.code]
            raise InputError(
                f"{self.path}: broken XML at line {error.lineno} column {error.offset} ({reason}); fetch it again"
            ) from None

    def _refuse(self, *_declaration: object) -> None:
        raise InputError(f"{self.path}: declares a document type, which MediaWiki dumps never do; refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._inside and name != "mediawiki":
            raise InputError(f"{self.path}: begins with <{name}>, not <mediawiki>; give a pages-articles XML dump")
        self._inside.append(name)
        if name == "page":
            self._facts = {}
        elif name == "redirect":
            self._facts["redirect"] = attributes.get("title", "")
        elif name in _KEPT:
            self._pieces = []

    def _characters(self, text: str) -> None:
        if self._pieces is not None:
            self._pieces.append(text)

    def _end(self, name: str) -> None:
        self._inside.pop()
        if name == "page":
            self._close_page()
        if self._pieces is None:
            return
        text, self._pieces = "".join(self._pieces), None
        parent = self._inside[-1] if self._inside else ""
        if name == "base":
            self._wiki = text[: text.rfind("/") + 1]
        elif name != "id":
            self._facts[name] = text
        elif parent in ("page", "revision"):
            self._facts[f"{parent} id"] = text

    def _close_page(self) -> None:
        facts = self._facts
        if facts.get("ns", "0") != "0" or "redirect" in facts:
            return
        pageid, revid = facts.get("page id", ""), facts.get("revision id", "")
        if not facts.get("title") or not pageid.isdecimal():
            raise InputError(
                f"{self.path}: the page that ends at line {self._parser.CurrentLineNumber} lacks a title or a number; "
                "give a pages-articles XML dump"
            )
        revision = int(revid) if revid.isdecimal() else None
        self.pages.append(Page(self._wiki, facts["title"], int(pageid), revision, facts.get("text", "")))
