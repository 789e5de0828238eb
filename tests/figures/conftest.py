"""One run drawn once, whose lists differ and have gaps; the tests read the figures and change nothing."""

import json
from typing import Any, NamedTuple

import pytest

from pipeline.files.history import History
from tests.helpers.drawn import Drawn, draw, write_inputs
from tests.helpers.synthetic import make_history, make_scores

TRAINING, HELD_OUT = ("mlm_acc", "nsp_acc", "loss"), ("eval_mlm_acc", "eval_mlm_acc_han", "eval_nsp_acc", "eval_loss")


class Patchy(NamedTuple):
    history: History
    analysis: dict[str, Any]
    drawn: Drawn


@pytest.fixture(scope="session")
def patchy(tmp_path_factory):
    """No two lists are finite at the same records, and held-out values stand at two records of three.

    All six figures are drawn, in both languages.
    """
    folder = tmp_path_factory.mktemp("patchy")
    history = make_history()
    for number, key in enumerate(TRAINING):
        history.records[key][7 + number] = float("nan")
    for number, key in enumerate(HELD_OUT):
        for place in range(number % 3, len(history), 3):
            history.records[key][place] = None
        history.records[key][20 + number] = None
    (folder / "s.json").write_text(json.dumps(make_scores(history.run)), encoding="utf-8")
    make_history(50, total=2000, noise=3).write(folder / "short.json")
    options = write_inputs(folder, history)
    options.insert(2, folder / "short.json")
    analysis = json.loads((folder / "h_a.json").read_text(encoding="utf-8"))
    return Patchy(history, analysis, draw(folder / "out", *options, "--lang", "both", "--scores", folder / "s.json"))
