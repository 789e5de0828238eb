"""The benchmark of error rates: its noises are what they are said to be, and it counts what it says it counts."""

import json

import numpy as np
import pytest

from benchmarks import error_rates
from benchmarks.error_rates import NOMINAL, SIGMA, Case, measure, real, simulated
from pipeline.files.history import History


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three curves in two clusters, and one that the index does not name."""
    folder, generator = tmp_path_factory.mktemp("histories"), np.random.default_rng(1)
    steps = np.arange(1, 201) * 10
    index = [{"file": f"{name}.json", "cluster": cluster} for name, cluster in (("a", "x"), ("b", "x"), ("c", "y"))]
    for name in ("a", "b", "c", "d"):
        accuracy = 0.1 * np.log(steps) + generator.normal(0, 0.02, 200)
        History({"steps": steps.tolist(), "mlm_acc": accuracy.tolist()}, {}).write(folder / f"{name}.json")
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def test_real_noise_is_what_a_cubic_leaves_of_the_later_half_by_cluster(folder):
    cases = {case.label: case for case in real([folder])}
    assert {label: len(case.pool) for label, case in cases.items()} == {"x, training": 2, "y, training": 1}
    [residuals] = cases["y, training"].pool
    assert len(residuals) == 100
    assert residuals.std() == pytest.approx(0.02, rel=0.2)
    drawn = cases["x, training"].draw(np.random.default_rng(2))
    assert len(drawn) == 200
    assert set(np.round(drawn, 12)) <= {
        round(value * SIGMA / each.std(), 12) for each in cases["x, training"].pool for value in each
    }


@pytest.mark.parametrize("phi", error_rates.PHIS)
def test_simulated_noise_has_its_autoregression_and_its_size(phi):
    [case] = [case for case in simulated() if (case.phi, case.records) == (phi, 300)]
    generator = np.random.default_rng(3)
    rows = np.stack([case.draw(generator) for _ in range(200)])
    assert rows.std() == pytest.approx(SIGMA, rel=0.05)
    assert (rows[:, 1:] * rows[:, :-1]).mean() / SIGMA**2 == pytest.approx(phi, abs=0.05)


def test_a_table_of_all_verdicts_is_written(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(error_rates, "simulated", lambda: [Case("simulated", "white", 100)])
    monkeypatch.setattr(error_rates, "RESULTS", folder)
    monkeypatch.setattr("sys.argv", ["error_rates.py", "--runs", "3", "--json", str(tmp_path / "rates.json")])
    error_rates.main()
    rates = json.loads((tmp_path / "rates.json").read_text())["rates"]
    assert [rate["verdict"] for rate in rates][15:] == 3 * list(NOMINAL)
    for rate in rates:
        assert rate["runs"] == (15 if rate in rates[:15] else 3)
        assert rate["rate"] == rate["events"] / rate["runs"]
        assert rate["interval"][0] <= rate["rate"] <= rate["interval"][1]
        assert f"{100 * rate['nominal']:.1f} %" in capsys.readouterr().out or rate is not rates[0]


def test_a_noise_that_never_rests_is_seen_in_the_rates():
    """A random walk: no verdict holds its rate, and the table says so."""
    walk = Case("real", "walk", 100, pool=(np.cumsum(np.random.default_rng(4).normal(size=400)),))
    found = {rate.verdict: rate.rate for rate in measure(walk, 12, 5)}
    assert found["plateau: the interval misses the gain"] > 0.3
