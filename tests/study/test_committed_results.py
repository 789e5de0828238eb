"""The committed analyses, figures and reports are what the committed histories give today; run by make figures-check.

Three measures, each as strict as other machines allow:

- Analyses, and what the figures show (figures.json: the lines, dots, bars and texts of each panel in the units of the
  data), number by number. No font and no library of pixels comes into these, so a list drawn in another's place, a line
  smoothed otherwise or a changed label is a difference, and nothing else is but the last digits of a fit.
- The pictures themselves, so that one left over from before does not pass: their colours averaged over cells of a tenth
  of an inch. Measured on the six figures: of 10,000 cells, at most 4 change by more than CELL_CHANGE where all letters
  are of another typeface or all is shifted by half a millimetre, and 28 or more where one list is drawn in another's
  place. MOST_CELLS lies between.
- The texts of the report pages, word by word, their numbers to the last digit shown.
"""

import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.image import imread

from pipeline.files.history import read_history
from study import runs
from study.plan import PLAN
from tests.helpers.tiny import ROOT, run_script

RESULTS = ROOT / "results"
NUMBER = re.compile(
    r"(?<![\w#.])[-+\N{MINUS SIGN}]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)"
)  # colours and digests are words
RELATIVE = 1e-4  # fits and bootstraps differ in their last digits from one processor to the next
ROUNDED = 4e-4  # figures.json has five digits
SMALL = 1e-9  # p values near zero
CELL = 30  # pixels at 300 dpi
CELL_CHANGE = 0.2  # of the range of a colour
MOST_CELLS = 1e-3  # as a share of all


def differences(path, committed, today, relative=RELATIVE):
    """Where two JSON values differ, by path."""
    if isinstance(committed, dict) and isinstance(today, dict):
        names = [name for name in {**committed, **today} if name != "timestamp"]
        pairs = [(f".{name}", committed.get(name), today.get(name)) for name in names]
        return [d for name, *pair in pairs for d in differences(path + name, *pair, relative)]
    if isinstance(committed, list) and isinstance(today, list) and len(committed) == len(today):
        pairs = enumerate(zip(committed, today, strict=True))
        return [d for place, pair in pairs for d in differences(f"{path}[{place}]", *pair, relative)]
    if isinstance(committed, str) and isinstance(today, str):
        same = same_text(committed, today)
    elif all(type(value) in (int, float) for value in (committed, today)):
        same = math.isclose(committed, today, rel_tol=relative, abs_tol=SMALL)
    else:
        same = committed == today
    return [] if same else [f"{path}: {committed!r} -> {today!r}"]


def same_text(committed, today):
    """The same words, and numbers that differ by one in their last digit at most."""
    found, others = NUMBER.findall(committed), NUMBER.findall(today)
    return NUMBER.split(committed) == NUMBER.split(today) and all(map(same_number, found, others))


def same_number(committed, today):
    decimals = {len(re.sub("e.*", "", number).partition(".")[2]) for number in (committed, today)}
    power = {number.partition("e")[2] for number in (committed, today)}
    if len(decimals) > 1 or len(power) > 1:
        return False
    one, other = (float(number.replace(",", "").replace("\N{MINUS SIGN}", "-")) for number in (committed, today))
    return abs(one - other) <= 1.01 * 10.0 ** (int(power.pop() or 0) - decimals.pop())


class Texts(HTMLParser):
    """The texts of a page in their order, and the names of its figures; the pictures themselves are left out."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found += [f"{tag} {value}" for name, value in attrs if name in ("id", "alt", "class", "lang")]

    def handle_data(self, data):
        self.found += [data.strip()] if data.strip() else []


def changed_cells(committed, today):
    """The share of cells whose mean colour differs; pictures are float [height, width, 3 or more]."""
    if committed.shape != today.shape:
        return 1.0
    before, after = (cells(picture[..., :3]) for picture in (committed, today))
    return float((np.abs(before - after).max(axis=-1) > CELL_CHANGE).mean())


def cells(picture):
    """Mean colours over squares of CELL pixels, float [height / CELL, width / CELL, 3]; odd edges are cut off."""
    rows, columns = (size // CELL for size in picture.shape[:2])
    whole = picture[: rows * CELL, : columns * CELL]
    return whole.reshape(rows, CELL, columns, CELL, 3).mean(axis=(1, 3))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with what make figures gives."""
    folder = tmp_path_factory.mktemp("figures")
    result = subprocess.run(
        ["make", "figures", f"FIGURES={folder}", f"PY={sys.executable}"],
        cwd=ROOT, capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return folder


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.figures
def test_the_analyses_are_what_is_committed(made):
    committed, today = (
        {str(path.relative_to(folder)) for path in folder.rglob("analysis*.json")} for folder in (RESULTS, made)
    )
    assert committed == today
    assert len(committed) == 7
    for name in sorted(committed):
        assert not differences(name, read_json(RESULTS / name), read_json(made / name))


@pytest.mark.figures
def test_the_headline_without_options_has_its_baseline_and_its_numbers(made, tmp_path):
    """As analyze_100k.py is called in a fresh copy."""
    (tmp_path / "results").symlink_to(RESULTS)
    result = run_script("analyze_100k.py", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    name = "analysis_100k_result.json"
    assert not differences(name, read_json(made / name), read_json(tmp_path / "runs" / "committed" / name))


@pytest.mark.figures
def test_the_figures_show_what_is_committed(made):
    committed, today = (read_json(folder / "figures.json") for folder in (RESULTS, made))
    assert not differences("figures", committed, today, ROUNDED)
    assert {f"{name}.png" for name in committed} == english_pictures(RESULTS) == english_pictures(made)


@pytest.mark.figures
def test_the_pictures_look_as_those_that_are_committed(made):
    """The Chinese ones too where a font for them is installed."""
    drawn = sorted(path.name for path in made.glob("*.png"))
    assert len(drawn) >= len(english_pictures(RESULTS))
    changed = {name: changed_cells(*(imread(folder / name) for folder in (RESULTS, made))) for name in drawn}
    assert not {name: share for name, share in changed.items() if share > MOST_CELLS}


@pytest.mark.figures
@pytest.mark.parametrize("name", ["report.html", "report.zh.html"])
def test_the_report_pages_say_what_is_committed(made, name):
    committed, today = (Texts((folder / name).read_text(encoding="utf-8")).found for folder in (RESULTS, made))
    said_without_a_font = [text for text in today if text.startswith("图中文字为英文")]
    if said_without_a_font:  # and then the line of the remark is there with it
        place = today.index(said_without_a_font[0])
        del today[place - 1 : place + 1]
    committed = committed[: committed.index("p guides")]  # those made elsewhere do not have the guides at hand
    assert len(committed) > 100
    assert not [pair for pair in zip(committed, today, strict=True) if not same_text(*pair)]


def english_pictures(folder):
    """Chinese ones take a font that a machine may lack."""
    return {path.name for path in folder.glob("*.png") if ".zh." not in path.name}


def test_every_committed_run_is_of_a_dataset_that_was_verified():
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.rglob("verification_*.json")]
    assert reports
    assert all(report["passed"] for report in reports)
    verified = {report["fingerprint"] for report in reports}
    histories = sorted(RESULTS.rglob("training_history*.json"))
    planned = {runs.history_path(f"study/{each.name}") for each in PLAN}
    assert set(histories) - planned == set(map(runs.history_path, runs.RUNS))
    for path in histories:
        run = read_history(path).run
        assert run["finished"], path
        assert run["dataset"]["fingerprint"] in verified, path


@pytest.mark.parametrize("name", runs.RUNS)
def test_every_run_has_a_folder_that_says_how_it_was_made(name):
    folder = RESULTS / name
    assert (folder / "README.md").read_text(encoding="utf-8") == runs.readme(name)
    assert (folder / "analysis.json").exists() != name.startswith(runs.FIRST_EDITION)
    settings = read_history(runs.history_path(name)).run["config"]
    options = runs.RUNS[name].options.split()
    assert settings["steps"] == int(options[options.index("--steps") + 1])


def test_a_changed_number_is_a_difference():
    value = {"timestamp": "a", "r": 0.5, "fits": [{"p": 1e-80}], "note": "x"}
    assert not differences("a", value, {**value, "timestamp": "b", "r": 0.50001, "fits": [{"p": 3e-80}]})
    assert differences("a", value, {**value, "r": 0.501}) == ["a.r: 0.5 -> 0.501"]
    assert differences("a", value, {**value, "fits": []}) == ["a.fits: [{'p': 1e-80}] -> []"]
    assert differences("a", value, {**value, "note": "y"}) == ["a.note: 'x' -> 'y'"]


def test_a_text_may_differ_in_the_last_digit_of_its_numbers_alone():
    value = {"text": "r = 0.919, 1,000 records, p 1.2e-80"}
    assert not differences("a", value, {"text": "r = 0.920, 1,000 records, p 1.3e-80"})
    assert differences("a", "#9e9676", "#9e9677")
    for other in ("r = 0.921, 1,000 records, p 1.2e-80", "r = 0.92, 1,000 records, p 1.2e-80",
                  "R = 0.919, 1,000 records, p 1.2e-80", "r = 0.919, 1,000 records, p 1.2e-79"):  # fmt: skip
        assert len(differences("a", value, {"text": other})) == 1, other


def test_cells_see_a_moved_line_and_not_a_moved_picture():
    """A white picture of 1,500 x 900 pixels with a dark line as thick as those of the figures."""

    def picture(height, shift=0):
        paper = np.ones((900, 1500, 4))
        paper[height + shift : height + shift + 7, 200 + shift : 1300 + shift, :2] = 0
        return paper

    assert changed_cells(picture(450), picture(450)) == 0
    assert changed_cells(picture(450), picture(450, shift=2)) < MOST_CELLS
    assert changed_cells(picture(450), picture(520)) > 10 * MOST_CELLS
    assert changed_cells(picture(450), picture(450)[:-30]) == 1


def test_texts_of_a_page_are_its_words_and_numbers():
    page = "<html lang='en'><h1>A</h1><figure id='f'><img src='data:x' alt='B'></figure><td class='s'>0.5 %</td></html>"
    assert Texts(page).found == ["html en", "A", "figure f", "img B", "td s", "0.5 %"]
