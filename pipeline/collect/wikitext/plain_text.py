"""The plain text of a page of wikitext, as MediaWiki's own plain-text extracts give it (``prop=extracts``).

Three steps, each linear in the length of the page: ``scan`` finds templates, links, variants, comments and
extension tags; here each of them becomes the text that it shows (most show none; ``templates`` says which do);
``blocks`` makes plain lines of what is left. Section headings stay, as ``== heading ==``.

A page may nest brackets without end: below ``DEEPEST`` levels nothing is shown.
"""

from __future__ import annotations

import re
from itertools import pairwise

from pipeline.collect.article import FORMULA
from pipeline.collect.wikitext.blocks import GONE, MARKS, SHIELD, lines_of
from pipeline.collect.wikitext.scan import Span, scan
from pipeline.collect.wikitext.templates import call_function, fill, form_of, is_function
from pipeline.collect.wikitext.variants import choose_variant

DEEPEST = 40  # MediaWiki's own limit on templates within templates

_REDIRECT = re.compile(r"\s*#(?:redirect|重定向)\s*:?\s*\[\[", re.IGNORECASE)
_UNSEEN_LINK = re.compile(
    r"\s*(?:file|image|media|文件|檔案|档案|图像|圖像|图片|圖片|媒体|媒體|category|分类|分類"
    # languages that have a Wikipedia: two or three letters, some with a further part
    r"|[a-z]{2,3}(?:-[a-z]{2,8}){0,2}|simple)\s*:",
    re.IGNORECASE,
)
_SHOWN_TAGS = {"nowiki", "pre"}
_FORMULA_TAGS = {"math", "chem", "ce"}


def is_redirect(page: str) -> bool:
    return bool(_REDIRECT.match(page))


def plain_text(page: str, title: str = "", variant: str = "zh") -> str:
    """The text of ``page``: a paragraph a line, headings as ``== heading ==``, blank lines between blocks.

    ``title`` is what ``{{PAGENAME}}`` shows. ``variant`` chooses among the texts of ``-{zh-hans:…;zh-hant:…}-``; other
    text keeps the characters it was written in. ``FORMULA`` stands where a formula does.
    """
    page = MARKS.sub("", page).replace("\r", "")
    text = _Renderer(page, title, variant).render(scan(page), 0, len(page), 0)
    lines = (line.strip() for line in lines_of(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


class _Renderer:
    """Spans of one page made text."""

    def __init__(self, page: str, title: str, variant: str) -> None:
        self.page = page
        self.title = title
        self.variant = variant

    def render(self, spans: list[Span], start: int, end: int, depth: int) -> str:
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
        if span.kind == "comment":
            return self._comment(span)
        if depth >= DEEPEST:
            return start, GONE, end
        if span.kind == "link":
            return self._link(span, depth)
        if span.kind == "template":
            return start, self._template(span, depth), end
        if span.kind == "variant":
            return start, choose_variant(self._inside(span, depth), self.variant), end
        if span.kind == "argument":
            return start, self._argument(span, span.pipes[0] + 1, span.inner[1], depth) if span.pipes else "", end
        if span.kind in _SHOWN_TAGS:
            return start, self.page[slice(*span.inner)].translate(SHIELD), end
        return start, FORMULA if span.kind in _FORMULA_TAGS else GONE, end

    def _comment(self, span: Span) -> tuple[int, str, int]:
        """Nothing; a comment with a line to itself takes the line with it."""
        before, after = span.start, span.end
        while before and self.page[before - 1] in " \t":
            before -= 1
        while after < len(self.page) and self.page[after] in " \t":
            after += 1
        alone = (not before or self.page[before - 1] == "\n") and self.page[after : after + 1] == "\n"
        return (before, "", after + 1) if alone else (span.start, "", span.end)

    def _link(self, span: Span, depth: int) -> tuple[int, str, int]:
        start, end = span.inner
        target_end = span.pipes[0] if span.pipes else end
        target = self.page[start:target_end]
        if _UNSEEN_LINK.match(target):
            return span.start, "", span.end
        if not span.pipes:
            return span.start, self._argument(span, start, end, depth).strip().removeprefix(":"), span.end
        text = self._argument(span, target_end + 1, end, depth)
        if self.page[span.end : span.end + 1] == "]" and text.count("[") > text.count("]"):
            return span.start, text + "]", span.end + 1  # [[a|[http://b c]]]
        return span.start, text, span.end

    def _template(self, span: Span, depth: int) -> str:
        start, end = span.inner
        name = self._argument(span, start, span.pipes[0] if span.pipes else end, depth).strip()
        function, colon, subject = name.partition(":")
        form = form_of(name)
        is_call = is_function(function) and (colon or not span.pipes)
        if form is None and not is_call:
            return GONE
        arguments = self._arguments(span, depth)

        def argument(key: str) -> str:
            return arguments.get(key, "")

        if is_call:
            return call_function(function, subject, argument, self.title) or GONE
        assert form is not None
        return fill(form, argument) or GONE

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
        parts = [part for part in span.parts if start <= part.start < end]
        return self.render(parts, start, end, depth + 1)

    def _inside(self, span: Span, depth: int) -> str:
        return self.render(span.parts, *span.inner, depth + 1)
