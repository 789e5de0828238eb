"""The parts that figures are built of: labels, colours, letters, words, marks."""

import ast
import io
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.colors import to_rgb

from pipeline.figures import fonts, style
from pipeline.figures import plot_elements as marks
from pipeline.figures.fonts import chinese_font
from pipeline.figures.style import short_step, spread
from pipeline.figures.training_curves import training_curves
from pipeline.report.run_names import run_names
from pipeline.report.words import REPORT, report_words
from pipeline.words import CHINESE, figure_words
from tests.helpers.synthetic import make_history
from tests.helpers.tiny import ROOT


@given(st.lists(st.floats(-100, 100), max_size=12).map(sorted), st.floats(0.01, 10))
def test_labels_are_spread_apart_and_stay_in_order(places, least):
    moved = spread(places, least)
    assert len(moved) == len(places)
    assert all(after - before >= least * (1 - 1e-6) for before, after in pairwise(moved))
    assert sum(moved) == pytest.approx(sum(places), abs=1e-6)  # moved apart around their centre


@pytest.mark.parametrize(("step", "text"), [(40, "40"), (2440, "2,440"), (2500, "2.5K"), (100_000, "100K")])
def test_short_step(step, text):
    assert short_step(step) == text


def linear(colour):
    """Linear-light RGB of an sRGB colour (IEC 61966-2-1)."""
    return np.array([value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
                     for value in to_rgb(colour)])  # fmt: skip


def lightness(colour):
    """CIE L*, which is what a grey print leaves of a colour."""
    luminance = linear(colour) @ np.array([0.2126, 0.7152, 0.0722])
    return 116 * np.cbrt(luminance) - 16


# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(rgb):
    """CIE L*a*b* (D65) of linear RGB."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    x, y, z = np.cbrt(np.maximum(xyz / np.array([0.9505, 1.0, 1.089]), 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("together", style.TOGETHER)
def test_colours_that_share_a_panel_differ_in_grey_and_for_the_colour_blind(together):
    for first, second in combinations(together, 2):
        assert abs(lightness(first) - lightness(second)) > 6, (first, second)
        for name, matrix in BLINDNESS.items():
            seen = [lab(np.array(matrix) @ linear(colour)) for colour in (first, second)]
            assert np.linalg.norm(seen[0] - seen[1]) > 15, (first, second, name)


def test_lines_in_one_panel_are_far_apart_in_grey():
    grey = sorted(map(lightness, (style.TRAINING, style.HAN, style.HELD_OUT, style.RECORDS)))
    assert min(after - before for before, after in pairwise(grey)) > 11


@pytest.mark.parametrize("colour", [style.TRAINING, style.HELD_OUT, style.HAN, style.BEFORE_LINE, style.QUIET])
def test_labels_stand_out_from_the_paper(colour):
    luminance = float(linear(colour) @ np.array([0.2126, 0.7152, 0.0722]))
    assert 1.05 / (luminance + 0.05) > 3.8  # contrast ratio of WCAG 2; 3 is asked of large text and graphics


def test_without_a_chinese_font_there_is_none(monkeypatch):
    only_latin = [font for font in font_manager.fontManager.ttflist if font.name.startswith("DejaVu")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", only_latin)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    assert chinese_font() is None
    assert "apt-get install" in fonts.ADVICE


def test_a_font_installed_since_matplotlib_looked_is_found(monkeypatch):
    """Any font file stands for it: what counts is that a file which is not in the list is read."""
    latin = next(font for font in font_manager.fontManager.ttflist if font.name == "DejaVu Sans Mono")
    rest = [font for font in font_manager.fontManager.ttflist if font.name.startswith("DejaVu Sans") and
            font.fname != latin.fname]  # fmt: skip
    monkeypatch.setattr(font_manager.fontManager, "ttflist", rest)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [latin.fname, str(ROOT / "README.md")])
    monkeypatch.setattr(fonts, "FAMILIES", ("DejaVu Sans Mono",))
    assert chinese_font() == "DejaVu Sans Mono"


def said():
    """Every text that the drawing and the report give to ``say`` as it stands in the source."""
    for folder in ("figures", "report"):
        for path in (ROOT / "pipeline" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(func=ast.Name(id="say"), args=[ast.Constant(value=text), *_]):
                        yield text


def test_everything_said_has_its_chinese_and_nothing_else_has():
    texts = set(said())
    assert len(texts) > 80
    assert not texts - set(CHINESE | REPORT)
    assert not set(CHINESE) & set(REPORT)


def test_the_chinese_takes_the_same_values():
    for english, chinese in (CHINESE | REPORT).items():
        for brace in ("{", "}"):
            assert english.count(brace) == chinese.count(brace), english
    say = report_words("zh")
    assert say("{number:,} records", number=1200) == "1,200 条记录"
    with pytest.raises(KeyError):
        say("a text that nobody translated")


def test_a_hundred_thousand_records_are_thinned_and_their_extremes_kept():
    _, [axes] = style.new_figure(1, 1, 4, 3)
    steps = np.arange(1.0, 100_001)
    values = np.sin(steps / 700)
    values[54_321] = 3.0
    assert marks.dots(axes, steps, values) == 50
    marks.line(axes, steps, values)
    drawn = axes.lines[0].get_ydata()
    assert len(drawn) <= marks.MOST_VERTICES + 2
    assert (drawn.max(), drawn[0], drawn[-1]) == (3.0, values[0], values[-1])
    assert marks.dots(axes, steps[:1000], values[:1000]) == 1


def test_the_same_figure_gives_the_same_bytes_and_names_no_date():
    def draw():
        figure, [axes] = style.new_figure(1, 1, 4, 3)
        marks.dots(axes, np.arange(20.0), np.arange(20.0))
        style.label_ends(axes, [(19.0, 19.0, "label", style.TRAINING)])
        return style.pictures(figure)

    first, second = draw(), draw()
    assert first == second
    assert b"tEXt" not in first["png"]
    assert b"<dc:date>" not in first["svg"]
    assert b"<text" not in first["svg"]  # letters are drawn: no viewer needs the font
    assert b"pHYs" in first["png"]  # 300 dpi, in pixels a metre:
    assert first["png"][first["png"].index(b"pHYs") + 4 :][:4] == (11811).to_bytes(4, "big")
    assert io.BytesIO(first["svg"]).read(5) == b"<?xml"


def test_a_line_of_many_or_of_jumping_records_is_a_thicket():
    noise = np.random.default_rng(1).normal(size=130)
    rising = np.linspace(0, 1, 130)
    assert [marks.is_thicket(values) for values in (noise, noise[:40], noise[:15])] == [True, True, False]
    assert [marks.is_thicket(values) for values in (rising, rising[:40], np.ones(40))] == [True, False, False]
    assert not marks.is_thicket(rising[:100] + 0.02 * noise[:100])


def test_held_out_pairs_that_jump_about_are_drawn_by_their_running_mean():
    history = make_history(60)
    jumping = [0.5 + 0.1 * (-1) ** record for record in range(60)]
    history.records["eval_nsp_acc"] = jumping
    [pairs] = [
        axes for axes in training_curves(history, {}, figure_words("en")).axes if "NSP" in axes.get_title(loc="left")
    ]
    lines = [line.get_ydata() for line in pairs.lines if line.get_linestyle() == "-" and len(line.get_ydata()) == 60]
    assert lines
    assert max(np.abs(np.diff(heights[5:])).max() for heights in lines) < 0.1  # from record to record it would be 0.2


def test_runs_are_named_by_what_tells_them_apart():
    def named(paths, *changes):
        histories = []
        for length, seed, *preset in changes:
            history = make_history(10, total=length)
            history.run |= {"seed": seed, "preset": preset[0] if preset else "small"}
            histories.append(history)
        return run_names([Path(path) for path in paths], histories)

    assert named("ab", (12_500, 42), (100_000, 42)) == ["12.5K", "100K"]
    assert named("ab", (4000, 1), (4000, 2)) == ["seed 1", "seed 2"]
    assert named("ab", (8000, 1, "large"), (8000, 1)) == ["large, 8K", "small, 8K"]
    assert named("abc", (8000, 1, "large"), (8000, 1), (8000, 2)) == [
        "large, seed 1",
        "small, seed 1",
        "small, seed 2",
    ]
    assert named("abc", (4000, 1), (4000, 2), (8000, 1)) == ["4K, seed 1", "4K, seed 2", "8K, seed 1"]
    assert named(["x/h.json", "y/h.json"], (4000, 1), (4000, 1)) == ["x", "y"]
    assert named(["r/x/h.json", "y/h.json", "y/g.json"], *[(4000, 1)] * 3) == ["x/h", "y/h", "y/g"]
    assert len(set(named(["h.json", "h.json"], (4000, 1), (4000, 1)))) == 2


def test_one_record_is_seen_in_every_panel():
    history = make_history(1)
    for axes in training_curves(history, {}, figure_words("en")).axes:
        drawn = [line for line in axes.lines if list(line.get_xdata()) == [40]]
        assert drawn
        assert {line.get_marker() for line in drawn} == {"o"}


@pytest.mark.parametrize("first", [1, 16, 100, 2000])
def test_the_steps_on_a_logarithmic_axis_do_not_run_into_each_other(first):
    figure, panels = style.new_figure(1, 3, 11.5, 5.1)  # panels as narrow as those of the deciles
    for axes in panels:
        axes.plot([first, 40_000], [0, 1])
        style.log_step_axis(axes, first, 40_000, "step")
    figure.draw_without_rendering()
    for axes in panels:
        labels = [label for label in axes.get_xticklabels() if label.get_text()]
        left, right = axes.get_window_extent().intervalx
        boxes = [box for box in (label.get_window_extent() for label in labels) if left <= box.x0 and box.x1 <= right]
        assert len(boxes) >= 3
        assert all(left.x1 + 2 < right.x0 for left, right in pairwise(boxes))
