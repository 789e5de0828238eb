"""A run against a baseline run, from the baseline's own history: over the steps that both have, and each as a whole.

r falls with the length of a run that saturates, so r over the whole of a run of 50,000 and of one of 100,000 steps
cannot be compared; over the common horizon they can, if the schedules of their learning rates are kept in
mind. Training accuracy tells how well each run knows its own text: runs on different text are compared by held-out
accuracy.
"""

from __future__ import annotations

from pipeline.analyse.schema.side_by_side import ByHorizon, CommonHorizon, Comparison, RunPair
from pipeline.analyse.side_by_side.run_parts import Part, difference, part_of, shared_until
from pipeline.files.history import History, Role
from pipeline.formatting import step_number


def comparison(history: History, baseline: History | None) -> Comparison:
    """The run against its baseline; all None but the note without one."""
    if baseline is None:
        note = "no baseline history was given (--baseline), so there is nothing to compare with"
        return Comparison(None, None, None, None, note, None, None, None, None)
    end = baseline.last_step
    training = _of(history, baseline, "accuracy")
    before, now = training.whole.baseline.r, training.whole.this_run.r
    improvement = None if now is None or before is None else now - before
    both_held_out = history.held_out is not None and baseline.held_out is not None
    return Comparison(
        baseline_r=before,
        this_r=now,
        improvement=improvement,
        improvement_percentage=None if improvement is None or not before else 100 * improvement / before,
        note=f"the baseline has {len(baseline)} records to step {end}; r falls with the length of a run "
        "that saturates, so do not compare r across lengths",
        baseline_last_step=end,
        common_horizon=training.common_horizon,
        whole=training.whole,
        held_out=_of(history, baseline, "held_out") if both_held_out else None,
    )


def _of(history: History, baseline: History, role: Role) -> ByHorizon:
    """The accuracy in ``role`` over the common horizon and over each run's whole."""
    until = min(float(each.last_step) for each in (baseline, history))
    shared = shared_until(baseline, history)
    before, now = baseline.key_of(role), history.key_of(role)
    common = _pair(part_of(baseline, before, until), part_of(history, now, until), shared)
    return ByHorizon(
        CommonHorizon(until=step_number(until), **vars(common)),
        whole=_pair(part_of(baseline, before), part_of(history, now), shared),
    )


def _pair(baseline: Part, this_run: Part, shared: int) -> RunPair:
    r, r_interval = difference(baseline, this_run, "r", shared)
    accuracy, accuracy_interval = difference(baseline, this_run, "end_accuracy", shared)
    return RunPair(baseline.summary(), this_run.summary(), r, r_interval, accuracy, accuracy_interval)
