"""Which templates carry text, and what they show: everything else in ``{{…}}`` leaves a page without a trace.

A dump does not hold what a template expands to, and expanding them all would need the whole wiki and its Lua modules. Of
the templates in running text a few dozen stand for words of the sentence; this table names them, in lower case. A form
is text with fields: ``{2}`` is the second argument, ``{text|2}`` the named one or else the second.
"""

from __future__ import annotations

import re
from collections.abc import Callable

TEXT_TEMPLATES = {
    # words in another language, or a link to another language's Wikipedia until there is a Chinese article
    "lang": "{2|text}",
    "transl": "{3|2}",
    "le": "{3|1}",
    "tsl": "{4|3|2}",
    "translink": "{4|3|2}",
    "link-interwiki": "{zh_text|zh}",
    "lj": "{1}",
    "jpn": "{j}",
    "ipa": "{1}",
    "audio": "{2}",
    # typography
    **dict.fromkeys(
        "nowrap nobr small smaller larger big large b i u s em strong sup sub abbr tooltip ruby red blue green gray grey "
        "dotted kaiti vanchor 着重号 着重號 专名号 專名號 书名号 書名號 linktext sic typo val nts formatnum".split(),
        "{1}",
    ),
    **dict.fromkeys("color colour font|color fontcolor".split(), "{2}"),
    "font color": "{3|2}",
    "visible anchor": "{1}",
    "not a typo": "{1}",
    # a character that few fonts have, with a description of its shape
    "僻字": "{1}",
    "造字": "{1}",
    "!": "{1}",
    # dates and numbers
    "bd": "（{1}{2}－{3}{4}）",
    "convert": "{1}{2}",
    "cvt": "{1}{2}",
    "frac": "{1}/{2}",
    "sfrac": "{1}/{2}",
    **dict.fromkeys("us$ nt$ hk$ rmb cny usd twd hkd jpy eur gbp".split(), "{1}"),
    # names and quotations
    "flag": "{1}",
    "flagcountry": "{1}",
    "quote": "{1|text}",
    "blockquote": "{1|text}",
    "quotation": "{1|text}",
    # punctuation
    "nbsp": " ",
    "spaces": " ",
    "=": "=",
    "-": "",
    "·": " · ",
    "•": " • ",
}

# {{lang-en|…}} and its like show the name of the language, then the words.
_LANGUAGES = dict(
    en="英语", ja="日语", ko="韩语", fr="法语", de="德语", ru="俄语", la="拉丁语", es="西班牙语", it="意大利语",
    pt="葡萄牙语", el="希腊语", ar="阿拉伯语", vi="越南语", th="泰语", sa="梵语", nl="荷兰语", pl="波兰语", mn="蒙古语",
)  # fmt: skip
TEXT_TEMPLATES.update({f"lang-{code}": f"{name}：{{1|text}}" for code, name in _LANGUAGES.items()})

# The same for families of templates, by how the name begins.
TEXT_FAMILIES = {"lang-": "{1|text}", "link-": "{3|1}", "internal link helper/": "{3|1}"}

# Templates that begin or end a part that MediaWiki's plain-text extracts leave out, because it is a <div> or a table.
REGIONS = {
    **dict.fromkeys("div col,divcol,colbegin,refbegin,hidden begin,scroll box,columns-start".split(","), "<div>"),
    **dict.fromkeys("div col end,divcolend,colend,refend,hidden end,columns-end".split(","), "</div>"),
    **dict.fromkeys("col-begin,multicol,top".split(","), "<table>"),
    **dict.fromkeys("col-end,multicol-end,bottom".split(","), "</table>"),
}

_FIELD = re.compile(r"\{([^{}]+)\}")
_PREFIX = re.compile(r"(?:template|模板|t|样板|樣板):", re.IGNORECASE)

Argument = Callable[[str], str]


def form_of(name: str) -> str | None:
    """The form of the template called ``name``, or None where it carries no text."""
    name = " ".join(_PREFIX.sub("", name, count=1).replace("_", " ").split()).lower()
    if name in REGIONS:
        return REGIONS[name]
    if name in TEXT_TEMPLATES:
        return TEXT_TEMPLATES[name]
    return next((form for start, form in TEXT_FAMILIES.items() if name.startswith(start)), None)


def fill(form: str, argument: Argument) -> str:
    """``form`` with its fields filled; ``argument`` gives an argument's text by name or number, "" where it is absent."""
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
_MAGIC_WORDS = _TITLE_WORDS | set(
    "! formatnum lc uc defaultsort displaytitle int ns fullurl localurl anchorencode urlencode padleft padright plural "
    "grammar lcfirst ucfirst currentyear currentmonth currentday numberofarticles gender".split()
)


def _grouped(number: str) -> str:
    """``number`` with commas between groups of three digits, as ``{{formatnum:}}`` shows it in Chinese."""
    whole, dot, rest = number.partition(".")
    return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", whole) + dot + rest if len(whole) < 40 else number
