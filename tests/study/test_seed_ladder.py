"""The ladder of the seed predictor: floors and baselines computed in other ways too, and a quick climb."""

import itertools
import json
import sys

import numpy as np
import pytest

from pipeline.predictor import engine
from study.seed import ladder
from study.seed.baselines import AdaptiveKneserNey
from study.seed.expectations import composition, explained
from study.seed.grid_world import SLIP, count_table, exact_filter, walk
from study.seed.rungs import label_scores, softmax, stream_of_digits
from study.seed.scaling import BLOCKS, ablation, data_slope, slope_of_sizes
from study.seed.sequences import SOURCES, depths


def made(name, size=3000, seed=7):
    return SOURCES[name](np.random.default_rng(seed), size)


@pytest.mark.parametrize("name", SOURCES)
def test_every_symbol_has_a_floor(name):
    sequence = made(name)
    assert len(sequence.data) == len(sequence.floor) == 3000
    assert np.isfinite(sequence.floor).all()
    assert (sequence.floor >= 0).all()
    assert made(name, seed=8).data != sequence.data


def test_a_copied_word_costs_its_letters_and_its_length():
    sequence, place = made("copies"), 0
    for line in sequence.data.split(b"\n")[:-1]:
        word, again = line.split(b"|")
        assert word == again
        paid = sequence.floor[place : place + len(line) + 1].sum()
        assert paid == pytest.approx(3 * len(word) + np.log2(25))
        place += len(line) + 1


def test_equal_runs_cost_their_length():
    sequence, place = made("a^n b^n"), 0
    runs = [len(list(run)) for _, run in itertools.groupby(sequence.data)]
    for n, same in zip(runs[:-2:2], runs[1:-2:2], strict=False):
        assert n == same
        assert sequence.floor[place : place + 2 * n].sum() == pytest.approx(np.log2(20))
        place += 2 * n


def test_brackets_nest():
    data, opened = made("brackets").data, []
    for symbol in data.decode():
        if symbol in "([{":
            opened.append(symbol)
        else:
            assert opened.pop() + symbol in ("()", "[]", "{}")
    assert depths(data)[-1] == len(opened)


def test_the_markov_floor_is_the_entropy_rate():
    sequence = made("markov", 40_000)
    table = np.random.default_rng(7).dirichlet(np.full(4, 0.5), size=(4, 4, 4))
    follows = np.zeros((64, 64))
    for a, b, c, d in itertools.product(range(4), repeat=4):
        follows[16 * a + 4 * b + c, 16 * b + 4 * c + d] = table[a, b, c, d]
    often = np.linalg.matrix_power(follows, 4096)[0]
    rate = -(often[:, None] * follows * np.log2(np.maximum(follows, 1e-300))).sum()
    assert sequence.floor.mean() == pytest.approx(rate, rel=0.02)


def test_the_exact_filter_is_the_sum_over_all_ways():
    steps = walk(np.random.default_rng(3), 4)
    total = 0.0
    for start in range(len(steps.looks)):
        ways = {start: 1 / len(steps.looks)}
        for action, window in zip(steps.actions, steps.windows, strict=True):
            onward: dict[int, float] = {}
            for cell, p in ways.items():
                for direction in range(4):
                    share = SLIP / 4 + (1 - SLIP) * (direction == action)
                    end = int(steps.leads[cell, direction])
                    if steps.looks[end] == window:
                        onward[end] = onward.get(end, 0.0) + p * share
            ways = onward
        total += sum(ways.values())
    assert 2 ** -exact_filter(steps).sum() == pytest.approx(total)


def test_where_the_walker_follows_the_wind_more_steps_go_as_meant():
    meant = [exact_filter(walk(np.random.default_rng(3), 4000, follows, slip=0.5), slip=0.5) for follows in (0.9, 0.25)]
    assert meant[0].mean() < meant[1].mean()


def test_the_table_counts_what_followed():
    steps = walk(np.random.default_rng(3), 300)
    kinds, seen = steps.looks.max() + 1, {}
    bits = count_table(steps, 1)
    for place in range(1, 300):
        key = (steps.windows[place - 1], steps.actions[place])
        row = seen.setdefault(key, [])
        share = (row.count(steps.windows[place]) + 1 / 8) / (len(row) + kinds / 8)
        assert bits[place] == pytest.approx(-np.log2(share))
        row.append(steps.windows[place])


@pytest.mark.parametrize("order", [0, 1, 3])
def test_kneser_ney_shares_out_one(order):
    model = AdaptiveKneserNey(order)
    model.bits("abracadabra, a banana and a cabana; " * 2)
    past = "a ban"[-order:] if order else ""
    shares = [2 ** -model._charge(past, character) for character in "abrcdn,; "]
    new = 2 ** -(model._charge(past, "z") - 16)
    assert sum(shares) + new == pytest.approx(1)


def test_kneser_ney_learns():
    model = AdaptiveKneserNey(3)
    first = model.bits("天地玄黄，宇宙洪荒。" * 5)
    assert model.bits("天地玄黄，宇宙洪荒。" * 5) < first / 3
    assert model.escapes == pytest.approx(9 * 16, abs=60)


def test_digits_are_letters_and_a_label():
    images = np.arange(128).reshape(2, 64) % 17
    data = stream_of_digits(images, np.array([3, 9]))
    assert len(data) == 2 * 66
    assert data[:4] == b"aaaa"
    assert (data[16:17], data[64:66], data[-2:]) == (b"e", b"=3", b"=9")
    assert stream_of_digits(images, np.array([3, 9]), with_image=False) == b"=3=9"


def test_the_softmax_learns_what_can_be_told_apart():
    random = np.random.default_rng(1)
    labels = random.integers(0, 10, 600)
    images = random.integers(0, 4, (600, 64)).astype(float)
    images[np.arange(600), labels] = 16
    found = softmax(images, labels)
    assert found["bits_second_half"] < 0.7 < 2 < softmax(random.permutation(images), labels)["bits_second_half"]
    assert label_scores(np.array([4.0, 0, 0, 0]), np.array([False, True, True, True]))["accuracy"] == 0.75


def test_a_probe_explains_what_is_linear_and_nothing_else():
    random = np.random.default_rng(1)
    states = random.normal(size=(900, 6))
    assert explained(states, states @ random.normal(size=(6, 2))) > 0.99
    assert abs(explained(states, random.normal(size=(900, 1)))) < 0.1


def test_held_out_pairs_are_not_trained_on():
    found = composition(3000)
    assert found["trained_pairs"] < found["held_out_pairs"]


def test_the_slope_of_sizes_is_that_of_the_line_and_its_range_that_of_the_parts():
    random, doublings = np.random.default_rng(1), np.array([0.0, 1.0, 3.0])
    noise = random.normal(0, 1, (3, BLOCKS * 40))
    found = slope_of_sizes(doublings, 2.0 - 0.5 * doublings[:, None] + noise)
    low, high = found["range"]
    assert low < -0.5 < high
    assert found["slope_per_doubling"] == pytest.approx((low + high) / 2)
    error = 1 / np.sqrt(noise.shape[1] * ((doublings - doublings.mean()) ** 2).sum())
    assert high - low == pytest.approx(2 * 2.01 * error, rel=0.35)


def test_a_learning_curve_on_a_line_has_no_range():
    places = np.arange(1, 1025)
    found = data_slope(5.0 - 0.25 * np.ceil(np.log2(places)))
    assert found["ends"] == [16, 32, 64, 128, 256, 512, 1024]
    assert found["slope_per_doubling"] == pytest.approx(-0.25)
    assert found["range"] == pytest.approx([-0.25, -0.25])


def test_an_ablation_charges_what_is_named():
    data = b"0a1b" * 50
    found = ablation({"all": (data, slice(None)), "letters": (data, slice(1, None, 2))}, ("state",))
    assert found["whole"]["all"] != found["whole"]["letters"]
    assert set(found["state"]) == {"all", "letters"}


def test_a_quick_climb(tmp_path, monkeypatch, capsys):
    """The floors hold, and nothing is measured twice."""
    output = tmp_path / "ladder.json"
    command = ["ladder.py", "--quick", "--output", str(output), "--rungs", "sequences"]
    monkeypatch.setattr(sys, "argv", [*command, "grid"])
    assert ladder.main() == 0
    found = json.loads(output.read_text(encoding="utf-8"))
    for name, row in found["sequences"].items():
        if name != "measured":
            assert -0.02 < row["regret"] < (2.5 if engine.NAME.startswith("python") else 1.2), name
    ends = found["grid"]["last_tenth"]
    assert ends["exact filter"] < ends["learner"] < 3
    before = output.read_bytes()
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", command)
    assert ladder.main() == 0
    assert output.read_bytes() == before
    assert "sequences ..." not in capsys.readouterr().out
