"""What the analysis file says about several runs: the baseline, runs beside this one, checkpoints of this one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipeline.analyse.schema.forecast import Interval
from pipeline.files.run_record import Branch
from pipeline.files.scores import Split
from pipeline.formatting import Step

RunsKind = Literal["seeds", "experiments"]
Metric = Literal["r", "end_accuracy", "mean_accuracy"]
Covers = Literal["seeds", "records"]


@dataclass(frozen=True)
class PartOfRun:
    """One run up to a step. Values are null where the records do not define them."""

    records: int
    r: float | None
    interval_autocorrelation: Interval | None  # of r
    mean_accuracy: float | None  # share of one
    end_accuracy: float | None  # mean of the last tenth of the records


@dataclass(frozen=True)
class RunPair:
    """The baseline and this run; differences are this run - baseline."""

    baseline: PartOfRun
    this_run: PartOfRun
    r_difference: float | None
    r_difference_interval: Interval | None  # over the noise of both runs' records
    accuracy_difference: float | None  # of the end accuracies, share of one
    accuracy_difference_interval: Interval | None


@dataclass(frozen=True)
class _Until:
    until: Step  # the last step that both have


@dataclass(frozen=True)
class CommonHorizon(RunPair, _Until):
    """Both runs over the steps that both have."""


@dataclass(frozen=True)
class ByHorizon:
    """The comparison of one accuracy."""

    common_horizon: CommonHorizon
    whole: RunPair  # each run to its own end


@dataclass(frozen=True)
class Comparison:
    """This run and a baseline run; all is null but the note without a baseline."""

    baseline_r: float | None = field(metadata={"key": "50k_pearson_r"})
    this_r: float | None = field(metadata={"key": "100k_pearson_r"})
    improvement: float | None  # this_r - baseline_r
    improvement_percentage: float | None  # of baseline_r
    note: str
    baseline_last_step: Step | None
    common_horizon: CommonHorizon | None  # of training accuracy
    whole: RunPair | None
    held_out: ByHorizon | None  # null unless both runs have held-out accuracy


@dataclass(frozen=True)
class ComparedRun:
    """One of several histories."""

    path: str
    label: str
    group: str  # label of the first run of the same setting
    seed: int | None
    records: int
    total_steps: Step
    key: str | None  # the accuracy list that is compared; null where they have none
    r: float | None
    interval_autocorrelation: Interval | None  # of r
    rho: float | None  # Spearman's
    end_accuracy: float | None  # mean of the last tenth of the records, share of one
    end_interval: Interval | None
    best_accuracy: float | None  # smoothed
    best_step: Step | None
    test_accuracy: float | None  # on the test articles, from the run's final scoring
    branch: Branch | None = field(default=None, metadata={"omit_none": True})  # the trunk of a branch


@dataclass(frozen=True)
class Band:
    """The mean of the seeds' smoothed curves, and where one further seed is expected, 95 times in 100."""

    key: str
    steps: list[Step]
    mean: list[float]  # shares of one, one a step, as all lists here
    low: list[float]
    high: list[float]
    between_sd: list[float]


@dataclass(frozen=True)
class MeanR:
    """r over seeds, up to the last step that all have."""

    mean: float  # on Fisher's scale
    sd: float
    interval: Interval  # of the mean (Student t on Fisher's scale)


@dataclass(frozen=True)
class GroupDifference:
    """One metric of two groups of runs."""

    first: str  # label of the group's first run
    second: str
    metric: Metric
    until: Step | None  # null for "end_accuracy", which is at each run's own end
    difference: float | None  # second - first
    interval: Interval | None
    covers: Covers  # what the interval covers: the scatter of seeds, or only the noise of two runs' records
    # The step up to which runs of the two groups have one trunk, whose records say nothing of a difference.
    shared_until: int | None = field(default=None, metadata={"omit_none": True})


@dataclass(frozen=True)
class FinalDifference:
    """The final scoring of two groups of runs on the same questions."""

    first: str  # label of the group's first run
    second: str
    split: Literal["validation", "test"]
    articles: int
    targets: int  # masked characters, or predicted ones; sentence pairs where ``of`` says so
    difference: float  # second - first, share of one
    interval: Interval | None  # crossed random effects, Student's t; null for a single article
    covers: Literal["seeds and articles", "articles"]  # what the interval covers
    multibootstrap: Interval | None  # the same by drawing seeds and articles again; null where a group has one seed
    of: Literal["tokens", "pairs"] = "tokens"  # what is told right: tokens, or sentence pairs (NSP)


@dataclass(frozen=True)
class SeveralRuns:
    """Several histories side by side."""

    kind: RunsKind  # "seeds": one setting
    histories: list[ComparedRun]
    band: Band | None  # null for experiments
    r: MeanR | None  # null for experiments
    differences: list[GroupDifference]  # between groups
    differing_settings: list[str]  # names of settings in ``run.config`` that are not the same in all
    note: str
    # Of groups whose runs all have a final scoring; not there without any.
    final: list[FinalDifference] | None = field(default=None, metadata={"omit_none": True})


@dataclass(frozen=True)
class CheckpointGroup:
    """One group of held-out targets along the checkpoints."""

    targets: int
    accuracy: list[float | None]  # share of one, one a checkpoint; null over no targets
    first: float | None
    last: float | None
    gain: float | None  # last - first
    gain_interval: Interval | None
    rho: float | None  # Spearman's, of step and accuracy; null for fewer than four checkpoints
    half_way_step: int | None  # where half of the gain was made


@dataclass(frozen=True)
class CheckpointCurves:
    """The scores of all targets along the checkpoints; lists hold one value a checkpoint."""

    sequences: int  # held-out sequences scored
    steps: list[int]
    accuracy: list[float | None]
    loss: list[float | None]  # nats
    nsp_accuracy: list[float | None]
    guesses: dict[str, float | None]  # accuracies by counting: "commonest", "left", "both"
    groups: dict[str, dict[str, CheckpointGroup]]  # by kind (class, source, text_decile, character_decile) and name


@dataclass(frozen=True)
class CheckpointTrends:
    """The kept checkpoints, scored by evaluate_checkpoints.py."""

    path: str  # of the scores
    split: Split
    curves: CheckpointCurves = field(metadata={"inlined": True})
