"""What a wiki answers, read from its JSON: pages with the properties that were asked for, and where to go on.

An answer may give some properties of a page and leave the rest to the next answer, so every property of a page may be
None: not said yet. This is the only place that knows how the API names things.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from pipeline.collect.article import whole

Resume = dict[str, str | int]  # a continue object: opaque, sent back whole

CATEGORY = 14  # number of the namespace


@dataclass(frozen=True)
class WikiPage:
    """A page as one answer or several describe it.

    ``pageid`` is negative for a page that lacks an id: a category may have members without a page of its own.
    """

    pageid: int | None = None
    ns: int | None = None
    title: str | None = None
    index: int | None = None  # place in the results of a search
    missing: bool | None = None
    disambiguation: bool | None = None
    revid: int | None = None
    url: str | None = None
    extract: str | None = None

    def joined(self, later: WikiPage) -> WikiPage:
        """This page with what a later answer says of it."""
        said = {name: value for name in _NAMES if (value := getattr(later, name)) is not None}
        return WikiPage(**{name: getattr(self, name) for name in _NAMES} | said)


_NAMES = tuple(field.name for field in fields(WikiPage))
_KEYS = {name: name for name in _NAMES if name != "disambiguation"} | {"revid": "lastrevid", "url": "canonicalurl"}


@dataclass(frozen=True)
class Site:
    """What a wiki says of itself; "" where it says nothing."""

    source: str  # host, else name
    license: str
    software: str


@dataclass(frozen=True)
class Answer:
    """An answer to a query. ``complete``: the pages have all properties; ``resume``: more can be asked for."""

    complete: bool
    resume: Resume | None = None
    pages: tuple[WikiPage, ...] = ()
    site: Site | None = None


def answer_of_json(value: dict[str, Any]) -> Answer:
    """Read an answer.

    Raises:
        ValueError: the answer is not in the form that the API documents.
    """
    resume = _take(value, "continue", dict)
    query = _take(value, "query", dict) or {}
    pages = tuple(page_of_json(page) for page in _take(query, "pages", list) or [])
    site = _site(query) if "general" in query else None
    return Answer(bool(value.get("batchcomplete")), resume, pages, site)


def page_of_json(value: object) -> WikiPage:
    """Read a page.

    Raises:
        ValueError: a property is not of the type that the API documents.
    """
    if not isinstance(value, dict):
        raise ValueError(f"a page is {type(value).__name__}, not an object")
    properties = _take(value, "pageprops", dict)
    return WikiPage(
        pageid=_take(value, "pageid", int),
        ns=_take(value, "ns", int),
        title=_text(value, "title"),
        index=_take(value, "index", int),
        missing=_take(value, "missing", bool),
        disambiguation=None if properties is None else "disambiguation" in properties,
        revid=_take(value, "lastrevid", int),
        url=_text(value, "canonicalurl"),
        extract=_text(value, "extract"),
    )


def dump_pages(pages: list[WikiPage] | None) -> str:
    """Pages as JSON text in the API's own form, ``null`` for None."""
    return json.dumps(None if pages is None else list(map(_page_to_json, pages)), ensure_ascii=False)


def read_pages(text: str) -> list[WikiPage] | None:
    """What ``dump_pages`` wrote."""
    pages = json.loads(text)
    return None if pages is None else list(map(page_of_json, pages))


def _page_to_json(page: WikiPage) -> dict[str, Any]:
    plain = {key: getattr(page, name) for name, key in _KEYS.items() if getattr(page, name) is not None}
    return plain | ({"pageprops": {"disambiguation": ""}} if page.disambiguation else {})


def merge_pages(pages: dict[int, WikiPage], answer: Answer) -> None:
    """Add an answer's pages, and further properties of pages that an earlier part of the batch had."""
    for page in answer.pages:
        if page.pageid is not None:
            known = pages.get(page.pageid)
            pages[page.pageid] = known.joined(page) if known else page
        elif page.ns == CATEGORY:
            number = -len(pages) - 1
            pages[number] = WikiPage(pageid=number).joined(page)


def _site(query: Mapping[str, Any]) -> Site:
    general, rights = _take(query, "general", dict) or {}, _take(query, "rightsinfo", dict) or {}
    return Site(
        source=whole(urlsplit(_text(general, "base") or "").hostname or _text(general, "sitename") or ""),
        license=_text(rights, "text") or _text(rights, "url") or "",
        software=_text(general, "generator") or "",
    )


def _text(value: Mapping[str, Any], key: str) -> str | None:
    text = _take(value, key, str)
    return None if text is None else whole(text)


def _take(value: Mapping[str, Any], key: str, kind: type) -> Any:
    """``value[key]``, which must be of ``kind`` where it is given."""
    found = value.get(key)
    if found is not None and type(found) is not kind:
        raise ValueError(f"{key!r} is {type(found).__name__}, not {kind.__name__}")
    return found
