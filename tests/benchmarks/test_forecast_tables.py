"""The tables of docs/ANALYSIS.md about the forecast are those of the committed calibration and back-test."""

import json

import pytest

from benchmarks import calibrate_forecast, forecast
from pipeline.analyse.annealing.calibration import calibration
from tests.helpers.tiny import ROOT

ANALYSIS = (ROOT / "docs" / "ANALYSIS.md").read_text(encoding="utf-8")


def test_the_gains_are_those_of_the_calibration():
    rows = calibrate_forecast.documented(calibration())
    assert len(rows) == len(calibration().kinds()) + 1
    assert [row for row in rows if ANALYSIS.count(row) != 2] == []


@pytest.mark.parametrize("name", ["forecast.json", "forecast_own.json"])
def test_the_back_test_is_the_committed_one(name):
    rows = forecast.documented(json.loads((ROOT / "results" / "benchmarks" / name).read_text())["groups"])
    assert len(rows) > 5
    assert [row for row in rows if ANALYSIS.count(row) != 2] == []


def test_every_value_tried_stands_in_the_calibration():
    """For each constant all values of its list, among them the one that was chosen."""
    found = calibration()
    for name, values in calibrate_forecast.TRIED.items():
        tried = [entry.value for entry in found.sensitivity if entry.constant == name]
        assert tried == [json.dumps(value) for value in values]
        assert json.dumps(getattr(found.law, name)) in tried
