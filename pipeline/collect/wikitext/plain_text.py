"""The plain text of a page of wikitext, as MediaWiki's own plain-text extracts give it (``prop=extracts``).

Three steps, each linear in the length of the page: ``scan`` finds templates, links, variants, comments and extension
tags; here each of them becomes the text that it shows (most show none; ``templates`` says which do); ``blocks`` makes
plain lines of what is left. Section headings stay, as ``== heading ==``.

A page may nest brackets without end: below ``DEEPEST`` levels nothing is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from pipeline.collect.article import FORMULA
from pipeline.collect.wikitext.blocks import lines_of
from pipeline.collect.wikitext.entities import decode_entities
from pipeline.collect.wikitext.links import is_unseen, target_text
from pipeline.collect.wikitext.marks import BREAK, GONE, MARKS, SHIELD, SHIELDED_COLON
from pipeline.collect.wikitext.scan import Span, scan
from pipeline.collect.wikitext.templates.arguments import Arguments
from pipeline.collect.wikitext.templates.forms import shown_by
from pipeline.collect.wikitext.templates.parser_functions import call_function, is_function
from pipeline.collect.wikitext.variants import choose_variant

DEEPEST = 40  # MediaWiki's own limit on templates within templates

_REDIRECT = re.compile(r"\s*#(?:redirect|重定向|重新導向|重新导向)\s*:?\s*\[\[", re.IGNORECASE)
_DEFINITION = re.compile(r"[*#:]*;")
_FORMULA_TAGS = {"math", "chem", "ce"}
_CODE_TAGS = {"syntaxhighlight", "source"}


def is_redirect(page: str) -> bool:
    return bool(_REDIRECT.match(page))


def plain_text(page: str, title: str = "", variant: str = "zh") -> str:
    """The text of ``page``: a paragraph a line, headings as ``== heading ==``, blank lines between blocks.

    ``title`` is what ``{{PAGENAME}}`` shows. ``variant`` chooses among the texts of ``-{zh-hans:…;zh-hant:…}-``; other
    text keeps the characters it was written in. ``FORMULA`` stands where a formula does, and where a title, a quotation
    or a part of an enumeration is missing.
    """
    page = MARKS.sub("", page).replace("\r", "")
    text = _Renderer(page, title, variant).whole_page()
    lines = (line.strip() for line in lines_of(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


class _Renderer:
    """Spans of one page made text."""

    def __init__(self, page: str, title: str, variant: str) -> None:
        self.page = page
        self.title = title
        self.variant = variant

    def whole_page(self) -> str:
        """The page with each span replaced by what it shows; a colon in it does not divide a definition list."""
        pieces = []
        start = 0
        for span in scan(self.page):
            begin, text, after = self._show(span, 0)
            pieces.append(self.page[start:begin])
            pieces.append(text.replace(":", SHIELDED_COLON) if ":" in text and self._defines(begin) else text)
            start = after
        pieces.append(self.page[start:])
        return "".join(pieces)

    def _defines(self, position: int) -> bool:
        """Whether ``position`` is on a line of a definition list."""
        return bool(_DEFINITION.match(self.page, self.page.rfind("\n", 0, position) + 1))

    def render(self, spans: Sequence[Span], start: int, end: int, depth: int) -> str:
        """``page[start:end]`` with each of ``spans``, which lie in it, replaced by what it shows."""
        if not spans:
            return self.page[start:end]
        pieces = []
        for span in spans:
            begin, text, after = self._show(span, depth)
            if begin > start:
                pieces.append(self.page[start:begin])
            pieces.append(text)
            start = after
        pieces.append(self.page[start:end])
        return "".join(pieces)

    def _show(self, span: Span, depth: int) -> tuple[int, str, int]:
        """Where the text that ``span`` shows begins, the text, and where it ends."""
        start, end = span.start, span.end
        if depth >= DEEPEST and span.kind != "comment":
            return start, GONE, end
        if span.kind == "link":
            return self._link(span, depth)
        if span.kind == "template":
            return start, self._template(span, depth), end
        if span.kind in ("comment", "ref"):
            return self._unseen(span)
        if span.kind == "variant":
            return start, choose_variant(self._inside(span, depth), self.variant), end
        if span.kind == "argument":
            return start, self._argument(span, span.pipes[0] + 1, span.inner[1], depth) if span.pipes else "", end
        return start, self._extension(span), end

    def _unseen(self, span: Span) -> tuple[int, str, int]:
        """Nothing; a comment or reference with a line to itself takes the line with it, and the paragraph goes on."""
        before, after = span.start, span.end
        while before and self.page[before - 1] in " \t":
            before -= 1
        while after < len(self.page) and self.page[after] in " \t":
            after += 1
        alone = (not before or self.page[before - 1] == "\n") and self.page[after : after + 1] == "\n"
        if alone:
            return before, "", after + 1
        return span.start, "" if span.kind == "comment" else GONE, span.end

    def _extension(self, span: Span) -> str:
        if span.kind in _FORMULA_TAGS:
            return FORMULA
        is_code = span.kind in _CODE_TAGS and "inline" in span.attributes
        if span.kind not in ("nowiki", "pre") and not is_code:
            return GONE
        content = self.page[slice(*span.inner)]
        text = (content if is_code else decode_entities(content)).translate(SHIELD)
        return f"{BREAK}{text}{BREAK}" if span.kind == "pre" else text

    def _link(self, span: Span, depth: int) -> tuple[int, str, int]:
        start, end = span.inner
        target = self.page[start : span.pipes[0] if span.pipes else end]
        if ":" in target and is_unseen(target):
            return span.start, "", span.end
        if not span.pipes:
            return span.start, target_text(self._argument(span, start, end, depth)), span.end
        target_end = span.pipes[0]
        text = self._argument(span, target_end + 1, end, depth)
        if self.page[span.end : span.end + 1] == "]" and text.count("[") > text.count("]"):
            return span.start, text + "]", span.end + 1  # [[a|[http://b c]]]
        return span.start, text, span.end

    def _template(self, span: Span, depth: int) -> str:
        start, end = span.inner
        name = self._argument(span, start, span.pipes[0] if span.pipes else end, depth).strip()
        function, colon, subject = name.partition(":")
        is_call = (colon or not span.pipes or name.startswith("#")) and is_function(function)
        found = None if is_call else shown_by(name)
        if found is None and not is_call:
            return GONE
        arguments = Arguments(self._arguments(span, depth), self.variant)
        if found is None:
            return call_function(function, subject, arguments, self.title) or GONE
        form, known_as = found
        return form(arguments, known_as) or GONE

    def _arguments(self, span: Span, depth: int) -> dict[str, str]:
        """The arguments of a template by name, those without one by their number."""
        arguments: dict[str, str] = {}
        number = 0
        parts = span.parts
        begin = 0
        for start, stop in pairwise([*span.pipes, span.inner[1]]):
            while begin < len(parts) and parts[begin].start < start:
                begin += 1
            after = begin
            while after < len(parts) and parts[after].start < stop:
                after += 1
            inside = parts[begin:after]
            begin = after
            start += 1
            equals = self.page.find("=", start, inside[0].start if inside else stop)
            if equals >= 0:
                key, start = self.page[start:equals].strip(), equals + 1
            else:
                number += 1
                key = str(number)
            arguments[key] = self.render(inside, start, stop, depth + 1).strip()
        return arguments

    def _argument(self, span: Span, start: int, end: int, depth: int) -> str:
        if not span.parts:
            return self.page[start:end]
        parts = [part for part in span.parts if start <= part.start < end]
        return self.render(parts, start, end, depth + 1)

    def _inside(self, span: Span, depth: int) -> str:
        return self.render(span.parts, *span.inner, depth + 1)
