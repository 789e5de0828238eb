"""docs/TEACHING.md: commands that the scripts take, the same in both languages with the same numbers; and README's."""

import argparse
import re
import runpy
import shlex
import sys

import pytest

from tests.helpers.tiny import ROOT

PAGES = ("README.md", "docs/TEACHING.md")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
ASIDE = re.compile(r"[\u4e00-\u9fff][,;:?!(]|[)][\u4e00-\u9fff]")  # punctuation of half width beside a Han character


def languages(page):
    """The Chinese and the English part of a page."""
    return re.split(r"\n---\n\n(?=## English)", (ROOT / page).read_text(encoding="utf-8"))


def sections(text):
    return re.split(r"\n### ", text)


def commands(text):
    """The commands of a text that run a script, without the leading ``python``."""
    return re.findall(r"(?:^    |`)python (\w+\.py[^`\n]*)", text, re.MULTILINE)


ALL = sorted({command for page in PAGES for command in commands((ROOT / page).read_text(encoding="utf-8"))})


class Parsed(Exception):
    """A script's arguments were understood."""


def take(command, monkeypatch):
    """Start the script of ``command`` as a user would, and stop it when it has understood its arguments."""
    parse = argparse.ArgumentParser.parse_args

    def stop(self, *args):
        parse(self, *args)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    script, *arguments = shlex.split(command, comments=True)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    runpy.run_path(str(ROOT / script), run_name="__main__")


@pytest.mark.parametrize("command", ALL)
def test_the_script_takes_the_command(command, monkeypatch):
    with pytest.raises(Parsed):
        take(command, monkeypatch)


def test_a_command_with_an_unknown_option_is_noticed(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        take("check_progress.py --histories a.json", monkeypatch)
    assert "unrecognized arguments: --histories" in capsys.readouterr().err


def test_both_languages_have_the_same_exercises():
    chinese, english = map(sections, languages("docs/TEACHING.md"))
    assert len(chinese) == len(english) == 8  # the introduction, the preparation, five exercises, how to read
    for mine, theirs in zip(chinese, english, strict=True):
        assert commands(mine) == commands(theirs)
        assert sorted(NUMBER.findall(mine)) == sorted(NUMBER.findall(theirs)), theirs.splitlines()[0]


def test_every_exercise_is_whole():
    parts = (
        ("**目标**", "**会看到**", "**讨论**", "**可能出的问题**"),
        ("**Goal**", "**Expect**", "**Discuss**", "**What may go wrong**"),
    )
    for text, named in zip(languages("docs/TEACHING.md"), parts, strict=True):
        for exercise in sections(text)[2:7]:
            assert commands(exercise)
            assert all(exercise.count(part) == 1 for part in named), exercise[:40]
            assert exercise.count("<details>") == exercise.count("</details>") >= 2


def values_of(options, names):
    """The values that follow the options called ``names``, up to the next option of each."""
    found = set()
    for place, option in enumerate(options):
        if option in names:
            following = options[place + 1 :]
            end = next((n for n, value in enumerate(following) if value.startswith("--")), len(following))
            found |= set(following[:end])
    return found


def test_what_a_command_reads_was_written_by_one_before_it():
    for text in languages("docs/TEACHING.md"):
        written = set()
        for command in commands(text):
            script, *options = shlex.split(command)
            trains = script == "train_large_100k.py"
            reads = values_of(options, {"--dataset", "--analysis"} | (set() if trains else {"--history"}))
            assert reads <= written, command
            written |= values_of(options, {"--output"} | ({"--history"} if trains else set()))


@pytest.mark.parametrize("page", PAGES)
def test_chinese_punctuation_has_full_width(page):
    chinese, _ = languages(page)
    said = re.sub(r"`[^`]*`|\]\([^)]*\)|<[^>]*>|(?m:^    .*$)", "", chinese)
    assert not ASIDE.findall(said)
