"""The bracketed parts of a page of wikitext: templates, links, variants, comments and extension tags, in linear time.

The rules are those of MediaWiki's preprocessor: a bracket is closed only while it is the innermost open one; runs of
braces are matched three at a time, else two; what is never closed is text; comments, ``<nowiki>`` and other extension
tags hide all marks inside them. Nothing is copied here: a span knows where it lies in the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

# Tags whose content is not wikitext, or is handed to an extension. Content of <includeonly> belongs to other pages.
_NAMES = """
nowiki pre ref references gallery math ce chem syntaxhighlight source score timeline imagemap templatestyles poem hiero
graph mapframe maplink section indicator categorytree inputbox charinsert templatedata phonos includeonly langconvert
quiz pages pagelist pagequality dynamicpagelist rss listing randomselection kml
"""
EXTENSION_TAGS = _NAMES.split()

_TAG = re.compile(r"<([a-zA-Z]+)(?=[\s/>])([^<>]*)>")
_CLOSE_TAG = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in EXTENSION_TAGS}
# Most links and templates have no bracket inside: they are found whole, which is what makes the scan fast.
_LINK = r"(\[\[[^\[\]{}<|]*(?:\|[^\[\]{}<|]*)?\]\])"
_TEMPLATE = r"(\{\{(?!\{)[^\[\]{}<]*\}\}(?![}-]))"
_OPENING = _LINK + "|" + _TEMPLATE + r"|<!--|<(?=[a-zA-Z])|\{\{+|\[\[(?!\[)|-\{(?!\{)|-\{(?=\{\{)"
_OUTSIDE = re.compile(_OPENING)
_INSIDE = re.compile(_OPENING + r"|\}\}+(?!-)|\}+-?|\]\]|\|")
_PLAIN = {1: "link", 2: "template"}  # by the number of the group
_PIPE = re.compile(r"\|")


@dataclass(slots=True)
class Span:
    """One bracketed part, ``page[start:end]``.

    kind   "template", "argument" ({{{…}}}), "link", "variant", "comment", or the lower-case name of an extension tag
    inner  where its content begins and ends
    pipes  positions of the ``|`` that divide its content
    parts  the spans directly inside, in order
    """

    kind: str
    start: int
    end: int
    inner: tuple[int, int]
    pipes: Sequence[int] = ()
    attributes: str = ""
    parts: Sequence[Span] = ()


@dataclass(slots=True)
class _Open:
    """A bracket not closed yet: ``braces`` of a run that ends at ``end``, or 0 for a link or a variant."""

    kind: str
    start: int
    end: int
    braces: int
    pipes: list[int] = field(default_factory=list)


def scan(page: str) -> list[Span]:
    """The outermost spans of ``page``, in order; the others are in their ``parts``."""
    found: list[Span] = []  # those not known to lie in another one
    stack: list[_Open] = []
    unclosed: set[str] = set()  # tags that are not closed anywhere further on
    position = 0
    while match := (_INSIDE if stack else _OUTSIDE).search(page, position):
        start, position = match.span()
        if match.lastindex:
            inner = (start + 2, position - 2)
            pipes = [pipe.start() for pipe in _PIPE.finditer(page, *inner)] if "|" in match.group() else ()
            found.append(Span(_PLAIN[match.lastindex], start, position, inner, pipes))
            continue
        mark = match.group()
        if mark == "|":
            stack[-1].pipes.append(start)
        elif mark == "<!--":
            close = page.find("-->", position)
            content_end, position = (close, close + 3) if close >= 0 else (len(page), len(page))
            found.append(Span("comment", start, position, (start + 4, content_end)))
        elif mark == "<":
            span = _extension(page, start, unclosed)
            if span:
                found.append(span)
                position = span.end
        elif mark == "[[":
            stack.append(_Open("link", start, position, 0))
        elif mark == "-{":
            stack.append(_Open("variant", start, position, 0))
        elif mark[0] == "{":
            stack.append(_Open("braces", start, position, len(mark)))
        elif mark == "]]":
            if stack[-1].kind == "link":
                opened = stack.pop()
                _close("link", opened.start, position, (opened.end, start), opened.pipes, found)
        else:
            position = _close_braces(mark, start, stack, found)
    return found


def _extension(page: str, start: int, unclosed: set[str]) -> Span | None:
    tag = _TAG.match(page, start)
    if not tag:
        return None
    name, attributes = tag[1].lower(), tag[2]
    if name not in _CLOSE_TAG:
        return None
    if attributes.endswith("/"):
        return Span(name, start, tag.end(), (tag.end(), tag.end()), attributes=attributes)
    close = None if name in unclosed else _CLOSE_TAG[name].search(page, tag.end())
    if not close:
        unclosed.add(name)
        return None
    return Span(name, start, close.end(), (tag.end(), close.start()), attributes=attributes)


def _close_braces(mark: str, start: int, stack: list[_Open], found: list[Span]) -> int:
    """Close what a run of ``}`` (with ``-`` after it) closes; the position after that."""
    run = mark.rstrip("-")
    end = start + len(run)
    while stack and start < end:
        top = stack[-1]
        if top.kind == "variant":
            if start + 1 == end and len(mark) > len(run):
                stack.pop()
                _close("variant", top.start, end + 1, (top.end, start), top.pipes, found)
                return end + 1
            return end
        count = min(3, top.braces, end - start)
        if count < 2:
            return end
        opened = top.end - count
        _close("argument" if count == 3 else "template", opened, start + count, (top.end, start), top.pipes, found)
        start += count
        top.braces -= count
        top.end, top.pipes = opened, []
        if top.braces < 2:
            stack.pop()
    return end


def _close(kind: str, start: int, end: int, inner: tuple[int, int], pipes: list[int], found: list[Span]) -> None:
    """Add a span, which takes in those that were found since it began."""
    first = len(found)
    while first and found[first - 1].start > start:
        first -= 1
    parts = found[first:]
    del found[first:]
    found.append(Span(kind, start, end, inner, pipes, parts=parts))
