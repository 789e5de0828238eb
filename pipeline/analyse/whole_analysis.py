"""The analysis file: what ``analyze_100k.py`` writes and ``visualize_results.py`` reads.

JSON, numbers unrounded, null where a value is not defined. Accuracies are shares of one, steps optimizer steps. An
``interval`` is [low, high], 95 % unless said otherwise. ``note``: English prose; what
a program needs stands in other keys.

The published keys keep their names and meaning::

    timestamp, total_steps, data_points, pearson_correlation, r_squared
    mlm_stats {mean, max, min, std}      training MLM accuracy; std with ddof 0
    loss_stats {initial, final, decrease}
    comparison_with_50k {50k_pearson_r, 100k_pearson_r, improvement, improvement_percentage, note,
                         baseline_last_step, common_horizon, whole, held_out}     null without a baseline (``note``)
        common_horizon  {until, baseline, this_run, r_difference, r_difference_interval, accuracy_difference,
                         accuracy_difference_interval}; whole: the same without ``until``, each run at its own end;
                         baseline and this_run: {records, r, interval_autocorrelation, mean_accuracy, end_accuracy};
                         differences are this run less the baseline; end: mean of the last tenth of the records;
                         held_out {common_horizon, whole}: the same of held-out accuracy, null where a run has none
    goal_achieved                        r >= 0.85, the published goal

About training accuracy, and again under ``held_out`` for held-out accuracy (there ``pearson``'s keys stand directly in
``held_out``; ``held_out`` is null where the history has none)::

    pearson    {r, p_iid, interval_iid, interval_autocorrelation, effective_sample_size, curve, note,
                p_autocorrelation, slope_test, bootstrap, effective_sample_sizes, residual_lag1, spearman, log_step,
                disattenuated}
        effective_sample_size   around the best curve, autocorrelations summed up to the first that is not positive
        p_autocorrelation       of slope_test
        slope_test     {slope, standard_error, bandwidth, t, p, interval}: Newey-West, accuracy per step
        bootstrap      {kind, curve, block_length, phi, theta, replicates}: memory of the noise, see noise.py
        effective_sample_sizes  {around_line: {first_order, positive_sequence, monotone_sequence, newey_west,
                        batch_means}, around_curve: the same or null}
        residual_lag1  {line, curve}: lag-1 autocorrelation of the residuals
        spearman       {rho, p_iid, interval_autocorrelation}
        log_step       {r, r_squared, interval_autocorrelation}: r against log(step)
        disattenuated  {r, reliability, sampling_variance, denominators}: r without the binomial noise of the records;
                       denominators "recorded", "inferred" (from the fractions themselves) or null with the rest
    fits       by curve, the best (least AIC) first: {formula, parameters, r_squared, aic, intervals, at_bound,
               residual_autocorrelation, effective_sample_size, rolling_error, asymptote}
        curves: linear, log, exponential, power; parameters a, b and tau (exponential) or shift, exponent (power)
        intervals      by parameter, over its shapes and noise with memory (averaging.py); null below 40 records
        residual_autocorrelation  at lag 1; effective_sample_size around this curve, as in ``pearson``
        at_bound       names of the parameters that ended at the edge of what was searched: read that fit with care
        rolling_error  root mean squared error of forecasts from rolling origins, see ``forecast``; null for short runs
        asymptote      {value, interval, passed}: where the curve ends, null for linear and log; ``passed``: the mean of
                       the last tenth of the records is above it
    horizon    {first: [{after, until, records, r}], second_half: the same or null}, over parts of the run
    slope_per_10k_steps  {overall, overall_interval, local: [{after, until, records, slope, interval}], at_end}
                       shares of one per 10,000 steps; local: tenths of the run; at_end: slope of the best curve there
    forecast   null for short runs, else {level, models, last_step, range, schedule, end, at, targets, note}
        level          0.8: of every interval in it, over models and noise
        models         by curve: {weight, rolling_error}; weights sum to one
        schedule       "annealed" (the learning rate ended near zero: a longer run is another run), "unfinished",
                       "constant" or "unknown"
        end            {step, accuracy, interval, by_model} at the planned last step of an unfinished run, else null
        at             one for each --at: {step, beyond_run, accuracy, interval, by_model}
        targets        one for each --target: {target, verdict, steps, interval, probability, by_model}
                       verdict "reached" (``steps``: where the smoothed accuracy first passed it); else, within
                       ``range``, "reachable" (every curve of weight gives it an even chance; ``steps``: the median,
                       an end of the interval is null where it lies beyond the range), "beyond_every_model" (none
                       gives it one in ten) or "models_disagree"; probability: chance within the range
                       by_model: steps by curve, null where that curve is not there within the range
        range          the last step that is looked at for a target, ten times the run
    plateau    {state, since_step, gain_per_tenth, interval, worth, note}: state "plateau", "rising", "falling",
               "undecided" or null (too few records); the slope of the last quarter as gain per tenth of the run

About the run::

    nsp        {training, held_out}: each null or {accuracy, pairs, correct, p, interval, at_chance, last_quarter,
               first_step_above, denominators, note}; exact binomial tests against 1/2;
               training.last_quarter {accuracy, pairs, correct, p, interval, at_chance}; held_out: the final scoring of
               the validation articles, null before it
    overfit    {found, since_step, accuracy, loss, note}: null without held-out values;
               accuracy, loss: {found, since_step, best, last, p, change}: from the smoothed best held-out value on
    anomalies  [{key, kind, count, first_step, last_step, steps, note}]; kinds "nan", "inf", "-inf" (left out of
               everything above), "spike", "drop", "stall", "lr_break", "deviation"; ``steps``: the first 20
    anomaly_rule  {false_alarms_per_run, alpha, keys_tested, reference, note}: how often a faultless run is flagged
    cost       {seconds, tokens, flops, flops_per_step, training, held_out}: held_out null where there is none;
               each of the two {points, seconds_per_point, tokens_per_point, flops_per_point, quarters}
        quarters       [{after, until, points, seconds_per_point, tokens_per_point, flops_per_point}]; points:
                       percentage points of smoothed accuracy gained; per point null where nothing was gained
    early_stop {rule, key, stop_step, saved_steps, saved_seconds, saved_share, accuracy_at_stop, accuracy_at_end, lost,
               lost_interval, note}; rule: the parameters of EarlyStop; key: the list it was applied to
    several    null for one history, else {kind, histories, band, r, differences, differing_settings, note}
        kind           "seeds" (one setting, other seeds) or "experiments"
        histories      [{path, label, group, seed, records, total_steps, key, r, interval_autocorrelation, rho,
                       end_accuracy, end_interval, best_accuracy, best_step, test_accuracy}]; key: what is compared
        band           null for experiments, else {key, steps, mean, low, high, between_sd}: 95 % of further
                       seeds at a step
        r              null for experiments, else {mean, sd, interval}: interval of the mean over seeds (Student t)
        differences    [{first, second, metric, until, difference, interval, covers}]: second less first, by group
                       (label of its first run); metrics "r", "mean_accuracy" up to ``until``, "end_accuracy" at each
                       run's own end; covers "seeds" or "records"
        differing_settings  names of the settings in ``run.config`` that are not the same in all
    checkpoints  null where there are no scores, else {path, split, sequences, steps, accuracy, loss, nsp_accuracy,
               guesses, groups}
        accuracy, loss, nsp_accuracy   one a checkpoint; guesses: accuracies of commonest, left, both
        groups         by kind (class, source, text_decile, character_decile) and name: {targets, accuracy, first, last,
                       gain, gain_interval, rho, half_way_step}; accuracy: one a checkpoint; rho: Spearman's, of step
                       and accuracy; half_way_step: where half of the gain was made
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.analyse import anomalies as odd
from pipeline.analyse.accuracy_curve import Trend, read_trends, trend
from pipeline.analyse.accuracy_sections import trend_sections
from pipeline.analyse.baseline_run import comparison
from pipeline.analyse.checkpoints import checkpoint_trends
from pipeline.analyse.compare_runs import several
from pipeline.analyse.cost import cost
from pipeline.analyse.early_stop_hindsight import early_stopping
from pipeline.analyse.nsp import nsp_against_chance
from pipeline.analyse.overfitting import overfitting
from pipeline.analyse.reference import ALPHA as DEVIATION_ALPHA
from pipeline.analyse.reference import deviation
from pipeline.files.history import History
from pipeline.files.scores import Scores
from pipeline.statistics.early_stop import EarlyStop

__all__ = ["DEFAULT_ANALYSIS", "Questions", "Trend", "analyse", "read_trends", "trend"]

DEFAULT_ANALYSIS = Path("results/analysis_100k_result.json")
GOAL = 0.85


@dataclass(frozen=True)
class Questions:
    """What is asked of a history beside the history itself; every part may be left out."""

    targets: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    references: list[History] = field(default_factory=list)
    rule: EarlyStop = field(default_factory=EarlyStop)
    scores: tuple[Path, Scores] | None = None
    beside: list[tuple[Path, History]] = field(default_factory=list)  # all histories, the first one included


def analyse(
    history: History, baseline: History | None, timestamp: str, questions: Questions | None = None
) -> dict[str, Any]:
    """The whole analysis of a history of at least one record, as the JSON object described above."""
    questions = questions or Questions()
    training = trend_sections(
        history, history.accuracy, history.columns.accuracy.targets, questions.targets, questions.at
    )
    r = training["pearson"]["r"]
    return {
        "timestamp": timestamp,
        "total_steps": history.last_step,
        "data_points": len(history),
        "pearson_correlation": r,
        "r_squared": None if r is None else r**2,
        "mlm_stats": _spread(history.points(history.accuracy)[1]),
        "loss_stats": _decrease(history.points(history.columns.loss.train)[1]),
        "comparison_with_50k": comparison(history, baseline),
        "goal_achieved": None if r is None else r >= GOAL,
        **training,
        "held_out": _held_out(history, questions),
        "nsp": nsp_against_chance(history),
        "overfit": overfitting(history),
        "anomalies": odd.anomalies(history) + deviation(history, questions.references),
        "anomaly_rule": _anomaly_rule(history, questions),
        "cost": cost(history),
        "early_stop": early_stopping(history, questions.rule),
        "several": several(questions.beside),
        "checkpoints": checkpoint_trends(*questions.scores) if questions.scores else None,
    }


def _spread(accuracy: np.ndarray) -> dict[str, float | None]:
    if not len(accuracy):
        return dict.fromkeys(("mean", "max", "min", "std"))
    statistics = {"mean": accuracy.mean(), "max": accuracy.max(), "min": accuracy.min(), "std": accuracy.std()}
    return {name: float(value) for name, value in statistics.items()}


def _decrease(loss: np.ndarray) -> dict[str, float | None]:
    if not len(loss):
        return dict.fromkeys(("initial", "final", "decrease"))
    return {"initial": float(loss[0]), "final": float(loss[-1]), "decrease": float(loss[0] - loss[-1])}


def _held_out(history: History, questions: Questions) -> dict[str, Any] | None:
    if history.held_out is None:
        return None
    sections = trend_sections(history, history.held_out, None, questions.targets, questions.at)
    return {**sections.pop("pearson"), **sections}


def _anomaly_rule(history: History, questions: Questions) -> dict[str, Any]:
    tested = odd.tested_keys(history)
    count = len(questions.references)
    return {
        "false_alarms_per_run": (odd.ALPHA if tested else 0.0) + (DEVIATION_ALPHA if count else 0.0),
        "alpha": odd.ALPHA,
        "keys_tested": tested,
        "reference": None if not count else {"histories": count, "alpha": DEVIATION_ALPHA},
        "note": "How often a run with normal noise is flagged at all by spikes and drops, and by deviation from three "
        "reference runs or more; the other kinds are exact.",
    }
