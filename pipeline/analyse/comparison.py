"""A run against a baseline run, from the baseline's own history: over the steps that both have, and each as a whole.

r falls with the length of a run that saturates, so r over the whole of a run of 50,000 and of one of 100,000 steps are
not to be ranked; over the common horizon they can be compared, if the schedules of their learning rates are kept in
mind.
"""

from __future__ import annotations

from typing import Any

from pipeline.analyse.ends import Part, difference, part_of
from pipeline.history import History

PUBLISHED = ("50k_pearson_r", "100k_pearson_r", "improvement", "improvement_percentage")
KEY = "mlm_acc"


def comparison(history: History, baseline: History | None) -> dict[str, Any]:
    """The ``comparison_with_50k`` object of the analysis file; all null but the note without a baseline."""
    if baseline is None:
        note = "no baseline history was given (--baseline), so there is nothing to compare with"
        return {**dict.fromkeys((*PUBLISHED, "baseline_last_step", "common_horizon", "whole")), "note": note}
    ends = [float(each.records["steps"][-1]) for each in (baseline, history)]
    until = min(ends)
    before, now = part_of(baseline, KEY), part_of(history, KEY)
    improvement = None if now.r is None or before.r is None else now.r - before.r
    return {
        "50k_pearson_r": before.r,
        "100k_pearson_r": now.r,
        "improvement": improvement,
        "improvement_percentage": None if improvement is None or not before.r else 100 * improvement / before.r,
        "note": f"the baseline has {len(baseline)} records to step {int(ends[0])}; r falls with the length of a run "
        "that saturates, so runs of different lengths are not to be ranked by it",
        "baseline_last_step": int(ends[0]),
        "common_horizon": {
            "until": int(until),
            **_side_by_side(part_of(baseline, KEY, until), part_of(history, KEY, until)),
        },
        "whole": _side_by_side(before, now),
    }


def _side_by_side(baseline: Part, this_run: Part) -> dict[str, Any]:
    r, r_interval = difference(baseline, this_run, "r")
    accuracy, accuracy_interval = difference(baseline, this_run, "end_accuracy")
    return {
        "baseline": baseline.to_json(),
        "this_run": this_run.to_json(),
        "r_difference": r,
        "r_difference_interval": r_interval,
        "accuracy_difference": accuracy,
        "accuracy_difference_interval": accuracy_interval,
    }
