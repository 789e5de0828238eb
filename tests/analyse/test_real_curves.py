"""Error rates of the forecast on real curves: public ones, thinned (tests/data/real_curves), and the committed runs."""

import json

import numpy as np
import pytest

from benchmarks import forecast as benchmark
from benchmarks.real_curves import Curve, committed_curves, folder_curves
from pipeline.analyse.annealing.calibration import calibration
from pipeline.statistics.annealing.records import Observed
from pipeline.statistics.schedule_forecast import fit_schedule
from tests.helpers.tiny import ROOT

CLOSEST = 3e-4  # share of one: averaged curves are smoother than any law is true
CURVES = ROOT / "tests" / "data" / "real_curves"


@pytest.fixture(scope="module")
def rows():
    """Forecasts of each cluster with the constants as they would be without it, in the benchmark's rows."""
    curves, ours = folder_curves(CURVES), committed_curves()
    references = [made for curve in [*curves, *ours] for made in benchmark.by_rules(curve)]
    known = calibration()
    found = [
        made
        for curve in [*curves, *ours]
        for made in benchmark.forecasts(curve, benchmark.left_out(known, curve, without_kind=False), mixture=False)
    ]
    return benchmark.groups(found, references)


def of(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def mean(rows, key):
    """The mean over the forecasts of ``rows``."""
    return np.average([row[key] for row in rows], weights=[row["runs"] for row in rows])


def log_trend(rows):
    return [{**row["baselines"]["log_trend"], "runs": row["runs"]} for row in rows]


def test_the_intervals_score_better_than_the_log_trend_in_every_cluster(rows):
    clusters = {row["cluster"] for row in rows}
    assert len(clusters) == 9
    for cluster in clusters:
        mine = of(rows, cluster=cluster)
        assert mean(mine, "interval_score") < mean(log_trend(mine), "interval_score"), cluster


def test_intervals_hold_on_the_mean_over_the_clusters(rows):
    """80 % is asked for, of kinds that were calibrated on."""
    known = calibration()
    coverage = []
    for cluster in {row["cluster"] for row in rows}:
        kept = known.leaving_out(cluster=cluster)
        mine = [row for row in of(rows, cluster=cluster) if kept.known(row["task"].removesuffix(", held out"))]
        coverage += [mean(mine, "coverage")] if mine else []
    assert len(coverage) >= 5
    assert 0.7 <= np.mean(coverage) <= 0.95


def test_no_forecast_contradicts_the_last_quarter():
    """The fitted level over the last quarter of the records passes a test at 1 % against their mean there."""
    known, off = calibration(), []
    for curve in [*folder_curves(CURVES), *committed_curves()]:
        for fraction in benchmark.FRACTIONS:
            steps, accuracy = curve.beginning(fraction)
            count = max(len(steps) // 4, 8)
            plan = benchmark.seen(curve, steps)
            fitted = fit_schedule([Observed(steps, accuracy, plan)], known.gain(curve.kind), known.law)
            level = fitted.expect(plan, steps[-count:]).quantile(0.5)
            off.append((level - accuracy[-count:].mean()) / standard_error(steps[-count:], accuracy[-count:]))
    assert np.max(np.abs(off)) < 2.58


def standard_error(steps, accuracy):
    """Of the mean, with the noise around a parabola in log step as a first-order autoregression."""
    places = np.log(steps / steps[0])
    noise = accuracy - np.polynomial.Polynomial.fit(places, accuracy, 2)(places)
    rho = np.clip(noise[1:] @ noise[:-1] / (noise @ noise), 0, 0.9)
    return max(np.sqrt(noise @ noise / (len(noise) - 3) / len(noise) * (1 + rho) / (1 - rho)), CLOSEST)


def width(made):
    low, _, high = made.intervals["forecast"]
    return high - low


def test_without_rates_the_schedule_counts_as_unknown():
    """Whether it falls or stays, both are in the interval, which gets wider."""
    known, ratios = calibration(), []
    for curve in folder_curves(CURVES)[::3]:
        bare = Curve(curve.name, curve.cluster, curve.task, curve.steps, curve.accuracy, None)
        told, untold = (benchmark.forecasts(each, known, mixture=False) for each in (curve, bare))
        ratios += [np.log(width(without) / width(with_)) for with_, without in zip(told, untold, strict=True)]
    assert np.mean(ratios) > 0.2


def test_nothing_after_the_cut_is_used_but_the_rates():
    curve = folder_curves(CURVES)[0]
    count = int(len(curve.steps) * 0.5)
    spoilt = np.concatenate([curve.accuracy[:count], np.full(len(curve.steps) - count, 0.9)])
    other = Curve(curve.name, curve.cluster, curve.task, curve.steps, spoilt, curve.plan)
    first, second = (benchmark.forecasts(each, calibration(), mixture=False) for each in (curve, other))
    assert [made.intervals for made in first] == [made.intervals for made in second]


def test_the_file_has_a_row_for_each_cluster_task_and_fraction(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "few"
    folder.mkdir()
    kept = json.loads((CURVES / "index.json").read_text())[:2]
    for entry in kept:
        (folder / entry["file"]).write_bytes((CURVES / entry["file"]).read_bytes())
    (folder / "index.json").write_text(json.dumps(kept))
    monkeypatch.setattr("sys.argv", ["forecast.py", "--histories", str(folder), "--json", str(tmp_path / "f.json")])
    assert benchmark.main() == 0
    found = json.loads((tmp_path / "f.json").read_text())
    for row in found["groups"]:
        assert list(row) == [
            "cluster", "task", "fraction", "runs", "error", "coverage", "width", "interval_score", "baselines",
        ]  # fmt: skip
        assert set(row["baselines"]) == {"last", "log_trend", "line", "mixture"}
    assert [row["fraction"] for row in found["groups"]] == [0.2, 0.3, 0.5]
    assert "2 curves" in capsys.readouterr().out


def test_a_conformal_width_holds_four_fifths_of_the_other_clusters():
    """Each cluster counts the same, however many curves it has; written out for two clusters of errors."""
    steps = np.arange(1.0, 101.0)

    def made(cluster, end, said):
        curve = Curve("c", cluster, "t", steps, np.full(100, end), None)
        return benchmark.Made(curve, 0.2, {}, {"last": said})

    errors = [made("a", 0.5, share) for share in (0.5, 0.55, 0.6, 0.65, 0.7)] + [made("b", 0.5, 0.52)] * 100
    assert benchmark.conformal(errors, "last", "c", 0.2) == pytest.approx(np.log(0.6 / 0.4))
    assert benchmark.conformal(errors, "last", "a", 0.2) == pytest.approx(np.log(0.52 / 0.48))
