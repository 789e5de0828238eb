"""The plain text of a page that a wiki extracts as HTML: a paragraph a line, as ``wikitext/plain_text.py`` gives it.

The API's own plain text (``explaintext``) does not tell a line break of the wiki's source from the end of a paragraph;
its HTML does. Nothing is left out here but formulas: tables, references and the like are not in an extract.
"""

from __future__ import annotations

from html.parser import HTMLParser

from pipeline.collect.article import FORMULA
from pipeline.collect.joining import run_on

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_OTHERS = "p ul ol li dl dt dd blockquote center pre div section address table caption tr td th"
_BLOCKS = {*_HEADINGS, *_OTHERS.split()}
_BREAKS = {"br", "hr"}
_UNSEEN = {"math", "script", "style"}


def html_text(extract: str) -> str:
    """The text of ``extract``, HTML, in lines; headings as ``== heading ==``, ``FORMULA`` where a formula stands.

    What has no element of a page is plain text and keeps its lines.
    """
    reader = _Reader()
    reader.feed(extract)
    reader.close()
    reader.end_line()
    return "\n".join(reader.lines)


class _Reader(HTMLParser):
    """Callbacks of the HTML parser; ``lines`` fills up."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._pieces: list[str] = []
        self._around: list[str] = []  # the blocks that are open
        self._plain = True  # no block so far
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - HTMLParser's signature
        if tag == "math" and not self._unseen:
            self._pieces.append(FORMULA)
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS:
            self.end_line()
            self._plain = False
            self._around.append(tag)
        elif tag in _BREAKS and not self._level():
            self.end_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif tag in _BLOCKS:
            self.end_line()
            if tag in self._around:
                while self._around.pop() != tag:
                    pass

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._pieces.append(data)

    def end_line(self) -> None:
        """Make what was read since the last end a line; as many as it has where line breaks show."""
        texts = [text.strip() for text in "".join(self._pieces).replace("\u00a0", " ").split("\n")]
        self._pieces.clear()
        if not any(texts):
            return
        if self._plain or "pre" in self._around:
            self.lines.extend(texts)
        elif text := run_on(texts):
            level = self._level()
            self.lines.append(f"{'=' * level} {text} {'=' * level}" if level else text)

    def _level(self) -> int:
        """The level of the heading that is open, 0 where none is."""
        return next((_HEADINGS[tag] for tag in self._around if tag in _HEADINGS), 0)
