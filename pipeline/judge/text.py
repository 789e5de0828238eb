"""What does not belong into a sentence: mark-up, broken encodings, characters that cannot be seen, a mix of scripts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from pipeline.characters.script_variants import script_characters
from pipeline.judge.verdict import Finding, Subject

_MARKUP = re.compile(
    r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>|<!--|-->|<>"  # tags and comments of HTML
    r"|\[\[|\]\]|\{\{|\}\}|\{\||\|\}|\|\||'''|__[A-Z]+__"  # links, templates, tables, bold, switches of wikitext
    r"|-\{|\}-"  # variant conversion
    r"|\b(?:colspan|rowspan|style|align)="
    r"|&(?:[a-z]+|#\d+);|\bformula_\d+\b|\{\\displaystyle"  # entities; what an extractor leaves of a formula
)
# UTF-8 that was read as Latin-1 or Windows-1252: a lead byte of a Chinese character and two bytes that go on with it,
# or of a Latin letter and one; GBK that was read as Latin-1: a run of high letters without a plain one; UTF-8 that was
# read as GBK: the characters that its commonest punctuation turns into.
_HIGH = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MOJIBAKE = re.compile(
    f"\ufffd|[\u00e2-\u00ef][{_HIGH}][{_HIGH}]|[ÂÃ][\u0080-\u00bf]"
    "|[\u00a1-\u00d6\u00d8-\u00f6\u00f8-\u00fe]{5}|锟斤拷|烫烫烫|屯屯屯|(?:[銆鈥锛][^銆鈥锛]{0,20}){3}"
)
_CONTROL = {"Cc", "Cs", "Cn"}  # control, half a character, unassigned
_INVISIBLE = set("\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\ufffc")


def markup(subject: Subject) -> Finding:
    """Share of sentences with residue of wikitext or HTML."""
    return subject.share_of_sentences(lambda sentence: bool(_MARKUP.search(sentence)))


def mojibake(subject: Subject) -> Finding:
    """Share of sentences with text that was decoded by the wrong encoding."""
    return subject.share_of_sentences(lambda sentence: bool(_MOJIBAKE.search(sentence)))


def control(subject: Subject) -> Finding:
    """Share of sentences with control, unassigned or invisible formatting characters."""
    return _having(subject, lambda c: c in _INVISIBLE or unicodedata.category(c) in _CONTROL)


def private_use(subject: Subject) -> Finding:
    """Share of sentences with private-use characters, which mean nothing outside one font."""
    return _having(subject, lambda character: unicodedata.category(character) == "Co")


def mixed_script(subject: Subject) -> Finding:
    """Share of sentences that have characters of simplified text only and others of traditional text only."""
    simplified, traditional = script_characters()
    kinds = [0, 0, 0, 0]  # neither, simplified, traditional, both

    def is_mixed(sentence: str) -> bool:
        kind = (not simplified.isdisjoint(sentence)) + 2 * (not traditional.isdisjoint(sentence))
        kinds[kind] += 1
        return kind == 3

    found = subject.share_of_sentences(is_mixed)
    shares = dict(zip(("neither", "simplified", "traditional"), kinds, strict=False))
    total = len(subject.sentences)
    details = {**found.details, **{f"share {name}": count / total for name, count in shares.items()}}
    return Finding(found.value, found.note, details)


def _having(subject: Subject, is_bad: Callable[[str], bool]) -> Finding:
    characters = {character for sentence in subject.sentences for character in sentence}
    bad = {character for character in characters if is_bad(character)}
    found = subject.share_of_sentences(lambda sentence: not bad.isdisjoint(sentence))
    codes = sorted(f"U+{ord(character):04X}" for character in bad)[:50]
    return Finding(found.value, found.note, {**found.details, "characters": codes})
