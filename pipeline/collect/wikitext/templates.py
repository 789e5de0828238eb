"""Which templates carry text, and what they show: everything else in ``{{…}}`` leaves a page without a trace.

A dump does not hold what a template expands to, and to expand them all takes the whole wiki and its Lua modules. Of the
templates in running text a few dozen stand for words of the sentence. The table names them, in lower case; ``*`` stands
for any ending. To the right is what is shown: ``{2}`` is the second argument, ``{text|2}`` the named one or else the
second.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_TEXT = """
words in another language, or a link to another Wikipedia until there is a Chinese article
    lang                                            -> {2|text}
    lang-en                                         -> 英语：{1|text}
    lang-ja                                         -> 日语：{1|text}
    lang-ko                                         -> 韩语：{1|text}
    lang-fr                                         -> 法语：{1|text}
    lang-de                                         -> 德语：{1|text}
    lang-ru                                         -> 俄语：{1|text}
    lang-la                                         -> 拉丁语：{1|text}
    lang-es                                         -> 西班牙语：{1|text}
    lang-it                                         -> 意大利语：{1|text}
    lang-pt                                         -> 葡萄牙语：{1|text}
    lang-el                                         -> 希腊语：{1|text}
    lang-ar                                         -> 阿拉伯语：{1|text}
    lang-vi                                         -> 越南语：{1|text}
    lang-*                                          -> {1|text}
    transl                                          -> {3|2}
    le, link-*, internal link helper/*              -> {3|1}
    tsl, translink                                  -> {4|3|2}
    link-interwiki                                  -> {zh_text|zh}
    lj, ipa                                         -> {1}
    jpn                                             -> {j}
    audio                                           -> {2}
typography
    nowrap, nobr, small, smaller, larger, big       -> {1}
    b, i, u, s, em, strong, sup, sub, abbr, tooltip -> {1}
    red, blue, green, gray, grey, ruby, linktext    -> {1}
    着重号, 着重號, 专名号, 專名號, 书名号, 書名號  -> {1}
    visible anchor, vanchor, sic, not a typo        -> {1}
    color, colour, fontcolor                        -> {2}
    font color                                      -> {3|2}
a character that few fonts have, with a description of its shape
    僻字, 造字, !                                   -> {1}
dates, numbers, names, quotations
    bd                                              -> （{1}{2}－{3}{4}）
    convert, cvt                                    -> {1}{2}
    frac, sfrac                                     -> {1}/{2}
    val, nts, formatnum                             -> {1}
    us$, nt$, hk$, rmb, cny, usd, twd, hkd, jpy     -> {1}
    flag, flagcountry                               -> {1}
    quote, blockquote, quotation                    -> {1|text}
punctuation
    nbsp, spaces                                    -> \N{NO-BREAK SPACE}
    =                                               -> =
    ·                                               -> \N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}
    ndash                                           -> –
begin and end of a part that plain-text extracts leave out, because it is a <div> or a table
    div col, divcol, colbegin, refbegin, reflisth   -> <div>
    div col end, divcolend, colend, refend, reflistf -> </div>
    hidden begin, scroll box, columns-start         -> <div>
    hidden end, columns-end                         -> </div>
    col-begin, multicol                             -> <table>
    col-end, multicol-end                           -> </table>
"""

_FIELD = re.compile(r"\{([^{}]+)\}")
_PREFIX = re.compile(r"(?:template|模板|t|样板|樣板):", re.IGNORECASE)

Argument = Callable[[str], str]


def _read_table(table: str) -> dict[str, str]:
    rows = (line.split(" -> ") for line in table.split("\n") if " -> " in line)
    return {name.strip(): form for names, form in rows for name in names.split(",")}


_FORMS = _read_table(_TEXT)
_FAMILIES = {name.removesuffix("*"): form for name, form in _FORMS.items() if name.endswith("*")}


def form_of(name: str) -> str | None:
    """The form of the template called ``name``, or None where it carries no text."""
    name = " ".join(_PREFIX.sub("", name, count=1).replace("_", " ").split()).lower()
    if name in _FORMS:
        return _FORMS[name]
    return next((form for start, form in _FAMILIES.items() if name.startswith(start)), None)


def fill(form: str, argument: Argument) -> str:
    """``form`` with its fields filled. ``argument`` gives an argument's text by its name or number, "" for none."""
    return _FIELD.sub(lambda found: next(filter(None, map(argument, found[1].split("|"))), ""), form)


def is_function(name: str) -> bool:
    """Whether ``name`` is that of a parser function or magic word."""
    return name.startswith("#") or name.strip().lower() in _MAGIC_WORDS


def call_function(name: str, subject: str, argument: Argument, title: str) -> str:
    """What a parser function or magic word shows in running text; most show nothing, or nothing that a dump can tell.

    ``subject`` is what follows the colon; ``argument`` numbers what follows the pipes from 1.
    """
    name = name.strip().lower()
    if name == "#if":
        return argument("1") if subject.strip() else argument("2")
    if name == "#ifeq":
        return argument("2") if subject.strip() == argument("1").strip() else argument("3")
    if name == "formatnum":
        return _grouped(subject.strip())
    if name in ("lc", "uc"):
        return subject.lower() if name == "lc" else subject.upper()
    if name == "!":
        return "|"
    return title if name in _TITLE_WORDS and not subject else ""


_TITLE_WORDS = {"pagename", "fullpagename", "subpagename", "basepagename"}
_SHOWING_WORDS = {"!", "formatnum", "lc", "uc"}
_OTHER_WORDS = """
defaultsort displaytitle int ns fullurl localurl anchorencode urlencode padleft padright plural grammar lcfirst ucfirst
currentyear currentmonth currentday numberofarticles gender
"""
_MAGIC_WORDS = _TITLE_WORDS | _SHOWING_WORDS | set(_OTHER_WORDS.split())


def _grouped(number: str) -> str:
    """``number`` with commas between groups of three digits, as ``{{formatnum:}}`` shows it in Chinese."""
    whole, dot, rest = number.partition(".")
    return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", whole) + dot + rest if len(whole) < 40 else number
