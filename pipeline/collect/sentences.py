"""Cut a paragraph of Chinese text into sentences without losing a character.

A sentence ends at ``。！？!?`` and their like (a run of them is one end), at ``……`` before a quotation mark or the end
of the line, at ``~`` after a word of calling (``好啊~``), and at a full stop ``.`` or ``．`` after a Han character.
Closing quotes, brackets, further end marks, note marks (``[1]``) and the source of a quotation (``——《诗经》``) stay
with the sentence that they close; so does a closing quote without its opening one, which most often is in a paragraph
before. A sentence does not end

* inside quotation marks and brackets that close within ``LONGEST`` characters. The mark before a closing quote ends
  the whole sentence, unless a question or call is a name in it (``电影“你好！”上映``). The one before a closing bracket
  does where the bracket holds the sentence (``（如图。）``) or where what follows does not go on with it
  (``甲（见图1。）乙`` are two, ``他睡了（很晚。）才睡着`` is one);
* before a comma; after a closing quote before another quotation, before a word that joins it to what follows
  (``“好吗？”的回答。``, ``“不好。”两首歌``), and before its speaker, if no one was named before (``“好。”他说。``);
* at ``!`` or ``?`` after a Latin letter or a digit, which belong to names and addresses (``Yahoo!``, ``a.b/甲?乙``),
  but not to those of mail;
* at a full stop that begins a number or word, follows an enumerator (``一．``), ends a name (``モーニング娘。``), or
  joins two Han characters where other sentences end with ``。``: there it is a middle dot (``马丁．路德``).

Straight quotation marks are taken in pairs; one after a digit (``15"``), between letters (``it's``), or without a
partner within ``LONGEST`` is not a quotation mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.characters.han import is_han

LONGEST = 200  # characters of a bracket or quotation; one left open by mistake must not swallow the paragraph
_NEAR = 8  # characters before a mark that are looked at, for enumerators and names
_LONGEST_ADDRESS = 300  # characters before a mark that may be an address

_OPENING_BRACKETS, _CLOSING_BRACKETS = "（(《〈【［[〔｛{", "）)》〉】］]〕｝}"
_OPENING_QUOTES, _CLOSING_QUOTES = "“‘「『﹁﹃｢", "”’」』﹂﹄｣"
_STRAIGHT_QUOTES = "\"'＂＇"
_KIND = str.maketrans("（）［］｛｝", "()[]{}")  # a full-width bracket may be closed by an ASCII one
_OPENING, _CLOSING = _OPENING_BRACKETS + _OPENING_QUOTES, _CLOSING_BRACKETS + _CLOSING_QUOTES
_CLOSER_OF = {opening: closing.translate(_KIND) for opening, closing in zip(_OPENING, _CLOSING, strict=True)}
_DEEPEST = 10  # brackets left open that a closing one looks past

_STOPS = "。｡︒！？︕︖﹗﹖‼⁇⁈⁉"
_END = re.compile(rf"[{_STOPS}!?…⋯]+|[.．](?![0-9A-Za-z０-９.．])|(?<=[啊吧呢吗嗎嘛呀哦哈啦喔噢哟喲哇咯])[~～]+|\n+")
_NAMES_WITH_STOP = ("モーニング娘。", "カントリー娘。", "早安少女組。", "早安少女组。")
_TAIL = re.compile(rf"(?:[ \t\u3000]*[{_CLOSING_QUOTES}）)》〉】］\]〕｝}}{_STOPS}])*")
_NOTES = re.compile(
    r"(?:[ \t]*[\[［〔](?:[注註]?[ \t]*[0-9０-９]{1,3}|[注註][ \t]*[一二三四五六七八九十]{0,3}|[a-z])[\]］〕]"
    r"|[⁰¹²³⁴-⁹]+)*"
)
_SOURCE = re.compile(r"[ \t\u3000]*(?:——|⸺)(?:[《〈][^》〉\n]{1,60}[》〉]|[^。！？!?，\n]{1,20}(?=\n|\Z))")
_COMMA = re.compile(r"[ \t\u3000]*[，、；：,;:]")
_JOINED = re.compile(
    r"的(?!士)|等|[和与與及或][“‘「『《〈\"']"
    r"|(?:[一两兩二三四五六七八九十几幾]|\d{1,3})[个個]?[词詞语語句曲歌文书書首声聲字话話篇]"
)
_THEN = re.compile(r"[然而][后後]")
_SPEAKER = re.compile(
    r"[^，。！？!?；：、“”‘’「」『』\"'《》（）()…\s]{0,8}?"
    r"(?:[说說问問答喊叫嚷吼骂罵曰云]|[说說问問答喊叫笑骂罵叹嘆怒哭唱念喝劝勸讲講嚷][道着著]|表示|回[答應应])"
    r"(?:[过過了道着著])?(?=[，。！？!?,；]|\n|\Z)"
)
_SAYING = re.compile(r"(?:[：:说說道问問曰云言称稱叫喊答谓謂写寫载載记記唱念读讀]|指出|表示|[认認][为為])[ \t]*\Z")
_GOES_ON_AFTER_BRACKET = re.compile(
    r"[的地得了着著过過是为為在有和与與及或而但卻却则則也都还還又才就很不没沒无無所之并並且于於从從由被把将將对對向因等中上下里裡内內外"
    r"前后後时時间間、，；：,;:]|\n|\Z"
)
_ENUMERATOR = re.compile(r"(?:^|[\s，、；：,;:])第?[一二三四五六七八九十百千0-9０-９]+\Z")
_NOT_OF_AN_ADDRESS = re.compile(r"[\s，。；！？（）“”「」《》]")
_MAIL = re.compile(r"[\w.+-]@[\w.-]+\Z", re.ASCII)
_BLANK = re.compile(r"\s*")


@dataclass(frozen=True)
class _Span:
    """A bracket or quotation, ``paragraph[start:end]`` with its marks."""

    start: int
    end: int
    quote: bool


def split_sentences(paragraph: str) -> list[str]:
    """Pieces of ``paragraph``, in order; joined they give it back exactly. White space stays with the piece before."""
    straight = _straight_pairs(paragraph)
    spans = _outermost_spans(paragraph, straight)
    closing_straight = set(straight.values())
    dots_end = "。" not in paragraph
    pieces = []
    start = position = 0
    while end := _END.search(paragraph, position):
        position = end.end()
        span = spans[end.start()]
        if span:
            if _tail_end(paragraph, position, closing_straight) < span.end:
                continue  # an end within
            position = span.end
            if not _ends_whole(paragraph, start, end, span, dots_end):
                continue
        elif not _ends_sentence(paragraph, start, end, dots_end):
            continue
        if "\n" not in end.group():
            position = _tail_end(paragraph, position, closing_straight)
            if _goes_on(paragraph, start, position, span or spans[position - 1]):
                continue
            position = _match_end(_SOURCE, paragraph, position)
        position = _match_end(_BLANK, paragraph, position)
        pieces.append(paragraph[start:position])
        start = position
    if start < len(paragraph):
        pieces.append(paragraph[start:])
    return pieces


def _ends_sentence(paragraph: str, start: int, end: re.Match[str], dots_end: bool) -> bool:
    """Whether the mark ends a sentence, where it stands outside of brackets and quotations or closes one."""
    mark = end.group()
    before = paragraph[max(start, end.start() - _NEAR) : end.start()]
    after = paragraph[end.end() : end.end() + 1]
    if set(mark) <= set("…⋯"):
        return not after or after in f"\n{_CLOSING_QUOTES}{_OPENING_QUOTES}"
    if mark in ".．":
        is_word_dot = after and is_han(after) and not dots_end
        return bool(before) and is_han(before[-1]) and not is_word_dot and not _ENUMERATOR.search(before)
    if set(mark) <= set("!?"):
        return not _is_of_a_word(paragraph, start, end)
    if mark[0] in "~～":
        return not after or is_han(after) or after in f"\n{_CLOSING_QUOTES}{_OPENING_QUOTES}"
    return not (after and after != "\n" and (before + mark).endswith(_NAMES_WITH_STOP))


def _is_of_a_word(paragraph: str, start: int, end: re.Match[str]) -> bool:
    """Whether an ASCII ``!`` or ``?`` belongs to a name or an address."""
    before = paragraph[max(start, end.start() - _LONGEST_ADDRESS) : end.start()]
    after = paragraph[end.end() : end.end() + 1]
    if after and not after.isspace():
        address = before.rfind("://")
        if address >= 0 and not _NOT_OF_AN_ADDRESS.search(before, address):
            return True
    return before[-1:].isascii() and before[-1:].isalnum() and not _MAIL.search(before[-_NEAR * 8 :])


def _ends_whole(paragraph: str, start: int, end: re.Match[str], span: _Span, dots_end: bool) -> bool:
    """Whether the mark before the close of ``span`` ends the sentence that the span is in."""
    if not _ends_sentence(paragraph, start, end, dots_end):
        return False
    before = paragraph[max(start, span.start - _NEAR) : span.start]
    full_stop = end.group()[-1] in "。｡︒"
    if span.quote:  # a question or call within a sentence is a name in it: 电影“你好！”上映
        embedded = before.strip() and before[-1] not in "，,、" + _CLOSING_QUOTES and not _SAYING.search(before)
        return full_stop or not embedded
    if paragraph[span.start] not in "（(" or not full_stop:
        return False
    return not before.strip() or not _GOES_ON_AFTER_BRACKET.match(paragraph, span.end)


def _tail_end(paragraph: str, position: int, closing_straight: set[int]) -> int:
    """The position after the closing quotes, brackets, end marks and note marks that follow ``position``."""
    while True:
        begin = position
        position = _match_end(_NOTES, paragraph, _match_end(_TAIL, paragraph, position))
        if position in closing_straight:
            position += 1
        if position == begin:
            return position


def _goes_on(paragraph: str, start: int, position: int, span: _Span | None) -> bool:
    """Whether what follows ``position`` belongs to the sentence; ``span`` is what has just been closed."""
    if _COMMA.match(paragraph, position):
        return True
    if paragraph[position - 1] not in _CLOSING_QUOTES + _STRAIGHT_QUOTES:
        return False
    if _JOINED.match(paragraph, position) or paragraph[position : position + 1] in tuple(_OPENING_QUOTES):
        return True
    if span is None or not span.quote:
        return False
    before = paragraph[max(start, span.start - _NEAR) : span.start].rstrip()
    if not before or before[-1] in "，,、" + _CLOSING_QUOTES:
        return bool(_SPEAKER.match(paragraph, position) or _THEN.match(paragraph, position))
    return before[-1] not in "：:" and bool(_THEN.match(paragraph, position))


def _straight_pairs(paragraph: str) -> dict[int, int]:
    """Straight quotation marks, opening to closing: those that have a partner within ``LONGEST`` characters."""
    pairs = {}
    for mark in _STRAIGHT_QUOTES:
        opened = -1
        place = paragraph.find(mark)
        while place >= 0:
            before, after = paragraph[place - 1 : place], paragraph[place + 1 : place + 2]
            near = opened >= 0 and place - opened <= LONGEST
            if before.isascii() and after.isascii() and before.isalnum() and after.isalnum():
                pass  # an apostrophe
            elif near:
                pairs[opened] = place
                opened = -1
            elif not before.isdigit():  # else inches or minutes
                opened = place
            place = paragraph.find(mark, place + 1)
    return pairs


def _outermost_spans(paragraph: str, straight: dict[int, int]) -> list[_Span | None]:
    """For each position the outermost bracket or quotation around it, of those that close within ``LONGEST``."""
    spans: list[_Span | None] = [None] * len(paragraph)
    opened: list[tuple[str, int]] = []

    def close(start: int, end: int, quote: bool) -> None:
        if end - start <= LONGEST + 1:
            spans[start:end] = [_Span(start, end, quote)] * (end - start)

    for position, character in enumerate(paragraph):
        if character in _CLOSER_OF:
            opened.append((_CLOSER_OF[character], position))
        elif character in _CLOSING:
            kind = character.translate(_KIND)
            for depth in range(1, min(len(opened), _DEEPEST) + 1):
                if opened[-depth][0] == kind:
                    close(opened[-depth][1], position + 1, kind in _CLOSING_QUOTES)
                    del opened[-depth:]
                    break
        elif character == "\n":
            opened.clear()
        elif position in straight and spans[position] is None:
            close(position, straight[position] + 1, quote=True)
    return spans


def _match_end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
