"""The committed analyses are what the committed histories give today, number by number; run by make figures-check."""

import json
import math
import subprocess
import sys

import pytest

from pipeline.files.history import read_history
from study import findings
from tests.helpers.tiny import ROOT

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
def test_make_figures_gives_what_is_committed(tmp_path):
    made = subprocess.run(
        ["make", "figures", f"FIGURES={tmp_path}", f"PY={sys.executable}"],
        cwd=ROOT, capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    committed = {path.name for path in RESULTS.glob("analysis_*.json")}
    assert committed == {path.name for path in tmp_path.glob("*.json")}
    for name in sorted(committed):
        before, today = (json.loads((folder / name).read_text(encoding="utf-8")) for folder in (RESULTS, tmp_path))
        assert not differences(name, before, today)
    assert english_pictures(RESULTS) == english_pictures(tmp_path)


def english_pictures(folder):
    """Chinese ones take a font that a machine may lack."""
    return {path.name for path in folder.glob("*.png") if ".zh." not in path.name}


def test_every_committed_run_is_of_a_dataset_that_was_verified():
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("verification_*.json")]
    assert reports
    assert all(report["passed"] for report in reports)
    verified = {report["fingerprint"] for report in reports}
    for path in RESULTS.glob("training_history_*.json"):
        run = read_history(path).run
        assert run["finished"], path.name
        assert run["dataset"]["fingerprint"] in verified, path.name


def test_the_readmes_hold_the_findings():
    lines = [line for line in findings.page() if line]
    held = (RESULTS / "README.md").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line not in held]
    held = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    for rows in (findings.along_the_run(), findings.data_and_steps(), findings.budgets()[:-1]):
        for _, cells in rows:
            end = " | ".join(["", *cells]) + " |"
            assert sum(line.endswith(end) for line in held) >= 2, cells  # once in each language


def test_a_changed_number_is_a_difference():
    value = {"timestamp": "a", "r": 0.5, "fits": [{"p": 1e-80}], "note": "x"}
    assert not differences("a", value, {**value, "timestamp": "b", "r": 0.50001, "fits": [{"p": 3e-80}]})
    assert differences("a", value, {**value, "r": 0.501}) == ["a.r: 0.5 -> 0.501"]
    assert differences("a", value, {**value, "fits": []}) == ["a.fits: [{'p': 1e-80}] -> []"]
    assert differences("a", value, {**value, "note": "y"}) == ["a.note: 'x' -> 'y'"]
