"""What a report page says: the numbers at its top, its tables and its figures, read from the HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Table:
    title: str
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)  # the name of the row first

    def row(self, *words: str) -> list[str]:
        """The cells of the one row whose name holds all these words, without the name."""
        found = [cells for name, *cells in self.rows if all(word in name for word in words)]
        assert len(found) == 1, (words, self.rows)
        return found[0]


class Page(HTMLParser):
    """``facts`` are (name, value) of the numbers at the top; ``figures`` the base64 data of each figure by its id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.facts: list[tuple[str, str]] = []
        self.tables: list[Table] = []
        self.figures: dict[str, str] = {}
        self._path: list[str] = []
        self._text = ""
        self._figure = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        value = {name: text or "" for name, text in attrs}
        if tag == "figure":
            self._figure = value["id"]
        elif tag == "img":
            self.figures[self._figure] = value["src"].partition("base64,")[2]
        elif tag == "tr" and "tbody" in self._path:
            self.tables[-1].rows.append([])
        self._text = ""
        self._path.append(tag)

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "h3":
            self.tables.append(Table(self._text))
        elif tag == "dt":
            self.facts.append((self._text, ""))
        elif tag == "dd":
            self.facts[-1] = (self.facts[-1][0], self._text)
        elif tag in ("th", "td"):
            (self.tables[-1].columns if "thead" in self._path else self.tables[-1].rows[-1]).append(self._text)
        while self._path and self._path.pop() != tag:
            pass

    def fact(self, *words: str) -> str:
        """The value of the one number at the top whose name holds all these words."""
        [found] = [value for name, value in self.facts if all(word in name for word in words)]
        return found

    def table(self, *words: str) -> Table:
        """The one table that has a row named with each of these words."""
        found = [table for table in self.tables
                 if all(any(word in name for name, *_ in table.rows) for word in words)]  # fmt: skip
        assert len(found) == 1, (words, [table.title for table in found])
        return found[0]


def seconds_of(duration: str) -> int:
    """``5 min 12 s`` and the like, in seconds."""
    units = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "秒": 1, "分": 60, "小时": 3600, "天": 86_400}
    parts = duration.split()
    return sum(int(count) * units[unit] for count, unit in zip(parts[::2], parts[1::2], strict=True))
