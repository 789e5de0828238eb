"""Which templates carry text, and what they show: everything else in ``{{…}}`` leaves a page without a trace.

A dump does not hold what a template expands to, and to expand them all takes the whole wiki and its Lua modules. Of the
templates in running text a few hundred names stand for words of the sentence; ``forms.txt`` beside this module
lists them and says how it is read. Names are compared as MediaWiki does and, beyond that, in either script.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

from pipeline.characters.script_folding import folded
from pipeline.collect.wikitext.languages import languages
from pipeline.collect.wikitext.tags import LEFT_OUT_BEGIN, LEFT_OUT_END
from pipeline.collect.wikitext.templates.arguments import Arguments
from pipeline.collect.wikitext.templates.computed import FUNCTIONS

TABLE = Path(__file__).with_name("forms.txt")

Form = Callable[[Arguments, str], str]

_PREFIX = re.compile(r"\s*(?:(?:safe)?subst:\s*)?:?(?:(?:template|模板|样板|樣板|t)\s*:)?", re.IGNORECASE)
# What the names of templates have in common that end what another one began.
_END = re.compile(
    r"end(?!note)[ -]?\w.*|.*[ -](?:end|bottom)|(?:div)?col(?:umns)?end|(?:ref|hidden|stack)end|cob|reflistf"
    r"|.*(?:结束|[表框栏]尾)"
)
_GROUP_OR_FIELD = re.compile(r"\[([^\[\]]*)\]|\{([^{}|][^{}]*)\}")


def template_name(text: str) -> str:
    """A template's name as the table has it: without namespace, blanks made one, lower case, simplified."""
    return folded(" ".join(_PREFIX.sub("", text.replace("_", " "), count=1).split()))


@lru_cache(maxsize=50_000)
def shown_by(text: str) -> tuple[Form, str] | None:
    """What the template called ``text`` shows, and its name as the table has it; None where it carries no text."""
    name = template_name(text)
    exact, families = _table()
    form = exact.get(name) or next((form for start, form in families if name.startswith(start)), None)
    if form is None and _short_link(name) in languages():
        form = exact["le"]  # as {{le|…}}, for another language
    if form is None and _END.fullmatch(name):
        form = _form(LEFT_OUT_END)
    return None if form is None else (form, name)


def _short_link(name: str) -> str:
    """The language in names like ``lpt``, ``lth`` and ``pt-link``; "" in others."""
    code, link, rest = name.partition("-link")
    return code if link and not rest else name[1:] if len(name) == 3 and name[0] == "l" else ""


@cache
def _table() -> tuple[dict[str, Form], list[tuple[str, Form]]]:
    """The forms of names, and those of families, by what their names begin with."""
    exact: dict[str, Form] = {}
    families: list[tuple[str, Form]] = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        names, arrow, shown = line.partition("->")
        if line.startswith("#") or not arrow:
            continue
        form = _form(html.unescape(shown.strip()).replace("<div>", LEFT_OUT_BEGIN))
        for name in (name.strip() for name in names.split(" | ")):
            if name.endswith("*") and name != "*":
                families.append((name[:-1], form))
            else:
                exact[name] = form
    return exact, families


def _form(shown: str) -> Form:
    if shown.startswith("= "):
        return FUNCTIONS[shown[2:]]
    parts: list[str | tuple[str, ...] | Form] = []  # literal text, names of a field, an optional group
    position = 0
    for match in _GROUP_OR_FIELD.finditer(shown):
        parts.append(shown[position : match.start()])
        parts.append(_group(_form(match[1]), match[1]) if match[1] is not None else tuple(match[2].split("|")))
        position = match.end()
    parts.append(shown[position:])
    parts = [part for part in parts if part]

    def fill(arguments: Arguments, name: str) -> str:
        texts = []
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
            else:
                texts.append(arguments.get(*part) if isinstance(part, tuple) else part(arguments, name))
        return "".join(texts)

    return fill


def _group(form: Form, shown: str) -> Form:
    """``form``, shown only where one of its fields has text."""
    fields = [name for field in _GROUP_OR_FIELD.findall(shown) for name in field[1].split("|")]
    return lambda arguments, name: form(arguments, name) if arguments.get(*fields) else ""
