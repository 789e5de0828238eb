"""counting: what of a model's answers counting gives too, held to the scores."""

import dataclasses

import pytest

from pipeline.figures.counting import counting
from pipeline.files.scores import CountingComparison
from pipeline.words import Words
from tests.helpers.drawn import line_through, lines
from tests.helpers.scores import checkpoint_score, mlm_score, validation_scores

SAY = Words("en", {})


def scored(steps, without=()):
    """Checkpoints that agree less and less with the commonest character, and more and more with both neighbours."""
    found = []
    for place, step in enumerate(steps):
        share = 0.1 * (place + 1)
        compared = CountingComparison(
            90,
            {"commonest": 0.9 - share, "left": 0.3, "both": share},
            {"commonest": 1 + share, "left": 2.0, "both": None},
            60,
        )
        entry = checkpoint_score(step, mlm_score(share / 2))
        found.append(entry if step in without else dataclasses.replace(entry, counting=compared))
    return validation_scores(found, {}).validation


def test_each_guess_is_a_line_and_so_are_the_right_answers():
    steps = (100, 200, 300)
    agreement, divergence = counting(scored(steps), SAY).axes
    for values in ((0.8, 0.7, 0.6), (0.3, 0.3, 0.3), (0.1, 0.2, 0.3), (0.05, 0.1, 0.15)):
        line_through(agreement, steps, values)
    assert len(lines(agreement)) == 4
    line_through(divergence, steps, (1.1, 1.2, 1.3))
    line_through(divergence, steps, (2, 2, 2))
    assert len(lines(divergence)) == 2  # the third was never measured
    names = [text.get_text() for text in agreement.get_legend().get_texts()]
    assert names == ["commonest character", "left neighbour", "both neighbours", "right answers"]
    looks = {(line.get_color(), str(line.get_linestyle())) for line in lines(agreement)}
    assert len(looks) == 4


@pytest.mark.parametrize(("steps", "scale"), [((100, 200, 400), "linear"), ((0, 1, 64, 4000), "log")])
def test_early_checkpoints_ask_for_a_logarithmic_axis(steps, scale):
    figure = counting(scored(steps), SAY)
    assert {axes.get_xscale() for axes in figure.axes} == {scale}
    trained = [step for step in steps if step]
    for axes in figure.axes:
        assert all(line.get_xdata().tolist() == trained for line in lines(axes))


def test_one_compared_checkpoint_makes_no_line():
    assert counting(scored((100, 200), without=(200,)), SAY) is None
    assert counting(scored((100, 200, 300), without=(200,)), SAY) is not None
