"""Pages of a MediaWiki XML dump (``pages-articles``), streamed: ``.xml``, or that packed (``.bz2``, ``.gz``, ``.xz``).

Memory stays at one page and one block of the file. A dump declares no entities, so a file with a document type is
refused before any entity of it can grow (the "billion laughs"), and nothing is ever fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from pipeline.characters.script_folding import folded
from pipeline.files.packed import ENDINGS, read_blocks, unpacked_name
from pipeline.stage import InputError

_BLOCK = 1 << 20  # bytes of the unpacked file given to the parser at once
# Elements whose text is read, each after the one it must be in: a revision may have more slots with <text> elements.
_KEPT = {
    ("siteinfo", "base"),
    ("namespaces", "namespace"),
    *(("page", name) for name in ("title", "ns", "id")),
    *(("revision", name) for name in ("id", "model", "format", "text")),
}
_MODELS, _FORMATS = ("", "wikitext"), ("", "text/x-wiki")  # of pages of wikitext; old dumps name none
# For a dump that numbers no namespaces: MediaWiki's own, and zh.wikipedia.org's; a <siteinfo> may name more.
_NAMES = """
media special talk user user_talk wikipedia wikipedia_talk project project_talk file file_talk image image_talk
mediawiki mediawiki_talk template template_talk help help_talk category category_talk portal portal_talk module
module_talk draft draft_talk timedtext topic wikiproject wikiproject_talk gadget
媒体 特殊 讨论 对话 用户 用户讨论 用户对话 使用者 使用者讨论 文件 文件讨论 图像 档案 模板 模板讨论 样板 帮助 帮助讨论
使用说明 分类 分类讨论 主题 模块 模组 草稿 维基百科 维基专题
"""
_NAMESPACES = frozenset(_NAMES.split())


@dataclass(frozen=True)
class Page:
    """A page of the main namespace, redirects excepted. ``wiki`` is its address up to the title, "" if unknown."""

    wiki: str
    title: str
    pageid: int
    revid: int | None
    text: str


def read_pages(path: Path) -> Iterator[Page]:
    """The articles in a dump, in its order: pages of wikitext in the main namespace that are not redirects.

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
        self._namespaces = set(_NAMESPACES)
        self._inside: list[str] = []
        self._pieces: list[str] | None = None
        self._facts: dict[tuple[str, str], str] = {}
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
        parent = self._inside[-1] if self._inside else ""
        self._inside.append(name)
        if name == "page":
            self._facts = {}
        elif name == "redirect":
            self._facts["page", "redirect"] = attributes.get("title", "")
        elif name == "revision":  # of several the last one counts, whole
            self._facts = {key: fact for key, fact in self._facts.items() if key[0] != "revision"}
        elif (parent, name) in _KEPT:
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
        parent = self._inside[-1]
        if name == "base":
            self._wiki = text[: text.rfind("/") + 1]
        elif name == "namespace":
            self._namespaces |= {_namespace(text)} - {""}
        else:
            self._facts[parent, name] = text

    def _close_page(self) -> None:
        def fact(parent: str, name: str) -> str:
            return self._facts.get((parent, name), "")

        title, pageid, revid = fact("page", "title"), fact("page", "id"), fact("revision", "id")
        if ("page", "redirect") in self._facts or not self._is_article(title, self._facts.get(("page", "ns"))):
            return
        if not title or not pageid.isdecimal():
            raise InputError(
                f"{self.path}: the page that ends at line {self._parser.CurrentLineNumber} lacks a title or a number; "
                "give a pages-articles XML dump"
            )
        if fact("revision", "model") in _MODELS and fact("revision", "format") in _FORMATS:
            revision = int(revid) if revid.isdecimal() else None
            self.pages.append(Page(self._wiki, title, int(pageid), revision, fact("revision", "text")))

    def _is_article(self, title: str, namespace: str | None) -> bool:
        """Whether a page is in the main namespace; where its number is not given, its title tells."""
        if namespace is not None:
            return namespace == "0"
        prefix, colon, _ = title.partition(":")
        return not colon or _namespace(prefix) not in self._namespaces


def _namespace(name: str) -> str:
    """The name of a namespace for comparing."""
    return folded("_".join(name.replace("_", " ").split()))
