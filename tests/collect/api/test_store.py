"""The store: one writer, any number of readers, and what is refused."""

import sqlite3
import subprocess
import sys
import time

import pytest

from pipeline.collect.api.store import Page, Store, Task, progress
from pipeline.stage import InputError
from tests.helpers.tiny import ROOT


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "store.sqlite"


def page(pageid, fetched):
    return Page(pageid, 1, "题", "鱼类", "http://x/", fetched, "文。")


def add_and_break(store):
    with store.transaction():
        store.add_to_frontier([(5, "甲")], "鱼类", "search")
        raise ZeroDivisionError


def test_progress_while_a_fetch_writes(path):
    store = Store(path, "http://x/api.php", "zh")
    with store.transaction():
        store.put(strategies=["search"], target_sentences=10, target_vocab=20)
        store.add_to_frontier([(5, "甲"), (6, "乙"), (7, "丙"), (5, "甲")], "鱼类", "search")
    first, second, _ = store.waiting()
    with store.transaction():
        store.settle(first, "stored", page(5, "2026-01-01T00:00:00.000+00:00"))
        store.put(sentences=3, distinct_han=4, requests=5, retries=1)
    with store.transaction():
        store.settle(second, "stored", page(6, "2026-01-01T00:00:30.000+00:00"))
    facts = progress(path)
    assert (facts.pages, facts.pending, facts.passed_over, facts.sentences, facts.distinct_han) == (2, 1, 0, 3, 4)
    assert (facts.target_sentences, facts.target_vocab, facts.requests, facts.retries) == (10, 20, 5, 1)
    assert facts.pages_per_minute == pytest.approx(2)
    assert (facts.updated, facts.finished, facts.reason) == ("2026-01-01T00:00:30.000+00:00", None, None)
    store.close()
    assert progress(path) == facts


def test_what_is_not_committed_is_not_there(path):
    store = Store(path, "http://x/api.php", "zh")
    with pytest.raises(ZeroDivisionError):
        add_and_break(store)
    assert store.waiting() == []
    store.close()


def test_tasks_take_their_turns_and_a_half_read_batch_comes_first(path):
    store = Store(path, "http://x/api.php", "zh")
    with store.transaction():
        store.add_tasks([Task("search", "甲", "甲", 1), Task("search", "乙", "乙", 0), Task("rare", "", "丙", 0)])
        store.add_tasks([Task("search", "丁", "丁", 0)])
    order = []
    half = True
    while task := store.next_task(["search"]):
        order.append(task.target)
        with store.transaction():
            if task.target == "丁" and half:
                store.keep_half_batch(task, {"a": 1}, [])
                store.add_tasks([Task("search", "戊", "戊", -1)])
                half = False
            else:
                store.finish_task(task)
    assert order == ["乙", "丁", "丁", "戊", "甲"]
    assert store.next_task(["rare"]).target == "丙"
    store.close()


def test_another_wiki_or_variant_is_refused(path):
    Store(path, "http://x/api.php", "zh").close()
    with pytest.raises(InputError, match=r"--api http://x/api\.php, not http://y"):
        Store(path, "http://y/api.php", "zh")
    with pytest.raises(InputError, match="--variant zh, not zh-cn"):
        Store(path, "http://x/api.php", "zh-cn")
    Store(path, "http://x/api.php", "zh").close()


def test_a_second_writer_is_refused_until_the_first_is_gone(path):
    code = f"""
import sys, time
from pathlib import Path
from pipeline.collect.api.store import Store
store = Store(Path({str(path)!r}), "http://x/api.php", "zh")
print("open", flush=True)
time.sleep(60)
"""
    other = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "open\n"
    with pytest.raises(InputError, match="another process"):
        Store(path, "http://x/api.php", "zh")
    other.kill()
    other.wait()
    Store(path, "http://x/api.php", "zh").close()


def test_files_that_are_no_store(path, tmp_path):
    with pytest.raises(InputError, match="not found"):
        progress(path)
    path.parent.mkdir()
    path.write_text("not a database, but long enough to be taken for one by its size alone")
    for use in (progress, lambda path: Store(path, "http://x/api.php", "zh")):
        with pytest.raises(InputError, match="cannot be used as a store"):
            use(path)
    assert path.read_text().startswith("not a database")
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE t (x)")
    with pytest.raises(InputError, match="cannot be used as a store"):
        progress(other)


def test_progress_answers_in_a_blink():
    heavy = {"requests", "tqdm", "numpy", "torch"}
    code = f"import sys; import pipeline.collect.api.store; print(sorted({heavy!r} & set(sys.modules)))"
    began = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    assert time.perf_counter() - began < 20
