"""The two objectives side by side: what is drawn, what is refused, and that the presets are alike."""

import numpy as np
import pytest

from pipeline.figures import style
from pipeline.files.history import History, read_history
from pipeline.stage import InputError
from pipeline.train.objectives.causal_settings import CAUSAL_PRESETS
from pipeline.words import LANGUAGES, Words
from study import objectives
from study.findings import LADDER
from study.runs import history_path


def causal(tokens=200.0, steps=100_000, objective="causal_lm"):
    places = np.linspace(0, steps, 51)[1:]
    columns = {
        "accuracy": {"train": "next_acc", "held_out": "eval_next_acc", "of": "next characters"},
        "loss": {"train": "loss"},
        "pairs": None,
    }
    run = {"objective": objective, "columns": columns, "flops_per_step": 2e9, "parameters": 7}
    run["test"] = {"next_acc": 0.25, "bits_per_character": 5.5, "baselines": {"kneser_ney": 6.25}}
    accuracy = 0.3 * (1 - np.exp(-places / 20_000))
    records = {"steps": places.astype(int).tolist(), "next_acc": accuracy.tolist(), "loss": accuracy.tolist()}
    records |= {"eval_next_acc": accuracy.tolist(), "tokens": (places * tokens).tolist()}
    return History({**records, "seconds": places.tolist()}, run)


@pytest.fixture(scope="module")
def masked():
    return read_history(history_path(LADDER[100_000]))


def test_small_reads_as_many_tokens_as_the_masked_small(masked):
    small = CAUSAL_PRESETS.named["small"]
    config = masked.run["config"]
    assert small.steps == config["steps"]
    assert small.steps * small.effective_batch * small.length == pytest.approx(masked.last("tokens"), rel=0.02)
    for name in ("layers", "hidden", "heads", "ffn", "optimizer", "lr", "warmup"):
        assert getattr(small, name) == config[name]


def test_curves_stand_where_the_histories_have_them(masked):
    other = causal()
    for language in LANGUAGES:
        panels = objectives.side_by_side(masked, other, Words(language, objectives.CHINESE)).axes
        ends = [[line.get_xdata()[-1] for line in axes.get_lines()] for axes in panels]
        assert ends[0] == [100_000, 100_000]
        assert ends[1] == [pytest.approx(masked.last("tokens") / 1e6), 20]
        assert ends[2] == [pytest.approx(masked.run["flops_per_step"] / 1e7), 200]
        for axes in panels:
            colours = [line.get_color() for line in axes.get_lines()]
            assert colours == [style.TRAINING, style.HELD_OUT]
            heights = axes.get_lines()[1].get_ydata()
            assert heights[-1] == pytest.approx(0.298, abs=0.002)


def test_the_table(masked):
    text = "\n".join(objectives.table(masked, causal()))
    assert "| 步数 · steps | 100,000 | 100,000 |" in text
    assert "| 测试准确率 · test accuracy | 30.47 % | 25.00 % |" in text
    assert "| 每字比特 · bits per character | - | 5.500 |" in text
    assert "| Kneser-Ney，比特 · bits | - | 6.250 |" in text
    assert "| FLOPs | 5.84e+13 | 2e+14 |" in text


def test_unlike_runs_are_refused(masked):
    objectives.refuse_unlike(masked, causal())
    with pytest.raises(InputError, match="has 20,500,000 tokens"):
        objectives.refuse_unlike(masked, causal(tokens=205.0))
    with pytest.raises(InputError, match="has 97,000 steps"):
        objectives.refuse_unlike(masked, causal(steps=97_000))
    with pytest.raises(InputError, match="is of a masked language model"):
        objectives.refuse_unlike(masked, masked)
    with pytest.raises(InputError, match="is of a causal language model"):
        objectives.refuse_unlike(causal(), causal())
