"""Lines of a page whose brackets are gone: headings, lists and paragraphs become plain lines.

The lines of a paragraph in the source are one line here, because a browser shows them so; between Chinese characters no
blank is left where the lines met. Headings stay, as ``== heading ==``.
"""

from __future__ import annotations

import re

from pipeline.collect.joining import run_on
from pipeline.collect.wikitext.entities import decode_entities
from pipeline.collect.wikitext.gaps import close_gaps
from pipeline.collect.wikitext.links import external_links_as_text
from pipeline.collect.wikitext.marks import BREAK, GONE, MARKS, SHIELDED_COLON, UNSHIELD
from pipeline.collect.wikitext.quotes import without_quotes
from pipeline.collect.wikitext.tags import without_tables, without_tags

_HEADING = re.compile(r"(={1,6})(.+?)(={1,6})\s*")
_LIST = re.compile(r"[*#:;]+[ \t]*")
_COLON = re.compile(":(?!//)")
_RULER = re.compile(r"-{4,}")
_TABLE_ROW = re.compile(r"\|[-}]|[|!].*\|\|")  # of a table that a template began
# MediaWiki 1.39's "double underscores" in English and Chinese, those of the extension Disambiguator too. In capitals or
# not, but for the second group, which is read as it is written here.
_SWITCH = re.compile(
    "__(?:(?i:NOTOC|NOGALLERY|FORCETOC|TOC|NOEDITSECTION|NOTITLECONVERT|NOTC|NOCONTENTCONVERT|NOCC|DISAMBIG"
    "|无目录|無目錄|无图库|無圖庫|强显目录|強制目錄|目录|目錄|无编辑段落|无段落编辑|無段落編輯|不转换标题|不轉換標題"
    "|不转换内容|不轉換內容|消歧义|消歧義)"
    "|NEWSECTIONLINK|NONEWSECTIONLINK|HIDDENCAT|EXPECTUNUSEDCATEGORY|INDEX|NOINDEX|STATICREDIRECT"
    "|新段落链接|无新段落链接|隐藏分类|隱藏分類|索引|无索引|静态重定向|靜態重新導向)__"
)

_OWN_LINE = frozenset("=*#:;- |!")  # what a line of its own may begin with
_NOTHING = f" \t{GONE}{BREAK}"


def lines_of(text: str) -> str:
    """``text`` as plain lines, with an empty one between blocks where the source has one."""
    if "{|" in text:
        text = without_tables(text)
    if "''" in text:  # before tags go, which part runs of quotes
        text = without_quotes(text)
    if "<" in text:
        text = without_tags(text)
    if "__" in text:
        text = _SWITCH.sub("", text)
    lines: list[str] = []
    for line in _joined(text.split("\n")):
        if line[:1] in _OWN_LINE:
            lines.extend(_plain_lines(line))
        elif "[" in line or GONE in line or BREAK in line:
            lines.extend(_inline(line))
        else:
            lines.append(line)
    text = decode_entities("\n".join(lines))
    if MARKS.search(text):
        text = text.translate(UNSHIELD)
    return text.replace("\u00a0", " ")


def _joined(lines: list[str]) -> list[str]:
    """``lines`` of the source, those of a paragraph made one."""
    result: list[str] = []
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line and line[0] not in _OWN_LINE and line.strip(_NOTHING):
            paragraph.append(line)
            continue
        if paragraph:
            result.append(paragraph[0] if len(paragraph) == 1 else run_on(map(str.strip, paragraph)))
            paragraph = []
        result.append(line)
    return result


def _plain_lines(line: str) -> list[str]:
    """What a line of its own shows, in lines."""
    if line.startswith("="):
        heading = _HEADING.fullmatch(line)
        if heading:
            return ["", _heading(heading)]
    elif line.startswith(("*", "#", ":", ";")):
        mark = _LIST.match(line)
        assert mark is not None
        return _item(line[mark.end() :], ";" in mark.group())
    elif line.startswith("----"):
        line = _RULER.sub("", line, count=1)
    elif _TABLE_ROW.match(line):
        return []
    return _inline(line)


def _heading(heading: re.Match[str]) -> str:
    level = min(len(heading[1]), len(heading[3]))
    name = heading[1][level:] + heading[2] + heading[3][level:]
    return f"{'=' * level} {' '.join(_inline(name)).strip()} {'=' * level}"


def _item(text: str, defines: bool) -> list[str]:
    """An item of a list; that of a definition list has its definition after the first colon outside of links."""
    if defines:
        text = external_links_as_text(text, GONE, colon=SHIELDED_COLON)
        term, *definition = _COLON.split(text, maxsplit=1)
        return [line for part in (term, *definition) for line in _inline(part)]
    return _inline(text)


def _inline(text: str) -> list[str]:
    if "[" in text:
        text = external_links_as_text(text, GONE)
    if GONE in text:
        text = close_gaps(text)
    return text.split(BREAK) if BREAK in text else [text]
