"""Parser functions and magic words, in the names of MediaWiki's English and Chinese messages.

Most show nothing, or nothing that a dump can tell.
"""

from __future__ import annotations

from functools import lru_cache

from pipeline.characters.script_folding import folded
from pipeline.collect.wikitext.templates.arguments import Arguments
from pipeline.collect.wikitext.templates.measures import grouped

_TITLES = "pagename fullpagename subpagename basepagename 页名 页面名 页面名称 页面全称 完整页面名称"
_TITLE = set(_TITLES.split())
_GROUPED = {"formatnum", "格式化数字"}
_LOWER, _UPPER = {"lc", "小写"}, {"uc", "大写"}
_OTHERS = """
defaultsort defaultsortkey defaultcategorysort displaytitle int ns nse fullurl localurl canonicalurl anchorencode
urlencode padleft padright plural grammar lcfirst ucfirst currentyear currentmonth currentday numberofarticles gender
默认排序 默认排序关键字 默认分类排序 显示标题
"""
_NAMES = _TITLE | _GROUPED | _LOWER | _UPPER | set(_OTHERS.split()) | {"!"}


@lru_cache(maxsize=50_000)
def is_function(name: str) -> bool:
    """Whether ``name``, what stands before the colon, is that of a parser function or magic word."""
    return name.startswith("#") or folded(name.strip()) in _NAMES


def call_function(name: str, subject: str, arguments: Arguments, title: str) -> str:
    """What a parser function or magic word shows in running text.

    ``subject`` is what follows the colon; ``arguments`` numbers what follows the pipes from 1.
    """
    name = folded(name.strip())
    if name == "#if":
        return arguments.get("1") if subject.strip() else arguments.get("2")
    if name == "#ifeq":
        return arguments.get("2") if subject.strip() == arguments.get("1").strip() else arguments.get("3")
    if name in _GROUPED:
        return grouped(subject.strip())
    if name in _LOWER | _UPPER:
        return subject.lower() if name in _LOWER else subject.upper()
    if name == "!":
        return "|"
    return title if name in _TITLE and not subject else ""
