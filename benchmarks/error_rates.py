"""How often the verdicts of the analysis are wrong, beside how often they say they are: nominal and measured rates.

    python benchmarks/error_rates.py                                     # simulated noise, and that of results/
    python benchmarks/error_rates.py --histories DIR ... --runs 400 --json rates.json

Each run has a known curve, which rises and then stays flat, and noise of one of two sources:

- simulated: a first-order autoregression with coefficient 0, 0.4, 0.7 or 0.9, over 100 or 300 records;
- real: what the later half of a real curve leaves of a cubic in log(step), resampled in blocks of a fifth of it
  (stationary bootstrap), by cluster of curves. Nothing that the verdicts assume about noise goes into it. Histories
  come from every folder named, by clusters where an index.json names them; our own are in results/.

Beside these stands what does not depend on the noise of one run: comparisons of finished runs, where seeds or articles
make most of the scatter, means of r over seeds, and the early-stopping rule.

What is counted is in ``NOMINAL``: false findings where there is nothing to find, and intervals that miss the truth. The
intervals beside the measured rates are exact binomial ones (Clopper & Pearson 1934), 95 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy import signal, stats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.analyse.overfitting import ALPHA, overfitting
from pipeline.analyse.plateau import plateau, slopes_per_10k
from pipeline.analyse.side_by_side.compare_runs import on_fishers_scale
from pipeline.files.history import History, read_history
from pipeline.statistics.bootstrap import block_places, correlations_with, interval_around, noise_draws
from pipeline.statistics.crossed import Apart, crossed_difference
from pipeline.statistics.early_stop import EarlyStop
from pipeline.statistics.noise import scatter
from pipeline.statistics.slope import slope_test
from pipeline.statistics.smoothing import average_down
from study.runs import RUNS, history_path

COMMITTED = "results"  # the cluster of the committed runs
PHIS = (0.0, 0.4, 0.7, 0.9)
RECORDS = (100, 300)
SIGMA = 0.01  # of the noise; the curve rises by 0.3
MOST_RECORDS = 300  # of a run with the noise of a longer history
REPLICATES = 300  # of the bootstrap of r
FEWEST_RECORDS = 40  # of the later half of a history
BLOCKS = 5  # mean block: this part of the later half
NOMINAL = {
    "slope of a flat quarter, tested at 5 %": 0.05,
    "slope of a flat quarter, tested at 1 %": 0.01,
    "plateau: the interval misses the gain": 0.05,
    "slope of the last tenth: the interval misses it": 0.05,
    "overfitting found in a run that has none": ALPHA,
    "r: the interval misses the truth": 0.05,
}


@dataclass(frozen=True)
class Case:
    """A kind of noise: ``pool`` holds residuals of real curves (float [M] each), and is empty for a simulation."""

    source: str  # "simulated" or "real"
    label: str
    records: int
    phi: float = 0.0
    pool: tuple[np.ndarray, ...] = ()

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """One noise with a standard deviation of about SIGMA: float [records]."""
        if not self.pool:
            shocks = generator.normal(0, SIGMA * np.sqrt(1 - self.phi**2), self.records + 200)
            return np.asarray(signal.lfilter([1], [1, -self.phi], shocks)[200:])
        residuals = self.pool[int(generator.integers(len(self.pool)))]
        around = np.concatenate([residuals] * (1 + self.records // len(residuals)))[: max(len(residuals), self.records)]
        places = block_places(generator, 1, len(around), len(residuals) / BLOCKS)[0][: self.records]
        return around[places] * SIGMA / residuals.std()


@dataclass(frozen=True)
class Rate:
    """One verdict, one kind of noise."""

    verdict: str
    nominal: float
    source: str
    noise: str
    records: int
    runs: int
    events: int
    rate: float
    interval: tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=Path, nargs="*", default=[], help="folders of histories, beside results/")
    parser.add_argument("--runs", type=int, default=200, help="of each kind of noise (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=42, help="(default: %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="at the same time (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the table to this file too")
    arguments = parser.parse_args()
    rates = seed_rates(arguments.runs, arguments.seed)
    print_rates(rates)
    for case in [*simulated(), *real(arguments.histories)]:
        found = measure(case, arguments.runs, arguments.seed, arguments.processes)
        print_rates(found)
        rates += found
    if arguments.json:
        arguments.json.write_text(json.dumps({"rates": [asdict(rate) for rate in rates]}, indent=1) + "\n")


def simulated() -> Iterator[Case]:
    for records in RECORDS:
        for phi in PHIS:
            yield Case("simulated", f"autoregression {phi}", records, phi)


def real(folders: Sequence[Path]) -> Iterator[Case]:
    """One case for each cluster: the committed runs outside study/plan.py, and the histories in the folders.

    The runs of the plan came after the rates were measured. A folder without an index.json is one cluster.
    """
    clusters = dict.fromkeys(sorted(history_path(name) for name in RUNS), COMMITTED)
    for folder in folders:
        index = folder / "index.json"
        if index.exists():
            entries = sorted(json.loads(index.read_text(encoding="utf-8")), key=lambda entry: entry["file"])
            clusters |= {folder / entry["file"]: entry["cluster"] for entry in entries}
        else:
            clusters |= dict.fromkeys(sorted(folder.glob("*.json")), folder.name)
    yield from cases(clusters)


def cases(clusters: Mapping[Path, str]) -> Iterator[Case]:
    """One case for each cluster and each part of the data that its histories have."""
    pools: dict[str, list[np.ndarray]] = {}
    for path, cluster in clusters.items():
        history = read_history(path)
        for role, key in (("training", history.accuracy), ("held out", history.held_out)):
            residuals = residuals_of(*history.points(key))
            if residuals is not None:
                pools.setdefault(f"{cluster}, {role}", []).append(residuals)
    for label, pool in pools.items():
        length = int(np.median([len(residuals) for residuals in pool]))
        yield Case("real", label, min(2 * length, MOST_RECORDS), pool=tuple(pool))


def residuals_of(steps: np.ndarray, values: np.ndarray) -> np.ndarray | None:
    """What the later half of points (float [N] each) leaves of a cubic in log(step); None for too few of them.

    A longer history is averaged down first: the memory of its noise is to keep its proportion to the length of the run.
    """
    steps, values = average_down(steps, values, MOST_RECORDS)
    late = slice(len(steps) // 2, None)
    x, y = np.log(np.maximum(steps[late], 1e-9)), values[late]
    if len(x) < FEWEST_RECORDS or np.ptp(y) == 0:
        return None
    return np.asarray(y - np.polynomial.Polynomial.fit(x, y, 3)(x))


def measure(case: Case, runs: int, seed: int, processes: int = 1) -> list[Rate]:
    """The rates of all verdicts over so many runs with noise of ``case``."""
    one = partial(judge, case, true_r(case, seed))
    seeds = [(seed, number) for number in range(runs)]
    if processes > 1:
        with ProcessPoolExecutor(processes) as pool:
            found = list(pool.map(one, seeds, chunksize=4))
    else:
        found = [one(number) for number in seeds]
    rates = []
    for verdict, nominal in NOMINAL.items():
        events = sum(each[verdict] for each in found)
        interval = stats.binomtest(events, runs).proportion_ci(0.95, "exact")
        bounds = float(interval.low), float(interval.high)
        rates.append(Rate(verdict, nominal, case.source, case.label, case.records, runs, events, events / runs, bounds))
    return rates


def seed_rates(runs: int, seed: int) -> list[Rate]:
    """Comparisons over seeds, and the early-stopping rule: as often as ``runs`` each, times five."""
    generator, found = np.random.default_rng(seed), []

    def add(verdict: str, nominal: float, noise: str, records: int, events: list[bool]) -> None:
        interval = stats.binomtest(sum(events), len(events)).proportion_ci(0.95, "exact")
        rate = sum(events) / len(events)
        bounds = float(interval.low), float(interval.high)
        found.append(Rate(verdict, nominal, "simulated", noise, records, len(events), sum(events), rate, bounds))

    runs = 5 * runs
    for seeds, of_seeds, articles in ((2, 0.02, 200), (5, 0.02, 200), (2, 0.01, 60), (5, 0.01, 60)):
        apart = [_two_settings(generator, seeds, of_seeds, articles) for _ in range(runs)]
        noise = f"{seeds} seeds of {100 * of_seeds:.0f} points, {articles} articles"
        intervals = [each.interval or (0.0, 0.0) for each in apart]
        add("finished runs, crossed: misses", 0.05, noise, seeds, [not low <= 0 <= high for low, high in intervals])
        intervals = [each.multibootstrap or (0.0, 0.0) for each in apart]
        add("the same by multibootstrap", 0.05, noise, seeds, [not low <= 0 <= high for low, high in intervals])
    line = np.arange(7) / 6 * 0.02
    rows = line + generator.normal(0, 0.01, (20_000, 7))
    r = np.array([np.corrcoef(line, row)[0, 1] for row in rows])
    truth = float(np.tanh(np.arctanh(r).mean()))
    for seeds in (3, 5):
        intervals = [on_fishers_scale(generator.choice(r, seeds))[1] for _ in range(runs)]
        missed = [not low <= truth <= high for low, high in intervals]
        add("mean of r over seeds: misses", 0.05, f"{seeds} seeds", seeds, missed)
    for window, phi in ((100, 0.0), (100, 0.8), (40, 0.6), (20, 0.4), (20, 0.9)):
        rule, steps = EarlyStop(window=window, worth=0.01, patience=1), list(range(window))
        case, gain = Case("simulated", "", window, phi), np.linspace(0.3, 0.31, window)
        stops = [rule.stopping_step(steps, (gain + 0.3 * case.draw(generator)).tolist()) for _ in range(runs)]
        met = [stop is not None for stop in stops]
        add("early stop: met by a window at its worth", 0.1, f"autoregression {phi}", window, met)
    return found


def _two_settings(generator: np.random.Generator, seeds: int, of_seeds: float, articles: int) -> Apart:
    """Two settings that are one: seeds differ by ``of_seeds``, articles in how hard they are."""
    targets, hard = generator.integers(5, 60, articles), generator.normal(0, 0.1, articles)
    tables = []
    for _ in range(2):
        share = 0.3 + generator.normal(0, of_seeds, (seeds, 1)) + hard + generator.normal(0, 0.02, (seeds, articles))
        tables.append(generator.binomial(targets, np.clip(share, 0.01, 0.99)))
    return crossed_difference(tables[0], tables[1], targets)


def judge(case: Case, truth: float, number: tuple[int, int]) -> dict[str, bool]:
    """Which verdicts on the run with this (seed, number) are wrong; ``truth``: r of such runs."""
    generator = np.random.default_rng(number)
    steps, curve = run_of(case.records)
    held_out, trained = (curve + case.draw(generator) for _ in range(2))
    found = scatter(held_out)
    assert found is not None
    last = steps > 0.75 * steps[-1]
    slope = slope_test(steps[last], held_out[last], found.noise)
    low, high = plateau(steps, held_out, found.noise, []).interval or (0.0, 0.0)
    tenth = slopes_per_10k(steps, held_out, found.noise, None).local[-1].interval or (0.0, 0.0)
    draws = noise_draws(found)
    assert draws is not None
    drawn = replace(draws, replicates=REPLICATES).each(correlations_with(steps))
    r_low, r_high = interval_around(float(np.corrcoef(steps, held_out)[0, 1]), drawn)
    p = 1.0 if slope is None or slope.p is None else slope.p
    return dict(zip(NOMINAL, [
        p < 0.05,
        p < 0.01,
        not low <= 0 <= high,
        not tenth[0] <= 0 <= tenth[1],
        overfits(steps, held_out, trained + 0.1 * steps / steps[-1], generator, case),
        not r_low <= truth <= r_high,
    ], strict=True))  # fmt: skip


def overfits(
    steps: np.ndarray, held_out: np.ndarray, trained: np.ndarray, generator: np.random.Generator, case: Case
) -> bool:
    """Whether a run whose held-out curves are flat is said to overfit, by accuracy or by loss; float [N] each."""
    loss = 4 - 5 * run_of(case.records)[1] + 5 * case.draw(generator)
    lists = {"mlm_acc": trained, "loss": 5 - 3 * trained, "eval_mlm_acc": held_out, "eval_loss": loss}
    history = History({"steps": steps.tolist(), **{key: values.tolist() for key, values in lists.items()}}, {})
    found = overfitting(history)
    return found is not None and found.found


def run_of(records: int) -> tuple[np.ndarray, np.ndarray]:
    """Steps and a curve that has risen by 0.3 and is flat from half of the run on, float [records] each."""
    steps = np.arange(1.0, records + 1) * 100
    return steps, 0.35 - 0.3 * np.exp(-steps / steps[-1] / 0.06)


def true_r(case: Case, seed: int) -> float:
    """r of such runs: the mean over many, on Fisher's scale."""
    steps, curve = run_of(case.records)
    generator = np.random.default_rng((seed, 0, 0))
    z = [np.arctanh(np.corrcoef(steps, curve + case.draw(generator))[0, 1]) for _ in range(2_000)]
    return float(np.tanh(np.mean(z)))


def print_rates(rates: list[Rate]) -> None:
    header = None
    for rate in rates:
        if header != (header := (rate.source, rate.noise, rate.records)):
            print(f"{rate.source} noise, {rate.noise}: {rate.runs} runs of {rate.records}")
        low, high = rate.interval
        print(
            f"  {rate.verdict:<50} nominal {100 * rate.nominal:4.1f} %   measured {100 * rate.rate:5.1f} %   "
            f"({100 * low:.1f} to {100 * high:.1f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
