"""The bracketed parts of a page of wikitext: templates, links, variants, comments and extension tags, in linear time.

The rules are those of MediaWiki's preprocessor: a bracket is closed only while it is the innermost open one; runs of
braces are matched three at a time, else two; what is never closed is text; comments, ``<nowiki>`` and other extension
tags hide all marks inside them. Nothing is copied here: a span knows where it lies in the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Tags whose content is not wikitext, or is handed to an extension. Content of <includeonly> belongs to other pages.
_NAMES = """
nowiki pre ref references gallery math ce chem syntaxhighlight source score timeline imagemap templatestyles poem hiero
graph mapframe maplink section indicator categorytree inputbox charinsert templatedata phonos includeonly langconvert
"""
EXTENSION_TAGS = _NAMES.split()

_TAG = re.compile(rf"<({'|'.join(EXTENSION_TAGS)})(?=[\s/>])([^<>]*)>", re.IGNORECASE)
_CLOSE_TAG = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in EXTENSION_TAGS}
_OPENING = r"<!--|<(?=[a-zA-Z])|\{\{+|\[\[(?!\[)|-\{(?!\{)|-\{(?=\{\{)"
_OUTSIDE = re.compile(_OPENING)
_INSIDE = re.compile(_OPENING + r"|\}\}+(?!-)|\}+-?|\]\]|\|")


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
    pipes: list[int] = field(default_factory=list)
    attributes: str = ""
    parts: list[Span] = field(default_factory=list)


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
    found: list[Span] = []
    stack: list[_Open] = []
    unclosed: set[str] = set()  # tags that are not closed anywhere further on
    position = 0
    while match := (_INSIDE if stack else _OUTSIDE).search(page, position):
        mark, start, position = match.group(), match.start(), match.end()
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
                found.append(Span("link", opened.start, position, (opened.end, start), opened.pipes))
        else:
            position = _close_braces(mark, start, stack, found)
    return _nest(found)


def _extension(page: str, start: int, unclosed: set[str]) -> Span | None:
    tag = _TAG.match(page, start)
    if not tag:
        return None
    name, attributes = tag[1].lower(), tag[2]
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
                found.append(Span("variant", top.start, end + 1, (top.end, start), top.pipes))
                return end + 1
            return end
        count = min(3, top.braces, end - start)
        if count < 2:
            return end
        opened = top.end - count
        found.append(Span("argument" if count == 3 else "template", opened, start + count, (top.end, start), top.pipes))
        start += count
        top.braces -= count
        top.end, top.pipes = opened, []
        if top.braces < 2:
            stack.pop()
    return end


def _nest(found: list[Span]) -> list[Span]:
    found.sort(key=lambda span: (span.start, -span.end))
    outermost: list[Span] = []
    around: list[Span] = []
    for span in found:
        while around and around[-1].end <= span.start:
            around.pop()
        (around[-1].parts if around else outermost).append(span)
        around.append(span)
    return outermost
