"""The rules that all notes in docs/derivations keep: length, numbering, what GitHub renders, the list of evidence."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.helpers.tiny import ROOT

NOTES = sorted((ROOT / "docs" / "derivations").glob("0*.md"))
FENCED = re.compile(r"^```math\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
INLINE = re.compile(r"\$([^$\n]+)\$")
ROW = re.compile(r"^\| \((\d+)\) \| (定义|测试|证明|引用) \| (.*) \|$", re.MULTILINE)
TEST = re.compile(r"`(test_\w+)`")
# Markdown takes these for its own before the formula is read, or GitHub's MathJax refuses them.
BREAKS_INLINE = (r"\{", r"\}", r"\,", r"\;", r"\!", r"\:", r"\\", r"\|", "}_", ")_", "]_", "'_", "*", "<", ">", "|")
REFUSED = (r"\operatorname", r"\newcommand", r"\def", r"\bm{", r"\label", r"\ref", r"\eqref", "<")


@pytest.fixture(params=NOTES, ids=lambda path: path.stem)
def note(request) -> Path:
    return request.param


def text_of(note: Path) -> str:
    return note.read_text(encoding="utf-8")


def prose_of(note: Path) -> list[str]:
    """The lines outside of fences and code."""
    return CODE.sub("", ANY_FENCE.sub("", text_of(note))).split("\n")


def evidence(note: Path) -> list[tuple[int, str, str]]:
    """(number, kind, evidence) of each row in the list at the end."""
    listed = text_of(note).split("\n## 公式清单\n")[1]
    return [(int(number), kind, rest) for number, kind, rest in ROW.findall(listed)]


def names_of_tests(note: Path) -> set[str]:
    path = ROOT / "tests" / "derivations" / f"test_{note.stem[:2]}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_all_the_notes_are_there():
    assert [note.stem[:2] for note in NOTES] == [f"{number:02d}" for number in range(1, 9)]


def test_a_note_is_long_enough(note):
    assert len(text_of(note).splitlines()) >= 300


def test_formulas_are_numbered_without_gaps(note):
    tags = [int(tag) for tag in re.findall(r"\\tag\{(\d+)\}", text_of(note))]
    assert len(tags) >= 25
    assert tags == list(range(1, len(tags) + 1))
    assert all(block.count(r"\tag") <= 1 for block in FENCED.findall(text_of(note)))


def test_displayed_formulas_are_fenced(note):
    text = text_of(note)
    assert "$$" not in text
    assert text.count("\n```math\n") == len(FENCED.findall(text))
    outside = FENCED.sub("", text)
    assert r"\tag" not in outside


def test_formulas_are_whole(note):
    formulas = FENCED.findall(text_of(note)) + [one for line in prose_of(note) for one in INLINE.findall(line)]
    assert len(formulas) > 60
    for formula in formulas:
        bare = formula.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}"), formula
        assert len(re.findall(r"\\left\b", formula)) == len(re.findall(r"\\right\b", formula)), formula
        assert re.findall(r"\\begin\{(\w+)\}", formula) == re.findall(r"\\end\{(\w+)\}", formula)[::-1], formula
        assert not [name for name in REFUSED if name in formula], formula


def test_inline_formulas_render_on_github(note):
    """GitHub wants a space or the start of a line before a formula, and no letter right after it."""
    for line in prose_of(note):
        assert line.count("$") % 2 == 0, line
        for found in INLINE.finditer(line):
            formula = found.group(1)
            before, after = line[: found.start()][-1:], line[found.end() :][:1]
            assert before in ("", " "), line
            assert not after.isalnum(), line
            assert formula == formula.strip(), line
            assert not [mark for mark in BREAKS_INLINE if mark in formula], line


def test_the_list_has_every_formula_once(note):
    tags = [int(tag) for tag in re.findall(r"\\tag\{(\d+)\}", text_of(note))]
    assert [number for number, _, _ in evidence(note)] == tags


def test_the_list_names_the_tests_and_nothing_else(note):
    there, named = names_of_tests(note), set()
    for number, kind, rest in evidence(note):
        names = TEST.findall(rest)
        assert bool(names) == (kind == "测试"), (number, kind)
        assert all(name.startswith(f"test_eq_{number:02d}_") for name in names), (number, names)
        named |= set(names)
    assert named == there


def test_quoted_formulas_and_claims_have_sources(note):
    text = text_of(note)
    body, sources = text.split("\n## 参考文献\n")
    known = set(re.findall(r"^\[(\d+)\] ", sources, re.MULTILINE))
    assert len(known) >= 5
    assert set(re.findall(r"\[(\d+)\]", body)) == known
    assert all(re.search(r"\[\d+\]", rest) for _, kind, rest in evidence(note) if kind == "引用")


def test_there_is_an_abstract_in_english(note):
    abstract = text_of(note).split("\n## Abstract\n")[1].split("\n## ")[0]
    assert len(abstract.split()) >= 80
    assert len(re.findall(r"[\u4e00-\u9fff]", abstract)) < 20
