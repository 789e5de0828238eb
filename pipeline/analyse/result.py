"""The analysis file: what ``analyze_100k.py`` writes and ``visualize_results.py`` reads.

JSON, numbers unrounded, null where a value is not defined. Accuracies are shares of one, steps optimizer steps. An
``interval`` is [low, high], 95 % unless said otherwise. ``note``: English prose; what
a program needs stands in other keys.

The published keys keep their names and meaning::

    timestamp, total_steps, data_points, pearson_correlation, r_squared
    mlm_stats {mean, max, min, std}      training MLM accuracy; std with ddof 0
    loss_stats {initial, final, decrease}
    comparison_with_50k {50k_pearson_r, 100k_pearson_r, improvement, improvement_percentage, note,
                         baseline_last_step, common_horizon, whole}     null without a baseline, ``note`` says why
        common_horizon  {until, baseline, this_run, r_difference, r_difference_interval, accuracy_difference,
                         accuracy_difference_interval}; whole: the same without ``until``, each run at its own end;
                         baseline and this_run: {records, r, interval_autocorrelation, mean_accuracy, end_accuracy};
                         differences are this run less the baseline; end: mean of the last tenth of the records
    goal_achieved                        r >= 0.85, the published goal

About training accuracy, and again under ``held_out`` for held-out accuracy (there ``pearson``'s keys stand directly in
``held_out``; ``held_out`` is null where the history has none)::

    pearson    {r, p_iid, interval_iid, interval_autocorrelation, effective_sample_size, curve, note,
                p_autocorrelation, slope_test, bootstrap, effective_sample_sizes, residual_lag1, spearman, log_step,
                disattenuated}
        effective_sample_size   around the best curve, autocorrelations summed up to the first that is not positive
        p_autocorrelation       of slope_test
        slope_test     {slope, standard_error, bandwidth, t, p, interval}: Newey-West, accuracy per step
        bootstrap      {kind, curve, block_length, sieve_order, replicates}
        effective_sample_sizes  {around_line: {first_order, positive_sequence, monotone_sequence, newey_west,
                        batch_means}, around_curve: the same or null}
        residual_lag1  {line, curve}: lag-1 autocorrelation of the residuals
        spearman       {rho, p_iid, interval_autocorrelation}
        log_step       {r, r_squared, interval_autocorrelation}: r against log(step)
        disattenuated  {r, reliability, sampling_variance, denominators}: r without the binomial noise of the records;
                       denominators "recorded", "inferred" (from the fractions themselves) or null with the rest
    fits       by curve, the best (least AIC) first: {formula, parameters, r_squared, aic, intervals, at_bound,
               residual_autocorrelation, rolling_error, asymptote}
        curves: linear, log, exponential, power; parameters a, b and tau (exponential) or shift, exponent (power)
        intervals      by parameter, from the bootstrap of the residuals in blocks; null where it was not made
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
                       verdict "reached" (steps: where the smoothed accuracy first passed it), "reachable" (at
                       ``steps``; an end of the interval is null where it lies beyond the range),
                       "models_disagree" or "beyond_every_model"
        range          the last step that is looked at for a target, ten times the run
                       by_model: steps by curve, null where that curve never gets there within the range
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
    cost       {seconds, tokens, flops, flops_per_step, formula, training, held_out}: held_out null where there is none;
               each of the two {points, seconds_per_point, tokens_per_point, flops_per_point, quarters}
        quarters       [{after, until, points, seconds_per_point, tokens_per_point, flops_per_point}]; points:
                       percentage points of smoothed accuracy gained; per point null where nothing was gained
    early_stop {rule, key, stop_step, saved_steps, saved_seconds, saved_share, accuracy_at_stop, accuracy_at_end, lost,
               lost_interval, note}; rule: the parameters of pipeline/early_stop.py; key: the list it was applied to
    several    null for one history, else {kind, histories, band, r, differences, differing_settings, note}
        kind           "seeds" (one setting, other seeds) or "experiments"
        histories      [{path, label, seed, records, total_steps, key, r, interval_autocorrelation, rho, end_accuracy,
                       end_interval, best_accuracy, best_step, test_accuracy}]; key: the accuracy that is compared
        band           null for experiments, else {key, steps, mean, low, high, between_sd}: 95 % of further seeds at a
                       step
        r              null for experiments, else {mean, sd, interval}: interval of the mean over seeds (Student t)
        differences    [{first, second, metric, until, difference, interval}]: second less first; labels; metrics "r",
                       "end_accuracy", "mean_accuracy" over the common horizon; null interval where there is no way to
                       tell
        differing_settings  names of the settings in ``run.config`` that are not the same in all
    checkpoints  null where there are no scores, else {path, split, sequences, steps, accuracy, loss, nsp_accuracy,
               guesses, groups}
        accuracy, loss, nsp_accuracy   one a checkpoint; guesses: accuracies of commonest, left, both
        groups         by kind (class, source, text_decile, character_decile) and name: {targets, accuracy, first, last,
                       gain, gain_interval, rho, half_way_step}; accuracy: one a checkpoint; rho: Spearman's, of step
                       and accuracy; half_way_step: where half of the gain was made
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.analyse.correlation import Horizon, Pearson, horizons, pearson, plain_r
from pipeline.analyse.curves import FORMULAS, PARAMETERS, Fit, fit_curves
from pipeline.analyse.series import finite_points, series
from pipeline.corpus import read_json_object
from pipeline.history import History
from pipeline.stage import InputError

DEFAULT_ANALYSIS = Path("results/analysis_100k_result.json")
GOAL = 0.85


@dataclass(frozen=True)
class Trend:
    """How one accuracy goes with the step: r, the curves (the best first) and r over parts of the run."""

    pearson: Pearson
    fits: list[Fit]
    first: list[Horizon]
    second_half: Horizon | None


def trend(history: History, key: str) -> Trend:
    """The trend of the accuracy list ``key``, over the records where it is a finite number."""
    steps, accuracy = finite_points(history, key)
    fits = fit_curves(steps, accuracy)
    return Trend(pearson(steps, accuracy, fits[0] if fits else None), fits, *horizons(steps, accuracy))


def analyse(history: History, baseline: History | None, timestamp: str) -> dict[str, Any]:
    """The whole analysis of a history of at least one record, as the JSON object described above."""
    training = trend(history, "mlm_acc")
    r = training.pearson.r
    as_json = _trend_to_json(training)
    return {
        "timestamp": timestamp,
        "total_steps": history.records["steps"][-1],
        "data_points": len(history),
        "pearson_correlation": r,
        "r_squared": None if r is None else r**2,
        "mlm_stats": _spread(finite_points(history, "mlm_acc")[1]),
        "loss_stats": _decrease(finite_points(history, "loss")[1]),
        "comparison_with_50k": _comparison(r, baseline),
        "goal_achieved": None if r is None else r >= GOAL,
        "pearson": as_json.pop("pearson"),
        **as_json,
        "held_out": _held_out(history),
        "anomalies": _anomalies(history),
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


def _comparison(r: float | None, baseline: History | None) -> dict[str, Any]:
    if baseline is None:
        values = dict.fromkeys(("50k_pearson_r", "100k_pearson_r", "improvement", "improvement_percentage"))
        return {**values, "note": "no baseline history was given (--baseline), so there is nothing to compare with"}
    before = plain_r(*finite_points(baseline, "mlm_acc"))
    improvement = None if r is None or before is None else r - before
    return {
        "50k_pearson_r": before,
        "100k_pearson_r": r,
        "improvement": improvement,
        "improvement_percentage": None if improvement is None or not before else 100 * improvement / before,
        "note": f"the baseline has {len(baseline)} records to step {baseline.records['steps'][-1]}; r falls with the "
        "length of a run that saturates, so runs of different lengths are not to be ranked by it",
    }


def _held_out(history: History) -> dict[str, Any] | None:
    if not history.has("eval_mlm_acc"):
        return None
    as_json = _trend_to_json(trend(history, "eval_mlm_acc"))
    return {**as_json.pop("pearson"), **as_json}


def _anomalies(history: History) -> list[dict[str, Any]]:
    steps = history.records["steps"]
    found = []
    for key in history.records:
        values = series(history, key)
        is_null = np.array([value is None for value in history.records[key]])
        kinds = {"nan": np.isnan(values) & ~is_null, "inf": values == np.inf, "-inf": values == -np.inf}
        for kind, where in kinds.items():
            places = np.flatnonzero(where)
            if len(places):
                ends = {"first_step": steps[places[0]], "last_step": steps[places[-1]]}
                found.append({"key": key, "kind": kind, "count": len(places), **ends})
    return found


def _trend_to_json(value: Trend) -> dict[str, Any]:
    return {
        "pearson": asdict(value.pearson),
        "fits": {
            fit.curve: {
                "formula": FORMULAS[fit.curve],
                "parameters": fit.parameters,
                "r_squared": fit.r_squared,
                "aic": fit.aic,
            }
            for fit in value.fits
        },
        "horizon": {
            "first": [asdict(part) for part in value.first],
            "second_half": asdict(value.second_half) if value.second_half else None,
        },
    }


def read_trends(path: Path, history: History) -> tuple[Trend, Trend | None]:
    """The trends of training and of held-out accuracy from the analysis of ``history`` in ``path``.

    Raises:
        InputError: missing file, broken JSON, wrong types, or an analysis of some other history.
    """
    advice = "analyze_100k.py makes one from the same --history"
    value = read_json_object(path, "the analysis", advice)
    try:
        training = _trend_from_json(value["pearson"], value)
        held_out = None if value["held_out"] is None else _trend_from_json(value["held_out"], value["held_out"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: is no analysis as analyze_100k.py writes it ({error!r}); {advice}") from None
    same = value.get("total_steps") == history.records["steps"][-1] and value.get("data_points") == len(history)
    if not same or not _close(training.pearson.r, plain_r(*finite_points(history, "mlm_acc"))):
        raise InputError(f"{path}: is the analysis of another history, or of this one before it grew; {advice}")
    return training, held_out


def _trend_from_json(r: dict[str, Any], rest: dict[str, Any]) -> Trend:
    """Read back what ``_trend_to_json`` wrote; anything else raises a KeyError, TypeError, ValueError or the like."""
    second_half = rest["horizon"]["second_half"]
    return Trend(
        Pearson(
            r=_number(r["r"]),
            p_iid=_number(r["p_iid"]),
            interval_iid=_interval(r["interval_iid"]),
            interval_autocorrelation=_interval(r["interval_autocorrelation"]),
            effective_sample_size=_number(r["effective_sample_size"]),
            curve=None if r["curve"] is None else str(r["curve"]),
            note=str(r["note"]),
        ),
        [_fit(curve, fit) for curve, fit in rest["fits"].items()],
        [_horizon(part) for part in rest["horizon"]["first"]],
        None if second_half is None else _horizon(second_half),
    )


def _fit(curve: str, fit: dict[str, Any]) -> Fit:
    parameters = {name: float(fit["parameters"][name]) for name in PARAMETERS[curve]}
    return Fit(curve, parameters, float(fit["r_squared"]), float(fit["aic"]))


def _horizon(part: dict[str, Any]) -> Horizon:
    return Horizon(float(part["after"]), float(part["until"]), int(part["records"]), _number(part["r"]))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _interval(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = value
    return float(low), float(high)


def _close(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else abs(a - b) < 1e-9
