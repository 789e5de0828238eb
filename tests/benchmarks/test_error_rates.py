"""The benchmark of error rates: its noises are what they are said to be, and it counts what it says it counts."""

import json

import numpy as np
import pytest

from benchmarks import error_rates
from benchmarks.error_rates import COMMITTED, NOMINAL, SIGMA, Case, measure, real, simulated
from pipeline.files.history import History
from tests.helpers.tiny import ROOT


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
    cases = {case.label: case for case in real([folder]) if not case.label.startswith(COMMITTED)}
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
    monkeypatch.setattr(error_rates, "RUNS", {})
    options = ["--histories", str(folder), "--runs", "3", "--json", str(tmp_path / "rates.json")]
    monkeypatch.setattr("sys.argv", ["error_rates.py", *options])
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


def documented():
    """The cells of the table in docs/ANALYSIS.md that the committed rates give: the English one, the Chinese one."""
    rates = json.loads((ROOT / "results" / "benchmarks" / "error_rates.json").read_text(encoding="utf-8"))["rates"]

    def of(verdict, source, *noises, records=None):
        chosen = [rate for rate in rates if rate["verdict"].startswith(verdict) and rate["source"] == source]
        return [rate for rate in chosen if (not noises or rate["noise"] in noises)
                and records in (None, rate["records"])]  # fmt: skip

    def span(chosen):
        low, high = (f"{100 * edge([rate['rate'] for rate in chosen]):.1f}" for edge in (min, max))
        return f"{low} to {high} %", f"{low}–{high} %"

    def both(chosen):
        cells = [f"{100 * rate['rate']:.1f} %" for rate in chosen]
        return " and ".join(cells), "、".join(cells)

    def counted(chosen):
        events, runs = (sum(rate[key] for rate in chosen) for key in ("events", "runs"))
        return f"{events} of {runs:,}", f"{runs:,} 次中 {events} 次"

    fast, slow = [f"autoregression {phi}" for phi in ("0.0", "0.4", "0.7")], "autoregression 0.9"
    multipower = "multipower language-model loss, training"
    tenth = of("slope of the last tenth", "real")
    return {
        "flat quarter": span(of("slope of a flat quarter, tested at 5", "simulated", *fast)),
        "plateau": span(of("plateau", "simulated", *fast)),
        "flat quarter, slow": both(of("slope of a flat quarter, tested at 5", "simulated", slow)),
        "overfitting": counted(of("overfitting", "simulated", *fast)),
        "overfitting, slow": both(of("overfitting", "simulated", slow)),
        "r": span(of("r:", "simulated", *fast)),
        "r, slow": both(of("r:", "simulated", slow)),
        "mean of r": both(of("mean of r", "simulated")),
        "crossed": span(of("finished runs, crossed", "simulated")),
        "multibootstrap": both(of("the same by multibootstrap", "simulated", "2 seeds of 2 points, 200 articles",
                                  "5 seeds of 2 points, 200 articles")),
        "plateau, real": span(of("plateau", "real")),
        "overfitting, real": counted(of("overfitting", "real")),
        "r, real": counted(of("r:", "real")),
        "last tenth, real": span([rate for rate in tenth if rate["noise"] != multipower]),
        "last tenth, multipower": both([rate for rate in tenth if rate["noise"] == multipower]),
        "early stop": span([
            rate for rate in of("early stop", "simulated") if (rate["noise"], rate["records"]) != (slow, 20)
        ]),
    }  # fmt: skip


@pytest.mark.parametrize("name", documented())
def test_the_guide_states_the_measured_rates(name):
    english, chinese = documented()[name]
    text = (ROOT / "docs" / "ANALYSIS.md").read_text(encoding="utf-8")
    cells = [row.strip(" |").split(" | ")[-1] for row in text.splitlines() if row.startswith("| ")]
    assert any(english in cell for cell in cells), english
    assert any(chinese in cell for cell in cells), chinese
