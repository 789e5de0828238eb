"""How often the forecast's 80 % interval holds a known truth at a constant rate, beside the average of curves.

    python benchmarks/simulated_forecast.py
    python benchmarks/simulated_forecast.py --runs 200 --seed 7 --processes 4

A forecast is made from the first 20, 30 and 50 % of a simulated run's records; the target is the mean of the noise-free
curve over the last 5 % of the steps. The runs have 250, 500 or 1,000 records; part of the noise is a first-order
autoregression with a coefficient of up to 0.95, the rest is independent. The curves are of eight families, with
parameters drawn widely: four that curve_average.py averages over, and four that it does not know (delayed, two speeds,
annealed, breakthrough). Settings were tried on other seeds than 42. benchmarks/forecast.py does it with real runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from scipy import signal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.analyse.annealing.calibration import calibration
from pipeline.statistics.annealing.rate_plan import Plan
from pipeline.statistics.annealing.records import Observed
from pipeline.statistics.curve_average import average_curves
from pipeline.statistics.schedule_forecast import fit_schedule

STEPS = 100_000.0
FRACTIONS = (0.2, 0.3, 0.5)
LAST = 0.05
KNOWN = ("linear", "log", "exponential", "power")
UNKNOWN = ("delayed", "two speeds", "annealed", "breakthrough")
# Family, fraction; of the forecast whether it held, error of the median, width; of the average of curves the first two.
Result = tuple[str, float, bool, float, float, bool, float]
CONSTANT = Plan(np.array([0.0, STEPS]), np.array([1.0, 1.0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="simulated runs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=42, help="of the simulation (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="at the same time (default: %(default)s)")
    arguments = parser.parse_args()
    begun = time.perf_counter()
    results: list[Result] = []
    numbers = [(arguments.seed, number) for number in range(arguments.runs)]
    if arguments.processes > 1:
        with ProcessPoolExecutor(arguments.processes) as pool:
            results = flat(pool.map(simulate, numbers, chunksize=8))
    else:
        results = flat(map(simulate, numbers))
    print_table(results)
    print(f"{arguments.runs} runs of seed {arguments.seed} in {time.perf_counter() - begun:.0f} s")


def simulate(number: tuple[int, int]) -> list[Result]:
    """Forecasts of the simulated run with this (seed, number), one a fraction."""
    generator = np.random.default_rng(number)
    family = (KNOWN + UNKNOWN)[number[1] % (len(KNOWN) + len(UNKNOWN))]
    records = int(generator.choice([250, 500, 1000]))
    steps = np.linspace(STEPS / records, STEPS, records)
    truth = curve_of(family, generator, steps)
    return forecasts(family, steps, truth + noise_of(generator, records), truth)


def forecasts(family: str, steps: np.ndarray, accuracy: np.ndarray, truth: np.ndarray) -> list[Result]:
    late = steps > steps[-1] * (1 - LAST)
    goal, place = float(truth[late].mean()), float(steps[late].mean())
    found = []
    for fraction in FRACTIONS:
        count = int(len(steps) * fraction)
        x, y = steps[:count], accuracy[:count]
        mixture = average_curves(x, y).expect(np.array([place]))
        known = calibration()
        fitted = fit_schedule([Observed(x, y, CONSTANT)], known.gain(None), known.law)
        if fitted is None:
            continue
        expected = fitted.expect(CONSTANT, steps[late])
        low, middle, high = (expected.quantile(share) for share in (0.1, 0.5, 0.9))
        left, centre, right = (float(mixture.quantile(share)[0]) for share in (0.1, 0.5, 0.9))
        result = low <= goal <= high, abs(middle - goal), high - low, left <= goal <= right, abs(centre - goal)
        found.append((family, fraction, *result))
    return found


def curve_of(family: str, generator: np.random.Generator, steps: np.ndarray) -> np.ndarray:
    """A noise-free curve of ``family`` with drawn parameters: float [N]."""

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(generator.uniform(np.log(low), np.log(high))))

    t = steps / STEPS
    first, rise = generator.uniform(0.02, 0.25), generator.uniform(0.1, 0.55)
    shapes: dict[str, Callable[[], np.ndarray]] = {
        "linear": lambda: t,
        "log": lambda: np.log(t / t[0]) / -np.log(t[0]),
        "exponential": lambda: 1 - np.exp(-t / log_uniform(0.04, 0.6)),
        "power": lambda: 1 - (1 + t / log_uniform(0.005, 0.3)) ** -log_uniform(0.3, 3),
        "delayed": lambda: 1 / (1 + (generator.uniform(0.03, 0.15) / t) ** generator.uniform(1.5, 3)),
        "two speeds": lambda: (
            0.6 * (1 - np.exp(-t / generator.uniform(0.01, 0.05)))
            + 0.4 * (1 - np.exp(-t / generator.uniform(0.2, 0.8)))
        ),
        "annealed": lambda: (
            1 - np.exp(-t / generator.uniform(0.05, 0.3)) + generator.uniform(0.03, 0.1) * np.clip(2 * t - 1, 0, 1) ** 2
        ),
        "breakthrough": lambda: (
            0.3 * (1 - np.exp(-t / 0.05)) + 0.7 / (1 + np.exp(-(t - generator.uniform(0.15, 0.6)) / 0.02))
        ),
    }
    return first + rise * shapes[family]()


def noise_of(generator: np.random.Generator, records: int) -> np.ndarray:
    """Noise of the records, partly autoregressive: float [records]."""
    sigma = np.exp(generator.uniform(np.log(0.003), np.log(0.035)))
    phi, share = generator.uniform(0, 0.95), generator.uniform(0, 1)
    shocks = generator.normal(size=records + 200) * np.sqrt(1 - phi**2)
    slow = signal.lfilter([1.0], [1.0, -phi], shocks)[200:]
    return sigma * (np.sqrt(share) * slow + np.sqrt(1 - share) * generator.normal(size=records))


def flat(lists: Iterable[list[Result]]) -> list[Result]:
    return [result for found in lists for result in found]


def print_table(results: list[Result]) -> None:
    print(f"{'':<30}{'forecast':>40}{'average of curves':>26}")
    print(
        f"{'family':<24}{'from':>6}{'runs':>6}{'coverage':>10}{'error':>10}{'width':>10}{'coverage':>13}{'error':>10}"
    )
    families = dict.fromkeys(result[0] for result in results)
    groups: list[tuple[str, tuple[str, ...]]] = [(name, (name,)) for name in families]
    groups += [("the four of the average", KNOWN), ("the four others", UNKNOWN)]
    for name, members in groups:
        for fraction in FRACTIONS:
            mine = [result[2:] for result in results if result[0] in members and result[1] == fraction]
            if mine:
                held, error, width, of_average, error_of_average = np.array(mine, dtype=float).T
                middle, wide, other = (100 * float(np.median(each)) for each in (error, width, error_of_average))
                print(f"{name:<24}{100 * fraction:>4.0f} %{len(mine):>6}{100 * held.mean():>8.0f} %{middle:>10.2f}"
                      f"{wide:>10.2f}{100 * of_average.mean():>11.0f} %{other:>10.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
