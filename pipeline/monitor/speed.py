"""How fast a run is: the speed of the process at work, never a mean with that of one before it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.files.history import History
from pipeline.files.run_record import newest_resume, recorded_changes
from pipeline.formatting import Step
from pipeline.monitor.run_health import Points, finite

RECENT = 10  # records that "now" is taken over


@dataclass(frozen=True)
class Speed:
    """Steps a second; None where the history keeps no time, or too little of it."""

    now: float | None
    is_earlier: bool  # ``now`` is of the process before, for the one at work has too few records yet
    overall: float | None  # of a branch: since it began


def speed_of(history: History) -> Speed:
    """The speed over the newest records of the process at work.

    It began where the run was last resumed, or its settings or machine changed. What lies before its first record is
    left out, for reading data and compiling are no training; so it takes two records to time it.
    """
    points = finite(history, "seconds")
    begun = _begun(history)
    own = [point for point in points if point[0] > begun]
    earlier = bool(begun) and len(own) < 2
    if earlier:
        measured = [point for point in points if point[0] <= begun]
    else:
        measured = own if len(own) > 1 else [(0, 0.0), *own]
    branch = history.facts.branch()
    whole = [point for point in points if point[0] >= branch.step] if branch else [(0, 0.0), *points]
    return Speed(_over(measured[-RECENT - 1 :]), earlier, _over(whole))


def _begun(history: History) -> Step:
    """The step after which the process at work began; 0 of a run that was never stopped."""
    resume, branch = newest_resume(history.run), history.facts.branch()
    steps = [change["step"] for change in recorded_changes(history.run)]
    return max([*steps, resume.step if resume else 0, branch.step if branch else 0])


def _over(points: Points) -> float | None:
    """Steps a second from the first of ``points`` (step, seconds) to the last."""
    if len(points) < 2 or points[-1][1] <= points[0][1]:
        return None
    return (points[-1][0] - points[0][0]) / (points[-1][1] - points[0][1])
