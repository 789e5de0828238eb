"""The ladder's tables and figure, and the committed results: docs/SEED.md says what was measured."""

import json

import pytest

from study.seed.tables import draw, filled, tables
from tests.helpers.said import numbers_in, says
from tests.helpers.tiny import ROOT

LADDER = ROOT / "results" / "seed" / "ladder.json"
TEXT = ROOT / "docs" / "SEED.md"
FOUND = {
    "sequences": {
        "markov": {"floor": 1.25, "regret": 0.06, "last_tenth": 0.03, "ppmd_regret": None, "parametric_cost": 0.03},
        "measured": {"seconds": 3.0},
    },
    "open": {
        "parts": {"copies": {"together": 1.1, "alone": 1.0}},
        "recovery": {"0-20": 0.5, "20-100": 0.1},
        "bits_per_symbol": 2.2,
        "ppmd_bits_per_symbol": 2.0,
        "interference": 0.04,
        "measured": {},
    },
    "speed": {"symbols_per_cpu_second": 25000.4, "symbols_per_second": 9000.2},
    "books": {
        "红楼梦": {"characters": 90, "learner": 6.1, "xz": 8.0, "bz2": 7.0, "PPMd order 6": 6.5, "Kneser-Ney": 6.6}
    },
    "scaling": {
        name: {
            **{what: {"4": 2.5, "16": 2.4} for what in ("units", "slot_bits", "orders")},
            "slopes": {
                what: {"slope_per_doubling": slope, "range": [-0.06, -0.01]}
                for what, slope in (("units", -0.05), ("slot_bits", -0.03))
            },
            "data": {"ends": [10, 20], "bits": [5.0, 4.0], "slope_per_doubling": -0.2, "range": [-0.3, -0.1]},
        }
        for name in ("chinese", "other")
    },
}


def test_tables_hold_the_numbers():
    made = tables(FOUND)
    assert says(made["sequences"].splitlines()[2], 1.25, 0.06, 0.03, 0.03)
    assert " - |" in made["sequences"]  # PPMd was not there
    assert "+10.0 %" in made["open"]
    assert says(made["open"].splitlines()[-2], 2.2, 2.2 / 1.04, 4)
    assert says(made["open"].splitlines()[-1], 2.0)
    assert says(made["units"].splitlines()[2], 2.5, 2.4, -0.05, -0.06, -0.01)
    assert says(made["speed"].splitlines()[2], 25000, 9000)
    assert says(made["books"].splitlines()[2], 90, 6.1, 8, 7, 6.5, 6.6)
    assert says(made["data"].splitlines()[2], 5, 4, -0.2, -0.3, -0.1)
    assert "measured" not in "".join(made.values())


def test_goals_say_what_was_met():
    said = tables(FOUND)["goals"].splitlines()[2:]
    assert [(row.split(" | ")[0][2:], row.split(" | ")[-1]) for row in said] == [
        ("markov: regret", "yes |"),
        ("open stream below PPMd", "**no** |"),
        ("open stream: interference", "yes |"),
        ("symbols a second of CPU time", "yes |"),
    ]
    assert says(said[0], 0.075, 0.06)
    assert says(said[3], 20_000, 25_000)
    slow = {"speed": {"symbols_per_cpu_second": 19_000.0, "symbols_per_second": 9_000.0}}
    assert "**no**" in tables(slow)["goals"]


def test_a_text_is_filled_where_it_says():
    text = "before\n<!-- sequences -->\nold\n<!-- end -->\nbetween\n<!-- grid -->\nold\n<!-- end -->\nafter\n"
    made = filled(text, FOUND)
    assert made.startswith("before\n<!-- sequences -->\n| ")
    assert made.endswith("between\n<!-- grid -->\n<!-- end -->\nafter\n")
    assert filled(made, FOUND) == made


def test_the_figure_is_a_picture(tmp_path):
    draw(FOUND, tmp_path / "ladder.png")
    assert (tmp_path / "ladder.png").read_bytes().startswith(b"\x89PNG")


def test_the_committed_text_says_what_was_measured():
    found = json.loads(LADDER.read_text(encoding="utf-8"))
    text = TEXT.read_text(encoding="utf-8")
    assert filled(text, found) == text
    assert len(tables(found)) >= 6


def test_the_sentences_say_what_was_measured():
    found = json.loads(LADDER.read_text(encoding="utf-8"))
    expected, switching = found["expectations"], found["sequences"]["switching"]
    new = expected["meta_learning"]
    said = {f"{value:.3f}" for value in (switching["regret"], *switching["regrets"])}
    said |= {f"{-new['slope_per_doubling']:.3f}", f"{new['slope_standard_error']:.3f}"}
    said |= {f"{expected['composition']['held_out_pairs']:.2f}", f"{expected['causes']['penalty']:.2f}"}
    for language in TEXT.read_text(encoding="utf-8").split("\n## English\n"):
        sentences = "\n".join(line for line in language.splitlines() if not line.startswith("|"))
        assert said <= set(numbers_in(sentences))


def test_the_committed_ladder_was_not_a_quick_one():
    found = json.loads(LADDER.read_text(encoding="utf-8"))
    assert not [name for name, rung in found.items() if rung["measured"]["quick"]]
    for name, row in found["sequences"].items():
        if name != "measured":
            assert row["regret"] == pytest.approx(sum(row["regrets"]) / len(row["regrets"]))
            assert row["floor"] >= 0
