"""The scripts that read a history take a causal run's as they take BERT's."""

import json

import numpy as np
import pytest

from pipeline.analyse.early_stop_hindsight import held_out_targets
from pipeline.files.history import read_history
from tests.helpers.causal import train_causal, write_tiny_text
from tests.helpers.drawn import draw
from tests.helpers.in_process import run_here, succeeded


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A finished causal run of 60 records, whose curve is made smooth enough to be analysed."""
    folder = tmp_path_factory.mktemp("causal")
    more = ("--steps", "60", "--log-interval", "1", "--save-interval", "60", "--dropout", "0")
    succeeded(train_causal(folder, write_tiny_text(folder), *more))
    return folder / "history.json"


def test_progress_shows_its_accuracy(history):
    screen = succeeded(run_here("check_progress.py", "--history", history))
    last = read_history(history).records["eval_next_acc"][-1]
    assert f"accuracy {100 * last:.2f} %" in screen
    assert "NSP" not in screen


def test_it_is_analysed_by_its_own_columns(history, tmp_path):
    run = read_history(history)
    path = tmp_path / "analysis.json"
    said = succeeded(run_here("analyze_100k.py", "--history", history, "--output", path))
    test = run.run["test"]
    assert (
        f"{history}: {test['bits_per_character']:.3f} bits per character of the test text; on the same text n-grams "
        f"(Kneser-Ney) {test['baselines']['kneser_ney']:.3f}, xz {test['baselines']['xz']:.3f}, PPMd "
    ) in said
    found = json.loads(path.read_text(encoding="utf-8"))
    steps, accuracy = run.series("steps"), run.series("next_acc")
    assert found["pearson"]["r"] == pytest.approx(np.corrcoef(steps, accuracy)[0, 1])
    held_out = run.series("eval_next_acc")
    assert found["held_out"]["r"] == pytest.approx(np.corrcoef(steps, held_out)[0, 1])
    assert found["nsp"] == {"training": None, "held_out": None}


def test_targets_of_its_held_out_accuracy_are_known(history):
    run = read_history(history)
    targets = run.run["eval_counts"]["next_targets"]
    assert held_out_targets(run, "eval_next_acc") == [targets] * 60
    assert targets >= 60


def test_two_causal_runs_are_compared_by_their_test(history, tmp_path):
    other = tmp_path / "other"
    more = ("--steps", "60", "--log-interval", "1", "--save-interval", "60", "--dropout", "0", "--seed", "7")
    succeeded(train_causal(other, history.parent / "text.txt", *more))
    path = tmp_path / "analysis.json"
    succeeded(run_here("analyze_100k.py", "--history", history, other / "history.json", "--output", path))
    runs = json.loads(path.read_text(encoding="utf-8"))["several"]["histories"]
    histories = [read_history(each) for each in (history, other / "history.json")]
    assert [run["test_accuracy"] for run in runs] == [each.run["test"]["next_acc"] for each in histories]


def test_figures_page_and_table_have_its_words_and_numbers(history, tmp_path):
    run = read_history(history)
    test = run.run["test"]
    analysis = tmp_path / "a.json"
    succeeded(run_here("analyze_100k.py", "--history", history, "--output", analysis))
    for language, words in (("en", "The loss is the cross-entropy of the next symbol."), ("zh", "下一个符号的交叉熵")):
        drawn = draw(tmp_path / language, "--history", history, "--analysis", analysis, "--lang", language)
        page = next(iter(drawn.pages.values()))
        assert words in page
        assert "MLM accuracy" not in page
        assert "MLM 准确率" not in page
        for number in (test["bits_per_character"], test["bits_per_byte"], *test["baselines"].values()):
            assert f"{number:.3f}" in page
            assert f"{number:.3f}" in drawn.printed
        assert f"{test['word_perplexity']:,.1f}" in drawn.printed
    assert set(test["baselines"]) == {"kneser_ney", "xz", "ppmd"}
