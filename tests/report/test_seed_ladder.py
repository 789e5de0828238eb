"""The figure of the seed predictor's ladder, held to the committed measurements, and the page that it stands on."""

import json

import pytest

from pipeline.report.seed_ladder import COMMITTED_LADDER, seed_ladder
from pipeline.report.words import report_words
from tests.helpers.drawn import draw, write_inputs
from tests.helpers.pages import Page
from tests.helpers.synthetic import make_history
from tests.helpers.tiny import ROOT

LADDER = json.loads((ROOT / COMMITTED_LADDER).read_text(encoding="utf-8"))


def test_the_bars_and_lines_are_what_was_measured():
    regrets, recovery, scale = seed_ladder(LADDER, report_words("en")).axes
    names = [label.get_text() for label in regrets.get_yticklabels()]
    widths = [bar.get_width() for bar in regrets.containers[0]]
    assert dict(zip(names, widths, strict=True)) == {
        name: row["regret"] for name, row in LADDER["sequences"].items() if name != "measured"
    }
    assert [bar.get_height() for bar in recovery.patches] == list(LADDER["open"]["recovery"].values())
    lines = {line.get_label(): list(line.get_ydata()) for line in scale.lines}
    assert lines == {name: text["data"]["bits"] for name, text in LADDER["scaling"].items() if name != "measured"}


@pytest.mark.parametrize("objective", ["seed", "masked_lm"])
def test_only_the_page_of_the_seed_predictor_has_it(tmp_path, monkeypatch, objective):
    monkeypatch.chdir(ROOT)
    history = make_history(20)
    history.run["objective"] = objective
    [page] = draw(tmp_path / "out", *write_inputs(tmp_path, history)).pages.values()
    assert ("seed_ladder" in Page(page).figures) == (objective == "seed")
