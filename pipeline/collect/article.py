"""What every source yields: articles, each a title and paragraphs in order, and the marks that may stand in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

LEFT_OUT = "\f"  # a paragraph of its own: something was left out here, so what stands around it is not adjacent
FORMULA = "\N{OBJECT REPLACEMENT CHARACTER}"  # in place of what plain text cannot hold; its sentence is not complete
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Article:
    """One article: its paragraphs in order, and where they come from. Unknown texts are empty, unknown ids None."""

    title: str
    paragraphs: list[str]
    source: str
    license: str = ""
    domain: str = ""
    pageid: int | None = None
    revid: int | None = None
    url: str = ""


def whole(text: str) -> str:
    """``text`` with half a surrogate pair, which JSON can escape but UTF-8 cannot hold, made U+FFFD."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
