"""All questions that ``analyze_100k.py`` asks of a history; the answers are the analysis file (schema/analysis.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.analyse.accuracy_curve import accuracy_curve, loss_curves
from pipeline.analyse.annealing.ahead import Known
from pipeline.analyse.checkpoints import checkpoint_trends
from pipeline.analyse.cost import cost
from pipeline.analyse.early_stop_hindsight import early_stopping
from pipeline.analyse.forecast import Asked, loss_forecast, same_setting
from pipeline.analyse.health.anomalies import FALSE_ALARMS, anomalies, tested_keys
from pipeline.analyse.nsp import nsp_against_chance
from pipeline.analyse.overfitting import overfitting
from pipeline.analyse.reference import ALPHA as REFERENCE_ALPHA
from pipeline.analyse.reference import departure_from_references
from pipeline.analyse.schema.accuracy import HeldOutCurve
from pipeline.analyse.schema.analysis import AccuracyStats, Analysis, LossStats
from pipeline.analyse.schema.anomalies import AnomalyReference, AnomalyRule
from pipeline.analyse.schema.forecast import LossForecast
from pipeline.analyse.schema.log import Log, LogColumns
from pipeline.analyse.side_by_side.baseline_run import comparison
from pipeline.analyse.side_by_side.compare_runs import several
from pipeline.files.history import History
from pipeline.files.scores import Scores
from pipeline.statistics.early_stop import EarlyStop
from pipeline.statistics.robust.outliers import ALPHA
from pipeline.statistics.schedule import Schedule

GOAL = 0.85


@dataclass(frozen=True)
class Questions:
    """What is asked of a history beside the history itself; every part may be left out."""

    targets: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    schedule: Schedule | None = None  # of the whole run, where its settings do not say
    kind: str | None = None  # of run, by the names of the calibration, where its settings do not say
    references: list[History] = field(default_factory=list)
    rule: EarlyStop = field(default_factory=EarlyStop)
    scores: tuple[Path, Scores] | None = None
    beside: list[tuple[Path, History]] = field(default_factory=list)  # all histories, the first one included


def analyse(history: History, baseline: History | None, timestamp: str, questions: Questions | None = None) -> Analysis:
    """The whole analysis of a history of at least one record."""
    questions = questions or Questions()
    targets_of_training = history.columns.accuracy.targets
    training = accuracy_curve(history, history.accuracy, targets_of_training, _asked(history, questions))
    r = training.pearson.r
    return Analysis(
        timestamp=timestamp,
        total_steps=history.last_step,
        data_points=len(history),
        pearson_correlation=r,
        r_squared=None if r is None else r**2,
        mlm_stats=_accuracy_stats(history.points(history.accuracy)[1]),
        loss_stats=_loss_stats(history.points(history.columns.loss.train)[1]),
        comparison_with_50k=comparison(history, baseline),
        goal_achieved=None if r is None else r >= GOAL,
        training=training,
        held_out=_held_out(history, questions),
        nsp=nsp_against_chance(history),
        overfit=overfitting(history),
        anomalies=anomalies(history) + departure_from_references(history, questions.references),
        anomaly_rule=_anomaly_rule(history, questions),
        cost=cost(history),
        early_stop=early_stopping(history, questions.rule),
        several=several(questions.beside),
        checkpoints=checkpoint_trends(*questions.scores) if questions.scores else None,
        branch=history.facts.branch(),
        loss_curves=loss_curves(history),
        log=_log(history),
        losses=_losses(history, questions),
    )


def _log(history: History) -> Log | None:
    """How the log of another program was read; None where there is nothing to say of it."""
    if not history.notes:
        return None
    return Log(
        format=history.facts.text("log", "format"),
        columns=LogColumns(
            accuracy=history.accuracy,
            held_out=history.held_out,
            loss=history.loss,
            held_out_loss=history.held_out_loss,
            lr=history.rate,
            step=history.columns.step,
        ),
        missing=list(history.missing()),
        notes=[note.say() for note in history.notes],
    )


def _losses(history: History, questions: Questions) -> list[LossForecast] | None:
    """The forecasts of the losses, as far as they say anything; None for none."""
    keys = (history.columns.loss.train, history.held_out_loss)
    found = [loss_forecast(history, key, _asked(history, questions)) for key in keys]
    return [each for each in found if each is not None and (each.end or each.at)] or None


def _asked(history: History, questions: Questions) -> Asked:
    beside = same_setting(history, [other for _, other in questions.beside])
    known = Known(questions.schedule, questions.kind, questions.references, beside)
    return Asked(questions.targets, questions.at, known)


def _accuracy_stats(accuracy: np.ndarray) -> AccuracyStats:
    """Statistics of finite ``accuracy`` (share of one, float [N])."""
    if not len(accuracy):
        return AccuracyStats(None, None, None, None)
    return AccuracyStats(*map(float, (accuracy.mean(), accuracy.max(), accuracy.min(), accuracy.std())))


def _loss_stats(loss: np.ndarray) -> LossStats:
    """Statistics of finite ``loss`` (float [N])."""
    if not len(loss):
        return LossStats(None, None, None)
    return LossStats(float(loss[0]), float(loss[-1]), float(loss[0] - loss[-1]))


def _held_out(history: History, questions: Questions) -> HeldOutCurve | None:
    if history.held_out is None:
        return None
    return HeldOutCurve(**vars(accuracy_curve(history, history.held_out, None, _asked(history, questions))))


def _anomaly_rule(history: History, questions: Questions) -> AnomalyRule:
    tested = tested_keys(history)
    count = len(questions.references)
    return AnomalyRule(
        false_alarms_per_run=(FALSE_ALARMS if tested else 0.0) + (REFERENCE_ALPHA if count else 0.0),
        alpha=ALPHA,
        keys_tested=tested,
        reference=AnomalyReference(count, REFERENCE_ALPHA) if count else None,
        note="How often a run without events is flagged at all, by any kind, as measured on real runs "
        "(benchmarks/anomalies.py), and by deviation from three reference runs or more; alpha is for normal noise.",
    )
