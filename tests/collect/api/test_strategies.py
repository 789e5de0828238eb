"""How pages are discovered, without a wiki: the topics, the end of a search, the characters that are searched for."""

from pipeline.collect.api import strategies
from pipeline.collect.api.strategies import SEARCH_END, Search, below_floor
from pipeline.collect.api.topics import TOPICS


def test_there_are_59_topics_with_names_of_their_own():
    assert len(TOPICS) == len({topic.name for topic in TOPICS}) == 59
    assert all(topic.searches and topic.categories for topic in TOPICS)


def test_search_stays_below_the_end():
    task = Search().begin()[0]
    for offset, goes_on in ((20, True), (SEARCH_END - 40, True), (SEARCH_END - 20, False)):
        following = Search().follow(task, [], {"gsroffset": offset, "continue": "gsroffset||"})
        assert bool(following) == goes_on
        assert all(task.resume["gsroffset"] == offset and task.resume["continue"] for task in following)


def test_below_floor_begins_with_what_was_never_seen(monkeypatch):
    table = tuple("水鱼中的了一不是人有" + "".join(chr(0x4E80 + number) for number in range(50)))
    monkeypatch.setattr(strategies, "standard_characters", lambda: table)
    monkeypatch.setattr(strategies, "standard_levels", lambda: dict.fromkeys(table, 1))
    counts = {"水": 1, "鱼": 9, "𩽾": 1, "a": 1}
    rare = below_floor(counts, 2)
    assert rare[:2] == ["中", "的"]
    assert rare[-2:] == ["水", "𩽾"]
    assert len(rare) == 60
