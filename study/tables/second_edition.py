"""The tables of the second edition, of those of its runs that are committed under results/study/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.real_curves import committed_curves
from pipeline.files.history import History, read_history
from pipeline.files.scores import SplitScores
from study.plan import BUDGETS, LADDER, PLAN, SEEDS
from study.runs import HEADLINE, history_path
from study.tables import Table, goals
from study.tables.at_equal_cost import at_equal_cost
from study.tables.branches import Pairs, branches
from study.tables.committed import finished, history, scores
from study.tables.counting_to_context import counting_to_context
from study.tables.forecasts import (
    beside_simple_rules,
    each_forecast,
    each_of_the_ladder,
    read_committed,
    read_ladder,
    steps_to_targets,
)
from study.tables.rare_characters import rare_characters
from study.tables.registers import registers
from study.tables.seeds import seeds
from study.tables.sizes import sizes

SIZES = ("medium", LADDER[50_000].name)  # runs of about as many steps
TWINS = {"另一初始化 · other initialisation": "other_initialisation", "另一次序 · other order": "other_order"}
TWIN = "seed_42"  # the run that both differ from


@dataclass(frozen=True)
class Runs:
    """The finished runs of the plan by name, and the scores of the headline's checkpoints."""

    finished: Mapping[str, History]
    headline: SplitScores

    def some(self, names: list[str]) -> dict[str, History]:
        """Those of ``names`` that are finished."""
        return {name: self.finished[name] for name in names if name in self.finished}


def read_runs() -> Runs:
    """The runs that study/publish.py put into results/."""
    paths = {planned.name: history_path(f"study/{planned.name}") for planned in PLAN}
    return Runs({name: read_history(path) for name, path in paths.items() if path.exists()}, scores(HEADLINE))


def tables(runs: Runs, forecasts: Path) -> list[Table]:
    """The tables whose runs are there; ``forecasts`` is the folder of the forecasts made beforehand."""
    found = [goals.table(goals.goals(finished(history(HEADLINE)), runs.headline))]
    annealed = [SIZES[0], *(each.name for each in LADDER.values())]
    if runs.some(annealed):
        found.append(sizes(list(runs.some(annealed).items())))
    if len(both := runs.some(list(SIZES))) == len(SIZES):
        found.append(at_equal_cost(*both.items()))
    found += [counting_to_context(runs.headline), rare_characters(runs.headline), registers(runs.headline)]
    if pairs := paired(runs):
        found.append(branches(pairs))
    if twenty := runs.some([each.name for each in PLAN if each.name.startswith("seed_")]):
        twins = {label: runs.finished[name] for label, name in TWINS.items() if name in runs.finished}
        apart = {label: (twenty[TWIN], twin) for label, twin in twins.items() if TWIN in twenty}
        found.append(seeds(twenty, apart))
    committed = [made for made in read_committed(forecasts) if made.run in runs.finished]
    if committed:
        found += [
            each_forecast(committed, runs.finished),
            beside_simple_rules(committed, runs.finished, committed_curves()),
        ]
    ladder = {steps: runs.finished[each.name] for steps, each in LADDER.items() if each.name in runs.finished}
    longer = [made for made in read_ladder(forecasts) if made.steps in ladder]
    if longer:
        found.append(each_of_the_ladder(longer, ladder))
        if (targets := steps_to_targets(longer, ladder))[2]:
            found.append(targets)
    return found


def paired(runs: Runs) -> Pairs:
    """The runs of one length and seed that were both annealed over their whole length and branched, if finished."""
    pairs: dict[int, dict[int, tuple[History, History]]] = {}
    names = {planned.name for planned in PLAN}
    for steps in BUDGETS:
        for seed in SEEDS:
            both = [f"cosine_{steps}_seed_{seed}", f"branch_{steps}_seed_{seed}"]
            if set(both) <= names and len(found := runs.some(both)) == len(both):
                first, second = found.values()
                pairs.setdefault(steps, {})[seed] = (first, second)
    return pairs
