"""What the headline was meant to reach, set before it was trained, and what came."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.analyse.annealing.ahead import Known, ahead
from pipeline.analyse.annealing.targets import reach_of, steps_to
from pipeline.analyse.schema.forecast import ForecastTarget
from pipeline.files.history import History
from pipeline.files.scores import SplitScores
from pipeline.formatting import percent
from study.tables import Row, Table
from study.tables.committed import FinishedRun
from study.tables.rare_characters import GUESS, TENTHS

STEPS = 100_000  # that the run was to make
MLM, HAN, NSP = 0.40, 0.33, 0.75  # shares of one, on the test split
AHEAD = 9  # of the ten tenths of the running Han text: all but the rarest


@dataclass(frozen=True)
class Goal:
    """One goal and what came, as they are shown."""

    name: str
    goal: str
    came: str
    reached: bool


def goals(end: FinishedRun, scores: SplitScores) -> list[Goal]:
    """The goals of the run that ended with ``end``; ``scores`` are those of its checkpoints."""
    shares = zip(("MLM", "Han", "NSP"), (MLM, HAN, NSP), end.test.overall(), strict=True)
    found = [
        Goal(f"测试 {name} · test {name}", percent(goal, 0), percent(came), came >= goal) for name, goal, came in shares
    ]
    ahead = tenths_ahead(scores)
    return [*found, Goal("领先于频次基线的组 · tenths ahead of counting", str(AHEAD), str(ahead), ahead >= AHEAD)]


def tenths_ahead(scores: SplitScores) -> int:
    """Tenths in which the last checkpoint is ahead of the guess from both neighbours."""
    ahead = 0
    for name in TENTHS:
        last = scores.checkpoints[-1].mlm.by_text_decile[name].accuracy
        counted = scores.guesses[GUESS].by_text_decile[name].accuracy
        ahead += last is not None and counted is not None and last > counted
    return ahead


def steps_to_the_goal(run: History) -> ForecastTarget | None:
    """The steps that a run of the same shape takes to ``MLM`` held out, by its own curve; None: it says nothing."""
    key = run.held_out
    law = ahead(run, key, Known()) if key else None
    return None if law is None or key is None else steps_to(law, *run.points(key), MLM, reach_of(law))


def table(found: list[Goal]) -> Table:
    rows: list[Row] = [(each.name, [each.goal, each.came, "是 · yes" if each.reached else "否 · no"]) for each in found]
    return "目标 · Goals", ["目标 · goal", "实际 · came", "达到 · reached"], rows
