"""Records without values: intervals with no target, steps that all overflowed, held-out text scored now and then."""

import json

import pytest

from pipeline.files.history import read_history
from tests.helpers.in_process import run_here, succeeded
from tests.helpers.synthetic import make_history

TRAINING = ("mlm_acc", "nsp_acc", "loss", "grad_norm", "sample_mlm_acc", "sample_mlm_acc_published", "sample_nsp_acc")
HELD_OUT = ("eval_mlm_acc", "eval_mlm_acc_han", "eval_nsp_acc", "eval_loss")


def without(places, keys, total=80):
    history = make_history(total, 40, total=40 * total)
    for key in keys:
        for place in places:
            history.records[key][place] = None
    return history


HISTORIES = {
    "the first and the last intervals": without((0, 1, 79), TRAINING),
    "every third interval": without(range(0, 80, 3), TRAINING),
    "held out at every fifth record": without([place for place in range(80) if place % 5 != 4], HELD_OUT),
    "held out once, at the end": without(range(79), HELD_OUT),
    "nothing at all": without(range(80), TRAINING + HELD_OUT),
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_every_reader_takes_them(tmp_path, history):
    path = tmp_path / "history.json"
    history.write(path)
    assert read_history(path).records == history.records
    screen = json.loads(succeeded(run_here("check_progress.py", "--history", path, "--json")))
    assert screen["step"] == 3200
    result = run_here("analyze_100k.py", "--history", path, "--output", tmp_path / "analysis.json")
    assert result.returncode in (0, 2), result.stderr
    if result.returncode == 2:  # nothing to analyse, which is said in a line
        assert len(result.stderr.splitlines()) == 1
        assert str(path) in result.stderr
        return
    if history in (HISTORIES["every third interval"], HISTORIES["held out once, at the end"]):
        return  # drawing takes its time, and the others show the same
    drawn = ("--history", path, "--analysis", tmp_path / "analysis.json", "--output-dir", tmp_path)
    succeeded(run_here("visualize_results.py", *drawn))


def test_a_null_changes_nothing_of_the_other_records(tmp_path):
    """The accuracy is analysed as if the records without a value were not there."""
    found = []
    for name, history in (("nulls", HISTORIES["every third interval"]), ("gone", make_history(80, 40, total=3200))):
        if name == "gone":
            for key, values in history.records.items():
                history.records[key] = [value for place, value in enumerate(values) if place % 3]
        history.write(tmp_path / f"{name}.json")
        output = tmp_path / f"{name}_analysis.json"
        succeeded(run_here("analyze_100k.py", "--history", tmp_path / f"{name}.json", "--output", output))
        found.append(json.loads(output.read_text())["pearson_correlation"])
    assert found[0] == pytest.approx(found[1])
