"""Fetch a wiki into the store: discover pages, get their text in the order of discovery, stop when there is enough.

Up to three pages are on their way at once, but they are committed in the order of the frontier, one transaction each,
and the first page that meets both targets is the last one. So what is stored, and what is asked for next, does not
depend on how fast the answers came or on when the program was killed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict

from pipeline.collect.api.answers import Resume, WikiPage, merge_pages
from pipeline.collect.api.client import AT_ONCE, Client
from pipeline.collect.api.extracts import extract_paragraphs
from pipeline.collect.api.html_text import html_text
from pipeline.collect.api.store import Entry, Page, Store, Task, now
from pipeline.collect.api.strategies import Strategy, articles
from pipeline.collect.article import Article
from pipeline.collect.compiler import Compiler
from pipeline.stage import InputError

TARGETS_MET, NOTHING_LEFT = "targets met", "nothing left to fetch"
_TEXT: dict[str, str | int] = {
    "prop": "extracts|info",
    "inprop": "url",
    "exlimit": 1,  # whole texts come one a request
}
_LISTING: dict[str, str | int] = {"prop": "pageprops", "ppprop": "disambiguation"}
_LAST = 1 << 30


class Crawl:
    """A fetch from one wiki. ``compiler`` judges what has come; ``on_page`` is called after every page stored."""

    def __init__(
        self,
        store: Store,
        client: Client,
        compiler: Compiler,
        strategies: dict[str, Strategy],
        on_page: Callable[[], None],
    ) -> None:
        self._store = store
        self._client = client
        self._compiler = compiler
        self._strategies = strategies
        self._on_page = on_page
        self._wiki: dict[str, str] = store.get("wiki", {})
        self._before = (store.get("requests", 0), store.get("retries", 0))

    def run(self) -> str:
        """Go on from where the store is until there is enough, or nothing is left; says which of the two."""
        self._replay()
        reason = TARGETS_MET if self._compiler.enough() else self._fetch()
        if self._store.get("reason") != reason:
            with self._store.transaction():
                self._store.put(reason=reason, finished=now(), **self._counters())
        return reason

    def _replay(self) -> None:
        for page in self._store.pages():
            self._compiler.add(self._article(page))
            if self._compiler.enough():
                return

    def _fetch(self) -> str:
        if not self._wiki:
            self._introduce()
        with self._store.transaction():
            self._store.put(finished=None, reason=None)
            for name, strategy in self._strategies.items():
                if not self._store.has_tasks(name):
                    self._store.add_tasks(strategy.begin())
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            while not self._compiler.enough():
                waiting = self._store.waiting()
                if waiting:
                    self._get_pages(waiting, pool)
                elif task := self._next_task():
                    self._discover(task)
                else:
                    return NOTHING_LEFT
        finally:
            self._client.close()
            pool.shutdown(cancel_futures=True)
        return TARGETS_MET

    def _introduce(self) -> None:
        """Ask the wiki what it is, once; its licence and name go into the dataset."""
        site = self._client.ask(meta="siteinfo", siprop="general|rightsinfo").site
        if site is None:
            raise InputError(f"{self._client.api}: the wiki does not say what it is; is --api right?")
        self._wiki = asdict(site)
        with self._store.transaction():
            self._store.put(wiki=self._wiki)

    def _next_task(self) -> Task | None:
        """The next task: of what still lacks, where only sentences or only characters lack, else of any strategy."""
        (_, sentences, enough_sentences), (_, han, enough_han) = self._compiler.targets()
        wanted = set(self._strategies)
        if enough_sentences is not None and sentences >= enough_sentences:
            wanted &= {"rare"}
        elif enough_han is not None and han >= enough_han:
            wanted -= {"rare"}
        return (self._store.next_task(wanted) if wanted else None) or self._store.next_task(self._strategies)

    def _discover(self, task: Task) -> None:
        strategy = self._strategies[task.strategy]
        params = strategy.request(task)
        pages = {page.pageid: page for page in task.found or [] if page.pageid is not None}
        resume = None
        if params is not None:
            answer = self._client.ask(**params, **_LISTING, **(task.resume or {}))
            merge_pages(pages, answer)
            resume = answer.resume
            if resume is not None and not answer.complete:  # some property of some page is still to come
                with self._store.transaction():
                    self._store.keep_half_batch(task, resume, list(pages.values()))
                return
        listed = sorted(pages.values(), key=lambda page: _LAST if page.index is None else page.index)
        with self._store.transaction():
            self._store.finish_task(task)
            self._store.add_tasks(strategy.follow(task, listed, resume))
            self._store.add_to_frontier(articles(listed), task.topic, task.strategy)
            self._store.put(**self._counters())

    def _get_pages(self, waiting: list[Entry], pool: ThreadPoolExecutor) -> None:
        """Get and commit the pages in order, until all are there or there is enough."""
        upcoming = iter(waiting)
        under_way: deque[tuple[Entry, Future[Page | str]]] = deque()
        while True:
            while len(under_way) < AT_ONCE and (entry := next(upcoming, None)):
                if self._store.has_page(entry.pageid):
                    under_way.append((entry, _known("repeat")))
                else:
                    under_way.append((entry, pool.submit(self._get_page, entry)))
            if not under_way:
                return
            entry, future = under_way.popleft()
            self._commit(entry, future.result())
            if self._compiler.enough():
                return

    def _get_page(self, entry: Entry) -> Page | str:
        """The page with its text, or why there is none."""
        found: dict[int, WikiPage] = {}
        resume: Resume = {}
        while True:
            answer = self._client.ask(pageids=entry.pageid, **_TEXT, **resume)
            merge_pages(found, answer)
            if answer.complete or answer.resume is None:
                break
            if answer.resume == resume:
                raise InputError(f"page {entry.pageid}: the wiki sends the same part of it again and again")
            resume = answer.resume
        if len(found) != 1:
            raise InputError(f"page {entry.pageid}: the wiki answered with {len(found)} pages")
        [page] = found.values()
        if page.missing or page.ns != 0:
            return "missing"
        text = html_text(page.extract or "")
        if not text.strip():
            return "empty"
        if page.pageid is None or page.revid is None or page.title is None:
            raise InputError(f"page {entry.pageid}: the wiki does not say its title or revision; is --api right?")
        return Page(page.pageid, page.revid, page.title, entry.topic, page.url or "", now(), text)

    def _commit(self, entry: Entry, page: Page | str) -> None:
        """Note one page, or why there is none; a page that another title led to already is a repeat."""
        if isinstance(page, Page) and self._store.has_page(page.pageid):
            page = "repeat"
        with self._store.transaction():
            if isinstance(page, str):
                self._store.settle(entry, page)
                return
            self._store.settle(entry, "stored", page)
            self._compiler.add(self._article(page))
            self._store.put(**self._counters())
        self._on_page()

    def _article(self, page: Page) -> Article:
        return Article(
            title=page.title,
            paragraphs=extract_paragraphs(page.text),
            source=self._wiki["source"],
            license=self._wiki["license"],
            domain=page.topic,
            pageid=page.pageid,
            revid=page.revid,
            url=page.url,
        )

    def _counters(self) -> dict[str, int]:
        requests, retries = self._before
        return {
            "requests": requests + self._client.requests,
            "retries": retries + self._client.retries,
            "sentences": len(self._compiler.sentences),
            "distinct_han": self._compiler.han,
        }


def _known(outcome: str) -> Future[Page | str]:
    future: Future[Page | str] = Future()
    future.set_result(outcome)
    return future
