"""From a wiki's plain-text extract to paragraphs: without headings, empty sections, reference lists and formulas."""

from __future__ import annotations

import re

from pipeline.collect.article import FORMULA, LEFT_OUT

# Sections that list works, links and notes, in the scripts of the Chinese Wikipedia.
_LISTS = frozenset(
    word
    for line in (
        "参考文献 參考文獻 参考资料 參考資料 参考来源 參考來源 参考 參考 参考书目 參考書目 参考书籍 參考書籍",
        "参考链接 參考連結 引用来源 引用來源 引用 引注 引註 来源 來源 资料来源 資料來源 文献 文獻 书目 書目",
        "注释 註釋 注釋 注解 註解 脚注 腳註 脚註 附注 附註 备注 備註 註腳 注脚 注 註",
        "参见 參見 参看 參看 另见 另見 参阅 參閱 相关条目 相關條目 相关链接 相關連結",
        "外部链接 外部連結 外部連接 外部连接 外部网站 外部網站 外部参考 外部參考",
        "延伸阅读 延伸閱讀 扩展阅读 擴展閱讀 进阶阅读 進階閱讀",
    )
    for word in line.split()
)
_SEPARATORS = re.compile(r"[与與和及、/\s]+")
_HEADING = re.compile(r"(={2,6})\s*(.*?)\s*\1\s*\Z")
_INDENTED = re.compile(r"(?:[ \t]{2,}\S.*|\s*)\Z")
_TEX = re.compile(r"\{\\(?:display|text|script)style\b")


def extract_paragraphs(text: str) -> list[str]:
    """Paragraphs of an extract whose headings stand as ``== 习性 ==``, in order; ``LEFT_OUT`` where a section was cut.

    A section goes with its subsections. A heading without text under it leaves nothing.
    """
    paragraphs: list[str] = []
    cut_level = 0  # of the section being left out; 0: none
    for line in _without_formulas(text.split("\n")):
        heading = _HEADING.match(line.strip())
        if heading:
            level = len(heading[1])
            if cut_level and level > cut_level:
                continue
            cut_level = level if is_list_section(heading[2]) else 0
        elif line.strip():
            if not cut_level:
                paragraphs.append(line.strip())
            elif paragraphs and paragraphs[-1] != LEFT_OUT:
                paragraphs.append(LEFT_OUT)
    while paragraphs and paragraphs[-1] == LEFT_OUT:
        paragraphs.pop()
    return paragraphs


def is_list_section(heading: str) -> bool:
    """Whether a section of this name lists works, links or notes (``注释与参考文献`` does too)."""
    words = [word for word in _SEPARATORS.split(heading) if word]
    return bool(words) and all(word in _LISTS for word in words)


def _without_formulas(lines: list[str]) -> list[str]:
    """Put ``FORMULA`` where an extract has MathML's parts, each on an indented line, and the source in TeX.

    Such a block stands in the middle of a sentence: the lines before and after it are one paragraph.
    """
    result: list[str] = []
    position = 0
    glue = False
    while position < len(lines):
        end = position
        while end < len(lines) and _INDENTED.match(lines[end]):
            end += 1
        if any(_TEX.search(line) for line in lines[position:end]):
            if result:
                result[-1] += FORMULA
            else:
                result.append(FORMULA)
            glue = True
            position = end
        elif glue and not _HEADING.match(lines[position].strip()):
            result[-1] += lines[position].lstrip()
            glue = False
            position += 1
        else:
            result.append(lines[position])
            glue = False
            position += 1
    return result
