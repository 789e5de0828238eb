"""From the plain text of a page to paragraphs: without headings, empty sections, reference lists and formulas."""

from __future__ import annotations

import re

from pipeline.collect.article import FORMULA, LEFT_OUT
from pipeline.collect.list_sections import is_list_section

_HEADING = re.compile(r"(={1,6})\s*(.*?)\s*\1\s*\Z")
_CANNOT_BEGIN = re.compile(r"[，。、；：？！）〉》」』】〕”’,;:?!)]")  # a paragraph; nor can it end with the other two
_CANNOT_END = ("，", "、")
_INDENTED = re.compile(r"(?:[ \t]{2,}\S.*|\s*)\Z")
_TEX = re.compile(r"\{\\(?:display|text|script)style\b")


def extract_paragraphs(text: str) -> list[str]:
    """Paragraphs of an extract whose headings stand as ``== 习性 ==``, in order; ``LEFT_OUT`` where a section was cut.

    A section goes with its subsections. A heading without text under it leaves nothing. A line that cannot begin a
    paragraph, or comes after one that cannot end one, goes on with it.
    """
    paragraphs: list[str] = []
    cut_level = 0  # of the section being left out; 0: none
    goes_on = False  # whether the last paragraph is directly above
    lines = text.split("\n")
    for line in map(str.strip, _without_formulas(lines) if _TEX.search(text) else lines):
        if line.startswith("=") and (heading := _HEADING.match(line)):
            goes_on = False
            level = len(heading[1])
            if cut_level and level > cut_level:
                continue
            cut_level = level if is_list_section(heading[2]) else 0
        elif line and not cut_level:
            if goes_on and (_CANNOT_BEGIN.match(line) or paragraphs[-1].endswith(_CANNOT_END)):
                paragraphs[-1] += line
            else:
                paragraphs.append(line)
            goes_on = True
        elif line and paragraphs and paragraphs[-1] != LEFT_OUT:
            paragraphs.append(LEFT_OUT)
    while paragraphs and paragraphs[-1] == LEFT_OUT:
        paragraphs.pop()
    return paragraphs


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
