"""The measured parts of the pages, written anew from the files in results/.

    python study/pages.py

What stands between ``<!-- name -->`` and ``<!-- end -->`` in ``PAGES`` is made here; tests/study/test_pages.py holds
them to it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.files import atomic
from pipeline.report.console.summary import summary, summary_words
from pipeline.stage import InputError, run_stage
from study import findings
from study.runs import RESULTS
from study.tables.committed import history
from study.tables.small_along import small_along
from study.words.finding import analysis
from study.words.further_findings import further_findings
from study.words.main_findings import headline, main_findings
from study.words.probed import probed

ROOT = RESULTS.parent
PAGES = (ROOT / "README.md", RESULTS / "README.md", ROOT / "docs" / "TRAINING.md")
BLOCK = re.compile(r"<!-- (?!end )([a-z -]+) -->\n(.*?)<!-- end -->", re.DOTALL)
LANGUAGES = ("zh", "en")


def main() -> int:
    for page in PAGES:
        atomic.write_text(page, written(page))
    return 0


def written(page: Path) -> str:
    """The text of ``page`` with its measured parts as the files in results/ give them.

    Raises:
        InputError: the page has a part that nothing here makes.
    """
    made = parts()

    def part(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in made:
            raise InputError(f"{page}: has a part called {name}; the known ones are {', '.join(made)}")
        return "\n".join([f"<!-- {name} -->", "", *made[name], "", "<!-- end -->"])

    return BLOCK.sub(part, page.read_text(encoding="utf-8"))


def parts() -> dict[str, list[str]]:
    """The lines of every measured part, by its name."""
    made = {"tables": findings.page(), "quickstart": quickstart(), "words": words()}
    for language, code in enumerate(LANGUAGES):
        made[f"headline {code}"] = [headline()[language]]
        made[f"findings {code}"] = shown(language)
        made[f"small {code}"] = small_along(language)
        made[f"probe {code}"] = [probed()[language]]
    return made


def quickstart() -> list[str]:
    """What `make study` prints at its end, but for the names of the figures."""
    run = history("quickstart")
    _, *rows, _ = summary(run, analysis("quickstart"), [], summary_words("en")).splitlines()
    return [f"    {row}" for row in rows]


def shown(language: int) -> list[str]:
    """The findings of the README of the project, each with its picture."""
    lines = []
    suffix = ".zh.png" if LANGUAGES[language] == "zh" else ".png"
    for finding in main_findings():
        drawn = f'<img src="results/{finding.picture}{suffix}" alt="{finding.shows[language]}" width="640">'
        lines += [f"#### {finding.title[language]}", "", finding.text[language], "", drawn, ""]
    return lines[:-1]


def words() -> list[str]:
    """All findings, a paragraph a language."""
    lines = []
    for finding in [*main_findings(), *further_findings()]:
        (chinese, english), (title, heading) = finding.text, finding.title
        lines += [f"**{title if title == heading else f'{title} · {heading}'}**", "", chinese, "", english, ""]
    return lines[:-1]


if __name__ == "__main__":
    run_stage(main)
