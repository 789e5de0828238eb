"""How pages are discovered: by topic in the search and in the category tree, at random, and by rare character.

Each strategy keeps its place as tasks in the store. A task is one request, and every request takes its turn, so that
the topics advance side by side: turn 0 is the first batch of every topic, turn 1 the second, and so on. What a task
leads to (the next batch, subcategories, characters still to search for) are further tasks of later turns. The order of
tasks depends on nothing but the answers, so a fetch that was stopped goes on exactly as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from pipeline.characters.han import is_han
from pipeline.characters.standard_table import standard_characters, standard_levels
from pipeline.collect.api.answers import CATEGORY, Resume, WikiPage
from pipeline.collect.api.store import Store, Task
from pipeline.collect.api.topics import TOPICS

BATCH = 20  # pages a request of a topic brings, small enough that topics stay in balance
RARE_BATCH = 5  # pages for one rare character
RARE_A_TURN = 60  # characters searched for in a turn, about as many as there are topics
RANDOM_TRIES = 20  # draws without a new page after which the wiki is taken to be used up
SEARCH_END = 10_000  # a search's offset and limit together stay below this; the wiki refuses more
RANDOM_TOPIC, RARE_TOPIC = "随机", "生僻字"  # what stands in place of a topic

Params = dict[str, str | int]
Pages = list[WikiPage]


class Strategy(Protocol):
    """One way to discover pages."""

    def begin(self) -> list[Task]:
        """The first tasks."""

    def request(self, task: Task) -> Params | None:
        """What to ask for the task, without its continue object; None when there is nothing to ask any more."""

    def follow(self, task: Task, pages: Pages, resume: Resume | None) -> list[Task]:
        """What comes after a task that brought ``pages``; ``resume`` is the continue object of the next batch."""


def make_strategies(
    names: list[str], store: Store, counts: Mapping[str, int], depth: int, floor: int
) -> dict[str, Strategy]:
    """The strategies ``names``. ``counts`` is a live count of the characters collected so far."""
    makers: dict[str, Callable[[], Strategy]] = {
        "search": Search,
        "category": lambda: Category(store, depth),
        "random": lambda: Random(store),
        "rare": lambda: Rare(store, counts, floor),
    }
    return {name: makers[name]() for name in names}


def _search(words: str, limit: int) -> Params:
    return {"generator": "search", "gsrsearch": words, "gsrnamespace": 0, "gsrwhat": "text", "gsrlimit": limit}


def _next_search(task: Task, resume: Resume | None, limit: int) -> list[Task]:
    """The next batch of a search, where there is one and the wiki would still give it."""
    if resume is None or int(resume.get("gsroffset", 0)) + limit >= SEARCH_END:
        return []
    return [replace(task, turn=task.turn + 1, resume=resume, found=None)]


class Search:
    """Full-text search for the words of every topic."""

    def begin(self) -> list[Task]:
        return [Task("search", topic.name, words, turn=0) for topic in TOPICS for words in topic.searches]

    def request(self, task: Task) -> Params:
        return _search(task.target, BATCH)

    def follow(self, task: Task, pages: Pages, resume: Resume | None) -> list[Task]:  # noqa: ARG002
        return _next_search(task, resume, BATCH)


@dataclass
class Category:
    """A walk through the category tree of every topic, breadth first, ``limit`` levels deep.

    The first task of a topic looks its category up, because a wiki may write the name in the other script; every
    later one takes a batch of members.
    """

    store: Store
    limit: int

    def begin(self) -> list[Task]:
        return [Task("category", topic.name, name, turn=0) for topic in TOPICS for name in topic.categories]

    def request(self, task: Task) -> Params:
        if task.depth == 0:
            return {"titles": f"Category:{task.target}"}
        return {
            "generator": "categorymembers",
            "gcmtitle": f"Category:{task.target}",
            "gcmtype": "page|subcat",
            "gcmlimit": BATCH,
        }

    def follow(self, task: Task, pages: Pages, resume: Resume | None) -> list[Task]:
        names = [(page.title or "").partition(":")[2] for page in pages if page.ns == CATEGORY]
        turn = max(task.turn, self.store.last_turn("category", task.topic)) + 1
        tasks = []
        if resume is not None:
            tasks.append(replace(task, turn=turn, resume=resume, found=None))
        if task.depth < self.limit:
            known = self.store.targets_of("category", below=1)
            tasks += [
                Task("category", task.topic, name, turn + len(tasks) + number, task.depth + 1)
                for number, name in enumerate(name for name in names if name not in known)
            ]
        return tasks


@dataclass
class Random:
    """Pages as the wiki draws them; the draw is in the store, so a stopped fetch keeps it.

    It ends when ``RANDOM_TRIES`` draws in a row bring nothing new; ``depth`` of a task counts them.
    """

    store: Store

    def begin(self) -> list[Task]:
        return [Task("random", RANDOM_TOPIC, "", turn=0)]

    def request(self, task: Task) -> Params:  # noqa: ARG002
        return {"generator": "random", "grnnamespace": 0, "grnlimit": BATCH}

    def follow(self, task: Task, pages: Pages, resume: Resume | None) -> list[Task]:
        known = all(self.store.in_frontier(pageid) for pageid, _ in articles(pages))
        misses = task.depth + 1 if known else 0
        if misses == RANDOM_TRIES:
            return []
        return [replace(task, turn=task.turn + 1, depth=misses, resume=resume, found=None)]


@dataclass
class Rare:
    """A search for each character that is still below the floor.

    A task without a target chooses the characters of the next turn: first those of the standard table that were never
    seen, then those of the table seen too seldom, then other characters seen too seldom; within each, as the table has
    them. A character that has reached the floor meanwhile is asked for no more.
    """

    store: Store
    counts: Mapping[str, int]
    floor: int

    def begin(self) -> list[Task]:
        return [Task("rare", RARE_TOPIC, "", turn=0)]

    def request(self, task: Task) -> Params | None:
        if not task.target or self.counts.get(task.target, 0) >= self.floor:
            return None
        return _search(f'"{task.target}"', RARE_BATCH)

    def follow(self, task: Task, pages: Pages, resume: Resume | None) -> list[Task]:  # noqa: ARG002
        if task.target:
            return _next_search(task, resume, RARE_BATCH)
        tried = self.store.targets_of("rare")
        chosen = [character for character in below_floor(self.counts, self.floor) if character not in tried]
        turn = task.turn + 1
        tasks = [Task("rare", RARE_TOPIC, character, turn) for character in chosen[:RARE_A_TURN]]
        return [*tasks, replace(task, turn=turn)] if tasks else []


def articles(pages: Pages) -> list[tuple[int, str]]:
    """Page id and title of those that may have text; not of categories and of pages that only tell meanings apart."""
    return [
        (page.pageid, page.title)
        for page in pages
        if page.pageid and page.title and page.ns == 0 and not page.missing and not page.disambiguation
    ]


def below_floor(counts: Mapping[str, int], floor: int) -> list[str]:
    """The characters of the standard table, and the others that were seen, that occur fewer than ``floor`` times."""
    standard = standard_levels()
    table = [character for character in standard_characters() if counts.get(character, 0) < floor]
    others = [character for character, count in counts.items() if count < floor and character not in standard]
    others = [character for character in others if is_han(character)]
    return sorted(table, key=lambda character: counts.get(character, 0) > 0) + sorted(others)
