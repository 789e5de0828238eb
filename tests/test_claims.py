"""docs/CLAIMS.md: a verdict for every claim, the same in both languages, and the arithmetic of those that are sums."""

import dataclasses
import json
import math
import re
from pathlib import Path

import pytest

from pipeline.model.bert import Bert
from pipeline.train.settings import PRESETS

ROOT = Path(__file__).resolve().parent.parent
CHINESE, ENGLISH = (ROOT / "docs" / "CLAIMS.md").read_text(encoding="utf-8").split("\n---\n")
VERDICTS = {"重现": "reproduced", "更正": "corrected", "得不到": "cannot be had"}
ROW = re.compile(r"^\| ([A-D]\d+) \| (.+) \| (.+) \| (.+) \| `(.+)` \|$", re.MULTILINE)

# The numbers of the sources, by the row that answers them.
CLAIMED = {
    "A1": "0.7869 0.6193 50.53 66.35 8.96 2.97 66.8", "A2": "0.6359 14.50 31.88 11.2 27,368", "A3": "4,728 43.27",
    "A4": "23.8 53.5 248.5 108.0 11.8 11.9", "A5": "15.16 50.00 8.96", "A6": "35.24 50.23 5.12",
    "A7": "48.67 50.45 3.54", "A8": "58.91 50.61 3.21", "A9": "54.44 50.00 2.97", "A10": "10,000 3.5",
    "A11": "0.60 0.15 0.000035 128", "A12": "325,537 59 46.2 10,049 0.00", "A13": "48.40 193", "A14": "3070 22.5",
    "A15": "50", "A17": "3.8 2.0 11.8 8", "B1": "25,547,264 8 512 2048 50,000", "B2": "1.0828 2.95 37.5 26.4 22.0",
    "B3": "104,038,400 6,350", "B5": "2.72 1.08 60.3", "B6": "1,030,091", "B7": "5,500 5 2", "B8": "300 105",
    "B10": "103", "C1": "82 73 755 674", "C2": "6", "C5": "102", "C11": "2.2 3.7 8.2", "C12": "0.3 0.5 0.05 0.15",
    "C13": "20 50",
}  # fmt: skip


def rows(text):
    found = {number: cells for number, *cells in ROW.findall(text)}
    assert len(found) == len(re.findall(r"^\| [A-D]\d+ \|", text, re.MULTILINE))  # no row is of another form
    return found


def numbers(text):
    """The numbers of a text, ordinals of steps and names such as GPT-2 among them."""
    return sorted(re.findall(r"\d[\d,.]*\d|\d", text.replace("e-5", "")))


@pytest.mark.parametrize("number", rows(CHINESE))
def test_both_languages_say_the_same(number):
    chinese, english = rows(CHINESE)[number], rows(ENGLISH)[number]
    assert VERDICTS[chinese[1]] == english[1]
    assert chinese[3] == english[3]
    for mine, theirs in ((chinese[0], english[0]), (chinese[2], english[2])):
        assert numbers(mine) == numbers(theirs)


def test_every_claim_is_there_and_what_shows_it_exists():
    assert list(rows(CHINESE)) == list(rows(ENGLISH))
    for letter, count in {"A": 17, "B": 10, "C": 16, "D": 7}.items():
        assert [number for number in rows(CHINESE) if number[0] == letter] == [
            f"{letter}{place}" for place in range(1, count + 1)
        ]
    for number, (*_, path) in rows(CHINESE).items():
        assert (ROOT / path).exists(), number
        if path == "tests/test_claims.py":
            assert any(name.startswith(f"test_{number.lower()}_") for name in globals()), number


@pytest.mark.parametrize("number", CLAIMED)
def test_every_number_of_the_sources_is_stated(number):
    for claim, *_ in (rows(CHINESE)[number], rows(ENGLISH)[number]):
        assert not set(CLAIMED[number].split()) - set(numbers(claim.replace("–", " ")))


def gain(new, old):
    return round(100 * (new / old - 1), 1)


def parameters(characters):
    shape = dataclasses.replace(PRESETS["paper-100k"], head="linear").shape(characters + 5)
    return sum(parameter.numel() for parameter in Bert(shape).parameters())


def test_a3_parameters_of_the_published_50k_model():
    assert round(parameters(4728) / 1e6, 2) == 42.95


def test_a4_gains_from_its_own_numbers():
    assert (gain(0.7869, 0.6359), gain(0.6193, 0.6359**2)) == (23.7, 53.2)
    assert gain(0.7869**2, 0.6359**2) == 53.1
    assert (gain(50.53, 14.50), gain(66.35, 31.88), gain(48.40, 43.27)) == (248.5, 108.1, 11.9)
    assert round(325_537 / 27_368, 1) == 11.9


def test_a8_accuracies_of_32_pairs_are_multiples_of_a_32nd():
    for held in (43.75, 31.25, 56.25, 50.00):
        assert (held / 100 * 32).is_integer()
    for claimed in (50.23, 50.45, 50.61):
        assert all(round(100 * right / 32, 2) != claimed for right in range(33))


def test_a11_steps_for_sixty_per_cent():
    assert math.floor((0.60 - 0.15) / 0.000035) == 12_857
    assert math.floor((0.60 - 0.15) / 0.0000035) == 128_571


def test_b3_tokens_and_epochs():
    assert 6350 * 16_384 == 6350 * 8 * 4 * 512 == 104_038_400
    assert round(104_038_400 / 527_706_706, 3) == 0.197


def test_b5_losses_of_two_kinds():
    assert gain(1.08, 2.72) == -60.3


def test_b6_sequences():
    assert 527_706_706 // 512 == 1_030_677


def test_b7_tokens_a_second():
    assert 104_038_400 // 18_133 == 5737
    assert 18_133 // 60 == 302  # minutes: 5 hours and 2


def test_b8_sizes_of_files():
    """float32 weights; the eight causal masks of 512 x 512 that such a model keeps as buffers."""
    weights, masks = 4 * 25_547_264, 8 * 512 * 512
    assert 100e6 < weights < weights + masks < 106e6
    assert 300e6 < 3 * weights + masks < 310e6


def test_d7_the_numbers_are_those_of_the_committed_ladder():
    language = json.loads((ROOT / "results" / "seed" / "ladder.json").read_text(encoding="utf-8"))["language"]
    assert f"{language['WikiText-103']['learner']:.3f}" in rows(ENGLISH)["D7"][2]
    assert f"{language['三国演义']['learner']:.3f}" in rows(ENGLISH)["D7"][2]


def test_d6_composition_is_no_better_than_a_guess():
    measured = json.loads((ROOT / "results" / "seed" / "ladder.json").read_text(encoding="utf-8"))
    found = measured["expectations"]["composition"]
    assert any(f"{value:.2f}" == "3.57" for value in found.values() if isinstance(value, float))
    assert round(math.log2(10), 2) == 3.32
