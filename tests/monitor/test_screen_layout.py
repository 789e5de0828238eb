"""The screen in Chinese, in ASCII, in narrow and in low windows."""

import re
from dataclasses import replace

import pytest

from pipeline.collect.api.store import progress
from pipeline.files.run_record import Resume, note_resume
from pipeline.formatting import columns_of
from pipeline.monitor.disk_need import DiskNeed
from pipeline.monitor.fetch_screen import fetch_screen
from pipeline.monitor.progress import measure
from pipeline.monitor.screen import screen
from pipeline.monitor.words import CHINESE
from pipeline.terminal import Surface
from tests.helpers.synthetic import make_history
from tests.stages.test_progress_screen import fetch_half_way

NOW = 1_000_000.0
DISK = DiskNeed("ck", checkpoints=6, used=4_500_000, needed=9_000_000_000, free=7_000_000_000)
# What stays as it is: names of scores, lists, settings, files, options and units.
PROPER = {
    *("MLM", "NSP", "NaN", "cosine", "linear", "clip", "lr", "h", "json", "trunk", "help", "cat", "MB", "GB", "s"),
    *("loss", "mlm_acc", "eval_mlm_acc", "grad_norm", "seconds", "analyze_100k", "py", "https", "zh", "example", "org"),
    *("w", "api", "php", "sqlite", "e"),
}


def troubled():
    """A stalled branch in which nearly everything is wrong that can be."""
    history = make_history(70, finished=False)
    records = history.records
    records["nsp_acc"], records["nsp_pairs"] = [0.5] * 70, [5000] * 70
    records["loss"][20] += 5
    records["mlm_acc"] = [0.25] * 70
    records["eval_mlm_acc"][40:54] = [0.2] * 14
    records["grad_norm"][5] = float("nan")
    records["seconds"][60:] = [value + 5000 for value in records["seconds"][60:]]
    records["lr"][50:] = [value / 3 for value in records["lr"][50:]]
    records["loss"][55:] = [9.0] * 15
    history.run["branch"] = {"history": "trunk.json", "step": 400, "sha256": ""}
    history.run["changes"] = [{"step": 800, "setting": "clip", "from": 1.0, "to": 0.5}]
    history.path = "h.json"
    return measure(history, NOW - 40_000, NOW, DISK, make_history(100, noise=3))


def plain(records, **run):
    history = make_history(records, finished=False)
    history.run.update(run)
    history.path = "h.json"
    if "resumed" in run:
        history.run["resumed"] = []
        note_resume(history.run, Resume(1200, "2026-01-05T08:00:00+00:00"))
    return measure(history, NOW - 3, NOW, replace(DISK, free=8 * 10**10))


@pytest.fixture
def fetches(tmp_path):
    store = fetch_half_way(tmp_path / "s.sqlite")
    facts = progress(tmp_path / "s.sqlite")
    store.close()
    return [fetch_screen(facts, NOW, language="zh"), fetch_screen(facts, 4e9, language="zh")]


def test_nothing_english_is_left_in_the_chinese_screens(fetches):
    runs = [troubled(), plain(30), plain(30, resumed=True), plain(31, resumed=True), plain(0)]
    shown = [screen(each, language="zh") for each in runs] + fetches
    for text in shown:
        words = set(re.findall(r"[A-Za-z_]+\d*k?", re.sub(r"\S*[/…]\S*", "", text)))
        assert words <= PROPER, words - PROPER
    together = "\n".join(shown)
    for kind in (
        "突升",
        "从不改变",
        "同一个值反复出现",
        "长时间停顿",
        "学习率跳变",
        "发散",
        "停滞：已有 11 小时 06 分",
    ):
        assert kind in together, kind


def test_every_text_has_the_same_values_in_both_languages():
    for english, chinese in CHINESE.items():
        assert sorted(re.findall(r"{.*?}", english)) == sorted(re.findall(r"{.*?}", chinese)), english


@pytest.mark.parametrize("columns", [40, 50, 59, 80])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_line_is_wider_than_the_terminal_and_none_of_the_text_is_lost(columns, language):
    for found in (troubled(), plain(30), plain(30, resumed=True)):
        text = screen(found, Surface(columns), language)
        assert max(map(columns_of, text.split("\n"))) <= columns
        whole = re.sub(r"[▁-█]+|[━╌]+", "", screen(found, Surface(120), language))
        assert sorted(re.sub(r"[▁-█]+|[━╌]+|\s", "", text)) == sorted(re.sub(r"\s", "", whole))


@pytest.mark.parametrize("found", [troubled(), plain(30)], ids=["troubled", "plain"])
@pytest.mark.parametrize("lines", [12, 16, 23, 60])
def test_in_a_low_window_the_head_and_the_warnings_stay(found, lines):
    text = screen(found, Surface(40, lines))
    shown = text.split("\n")
    assert len(shown) <= lines
    assert shown[0].startswith("h.json")
    first = "! stalled" if found.warnings else "healthy     nothing wrong"
    assert first in text
    if "lines more" in text:
        assert "step  " not in text.partition(first)[0]
    whole = screen(found, Surface(40)).split("\n")
    gone = re.search(r"(\d+) lines more", text)
    assert (gone is None) == (len(whole) <= lines)
    if gone:
        mark = next(number for number, line in enumerate(shown) if "lines more" in line)
        assert mark + int(gone[1]) == len(whole)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_block_characters_the_screen_is_ascii(language):
    for found in (troubled(), plain(30)):
        text = screen(found, Surface(80, blocks=False), language)
        assert "##" in text
        assert not set(text) & set("━╌▁▂▃▄▅▆▇█…±")
        assert language == "zh" or text.isascii()
        assert max(map(columns_of, text.split("\n"))) <= 80


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("MLM 1 %   NSP 2 %   lr 3", 16, ["MLM 1 %", "NSP 2 %   lr 3"]),
        ("a/path/that/is/long", 8, ["a/path/t", "hat/is/l", "ong"]),
        ("没有发现问题，记录", 12, ["没有发现问", "题，记录"]),
        ("after 12 s ago", 8, ["after", "12 s ago"]),
    ],
)
def test_lines_are_broken_between_parts_words_or_characters(text, room, lines):
    surface = Surface()
    assert surface._wrapped(text, room) == lines


def test_a_title_keeps_its_state_and_the_end_of_its_path():
    surface = Surface(40)
    assert surface.title("a/long/path/to/the/training_history.json", "running") == [
        "…h/to/the/training_history.json  running"
    ]
    assert surface.title("h.json", "whether it goes on is not recorded") == [
        "h.json",
        "whether it goes on is not recorded",
    ]
