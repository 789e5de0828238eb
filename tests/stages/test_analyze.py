"""analyze_100k.py, run as a user would."""

import json
import resource
from pathlib import Path

import numpy as np
import pytest

from pipeline.files.scores import write_scores
from tests.helpers.scores import RISING
from tests.helpers.simulated import published_like, published_share
from tests.helpers.synthetic import make_history, write_published_shape
from tests.helpers.tiny import run_script

BROKEN = {
    "missing": None,
    "half written": '{"steps": [100, 200], "mlm_acc": [0.1, 0.',
    "wrong type": '{"steps": [1], "mlm_acc": ["a"], "nsp_acc": [0.5], "loss": [1.0], "lr": [0.1]}',
    "unequal lists": '{"steps": [1, 2], "mlm_acc": [0.1], "nsp_acc": [0.5], "loss": [1.0], "lr": [0.1]}',
    "steps out of order": '{"steps": [2, 1], "mlm_acc": [0, 0.1], "nsp_acc": [1, 1], "loss": [1, 1], "lr": [0, 0]}',
    "no records": '{"steps": [], "mlm_acc": [], "nsp_acc": [], "loss": [], "lr": []}',
}


def analyze(history, output, *more):
    return run_script("analyze_100k.py", "--history", history, "--output", output, *more)


def strict_json(path: Path):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_a_run_of_ours_is_analysed(tmp_path):
    make_history().write(tmp_path / "h.json")
    make_history(50).write(tmp_path / "b.json")
    result = analyze(tmp_path / "h.json", tmp_path / "out" / "a.json", "--baseline", tmp_path / "b.json")
    assert (result.returncode, result.stderr) == (0, "")
    found = strict_json(tmp_path / "out" / "a.json")
    assert (found["total_steps"], found["data_points"], found["anomalies"]) == (4000, 100, [])
    assert found["pearson"]["r"] == found["pearson_correlation"]
    assert found["goal_achieved"] == (found["pearson_correlation"] >= 0.85)
    comparison = found["comparison_with_50k"]
    assert comparison["improvement"] == comparison["100k_pearson_r"] - comparison["50k_pearson_r"]
    assert comparison["improvement_percentage"] == pytest.approx(
        100 * comparison["improvement"] / comparison["50k_pearson_r"]
    )
    assert set(found["pearson"]) <= set(found["held_out"])
    assert found["pearson"]["curve"] == next(iter(found["fits"]))
    assert "held-out accuracy against step" in result.stdout


def test_the_five_published_lists_are_enough(tmp_path):
    write_published_shape(make_history(), tmp_path / "h.json")
    result = analyze(tmp_path / "h.json", tmp_path / "a.json")
    assert (result.returncode, result.stderr) == (0, "")
    found = strict_json(tmp_path / "a.json")
    assert found["held_out"] is None
    comparison = found["comparison_with_50k"]
    assert {value for key, value in comparison.items() if key != "note"} == {None}
    assert "no baseline" in comparison["note"]
    assert "baseline: none was given" in result.stdout


def test_the_numbers_of_a_run_like_the_published_one(tmp_path):
    """Against numpy, and the curve that the run was made from: 0.575 - 0.42 exp(-step / 16,400)."""
    history = published_like()
    history.write(tmp_path / "h.json")
    assert analyze(tmp_path / "h.json", tmp_path / "a.json").returncode == 0
    found = strict_json(tmp_path / "a.json")
    steps, accuracy, loss = (np.array(history.records[key], dtype=float) for key in ("steps", "mlm_acc", "loss"))

    def r_of(chosen):
        return np.corrcoef(steps[chosen], accuracy[chosen])[0, 1]

    r = r_of(steps > 0)
    assert (found["pearson_correlation"], found["r_squared"]) == pytest.approx((r, r**2))
    stats = {"mean": accuracy.mean(), "max": accuracy.max(), "min": accuracy.min(), "std": accuracy.std(ddof=0)}
    assert found["mlm_stats"] == pytest.approx(stats)
    assert found["loss_stats"] == pytest.approx({"initial": loss[0], "final": loss[-1], "decrease": loss[0] - loss[-1]})
    assert found["goal_achieved"] is False
    first = {part["until"]: part["r"] for part in found["horizon"]["first"]}
    assert first == pytest.approx({until: r_of(steps <= until) for until in range(5_000, 100_001, 5_000)})
    assert found["horizon"]["second_half"]["r"] == pytest.approx(r_of(steps > 50_000))
    slope, level = np.polyfit(steps, accuracy, 1)
    assert found["slope_per_10k_steps"]["overall"] == pytest.approx(1e4 * slope)
    fits = found["fits"]
    assert next(iter(fits)) == "exponential"
    assert fits["linear"]["parameters"] == pytest.approx({"a": level, "b": slope})
    for name, truth in (("a", 0.575), ("b", 0.42), ("tau", 16_400)):
        low, high = fits["exponential"]["intervals"][name]
        assert low < truth < high
        assert fits["exponential"]["parameters"][name] == pytest.approx(truth, rel=0.02)
    residuals = accuracy - published_share(steps)
    assert fits["exponential"]["r_squared"] == pytest.approx(
        1 - (residuals**2).sum() / (stats["std"] ** 2 * 1000), abs=1e-3
    )
    nsp = found["nsp"]["training"]
    assert (nsp["accuracy"], nsp["at_chance"]) == (pytest.approx(np.mean(history.records["nsp_acc"])), True)
    low, high = found["pearson"]["interval_autocorrelation"]
    assert low < r < high


@pytest.mark.parametrize(("language", "words"), [("en", "never left chance"), ("zh", "从未离开机会水平")])
def test_a_run_like_the_published_one_is_reported_in_both_languages(tmp_path, language, words):
    published_like().write(tmp_path / "h.json")
    more = ("--target", "0.3", "0.9", "--at", "150000", "--lang", language)
    result = analyze(tmp_path / "h.json", tmp_path / "a.json", *more)
    assert (result.returncode, result.stderr) == (0, "")
    assert words in result.stdout
    assert "150,000" in result.stdout
    found = strict_json(tmp_path / "a.json")
    assert [entry["verdict"] for entry in found["forecast"]["targets"]] == ["reached", "beyond_every_model"]
    assert found["forecast"]["schedule"] == "annealed"
    assert 0.7 < found["pearson_correlation"] < 0.9


def test_several_histories_and_references_are_put_side_by_side(tmp_path):
    for seed in (1, 2, 3):
        history = make_history(60)
        history.run["seed"] = history.run["config"]["seed"] = seed
        history.write(tmp_path / f"seed_{seed}.json")
    paths = [tmp_path / f"seed_{seed}.json" for seed in (1, 2, 3)]
    more = (*paths[1:], "--reference", paths[1])
    result = run_script("analyze_100k.py", "--output", tmp_path / "a.json", "--history", paths[0], *more)
    assert (result.returncode, result.stderr) == (0, "")
    found = strict_json(tmp_path / "a.json")
    assert found["several"]["kind"] == "seeds"
    assert found["anomaly_rule"]["reference"]["histories"] == 1
    assert "3 runs of one setting" in result.stdout


def test_checkpoint_scores_beside_the_history_join_in(tmp_path):
    make_history(40).write(tmp_path / "training_history_x.json")
    scores = tmp_path / "checkpoint_evaluation_x.json"
    write_scores(scores, RISING.with_split("test", RISING.validation))
    result = analyze(tmp_path / "training_history_x.json", tmp_path / "a.json")
    assert (result.returncode, result.stderr) == (0, "")
    assert strict_json(tmp_path / "a.json")["checkpoints"]["steps"] == [400, 800, 1200, 1600]
    assert "4 checkpoints scored on 300 validation sequences" in result.stdout
    scores.write_text("{}")
    result = analyze(tmp_path / "training_history_x.json", tmp_path / "b.json")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(
    "wrong", [("--target", "60"), ("--at", "0"), ("--stop-window", "3"), ("--lang", "fr"), ("--scores", "none.json")]
)
def test_senseless_questions_are_refused(tmp_path, wrong):
    make_history(20).write(tmp_path / "h.json")
    result = analyze(tmp_path / "h.json", tmp_path / "a.json", *wrong)
    assert (result.returncode, result.stdout) == (2, "")
    assert not (tmp_path / "a.json").exists()


def test_a_thousand_records_take_seconds_of_the_processor(tmp_path):
    """CPU time of this process's children, for machines are shared; a huge history is slow-tested below."""
    published_like().write(tmp_path / "h.json")
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    assert analyze(tmp_path / "h.json", tmp_path / "a.json").returncode == 0
    assert sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before < 5


@pytest.mark.slow
def test_a_hundred_thousand_records_take_half_a_minute_of_the_processor(tmp_path):
    history = published_like(records=100_000)
    history.write(tmp_path / "h.json")
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    assert analyze(tmp_path / "h.json", tmp_path / "a.json").returncode == 0
    assert sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before < 30
    assert strict_json(tmp_path / "a.json")["data_points"] == 100_000


def test_odd_but_well_formed_histories_give_flagged_results(tmp_path):
    one, constant, spoilt = make_history(1), make_history(20), make_history(40)
    constant.records["mlm_acc"] = [0.25] * 20
    spoilt.records["loss"][3] = float("nan")
    spoilt.records["mlm_acc"][5] = float("inf")
    for name, history in {"one": one, "constant": constant, "spoilt": spoilt}.items():
        history.write(tmp_path / f"{name}.json")
        result = analyze(tmp_path / f"{name}.json", tmp_path / f"{name}_a.json")
        assert (result.returncode, result.stderr) == (0, ""), name
        found = strict_json(tmp_path / f"{name}_a.json")
        if name == "spoilt":
            assert {(item["key"], item["kind"]) for item in found["anomalies"]} == {("loss", "nan"), ("mlm_acc", "inf")}
            assert found["pearson_correlation"] is not None
        else:
            assert found["pearson_correlation"] is found["r_squared"] is found["goal_achieved"] is None
            assert found["pearson"]["note"] in result.stdout


@pytest.mark.parametrize("fault", BROKEN)
def test_bad_input_is_refused_and_nothing_is_touched(tmp_path, fault):
    path, output = tmp_path / "h.json", tmp_path / "a.json"
    if BROKEN[fault] is not None:
        path.write_text(BROKEN[fault])
    output.write_text("precious")
    result = analyze(path, output)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert str(path) in result.stderr
    assert output.read_text() == "precious"


def test_a_broken_baseline_is_refused_too(tmp_path):
    make_history(20).write(tmp_path / "h.json")
    result = analyze(tmp_path / "h.json", tmp_path / "a.json", "--baseline", tmp_path / "none.json")
    assert result.returncode == 2
    assert "none.json" in result.stderr
    assert not (tmp_path / "a.json").exists()
