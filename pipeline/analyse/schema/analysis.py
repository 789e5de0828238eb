"""The analysis file: what ``analyze_100k.py`` writes and ``visualize_results.py`` reads.

JSON, numbers unrounded, null where a value is not defined. Accuracies are shares of one, steps are optimizer steps. An
interval is [low, high], 95 % unless said otherwise. ``note`` is English prose; what a program needs stands in other
keys. The classes of this package are the keys of the file, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.analyse.schema.accuracy import AccuracyCurve, HeldOutCurve, LossCurves
from pipeline.analyse.schema.anomalies import Anomaly, AnomalyRule
from pipeline.analyse.schema.forecast import LATER, LossForecast
from pipeline.analyse.schema.log import Log
from pipeline.analyse.schema.run import Cost, EarlyStopHindsight, Nsp, Overfit
from pipeline.analyse.schema.side_by_side import CheckpointTrends, Comparison, SeveralRuns
from pipeline.files import atomic
from pipeline.files.history import History, beside, output_folder
from pipeline.files.json_object import read_json_object
from pipeline.files.run_record import Branch
from pipeline.files.typed_json import from_json, to_json
from pipeline.formatting import Step
from pipeline.stage import InputError
from pipeline.statistics.correlation import plain_r

ADVICE = "analyze_100k.py makes one from the same --history"


@dataclass(frozen=True)
class AccuracyStats:
    """Training accuracy over all records (shares of one); null without one."""

    mean: float | None
    max: float | None
    min: float | None
    std: float | None  # ddof 0


@dataclass(frozen=True)
class LossStats:
    """Training loss in its own unit; null without a record."""

    initial: float | None
    final: float | None
    decrease: float | None  # initial - final


@dataclass(frozen=True)
class Analysis:
    """The whole analysis of a history. The first nine keys are the published ones."""

    timestamp: str
    total_steps: Step  # the step of the last record
    data_points: int  # records
    pearson_correlation: float | None  # ``pearson.r``
    r_squared: float | None  # its square
    mlm_stats: AccuracyStats
    loss_stats: LossStats
    comparison_with_50k: Comparison
    goal_achieved: bool | None  # r >= 0.85, the published goal; null where r is not defined
    training: AccuracyCurve = field(metadata={"inlined": True})
    held_out: HeldOutCurve | None  # null without held-out values
    nsp: Nsp
    overfit: Overfit | None  # null without held-out values
    anomalies: list[Anomaly]
    anomaly_rule: AnomalyRule
    cost: Cost
    early_stop: EarlyStopHindsight | None  # null without an accuracy
    several: SeveralRuns | None  # null for one history
    checkpoints: CheckpointTrends | None  # null without scores
    branch: Branch | None = field(default=None, metadata={"omit_none": True})  # the trunk of a branch
    loss_curves: LossCurves | None = field(default=None, metadata={"omit_none": True})  # where there is no accuracy
    log: Log | None = field(default=None, metadata={"omit_none": True})  # left out for a run of our own trainer
    # Of training and held-out loss, those that the history has; only of a run under way, or where --at asks.
    losses: list[LossForecast] | None = field(default=None, metadata=LATER)


def default_analysis(history: Path) -> Path:
    """Where the analysis of ``history`` is written by default: ``analysis_X_result.json`` for
    ``training_history_X.json``, ``analysis.json`` for any other name."""
    name = beside(history, "analysis").stem
    return output_folder(history) / ("analysis.json" if name == "analysis" else f"{name}_result.json")


def analysis_of(history: Path) -> Path:
    """Where an analysis of ``history`` is read by default: the one that was written, else the committed one."""
    written = default_analysis(history)
    return written if written.exists() else history.with_name(written.name)


def write_analysis(path: Path, analysis: Analysis) -> None:
    """Replace ``path`` by ``analysis``."""
    atomic.write_json(path, to_json(analysis), indent=2)


def read_analysis(path: Path, history: History) -> Analysis:
    """The analysis of ``history`` in ``path``.

    Raises:
        InputError: missing file, broken JSON, missing keys, wrong types, or an analysis of another history.
    """
    analysis = from_json(Analysis, read_json_object(path, "the analysis", ADVICE), path, advice=ADVICE)
    same = analysis.total_steps == history.last_step and analysis.data_points == len(history)
    if not same or not _close(analysis.training.pearson.r, plain_r(*history.points(history.accuracy))):
        raise InputError(f"{path}: is the analysis of another history, or of this one before it grew; {ADVICE}")
    return analysis


def _close(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else abs(a - b) < 1e-9
