"""The SQLite store of a fetch: everything that an API run has got, and everything that it needs to go on.

A run is killed and started again without losing or repeating anything because every answer of the wiki is committed,
in one transaction, before the next one is acted upon:

    tasks     requests that discover pages, in the order of ``turn`` and ``number``, each with its continue token
    frontier  the pages to fetch, in the order in which they were discovered; ``outcome`` is NULL until it is known
    pages     the text of those that were fetched, by their position in the frontier
    meta      what was asked for (wiki, variant, targets), the counters and when it finished; values are JSON

Little beside the standard library is imported here, so that ``progress`` answers in a blink.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipeline.collect.api.answers import Resume, WikiPage, dump_pages, read_pages
from pipeline.stage import InputError

FORMAT = 1
DEFAULT_STORE = Path("data/fetch_store.sqlite")
RECENT = 100  # pages that "now" is taken over

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY,
    turn INTEGER NOT NULL,
    strategy TEXT NOT NULL,
    topic TEXT NOT NULL,
    target TEXT NOT NULL,
    depth INTEGER NOT NULL,
    resume TEXT NOT NULL,
    found TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX tasks_waiting ON tasks (turn, number) WHERE done = 0;
CREATE TABLE frontier (
    position INTEGER PRIMARY KEY,
    pageid INTEGER NOT NULL UNIQUE,
    title TEXT NOT NULL,
    topic TEXT NOT NULL,
    strategy TEXT NOT NULL,
    outcome TEXT
);
CREATE INDEX frontier_waiting ON frontier (position) WHERE outcome IS NULL;
CREATE TABLE pages (
    position INTEGER PRIMARY KEY REFERENCES frontier,
    pageid INTEGER NOT NULL UNIQUE,
    revid INTEGER NOT NULL,
    title TEXT NOT NULL,
    topic TEXT NOT NULL,
    url TEXT NOT NULL,
    fetched TEXT NOT NULL,
    text TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Task:
    """A request that discovers pages. ``target`` is what is searched for, or the category that is walked.

    ``resume`` is the wiki's whole continue object, ``{}`` at the beginning; ``found`` are the pages of a batch that is
    not complete yet.
    """

    strategy: str
    topic: str
    target: str
    turn: int
    depth: int = 0
    resume: Resume | None = None
    found: list[WikiPage] | None = None
    number: int = 0  # given by the store


@dataclass(frozen=True)
class Entry:
    """A page of the frontier."""

    position: int
    pageid: int
    title: str
    topic: str


@dataclass(frozen=True)
class Page:
    """A page as it was fetched. ``fetched`` is an ISO time in UTC, ``text`` the plain text of the wiki's extract."""

    pageid: int
    revid: int
    title: str
    topic: str
    url: str
    fetched: str
    text: str


@dataclass(frozen=True)
class FetchProgress:
    """How far a fetch is, as its store says. Times are ISO, in UTC; None is "not known" or "not yet"."""

    store: str
    api: str
    variant: str
    strategies: list[str]
    pages: int  # stored
    pending: int  # discovered, not yet fetched
    passed_over: int  # discovered, but without text, gone, or a repeat of another page
    sentences: int  # that would enter the dataset
    target_sentences: int | None
    distinct_han: int
    target_vocab: int | None
    requests: int  # answered or not, over all runs
    retries: int  # of these, repeats after an error or a request to wait
    pages_per_minute: float | None  # over the last 100 pages, pauses included
    started: str
    updated: str | None  # when the last page was stored
    finished: str | None  # when both targets were met or nothing was left to fetch
    reason: str | None  # "targets met" or "nothing left to fetch", with finished


def progress(path: Path) -> FetchProgress:
    """Read the progress of the fetch whose store is ``path``, without disturbing it.

    Raises:
        InputError: the file is missing or not a store of this program.
    """
    if not path.is_file():
        raise InputError(f"{path}: not found; rare_char_fetch.py --source api makes a store")
    with closing(_connect(path, "ro")) as database, _checked(path):
        meta = _read_meta(database, path)
        [(pages, updated)] = database.execute("SELECT count(*), max(fetched) FROM pages")
        [(pending, known)] = database.execute("SELECT count(*) - count(outcome), count(*) FROM frontier")
        times = [
            datetime.fromisoformat(time)
            for (time,) in database.execute("SELECT fetched FROM pages ORDER BY position DESC LIMIT ?", (RECENT,))
        ]
    seconds = (times[0] - times[-1]).total_seconds() if times else 0.0
    return FetchProgress(
        store=str(path),
        api=meta["api"],
        variant=meta["variant"],
        strategies=meta.get("strategies", []),
        pages=pages,
        pending=pending,
        passed_over=known - pending - pages,
        sentences=meta.get("sentences", 0),
        target_sentences=meta.get("target_sentences"),
        distinct_han=meta.get("distinct_han", 0),
        target_vocab=meta.get("target_vocab"),
        requests=meta.get("requests", 0),
        retries=meta.get("retries", 0),
        pages_per_minute=60 * (len(times) - 1) / seconds if seconds > 0 else None,
        started=meta["started"],
        updated=updated,
        finished=meta.get("finished"),
        reason=meta.get("reason"),
    )


class Store:
    """The store of a running fetch. One process writes it at a time; readers may look at any moment."""

    def __init__(self, path: Path, api: str, variant: str) -> None:
        """Open the store, or make it.

        Raises:
            InputError: the file is not a store, belongs to another wiki or variant, or another process is writing it.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(path)
        self._database = _connect(path, "rwc")
        try:
            self._open(api, variant)
        except BaseException:
            self.close()
            raise

    def _open(self, api: str, variant: str) -> None:
        path = self._path
        with _checked(path):
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            if not self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                with self.transaction():
                    for statement in _SCHEMA.split(";"):
                        self._database.execute(statement)
                    self.put(format=FORMAT, api=api, variant=variant, started=now())
            meta = _read_meta(self._database, path)
        for name, asked in (("api", api), ("variant", variant)):
            if meta[name] != asked:
                raise InputError(f"{path}: belongs to --{name} {meta[name]}, not {asked}; name another --store")

    def close(self) -> None:
        self._database.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is done inside is kept, or nothing."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def get(self, key: str, default: Any = None) -> Any:
        row = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def put(self, **values: Any) -> None:
        rows = [(key, _dump(value)) for key, value in values.items()]
        self._database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def add_tasks(self, tasks: Iterable[Task]) -> None:
        """Put ``tasks`` at the end of their turns."""
        self._database.executemany(
            "INSERT INTO tasks (turn, strategy, topic, target, depth, resume, found) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(t.turn, t.strategy, t.topic, t.target, t.depth, _dump(t.resume), dump_pages(t.found)) for t in tasks],
        )

    def next_task(self, strategies: Iterable[str]) -> Task | None:
        """The first task of ``strategies`` that is not done; a half-read batch comes before anything else."""
        names = list(strategies)
        row = self._database.execute(
            "SELECT strategy, topic, target, turn, depth, resume, found, number FROM tasks WHERE done = 0 AND strategy "
            f"IN ({','.join('?' * len(names))}) ORDER BY found = 'null', turn, number LIMIT 1",
            names,
        ).fetchone()
        if row is None:
            return None
        strategy, topic, target, turn, depth, resume, found, number = row
        return Task(strategy, topic, target, turn, depth, json.loads(resume), read_pages(found), number)

    def keep_half_batch(self, task: Task, resume: Resume, found: list[WikiPage]) -> None:
        """Note how far a batch is read: the continue object to send next and the pages so far."""
        self._database.execute(
            "UPDATE tasks SET resume = ?, found = ? WHERE number = ?", (_dump(resume), dump_pages(found), task.number)
        )

    def finish_task(self, task: Task) -> None:
        self._database.execute("UPDATE tasks SET done = 1, found = 'null' WHERE number = ?", (task.number,))

    def has_tasks(self, strategy: str) -> bool:
        """Whether the strategy has begun."""
        return self._database.execute("SELECT 1 FROM tasks WHERE strategy = ?", (strategy,)).fetchone() is not None

    def targets_of(self, strategy: str, below: int = 0) -> set[str]:
        """Everything that has been a task of ``strategy`` at depth ``below`` or deeper, done or waiting."""
        query = "SELECT DISTINCT target FROM tasks WHERE strategy = ? AND depth >= ?"
        return {target for (target,) in self._database.execute(query, (strategy, below))}

    def last_turn(self, strategy: str, topic: str) -> int:
        query = "SELECT coalesce(max(turn), -1) FROM tasks WHERE strategy = ? AND topic = ?"
        return int(self._database.execute(query, (strategy, topic)).fetchone()[0])

    def add_to_frontier(self, found: Iterable[tuple[int, str]], topic: str, strategy: str) -> None:
        """Append the pages (page id and title) that are not known yet."""
        self._database.executemany(
            "INSERT INTO frontier (pageid, title, topic, strategy) VALUES (?, ?, ?, ?) ON CONFLICT (pageid) DO NOTHING",
            [(pageid, title, topic, strategy) for pageid, title in found],
        )

    def in_frontier(self, pageid: int) -> bool:
        return self._database.execute("SELECT 1 FROM frontier WHERE pageid = ?", (pageid,)).fetchone() is not None

    def waiting(self) -> list[Entry]:
        """The pages still to fetch, in order."""
        rows = self._database.execute(
            "SELECT position, pageid, title, topic FROM frontier WHERE outcome IS NULL ORDER BY position"
        )
        return [Entry(*row) for row in rows]

    def has_page(self, pageid: int) -> bool:
        return self._database.execute("SELECT 1 FROM pages WHERE pageid = ?", (pageid,)).fetchone() is not None

    def settle(self, entry: Entry, outcome: str, page: Page | None = None) -> None:
        """Note what became of a frontier page, with its text where it has one."""
        self._database.execute("UPDATE frontier SET outcome = ? WHERE position = ?", (outcome, entry.position))
        if page is not None:
            self._database.execute(
                "INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (entry.position, page.pageid, page.revid, page.title, page.topic, page.url, page.fetched, page.text),
            )

    def pages(self) -> Iterator[Page]:
        """Every stored page, in the order of the frontier."""
        rows = self._database.execute(
            "SELECT pageid, revid, title, topic, url, fetched, text FROM pages ORDER BY position"
        )
        for row in rows:
            yield Page(*row)


def now() -> str:
    """The time as the store writes it: ISO, in UTC, to the millisecond."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)


def _lock(path: Path) -> sqlite3.Connection:
    """Hold a lock beside the store until the process ends, however it ends; SQLite's locks work on every system."""
    lock = sqlite3.connect(path.with_name(f"{path.name}.lock"), timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        raise InputError(f"{path}: another process is fetching into this store; wait for it or stop it") from None
    return lock


@contextmanager
def _checked(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path}: cannot be used as a store ({error}); name another --store") from None


def _read_meta(database: sqlite3.Connection, path: Path) -> dict[str, Any]:
    meta = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM meta")}
    if meta.get("format") != FORMAT:
        raise InputError(f"{path}: is a store of format {meta.get('format')}, not {FORMAT}; name another --store")
    return meta
