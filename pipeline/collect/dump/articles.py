"""Articles from MediaWiki XML dumps: pages are read by one process and cleaned by all cores, in order.

The reader stays only a few batches ahead of the slowest cleaner, so memory does not grow with the dump.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from pipeline.collect.api.extracts import extract_paragraphs
from pipeline.collect.article import Article
from pipeline.collect.dump.pages import Page, read_pages
from pipeline.collect.wikitext.disambiguation import is_disambiguation
from pipeline.collect.wikitext.plain_text import is_redirect, plain_text

LICENSE = "Creative Commons Attribution-Share Alike 4.0"  # as Wikipedia's API names it; a dump does not say
_UNQUOTED = ";@$!*(),/~:"  # what MediaWiki leaves as it is in the address of a page
_BATCH = 500_000  # characters of wikitext handed to a process at once
_AHEAD = 3  # batches for each process that wait or are being cleaned


def read_dump(paths: list[Path], variant: str = "zh", processes: int | None = None) -> Iterator[Article]:
    """The articles of dumps, in their order, as text (``wikitext/plain_text.py`` says what ``variant`` does).

    ``processes`` clean pages (default: one for each core; with 1 no other process is started).

    Raises:
        InputError: as ``pages.read_pages``.
    """
    clean = partial(clean_pages, variant=variant)
    processes = processes or _cores()
    batches = _batches(paths)
    if processes == 1:
        for batch in batches:
            yield from clean(batch)
        return
    with multiprocessing.Pool(processes, _leave_signals_to_the_parent) as pool:
        waiting: deque = deque()
        for batch in batches:
            waiting.append(pool.apply_async(clean, (batch,)))
            if len(waiting) > _AHEAD * processes:
                yield from waiting.popleft().get()
        while waiting:
            yield from waiting.popleft().get()


def clean_pages(pages: list[Page], variant: str) -> list[Article]:
    """The article of each page that has text, but not of a redirect or a disambiguation page."""
    articles = []
    for page in pages:
        if is_redirect(page.text) or is_disambiguation(page.text):
            continue
        paragraphs = extract_paragraphs(plain_text(page.text, page.title, variant))
        if paragraphs:
            articles.append(
                Article(
                    title=page.title,
                    paragraphs=paragraphs,
                    source=urlsplit(page.wiki).hostname or "",
                    license=LICENSE,
                    pageid=page.pageid,
                    revid=page.revid,
                    url=page.wiki + quote(page.title.replace(" ", "_"), safe=_UNQUOTED) if page.wiki else "",
                )
            )
    return articles


def _batches(paths: list[Path]) -> Iterator[list[Page]]:
    batch: list[Page] = []
    size = 0
    for path in paths:
        for page in read_pages(path):
            batch.append(page)
            size += len(page.text)
            if size >= _BATCH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _leave_signals_to_the_parent() -> None:
    """The parent alone is asked to end. It ends these processes by SIGTERM; they must not take that as a stage does."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name in ("SIGINT", "SIGHUP"):  # Windows has no SIGHUP
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
