"""Templates whose text is more than their arguments in a row: ``forms.txt`` names these functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import takewhile

from pipeline.collect.article import FORMULA
from pipeline.collect.joining import run_on
from pipeline.collect.wikitext.entities import is_character
from pipeline.collect.wikitext.languages import language_name, languages
from pipeline.collect.wikitext.templates.arguments import Arguments
from pipeline.collect.wikitext.templates.measures import formula, fraction, measure, value
from pipeline.collect.wikitext.variants import nearest

_CODE_POINT = re.compile(r"(?:U\+|0x|&#x)?([0-9A-F]{4,6});?", re.IGNORECASE)
_STAMP = re.compile(r"20\d\d-\d\d(?:-\d\d(?:T[\d:.+Z-]*)?)?|(?:\d{1,2} )?[A-Z][a-z]+ 20\d\d")  # not a date in Chinese
_NUMBER = re.compile(r"0*(\d+)")


def language(arguments: Arguments, name: str) -> str:
    """``{{langx|en|text}}`` and ``{{lang-en|text}}``: 英语：text; ``label=none`` leaves the language out."""
    code, first = (arguments.get("code", "1"), 2) if name == "langx" else (name.partition("-")[2], 1)
    text = arguments.get("text", str(first))
    if not text:
        return ""
    label = arguments.get("label") or language_name(code)
    literal = arguments.get("lit", "literal", str(first + 2))
    shown = text if label == "none" or not label else f"{label}：{text}"
    return shown + (f"，直译：{literal}" if literal else "")


_CHINESE = (
    (("c", "1"), "中文"),
    (("s", "hans", "zh-hans"), "简体"),
    (("t", "hant", "zh-hant"), "繁体"),
    (("hp", "p", "pinyin"), "拼音"),
    (("zhu", "bpmf"), "注音"),
    (("w", "wg"), "威妥玛拼音"),
    (("j", "cy", "jyutping"), "粤拼"),
    (("poj",), "白话字"),
    (("l", "lit"), "直译"),
)


def chinese(arguments: Arguments, _: str) -> str:
    """``{{lang-zh|s=…|t=…|p=…}}``: what is given, each after its label; ``labels=no`` leaves the labels out."""
    given = [(label, text) for names, label in _CHINESE if (text := arguments.get(*names))]
    if arguments.get("labels") == "no":
        return "，".join(text for _, text in given)
    return "，".join(f"{label}：{text}" for label, text in given)


def chinese_in_order(arguments: Arguments, name: str) -> str:
    """``{{zh-ts|秦嶺|秦岭}}``: as ``chinese``, the letters of the name saying which argument is what."""
    ordered = dict(zip(name.partition("-")[2], arguments.numbered(), strict=False))
    return chinese(Arguments({**ordered, **arguments.values, "1": ""}), name)


def japanese(arguments: Arguments, _: str) -> str:
    """``{{nihongo|薔薇|バラ|bara|note}}``: 薔薇（バラ bara，note）."""
    name, kana, romaji, note = (arguments.get(number) for number in "1234")
    words = "，".join(filter(None, (" ".join(filter(None, (kana, romaji))), note)))
    return f"{name}（{words}）" if name and words else name or words


def romanized_japanese(arguments: Arguments, _: str) -> str:
    """``{{nihongo3|rose|薔薇|bara|note}}``: bara（薔薇，rose，note）."""
    name, kana, romaji, note = (arguments.get(number) for number in "1234")
    words = "，".join(filter(None, (kana, name, note)))
    return f"{romaji}（{words}）" if romaji and words else romaji or words


_REGIONS = {
    "zh-hans": ("hans", "zh-hans", "简", "简体"),
    "zh-hant": ("hant", "zh-hant", "繁", "繁體", "繁体"),
    "zh-cn": ("cn", "zh-cn", "大陆", "大陸", "中国大陆", "中國大陸"),
    "zh-tw": ("tw", "zh-tw", "台湾", "臺灣", "台灣"),
    "zh-hk": ("hk", "zh-hk", "香港", "港澳"),
    "zh-mo": ("mo", "zh-mo", "澳门", "澳門"),
    "zh-sg": ("sg", "zh-sg", "新加坡", "新马"),
    "zh-my": ("my", "zh-my", "马来西亚", "馬來西亞"),
}


def regional(arguments: Arguments, _: str) -> str:
    """``{{地区用词|cn=硅|tw=矽}}``: the word of the variant asked for, or of the nearest that has one."""
    words = {variant: word for variant, names in _REGIONS.items() if (word := arguments.get(*names))}
    return nearest(words, arguments.variant) or arguments.get("1")


def interlanguage(arguments: Arguments, _: str) -> str:
    """``{{ill|甲|en|A}}``: 甲, or the text of ``lt``; an older order has the code first."""
    text = arguments.get("lt", "text", "display")
    first, second = arguments.get("1"), arguments.get("2")
    code_first = first.lower() in languages() and second.lower() not in languages()
    return text or (second if code_first and second else first)


def code_point(arguments: Arguments, _: str) -> str:
    """``{{Unihan|23DAF}}``: the character U+23DAF; what is not a code point is shown as it stands."""
    text = arguments.get("1")
    match = _CODE_POINT.fullmatch(text)
    if not match:
        return text
    code = int(match[1], 16)
    return chr(code) if is_character(code) else ""


def character(arguments: Arguments, name: str) -> str:
    """``{{?|字}}``, ``{{SKchar|number|字}}``: the character; where only its number or picture is known, a gap."""
    return arguments.get("2" if name.startswith("skchar") else "1") or FORMULA


def doubted(arguments: Arguments, _: str) -> str:
    """``{{citation needed|text|date=…}}``: the text that it is about; a time stamp in its place is for editors."""
    text = arguments.get("1", "text")
    return "" if _STAMP.fullmatch(text) else text


def together(arguments: Arguments, _: str) -> str:
    """``{{linktext|鹿|耳|門}}``: 鹿耳門."""
    return run_on(arguments.numbered())


def in_a_row(arguments: Arguments, _: str) -> str:
    """``{{hlist|甲|乙}}``: 甲、乙."""
    return "、".join(filter(None, arguments.numbered()))


def one_below_another(arguments: Arguments, _: str) -> str:
    """``{{ubl|甲|乙}}`` and ``{{plainlist|* 甲 …}}``: a line for each."""
    lines = "\n".join(line if line.startswith("*") else f"* {line}" for line in arguments.numbered() if line)
    return f"\n{lines}\n" if lines else ""


def date(arguments: Arguments, _: str) -> str:
    """``{{birth date|1900|1|2}}``: 1900年1月2日; a first argument that is a whole date is shown as it is."""
    return _date(arguments.numbered() or [arguments.get(name) for name in ("year", "month", "day")])


def as_of(arguments: Arguments, _: str) -> str:
    """``{{As of|2010|5}}``: 截至2010年5月, or the text of ``alt``."""
    day = _date(arguments.numbered())
    return arguments.get("alt") or (f"截至{day}" if day else "")


def _date(parts: list[str]) -> str:
    numbers = [match[1] for match in takewhile(bool, map(_NUMBER.fullmatch, parts[:3])) if match]
    if not numbers:
        return parts[0] if parts else ""
    return "".join(number + unit for number, unit in zip(numbers, "年月日", strict=False))


FUNCTIONS: dict[str, Callable[[Arguments, str], str]] = {
    function.__name__: function
    for function in (
        *(language, chinese, chinese_in_order, japanese, romanized_japanese, regional, interlanguage, code_point),
        *(character, doubted, together),
        *(in_a_row, one_below_another, date, as_of, formula, measure, value, fraction),
    )
}
