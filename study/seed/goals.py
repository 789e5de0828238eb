"""The goals of the ladder, set before it was measured, beside what was."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from study.seed.rungs import Measured

REGRETS = {"periodic": 0.005, "sums mod 10": 0.04, "copies": 0.30, "lag copy": 0.10, "switching": 0.15}


class Goal(NamedTuple):
    """What is measured, what it should be at most (or at least), and what it is."""

    what: str
    goal: float
    measured: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal


def goals(found: Measured) -> list[Goal]:
    """The goals of the rungs that ``found`` has, in the ladder's order."""
    made: dict[str, Callable[[], list[Goal]]] = {
        "sequences": lambda: _sequences(found["sequences"]),
        "grid": lambda: [
            Goal("grid: way to the filter", 0.5, found["grid"]["way_from_table_to_filter"], at_least=True)
        ],
        "language": lambda: _language(found),
        "modalities": lambda: [Goal("label with the image, bits", 1.5, found["modalities"]["with_image"]["bits"])],
        "open": lambda: _open(found["open"]),
        "speed": lambda: [
            Goal("symbols a second of CPU time", 20_000.0, found["speed"]["symbols_per_cpu_second"], at_least=True)
        ],
    }
    return [goal for rung, listed in made.items() if rung in found for goal in listed()]


def _sequences(rung: Measured) -> list[Goal]:
    listed = {"markov": 2.5 * rung["markov"]["parametric_cost"], **REGRETS}
    return [Goal(f"{name}: regret", goal, rung[name]["regret"]) for name, goal in listed.items() if name in rung]


def _language(found: Measured) -> list[Goal]:
    listed = []
    for name, goal in (("WikiText-103", 1.83), ("三国演义", 6.45)):
        if name not in found["language"]:
            continue
        row = found["language"][name]
        listed.append(Goal(f"bits a character of {name}", goal, row["learner"]))
        ppmd = next(value for key, value in row.items() if key.startswith("PPMd"))
        kneser_ney = found.get("kneser_ney", {}).get(name, {"bits": None})["bits"]
        for other, bits in (("PPMd", ppmd), ("Kneser-Ney", kneser_ney)):
            if bits is not None:
                listed.append(Goal(f"{name} below {other}", bits, row["learner"]))
    return listed


def _open(rung: Measured) -> list[Goal]:
    listed = [Goal("open stream: interference", 0.05, rung["interference"])]
    if rung["ppmd_bits_per_symbol"] is not None:
        listed.insert(0, Goal("open stream below PPMd", rung["ppmd_bits_per_symbol"], rung["bits_per_symbol"]))
    return listed
