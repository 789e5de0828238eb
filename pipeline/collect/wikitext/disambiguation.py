"""Pages that only tell the meanings of a title apart, by the templates and the switch that say so.

A template counts where it is one: not inside ``<nowiki>`` or a comment, and under any of its names.
"""

from __future__ import annotations

import re

from pipeline.collect.wikitext.scan import Span, scan
from pipeline.collect.wikitext.templates.forms import template_name

_HINT = re.compile(r"\{\{[^|}\n]*(?:dis|dab|消歧)|__(?:DIS|消歧)", re.IGNORECASE)  # every page that is one has this
_SWITCH = re.compile(r"__(?:DISAMBIG|消歧[义義](?:页|頁)?)__", re.IGNORECASE)
# As zh.wikipedia.org calls them; "disambig needed" and the like are about a link.
_NAME = re.compile(
    r"(?:[\w -]+ )?(?:disambig(?:uation)?|dab|disamb|disam)(?: ?page|-cleanup|-cu)?"
    r"|(?:hn|geo|number|road|school|hospital|letter|station|bio|ship|math|place|tla|airport|callsign|roman|wp)dis(?:ambig)?"
    r"|(?!需要|请求|待)[^ ]{0,8}消歧(?:义)?(?:页)?(?:[-/].*)?"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def is_disambiguation(page: str) -> bool:
    """Whether ``page``, wikitext, is a disambiguation page."""
    if not _HINT.search(page):
        return False
    spans = scan(page)
    if any(_NAME.fullmatch(_name(page, span)) for span in spans if span.kind == "template"):
        return True
    kept, position = [], 0
    for span in spans:
        kept.append(page[position : span.start])
        position = span.end
    return bool(_SWITCH.search("".join(kept) + page[position:]))


def _name(page: str, span: Span) -> str:
    start, end = span.inner
    return template_name(_COMMENT.sub("", page[start : span.pipes[0] if span.pipes else end]))
