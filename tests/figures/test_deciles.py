"""deciles: accuracy by frequency and by class, held to the file of scores."""

import json
from math import sqrt

import pytest

from tests.helpers.drawn import (
    bars,
    colour,
    draw,
    end_labels,
    line_through,
    lines,
    title,
    whiskers,
    write_inputs,
)
from tests.helpers.said import numbers
from tests.helpers.synthetic import make_history, make_scores


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deciles")
    history = make_history(20)
    scores = make_scores(history.run)
    (folder / "s.json").write_text(json.dumps(scores), encoding="utf-8")
    options = write_inputs(folder, history)
    return scores["validation"], draw(folder / "out", *options, "--scores", folder / "s.json")["deciles"]


def accuracies(section, kind, name):
    return [entry["mlm"][kind][name]["accuracy"] for entry in section["checkpoints"]]


def test_each_decile_is_a_line_along_the_checkpoints(scored):
    section, (axes, *_) = scored
    drawn = [line_through(axes, (2000, 4000), accuracies(section, "by_text_decile", str(number)))
             for number in range(1, 11)]  # fmt: skip
    assert len(lines(axes)) == 10  # what was never seen in training has no accuracy
    assert len({colour(line) for line in drawn}) == 10
    texts = [text for text, _ in end_labels(axes)]
    assert [int(numbers(text)[0]) for text in texts] == list(range(1, 11))  # accuracy rises with the decile here
    assert ("rarest" in texts[0], "commonest" in texts[-1]) == (True, True)


def test_the_bars_are_the_last_checkpoint_with_binomial_whiskers(scored):
    section, (along, axes, _) = scored
    groups = section["checkpoints"][-1]["mlm"]["by_text_decile"]
    assert title(axes).find("4K") > 0
    for number, bar, whisker in zip(range(1, 11), bars(axes), whiskers(axes), strict=True):
        left, right, height, shade = bar
        accuracy, targets = groups[str(number)]["accuracy"], groups[str(number)]["targets"]
        assert ((left + right) / 2, height) == (pytest.approx(number), accuracy)
        error = 1.959964 * sqrt(accuracy * (1 - accuracy) / targets)
        assert whisker == pytest.approx((number, accuracy - error, accuracy + error), abs=1e-5)
        assert shade == colour(line_through(along, (2000, 4000), accuracies(section, "by_text_decile", str(number))))


def test_the_guesses_by_counting_stand_beside_the_bars_under_their_names(scored):
    section, (_, axes, _) = scored
    shapes = {}
    for guess in ("left", "both"):
        known = section["guesses"][guess]["by_text_decile"]
        line = line_through(axes, range(1, 11), [known[str(number)]["accuracy"] for number in range(1, 11)])
        assert guess in line.get_label()
        shapes[guess] = line.get_marker()
    assert shapes["left"] != shapes["both"]
    [legend] = [axes.get_legend()]
    assert len(legend.get_texts()) == 2


def test_classes_of_tokens_are_lines_with_their_names(scored):
    section, (*_, axes) = scored
    drawn = {
        name: line_through(axes, (2000, 4000), accuracies(section, "by_class", name)) for name in ("han", "punctuation")
    }
    assert len(lines(axes)) == 2  # no digits were asked for
    labels = {shade: text for text, shade in end_labels(axes)}
    assert {name: labels[colour(line)] for name, line in drawn.items()} == {"han": "Han", "punctuation": "punctuation"}
