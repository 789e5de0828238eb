"""A ladder of runs, alike but for their length: what the shorter ones said of each longer one, and of one longer still.

Each forecast is by the one law of pipeline/analyse/annealing, fitted to all records of the shorter runs and to nothing
of the run that it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.analyse.annealing.ahead import Known, ahead
from pipeline.analyse.schema.forecast import Interval
from pipeline.files.history import History, Role, common_accuracy
from pipeline.files.run_record import recorded_config
from pipeline.formatting import Step

# Settings that may differ among the runs of one ladder: how often a run is written down does not change it.
MAY_DIFFER = {"steps", "seed", "data_seed", "log_interval", "save_interval", "early_checkpoints"}
LATE = 0.05  # of the steps: where a run ends is its mean over these, as the law has it


@dataclass(frozen=True)
class LadderForecast:
    """The accuracy at the end of a run of ``steps``; shares of one."""

    steps: Step
    shorter: list[Step]  # lengths of the runs that the forecast is from
    accuracy: float
    interval: Interval  # 80 %
    reached: float | None  # mean of the runs of this length; None where there is none yet


def ladder_forecasts(histories: Sequence[History]) -> list[LadderForecast]:
    """The forecasts by length, the last of a run twice as long as the longest; empty where these are not a ladder.

    A length that the law does not answer for, or that too few records precede, is left out.
    """
    if not _is_ladder(histories):
        return []
    role = common_accuracy(histories)
    runs = sorted(histories, key=lambda history: history.last_step)
    lengths = sorted({history.last_step for history in runs})
    found = []
    for steps in (*lengths[1:], 2 * lengths[-1]):
        *others, longest = (history for history in runs if history.last_step < steps)
        key = longest.key_of(role)
        law = None if key is None else ahead(longest, key, Known(beside=others))
        if law is None or not law.supports(steps):
            continue
        point = law.point(steps)
        ends = [end for history in runs if history.last_step == steps and (end := _end(history, role)) is not None]
        reached = sum(ends) / len(ends) if ends else None
        known = [length for length in lengths if length < steps]
        found.append(LadderForecast(steps, known, point.accuracy, point.interval, reached))
    return found


def _is_ladder(histories: Sequence[History]) -> bool:
    """Whether these are finished runs of two lengths or more, of one setting otherwise and of one dataset."""
    kinds = []
    for history in histories:
        config = recorded_config(history.run)
        if not config or not history.facts.text("finished") or history.facts.count("stopped_early") is not None:
            return False
        alike = {name: value for name, value in config.items() if name not in MAY_DIFFER}
        kinds.append((alike, history.facts.text("dataset", "fingerprint")))
    return len({history.last_step for history in histories}) > 1 and all(kind == kinds[0] for kind in kinds)


def _end(history: History, role: Role) -> float | None:
    steps, accuracy = history.points(history.key_of(role))
    late = accuracy[steps > (1 - LATE) * history.last_step]
    return float(late.mean()) if len(late) else None
