"""The table of checkpoints: each number in its column, long runs thinned, the last checkpoint always shown."""

from dataclasses import replace

from pipeline.files.scores import NspScore, PairScore
from pipeline.score.accuracy_table import HEADS, ROWS, accuracy_table
from tests.helpers.scores import checkpoint_score, mlm_score, validation_scores


def score(base):
    """A score whose groups have accuracies ``base`` + 0.01, 0.02, ..., in the order of the columns."""
    tenths = {str(number): (base + share, 10) for number, share in ((1, 0.02), (5, 0.03), (10, 0.04))}
    classes = {"han": (base + 0.01, 10), "punctuation": (base + 0.05, 10)}
    mlm = mlm_score(base, tenths=tenths, classes=classes)
    rule = replace(mlm.published_rule, accuracy=base + 0.09, accuracy_summed=base + 0.08)
    return replace(mlm, published_rule=rule)


def pairs(accuracy):
    return PairScore(10, accuracy, None, 5, None, 5, None)


def table(checkpoints):
    return accuracy_table(validation_scores(checkpoints, {"both": score(0.4)}).validation)


def cells(line):
    return line.replace(" %", "%").split()


def test_each_number_stands_under_its_head():
    entry = replace(checkpoint_score(12_000, score(0.2)), nsp=NspScore(pairs(0.26), pairs(0.27), {}))
    _, heads, first, last = table([entry])
    assert heads == "".join(f"{head:>11}" for head in HEADS)
    assert cells(first) == ["12,000", *(f"{20 + number}.0%" for number in range(9))]
    assert cells(last) == ["counting", *(f"{40 + number}.0%" for number in range(6)), "-", "-", "49.0%"]


def test_a_long_run_is_thinned_to_end_at_its_last_checkpoint():
    for count in (0, 1, ROWS, ROWS + 1, 50):
        shown = [cells(line)[0] for line in table([checkpoint_score(step, score(0.2)) for step in range(count)])[2:-1]]
        assert len(shown) <= ROWS
        assert len(shown) > min(count, ROWS) / 2 or not count
        assert not count or shown[-1] == str(count - 1)
