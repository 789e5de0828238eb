"""The runs of the study's second edition, in the order in which they are trained.

``study/train.py`` trains them, ``study/forecasts.py`` says beforehand where each will end. Every run has a fixed
number of threads, so that it gives the same digits whatever else the machine does. What does not fit into the time is
dropped from the end of the list.
"""

from __future__ import annotations

from dataclasses import dataclass

DECAY = 0.2  # the share of a branch's steps that its decay takes (Hagele et al. 2024)
BUDGETS = (12_500, 25_000, 50_000, 100_000)
SEEDS = (42, 43, 44)
PAIRED = BUDGETS[:2]  # budgets of which every seed has both a cosine run and a branch


@dataclass(frozen=True)
class Planned:
    """One run: its trainer's options, and the trunk that it branches from."""

    name: str
    options: str
    dataset: str = "large"  # of data/<dataset>_wikipedia_dataset.json
    trunk: str | None = None
    branch_at: int | None = None  # the trunk's step
    threads: int = 1
    scored: bool = True  # whether all its checkpoints are scored, not its end alone


def cosine(budget: int, seed: int) -> Planned:
    """A run annealed over its whole length."""
    return Planned(
        f"cosine_{budget}_seed_{seed}", f"--preset small --steps {budget} --seed {seed}", scored=seed == SEEDS[0]
    )


def trunk(seed: int, budgets: tuple[int, ...]) -> Planned:
    """A run at a constant rate up to where the branch of the last of its ``budgets`` leaves it."""
    points = [branch_point(budget) for budget in budgets]
    kept = ",".join(map(str, points))
    return Planned(
        f"trunk_seed_{seed}",
        f"--preset small --schedule constant --steps {points[-1]} --seed {seed} --keep-states {kept}",
        scored=False,
    )


def branch(budget: int, seed: int) -> Planned:
    """A decay from the trunk that ends at ``budget`` steps."""
    return Planned(
        f"branch_{budget}_seed_{seed}",
        f"--steps {budget}",  # all else is the trunk's
        trunk=f"trunk_seed_{seed}",
        branch_at=branch_point(budget),
        scored=False,
    )


def branch_point(budget: int) -> int:
    """The step at which the decay of a branch of so many steps begins."""
    return round(budget * (1 - DECAY))


def twenty_thousand(name: str, seed: int, data_seed: int | None = None) -> Planned:
    """A run with early checkpoints; ``data_seed`` is apart from ``seed`` where it is given."""
    apart = "" if data_seed is None else f" --data-seed {data_seed}"
    return Planned(name, f"--preset small --steps 20000 --seed {seed}{apart} --early-checkpoints")


LADDER = {budget: cosine(budget, SEEDS[0]) for budget in BUDGETS}  # by steps
PLAN = (
    Planned("medium", "--preset medium --steps 40000", threads=2),
    *LADDER.values(),
    *(cosine(budget, seed) for seed in SEEDS[1:] for budget in PAIRED),
    *(each for seed in SEEDS for each in (trunk(seed, PAIRED), *(branch(budget, seed) for budget in PAIRED))),
    *(twenty_thousand(f"seed_{seed}", seed) for seed in (42, 43, 44, 45, 46)),
    twenty_thousand("other_initialisation", 47, data_seed=42),
    twenty_thousand("other_order", 42, data_seed=47),
    Planned("small_dataset", "--preset small --steps 50000", dataset="small"),
)


def named(name: str) -> Planned:
    """The planned run of this name; a KeyError where there is none."""
    return {planned.name: planned for planned in PLAN}[name]
