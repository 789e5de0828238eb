"""The measured parts of the pages are what the committed files give today, in both languages."""

import pytest

from pipeline.stage import InputError
from study import findings, pages
from study.words import main_findings


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.relative_to(pages.ROOT).as_posix())
def test_the_page_holds_what_the_committed_files_give(page):
    held = page.read_text(encoding="utf-8")
    names = pages.BLOCK.findall(held)
    assert [name for name, _ in names] == {
        "README.md": [
            *("quickstart", "headline zh", "findings zh", "probe zh"),
            *("quickstart", "headline en", "findings en", "probe en"),
        ],
        "results/README.md": ["tables", "words"],
        "docs/TRAINING.md": ["small zh", "small en"],
    }[page.relative_to(pages.ROOT).as_posix()]
    assert held == pages.written(page)


def test_a_part_that_nothing_makes_is_refused(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("<!-- tables -->\n<!-- end -->\n<!-- moods -->\n<!-- end -->\n", encoding="utf-8")
    with pytest.raises(InputError, match="a part called moods"):
        pages.written(page)


def test_the_sentences_state_numbers_of_the_tables():
    budgets = dict(findings.budgets())
    _, english = main_findings.budgets().text
    assert f"has {budgets['12,500'][3]}, {budgets['25,000'][3]} and {budgets['50,000'][3]} when it passes" in english
    assert f"ends at {budgets['100,000'][0]}." in english
    rarest = dict(findings.groups())["第 1 组 · tenth 1"]
    chinese, _ = main_findings.rare_characters().text
    assert f"到第 {findings.steps_along()[-1]:,} 步的 {rarest[5]}，频次基线（左右邻字）是 {rarest[6]}" in chinese


def test_the_findings_have_their_pictures():
    for finding in main_findings.main_findings():
        for suffix in (".png", ".zh.png"):
            assert (pages.RESULTS / f"{finding.picture}{suffix}").exists()
        assert all(finding.shows)
