"""analyze_100k.py, run as a user would."""

import json
from pathlib import Path

import pytest

from tests.synthetic import make_history, write_published_shape
from tests.tiny import ROOT, run_script

PUBLISHED = ROOT.parent / "shared" / "reference" / "published_history_100k.json"
BROKEN = {
    "missing": None,
    "half written": '{"steps": [100, 200], "mlm_acc": [0.1, 0.',
    "wrong type": '{"steps": [1], "mlm_acc": ["a"], "nsp_acc": [0.5], "loss": [1.0], "lr": [0.1]}',
    "unequal lists": '{"steps": [1, 2], "mlm_acc": [0.1], "nsp_acc": [0.5], "loss": [1.0], "lr": [0.1]}',
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
    assert found["pearson"]["curve"] == next(iter(found["fits"])) == "exponential"
    assert "held-out accuracy against step" in result.stdout


def test_the_five_published_lists_are_enough(tmp_path):
    write_published_shape(make_history(), tmp_path / "h.json")
    result = analyze(tmp_path / "h.json", tmp_path / "a.json")
    assert (result.returncode, result.stderr) == (0, "")
    found = strict_json(tmp_path / "a.json")
    assert found["held_out"] is None
    comparison = found["comparison_with_50k"]
    assert [value for key, value in comparison.items() if key != "note"] == [None] * 4
    assert "no baseline" in comparison["note"]
    assert "no baseline" in result.stdout


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published history is not at hand")
def test_the_published_numbers(tmp_path):
    assert analyze(PUBLISHED, tmp_path / "a.json").returncode == 0
    found = strict_json(tmp_path / "a.json")
    numbers = [found["pearson_correlation"], found["r_squared"], *found["mlm_stats"].values()]
    assert numbers == pytest.approx([0.786927, 0.619254, 0.505254, 0.663485, 0.151613, 0.104809], abs=5e-7)
    assert list(found["loss_stats"].values())[:2] == pytest.approx([8.957225, 2.972821], abs=5e-7)
    assert found["goal_achieved"] is False
    first = {part["until"]: part["r"] for part in found["horizon"]["first"]}
    assert [first[20_000], first[50_000], first[100_000]] == pytest.approx([0.929, 0.865, 0.787], abs=5e-4)
    assert found["horizon"]["second_half"]["r"] == pytest.approx(0.293, abs=5e-4)
    assert {name: round(fit["r_squared"], 3) for name, fit in found["fits"].items()} == {
        "exponential": 0.898,
        "log": 0.854,
        "linear": 0.619,
    }
    assert round(found["pearson"]["effective_sample_size"]) == 261


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
