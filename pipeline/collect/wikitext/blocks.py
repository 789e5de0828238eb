"""Lines of a page whose brackets are gone: tables, HTML, headings, lists and quotes become plain lines.

What is left out is what MediaWiki's plain-text extracts leave out (TextExtracts): tables, ``<div>``, ``<figure>``,
gallery and elements of class ``noprint`` and the like, each with all that is in it. Other tags go, their text stays.
"""

from __future__ import annotations

import re
from html.entities import html5

# Non-characters of Unicode, which no text may hold: marks between the steps of cleaning.
GONE = "\ufdd0"  # something stood here and left no text
_SHIELD_FIRST = 0xFDD1
_SHIELDED = "'<>[]{}|*#:;=-_&~ \n"
SHIELD = {ord(mark): chr(_SHIELD_FIRST + place) for place, mark in enumerate(_SHIELDED)}
UNSHIELD = {ord(shield): chr(mark) for mark, shield in SHIELD.items()}
MARKS = re.compile("[\ufdd0-\ufdef]")

_LEFT_OUT = {"table", "div", "figure", "script", "style", "input"}
_LEFT_OUT_CLASSES = re.compile(
    r"class\s*=\s*[\"']?[^\"'>]*(?<![\w-])(?:noprint|nomobile|noexcerpt|error|sortkey|reference|mw-editsection)(?![\w-])"
)
_BREAKING = "p br hr li ul ol dl dt dd blockquote center h1 h2 h3 h4 h5 h6 tr td th caption section"
_BREAKS = set(_BREAKING.split())
_INLINE = """
abbr b bdi bdo big cite code data del dfn em font i ins kbd mark q rb rp rt rtc ruby s samp small span strike strong sub
sup time tt u var wbr noinclude onlyinclude includeonly ref references nowiki gallery math
"""
_KNOWN = _LEFT_OUT | _BREAKS | set(_INLINE.split())
_VOID = {"br", "hr", "wbr", "input"}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?=[\s/>])([^<>]*)>")
_TABLE_LINE = re.compile(r"^[ \t:]*(\{\||\|\})", re.MULTILINE)
_HEADING = re.compile(r"(={1,6})(.+?)(={1,6})\s*")
_LIST = re.compile(r"[*#:;]+[ \t]*")
_RULER = re.compile(r"-{4,}")
_QUOTES = re.compile(r"'{2,}")
_EXTERNAL = re.compile(
    r"\[(?:(?:https?|ftps?|gopher|irc|mailto|news)://?|mailto:|//)[^\s\[\]<>]*(?:[ \t<>]([^\[\]\n]*))?\]"
)
_SWITCH = re.compile(r"__[A-Z]{3,}__|__[\u4e00-\u9fff]{2,8}__")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,10}));")
_OPENING, _CLOSING = {"（", "("}, {"）", ")"}
_EMPTY_BRACKETS = re.compile(f"[（(]{GONE}[）)]")
_SEPARATORS = re.compile(rf"[ \t，、；：,;:{GONE}]+")


def lines_of(text: str) -> str:
    """``text`` as plain lines; headings stay as ``== heading ==``."""
    if "{|" in text:
        text = _without_tables(text)
    if "''" in text:  # before tags go, which part runs of quotes
        text = _QUOTES.sub(_literal_quotes, text)
    if "<" in text:
        text = _without_tags(text)
    text = _SWITCH.sub("", text)
    lines: list[str] = []
    for line in text.split("\n"):
        lines.extend(_close_gaps(plain) if GONE in plain else plain for plain in _plain_line(line))
    text = "\n".join(lines)
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    if MARKS.search(text):
        text = text.translate(UNSHIELD)
    return text.replace("\u00a0", " ")


def _without_tables(text: str) -> str:
    """Without ``{| … |}``, nested ones too; one that is not closed reaches to the end, as in MediaWiki."""
    kept, depth, position = [], 0, 0
    for mark in _TABLE_LINE.finditer(text):
        if mark[1] == "{|":
            if depth == 0:
                kept.append(text[position : mark.start()])
            depth += 1
        elif depth:
            depth -= 1
            position = mark.end()
    return "".join(kept) + (text[position:] if depth == 0 else "")


def _without_tags(text: str) -> str:
    """Without tags, and without the content of those elements that are left out. Unknown tags are text and stay."""
    kept: list[str] = []
    position = 0
    inside = ""  # name of the outermost element that is being left out
    depth = 0
    for tag in _TAG.finditer(text):
        closing, name = bool(tag[1]), tag[2].lower()
        if name not in _KNOWN:
            continue
        if inside:
            if name == inside and not tag[3].endswith("/"):
                depth += -1 if closing else 1
                if depth == 0:
                    inside, position = "", tag.end()
            continue
        kept.append(text[position : tag.start()])
        position = tag.end()
        if name in _BREAKS:
            kept.append("\n")
        leaves = name in _LEFT_OUT or (not closing and "class" in tag[3] and _LEFT_OUT_CLASSES.search(tag[3]))
        if leaves and not closing and name not in _VOID and not tag[3].endswith("/"):
            inside, depth = name, 1
            kept.append(GONE)
    if not inside:
        kept.append(text[position:])
    return "".join(kept)


def _plain_line(line: str) -> list[str]:
    if line.startswith("="):
        heading = _HEADING.fullmatch(line)
        if heading:
            return ["", f"{heading[1]} {_inline(heading[2]).strip()} {heading[1]}"]
    if line.startswith(("*", "#", ":", ";")):
        mark = _LIST.match(line)
        assert mark is not None
        rest = line[mark.end() :]
        if ";" in mark.group():
            term, colon, definition = rest.partition(":")
            if colon and not term.endswith(("http", "https", "//")):
                return [_inline(term), _inline(definition)]
        return [_inline(rest)]
    if line.startswith("----"):
        return [_inline(_RULER.sub("", line, count=1))]
    return [_inline(line)]


def _inline(line: str) -> str:
    if "[" in line:
        line = _EXTERNAL.sub(lambda link: (link[1] or "").strip() or GONE, line)
    return line


def _literal_quotes(run: re.Match[str]) -> str:
    """The quotes of a run that are text, not mark-up: of four one, of more than five those before the last five."""
    length = len(run.group())
    return "'" if length == 4 else "'" * max(length - 5, 0)


def _close_gaps(line: str) -> str:
    """Without the brackets and separators that nothing stands between any more: ``（；1900年）`` is ``（1900年）``."""
    return _EMPTY_BRACKETS.sub("", _SEPARATORS.sub(_separators, line)).replace(GONE, "")


def _separators(run: re.Match[str]) -> str:
    text = run.group()
    if GONE not in text:
        return text
    opened = run.string[run.start() - 1 : run.start()] in _OPENING
    closed = run.string[run.end() : run.end() + 1] in _CLOSING
    if opened or closed:
        return GONE if opened and closed else ""
    return text


def _character(entity: re.Match[str]) -> str:
    decimal, hexadecimal, name = entity.groups()
    if name:
        return html5.get(f"{name};", entity.group())
    code = int(decimal) if decimal else int(hexadecimal, 16)
    good = code in (9, 10) or 0x20 <= code < 0x7F or 0xA0 <= code < 0xD800 or 0xE000 <= code < 0xFDD0
    good = good or 0xFDF0 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return chr(code) if good else entity.group()
