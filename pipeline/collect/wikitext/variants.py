"""``-{…}-``: the manual conversions between the variants of Chinese, as MediaWiki's LanguageConverter shows them.

-{文字}-                                    shown as it stands
-{zh-hans:计算机;zh-hant:電腦}-             the text for the variant asked for, or for the nearest to it
-{A|zh-cn:博客;zh-tw:部落格}-               the same, and a rule for the whole page (the rule itself is not applied)
-{H|…}-  -{T|…}-  -{-|…}-                   rules, shown nowhere
-{zh-hant;zh-tw|文字}-                      for these variants only

Codes may be in capitals (``zh-Hans``). Flags that MediaWiki does not know are dropped, the text after them is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIANTS = ("zh", "zh-hans", "zh-hant", "zh-cn", "zh-tw", "zh-hk", "zh-mo", "zh-sg", "zh-my")

# MediaWiki's LanguageZh: which variant's text is taken, in this order, where the one asked for has none.
_NEAREST = {
    "zh": ("zh-hans", "zh-hant", "zh-cn", "zh-tw", "zh-hk", "zh-sg", "zh-mo", "zh-my"),
    "zh-hans": ("zh-cn", "zh-sg", "zh-my"),
    "zh-hant": ("zh-tw", "zh-hk", "zh-mo"),
    "zh-cn": ("zh-hans", "zh-sg", "zh-my"),
    "zh-sg": ("zh-my", "zh-hans", "zh-cn"),
    "zh-my": ("zh-sg", "zh-hans", "zh-cn"),
    "zh-tw": ("zh-hant", "zh-hk", "zh-mo"),
    "zh-hk": ("zh-mo", "zh-hant", "zh-tw"),
    "zh-mo": ("zh-hk", "zh-hant", "zh-tw"),
}
_HIDDEN_FLAGS = {"H", "T", "-"}
_CODE = r"zh(?:-[a-z]{2,4})?"
_RULE = re.compile(rf"(?:[^;]*?=>)?\s*({_CODE})\s*:(.*)", re.DOTALL | re.IGNORECASE)
_NEXT_RULE = re.compile(rf";(?=(?:[^;]*?=>)?\s*{_CODE}\s*:|\s*\Z)", re.IGNORECASE)


def choose_variant(content: str, variant: str) -> str:
    """What ``-{content}-`` shows to a reader of ``variant``. Marks inside ``content`` are already text."""
    flags, bar, text = content.partition("|")
    given = {flag.strip() for flag in flags.split(";")} if bar else set()
    if not bar:
        text = content
    elif given & _HIDDEN_FLAGS:
        return ""
    elif variants := {flag.lower() for flag in given} & set(VARIANTS):
        return text if variants & {variant, *_NEAREST[variant]} else ""
    if "R" in given:
        return text
    return _rules_text(text, variant)


def nearest(texts: Mapping[str, str], variant: str) -> str:
    """Of ``texts`` by variant the one for ``variant``, or for the nearest to it that has one; else ""."""
    for wanted in (variant, *_NEAREST[variant], *VARIANTS):
        if text := texts.get(wanted):
            return text
    return ""


def _rules_text(text: str, variant: str) -> str:
    by_variant = {}
    for rule in _NEXT_RULE.split(text):
        match = _RULE.fullmatch(rule)
        if match and match[1].lower() in VARIANTS:
            by_variant[match[1].lower()] = match[2].strip()
        elif rule.strip():
            return text  # not a list of rules: text in braces, shown as it stands
    return nearest(by_variant, variant) if by_variant else text
