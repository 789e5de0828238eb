"""The table of checkpoints: long runs are thinned, and the last checkpoint is always shown.

What stands in its columns is held to the file in tests/stages/test_evaluate.py.
"""

from pipeline.score.accuracy_table import ROWS, accuracy_table
from tests.helpers.scores import checkpoint_score, mlm_score, validation_scores

SCORE = mlm_score(
    0.2,
    tenths=dict.fromkeys(("1", "5", "10"), (0.2, 10)),
    classes=dict.fromkeys(("han", "punctuation"), (0.2, 10)),
)


def steps_shown(steps):
    """The first column of the table of checkpoints at ``steps``, without the heads and the guess by counting."""
    scores = validation_scores([checkpoint_score(step, SCORE) for step in steps], {"both": SCORE})
    return [int(line.split()[0].replace(",", "")) for line in accuracy_table(scores.validation)[2:-1]]


def test_a_long_run_is_thinned_to_end_at_its_last_checkpoint():
    assert steps_shown([]) == []
    assert steps_shown(range(ROWS)) == list(range(ROWS))
    assert steps_shown(range(ROWS + 1)) == list(range(0, ROWS + 1, 2))
    assert steps_shown(range(1000, 51_000, 1000)) == list(range(5000, 51_000, 5000))
