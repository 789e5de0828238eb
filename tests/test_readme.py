"""README.md: short, the same in both languages, its links whole, its measured numbers those of the files they are from.

The parts between markers are held by tests/study/test_pages.py, the commands by tests/stages/test_readme_commands.py.
"""

import re
import subprocess

import pytest

from study.pages import BLOCK
from tests.helpers.tiny import ROOT

CHINESE, ENGLISH = (
    part for part in (ROOT / "README.md").read_text(encoding="utf-8").split("\n---\n\n") if part.startswith("## ")
)
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
# What is said in Chinese and in English, the file that says so, and how it says it there.
MEASURED = [
    ("2 分 40 秒", "2 min 40 s", "docs/LOG.md", "training 2 min 40 s"),
    ("41.97 % 与 42.75 %", "41.97 % and 42.75 %", "docs/TRAINING.md", "41.97 % and 42.75 %"),
    ("约 78 分钟", "about 78 minutes", "docs/DATASET.md", "78 minutes"),
    ("22.5 小时", "22.5 hours", "docs/CLAIMS.md", "22.5 h"),
    ("RTX 3070", "RTX 3070", "docs/CLAIMS.md", "RTX 3070"),
    ("71 分钟", "71 minutes", "docs/TRAINING.md", "71 minutes on one thread"),
    ("50 个检查点约 11 分钟", "about 11 minutes for 50 checkpoints", "docs/LOG.md",
     "all 50 checkpoints of the 100K run takes about 11 minutes"),
    ("Python 3.10 以上（测试要 3.11 以上）", "Python 3.10 or newer (3.11 for the tests)", "Makefile",
     "newer (the stages run on 3.10)"),
    ("BY-SA 4.0", "BY-SA 4.0", "README.md", "licenses/by-sa/4.0"),
]  # fmt: skip


def sections(text):
    """The texts under the headings of one language, in their order, the one before the first heading too."""
    return re.split(r"\n### ", text)


def own_words(text):
    """A text without its measured parts, code, links, and the digits of names and exit codes."""
    text = BLOCK.sub("", text)
    text = re.sub("GPT-2|退出码 1|exit code 1", "", text)
    text = re.sub(r"(?m)^    .*$", "", text)
    return re.sub(r"`[^`]*`|\]\([^)]*\)|<[^>]*>", "", text)


def test_each_language_has_at_most_180_lines():
    for text in (CHINESE, ENGLISH):
        assert 80 < len(text.splitlines()) <= 180


def test_both_languages_have_the_same_sections_with_the_same_numbers():
    assert len(sections(CHINESE)) == len(sections(ENGLISH)) > 8
    for chinese, english in zip(sections(CHINESE), sections(ENGLISH), strict=True):
        assert sorted(NUMBER.findall(chinese)) == sorted(NUMBER.findall(english)), english.splitlines()[0]


@pytest.mark.parametrize(("chinese", "english", "path", "quoted"), MEASURED)
def test_a_measured_number_stands_in_the_file_that_it_is_from(chinese, english, path, quoted):
    assert chinese in own_words(CHINESE)
    assert english in own_words(ENGLISH)
    assert quoted in " ".join((ROOT / path).read_text(encoding="utf-8").split())
    assert set(NUMBER.findall(english)) & set(NUMBER.findall(quoted))


def test_no_other_number_is_typed_by_hand():
    for text, language in ((CHINESE, 0), (ENGLISH, 1)):
        said = own_words(text)
        for row in MEASURED:
            said = said.replace(row[language], "")
        assert not NUMBER.findall(said)


def test_the_plain_commands_are_those_of_make_study():
    """But for the judging of the dataset, whose thresholds would fill a screen."""
    planned = subprocess.run(
        ["make", "-n", "study", "PY=python"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    steps = re.findall(r"^python (\w+\.py .*)$", planned.replace("\\\n", " "), re.MULTILINE)
    expected = [" ".join(step.split()) for step in steps if "verify_dataset.py" not in step]
    assert len(expected) == 5
    for text in (CHINESE, ENGLISH):
        plain = text.split("<details>")[1].split("</details>")[0]
        assert re.findall(r"^    python (\w+\.py .*)$", plain, re.MULTILINE) == expected


def anchors(path):
    """The anchors of the headings of a Markdown file, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ["README.md", "results/README.md", "docs/TEACHING.md"])
def test_links_and_pictures_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", text)
    found = [link or picture for link, picture in targets if not (link or picture).startswith("http")]
    for target in found:
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target
    assert page == "results/README.md" or len(found) > 5
