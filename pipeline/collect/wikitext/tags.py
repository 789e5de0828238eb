"""HTML and tables: tags go and their text stays, but what MediaWiki's plain-text extracts leave out goes whole.

That is (TextExtracts): tables, ``<div>``, ``<figure>`` and elements of class ``noprint`` and the like. An element that
is never closed reaches to the next heading, so that one forgotten mark does not cost the rest of the article.
"""

from __future__ import annotations

import re

from pipeline.collect.wikitext.marks import BREAK, GONE
from pipeline.collect.wikitext.scan import EXTENSION_TAGS

# What a template stands for that begins or ends a part which is left out; a plain <div> or </div> may be its partner.
LEFT_OUT_BEGIN, LEFT_OUT_END = f"<div {GONE}>", f"</div {GONE}>"

_LEFT_OUT = {"table", "div", "figure", "script", "style", "input"}
_LEFT_OUT_CLASSES = re.compile(
    r"class\s*=\s*[\"']?[^\"'>]*(?<![\w-])(?:noprint|nomobile|noexcerpt|error|sortkey|reference|mw-editsection)(?![\w-])",
    re.IGNORECASE,
)
_BREAKING = "p br hr li ul ol dl dt dd blockquote center h1 h2 h3 h4 h5 h6 tr td th caption section"
_BREAKS = set(_BREAKING.split())
_INLINE = """
abbr b bdi bdo big cite code data del dfn em font i ins kbd mark q rb rp rt rtc ruby s samp small span strike strong sub
sup time tt u var wbr noinclude onlyinclude includeonly translate tvar languages
"""
_KNOWN = _LEFT_OUT | _BREAKS | set(_INLINE.split()) | set(EXTENSION_TAGS)
_VOID = {"br", "hr", "wbr", "input"}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?=[\s/>])([^<>]*)>")
_TABLE_LINE = re.compile(r"^[ \t:]*(\{\||\|\})", re.MULTILINE)
_HEADING_LINE = re.compile(r"^={1,6}[^\n]+?={1,6}[ \t]*$", re.MULTILINE)
_BR = re.compile(r"[ \t]*<br\b[^<>]*>[ \t]*", re.IGNORECASE)


def without_tables(text: str) -> str:
    """Without ``{| … |}``, nested ones too."""
    marks = [(mark.start(), mark.end(), mark[1] == "{|", "") for mark in _TABLE_LINE.finditer(text)]
    kept, position = [], 0
    for start, end in _partners(marks).items():
        if start >= position:
            kept.append(text[position:start] + BREAK)
            position = _next_heading(text, start) if end is None else end
    return "".join(kept) + text[position:]


def without_tags(text: str) -> str:
    """Without tags, and without the content of those elements that are left out. Unknown tags are text and stay."""
    text = _HEADING_LINE.sub(lambda heading: _BR.sub("", heading.group()), text)
    tags = [tag for tag in _TAG.finditer(text) if tag[2].lower() in _KNOWN]
    left_out = {tag.start() for tag in tags if _is_left_out(tag)}
    ends: dict[int, int | None] = {}
    if left_out:
        pairs = [tag for tag in tags if tag[2].lower() not in _VOID and not tag[3].endswith("/")]
        ends = _partners([(tag.start(), tag.end(), not tag[1], tag[2].lower()) for tag in pairs])
    kept: list[str] = []
    position = 0
    for tag in tags:
        if tag.start() < position:
            continue
        name = tag[2].lower()
        kept.append(text[position : tag.start()])
        position = tag.end()
        if name in _BREAKS:
            kept.append(BREAK)
        if tag.start() in left_out:
            kept.append(GONE)
            end = ends[tag.start()]
            if end is not None:
                position = end
            elif name in _LEFT_OUT or name in _BREAKS:
                position = _next_heading(text, position)
            else:
                position = _line_end(text, position)
    kept.append(text[position:])
    return "".join(kept)


def _is_left_out(tag: re.Match[str]) -> bool:
    name, attributes = tag[2].lower(), tag[3]
    if tag[1] or name in _VOID or attributes.endswith("/"):
        return False
    return name in _LEFT_OUT or ("class" in attributes.lower() and bool(_LEFT_OUT_CLASSES.search(attributes)))


def _partners(marks: list[tuple[int, int, bool, str]]) -> dict[int, int | None]:
    """Of marks (start, end, opens, name), where each that opens starts, and where the one that closes it ends."""
    ends: dict[int, int | None] = {}
    opened: dict[str, list[int]] = {}
    for start, end, opens, name in marks:
        if opens:
            ends[start] = None
            opened.setdefault(name, []).append(start)
        elif opened.get(name):
            ends[opened[name].pop()] = end
    return ends


def _next_heading(text: str, position: int) -> int:
    """Where the line before the next heading ends, or the end of the text."""
    heading = _HEADING_LINE.search(text, position)
    return max(heading.start() - 1, position) if heading else len(text)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
