"""What may be wrong with a run, read off its records: one line a finding.

Anomalies, overfitting and NSP are judged by the rules of the analysis (analyse/health/, analyse/overfitting.py); that
NSP is at chance is a remark until so many pairs have been trained on that it should have left chance. The distance from
a reference run is told by a change of means over a few records against the noise of such means
(statistics/robust/block_means.py). A run is looked at again and again: of 180 simulated runs of 200
records without faults (autoregression 0, 0.4 and 0.9), looked at 17 times each, none was said to overfit.
Of 8,000 simulated runs without faults, at their end 0.4 % (autoregression 0.4) and 2.4 % (0.9) were said to be off a
reference run that differed by noise alone.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import isfinite, sqrt

from pipeline.analyse.health.anomalies import anomalies
from pipeline.analyse.health.chance import CountedPairs, counted_pairs
from pipeline.analyse.health.divergence import diverged
from pipeline.analyse.overfitting import overfitting
from pipeline.files.history import History
from pipeline.formatting import Step
from pipeline.statistics.robust.block_means import FEWEST_BLOCKS, WINDOW, difference_error
from pipeline.words import Sentence

NSP_RECORDS = 8
# Pairs trained on. The committed runs that leave chance do so between 27,000 and 77,000 pairs; this is about twice as
# many. A run that ends before, as a short one does, has nothing wrong with it.
NSP_DUE = 150_000
MARGIN = 4.0  # standard errors of a difference of two means
ACCURACY_MARGIN = 0.005  # an accuracy must also differ by half a point
NAMES = {
    "spike": "spike",
    "drop": "drop",
    "stall": "the same value again and again",
    "constant": "never changes",
    "negative": "below 0",
    "lr_break": "the learning rate jumps",
}

Points = list[tuple[Step, float]]


@dataclass(frozen=True)
class Deviation:
    """Mean difference of the last records from the reference run at the same steps, in shares of one."""

    of: str  # "held-out" or "training"
    difference: float
    error: float  # standard error from the noise of both runs' records
    up_to: Step  # the last step that both runs have

    @property
    def is_large(self) -> bool:
        return abs(self.difference) > max(MARGIN * self.error, ACCURACY_MARGIN)


def finite(history: History, key: str | None) -> Points:
    """(step, value) of the records whose ``key`` is a finite number; empty where the list is missing."""
    values = history.series(key).tolist()
    return [(step, value) for step, value in zip(history.steps, values, strict=True) if isfinite(value)]


def findings(history: History) -> list[Sentence]:
    """Everything that the records alone show to be wrong."""
    return anomalous(history) + overfit(history) + nsp_at_chance(history)


def remarks(history: History) -> list[Sentence]:
    """What is as it should be so far, and worth knowing: NSP is at chance and not yet due to leave it."""
    counted = _at_chance(history)
    if counted is None or _trained_on(history, counted) >= NSP_DUE:
        return []
    text = "NSP still at chance: {share:.1f} % of {pairs:,} pairs; due by {due:,} pairs"
    return [Sentence(text, {**_judged(counted), "due": NSP_DUE})]


def anomalous(history: History) -> list[Sentence]:
    """The anomalies that the analysis would report: not numbers together, a line each of the others."""
    found: list[Sentence] = []
    lost: dict[str, tuple[int, Step]] = {}
    for entry in anomalies(history):
        if entry.kind in ("nan", "inf", "-inf"):
            count, last = lost.get(entry.key, (0, 0))
            lost[entry.key] = count + entry.count, max(last, entry.last_step)
        elif entry.kind == "divergence":
            found += _diverging(history)
        else:
            name = "a long pause" if entry.key == "seconds" else NAMES[entry.kind]
            values = {"kind": Sentence(name), "key": entry.key, "step": entry.first_step}
            text = "{kind}: {key} at step {step:,}"
            if entry.count > 1:
                text += " to {last:,}, {count:,} records"
                values.update(last=entry.last_step, count=entry.count)
            found.append(Sentence(text, values))
    no_numbers = "{key}: {count} NaN or infinite, the last at step {step:,}"
    said = [Sentence(no_numbers, {"key": key, "count": count, "step": step}) for key, (count, step) in lost.items()]
    return said + found


def _diverging(history: History) -> list[Sentence]:
    found = diverged(history)
    text = "diverging: loss {now:.3f} over the last {records} records, {lowest:.3f} around step {at:,}"
    return [Sentence(text, {**vars(found)})] if found else []


def overfit(history: History) -> list[Sentence]:
    """The held-out metrics by which the analysis calls the run overfitted: a line each."""
    judged = overfitting(history)
    if judged is None:
        return []
    found = []
    if judged.accuracy and judged.accuracy.found:
        text = "overfitting: held-out accuracy {points:.1f} points below its best at step {step:,}, training improves"
        found.append(Sentence(text, {"points": -100 * judged.accuracy.change, "step": judged.accuracy.since_step}))
    if judged.loss and judged.loss.found:
        text = "overfitting: held-out loss {rise:.3f} above its best at step {step:,}, training improves"
        found.append(Sentence(text, {"rise": judged.loss.change, "step": judged.loss.since_step}))
    return found


def nsp_at_chance(history: History) -> list[Sentence]:
    """A warning where the pairs judged right are no more than a coin's after ``NSP_DUE`` pairs of training."""
    counted = _at_chance(history)
    if counted is None or _trained_on(history, counted) < NSP_DUE:
        return []
    return [Sentence("NSP at chance: {share:.1f} % of {pairs:,} pairs", _judged(counted))]


def _at_chance(history: History) -> CountedPairs | None:
    """The pairs, where there are records enough and those judged right so far are no more than a coin's."""
    counted = counted_pairs(history)
    known = counted is not None and len(counted.pairs) >= NSP_RECORDS
    return counted if known and counted and counted.at_chance() else None


def _trained_on(history: History, counted: CountedPairs) -> float:
    """Pairs that the run was trained on: those counted; where counts are inferred, a record's are of a single step."""
    pairs = int(counted.pairs.sum())
    return max(pairs, int(counted.pairs[0]) * history.last_step) if counted.known == "inferred" else pairs


def _judged(counted: CountedPairs) -> dict[str, object]:
    pairs = int(counted.pairs.sum())
    return {"share": 100 * int(counted.correct.sum()) / pairs, "pairs": pairs}


def difference_from_reference(history: History, reference: History) -> Deviation | None:
    """How far the run is from a reference run over its last records; None where the two share too few steps.

    Held-out accuracy where both have it, training accuracy otherwise; the reference is interpolated between its
    records. Seeds differ by more than the noise of records, so a large deviation is a reason to look, not a verdict.
    """
    for key, name in ((history.held_out, "held-out"), (history.accuracy, "training")):
        ours, theirs = finite(history, key), finite(reference, key)
        if len(theirs) < 2:
            continue
        shared = [point for point in ours if theirs[0][0] <= point[0] <= theirs[-1][0]]
        if len(shared) < FEWEST_BLOCKS * WINDOW:
            continue
        apart = [value - _between(theirs, step) for step, value in shared]
        error = difference_error(apart) / sqrt(2)  # of one mean, for this is one mean and not a difference of two
        return Deviation(name, sum(apart[-WINDOW:]) / WINDOW, error, shared[-1][0])
    return None


def _between(points: Points, step: Step) -> float:
    """The value at ``step``, between the records around it."""
    place = bisect_left(points, (step, float("-inf")))
    after_step, after = points[place]
    if after_step == step or place == 0:
        return after
    before_step, before = points[place - 1]
    return before + (after - before) * (step - before_step) / (after_step - before_step)
