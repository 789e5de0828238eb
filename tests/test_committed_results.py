"""The committed analysis is what the committed history gives today, number by number; run by make figures-check."""

import json
import math

import pytest

from tests.tiny import ROOT, run_script

RESULTS = ROOT / "results"
RELATIVE = 1e-4  # fits and bootstraps differ in their last digits from one processor to the next
SMALL = 1e-9  # p values near zero


def differences(path, committed, today):
    """Where two JSON values differ, by path."""
    if isinstance(committed, dict) and isinstance(today, dict):
        names = [name for name in {**committed, **today} if name != "timestamp"]
        return [d for name in names for d in differences(f"{path}.{name}", committed.get(name), today.get(name))]
    if isinstance(committed, list) and isinstance(today, list) and len(committed) == len(today):
        pairs = enumerate(zip(committed, today, strict=True))
        return [d for place, pair in pairs for d in differences(f"{path}[{place}]", *pair)]
    numbers = all(type(value) in (int, float) for value in (committed, today))
    same = math.isclose(committed, today, rel_tol=RELATIVE, abs_tol=SMALL) if numbers else committed == today
    return [] if same else [f"{path}: {committed!r} -> {today!r}"]


@pytest.mark.figures
def test_the_analysis_is_that_of_the_committed_history(tmp_path):
    result = run_script("analyze_100k.py", "--output", tmp_path / "analysis.json")
    assert result.returncode == 0, result.stderr
    committed, today = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (RESULTS / "analysis_100k_result.json", tmp_path / "analysis.json")
    )
    assert not differences("analysis", committed, today)


@pytest.mark.figures
def test_the_figures_can_be_drawn_from_what_is_committed(tmp_path):
    result = run_script("visualize_results.py", "--output-dir", tmp_path)
    assert result.returncode == 0, result.stderr
    drawn = {path.name for path in tmp_path.glob("*.png")}
    # Chinese ones take a font that a machine may lack.
    assert {path.name for path in RESULTS.glob("*.png") if ".zh." not in path.name} == drawn


def test_a_changed_number_is_a_difference():
    value = {"timestamp": "a", "r": 0.5, "fits": [{"p": 1e-80}], "note": "x"}
    assert not differences("a", value, {**value, "timestamp": "b", "r": 0.50001, "fits": [{"p": 3e-80}]})
    assert differences("a", value, {**value, "r": 0.501}) == ["a.r: 0.5 -> 0.501"]
    assert differences("a", value, {**value, "fits": []}) == ["a.fits: [{'p': 1e-80}] -> []"]
    assert differences("a", value, {**value, "note": "y"}) == ["a.note: 'x' -> 'y'"]
