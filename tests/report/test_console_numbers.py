"""The console report: every number in its sentence is the one of the analysis file, in both languages.

A line is found by what stays when it is reworded: names of curves, keys and methods, and one word of either language.
"""

from pathlib import Path

import pytest

from pipeline.analyse.whole_analysis import analyse
from pipeline.files.scores import write_scores
from pipeline.formatting import duration
from pipeline.report.console.names import name_in
from pipeline.report.console.report import Report, slope_steps
from pipeline.statistics.robust.outliers import FEWEST_RECORDS
from tests.helpers.said import is_said, numbers_in, says
from tests.helpers.scores import checkpoint_score, mlm_score, validation_scores
from tests.helpers.synthetic import make_history

PARTS = ("training", "held_out")


def times(factor, values):
    return [factor * value for value in values]


def test_the_head_tells_the_size_the_spread_and_the_loss(consoles):
    for console in (consoles.going_on, consoles.ill):
        found = console.found
        assert says(console.lines[0].partition("h.json")[2], found["data_points"], found["total_steps"])
        assert numbers_in(console.lines[1]) == [
            f"{100 * found['mlm_stats'][key]:.2f}" for key in ("mean", "min", "max", "std")
        ]
        assert numbers_in(console.lines[2]) == [f"{found['loss_stats'][key]:.3f}" for key in ("initial", "final")]


@pytest.mark.parametrize("name", PARTS)
def test_r_and_its_intervals(consoles, name):
    lines, _, found = consoles.going_on.part(name)
    assert says(consoles.going_on.line("Pearson", among=lines), found["r"], found["r"] ** 2)
    iid, auto = found["interval_iid"], found["interval_autocorrelation"]
    assert says(consoles.going_on.line("@iid", "95 %", among=lines), *iid)
    assert says(consoles.going_on.line("@autocorrelation", among=lines[1:5]), *auto)
    sizes = [list(found["effective_sample_sizes"][key].values()) for key in ("around_line", "around_curve")]
    assert says(consoles.going_on.line("@sizes", among=lines), *(end(each) for each in sizes for end in (min, max)))
    assert says(consoles.going_on.line("@slope", among=lines), found["p_iid"], found["p_autocorrelation"])
    others = [found["spearman"]["rho"], found["log_step"]["r"]]
    if name == "training":
        others.append(found["disattenuated"]["r"])
    assert says(consoles.going_on.line("Spearman", among=lines), *others)


@pytest.mark.parametrize("name", PARTS)
def test_the_curves_the_best_first(consoles, name):
    lines, section, _ = consoles.going_on.part(name)
    at = []
    for curve, fit in section["fits"].items():
        formula = consoles.going_on.named(fit["formula"])
        line = consoles.going_on.line(f"  {consoles.going_on.named(curve)} ", formula, among=lines)
        at.append(lines.index(line))
        before, after = line.split(formula)
        assert says(before.partition("R^2")[2], fit["r_squared"])
        values = [f"{consoles.going_on.named(key)} = {value:.4g}" for key, value in fit["parameters"].items()]
        assert [value in after for value in values] == [True] * len(values)
        assert is_said(numbers_in(after)[len(numbers_in(" ".join(values)))], 100 * fit["rolling_error"])
        assert (consoles.words["bound"] in line) == bool(fit["at_bound"])
        assert all(
            consoles.going_on.named(each) in line.partition(consoles.words["bound"])[2] for each in fit["at_bound"]
        )
    assert at == sorted(at)


def test_an_asymptote_that_was_passed_is_told(consoles):
    seen = set()
    for console in (consoles.going_on, consoles.ill, consoles.seeds):
        for name in PARTS:
            lines, section, _ = console.part(name)
            for curve, fit in section["fits"].items():
                passed = bool(fit["asymptote"] and fit["asymptote"]["passed"])
                assert (
                    consoles.words["passed"] in console.line(f"  {console.named(curve)} ", "R^2", among=lines)
                ) == passed
                seen.add(passed)
    assert seen == {True, False}


@pytest.mark.parametrize("name", PARTS)
def test_r_over_parts_of_the_run(consoles, name):
    lines, section, _ = consoles.going_on.part(name)
    shown = section["horizon"]["first"][3::4]
    expected = [value for part in shown for value in (part["until"], part["r"])]
    assert len(shown) == 5
    assert says(
        consoles.going_on.line(f"  {shown[0]['until']:,.0f}", "   ", f" {shown[1]['r']:.3f}"[1:], among=lines),
        *expected,
    )
    later = section["horizon"]["second_half"]
    assert any(says(line, later["after"], later["r"]) for line in lines if len(numbers_in(line)) == 2)


@pytest.mark.parametrize("name", PARTS)
def test_the_slope_over_the_whole_in_the_first_tenth_and_in_the_last(consoles, name):
    lines, section, _ = consoles.going_on.part(name)
    slopes = section["slope_per_10k_steps"]
    assert 1_000 < slopes["local"][-1]["until"] < 10_000  # so told in points per 1,000 steps
    values = times(10, (slopes["overall"], slopes["local"][0]["slope"], slopes["local"][-1]["slope"]))
    assert sum(says(line, 1_000, *values) for line in lines) == 1
    assert len({round(value, 3) for value in values}) == 3


@pytest.mark.parametrize(("last", "steps"), [(100_000, 10_000), (10_000, 10_000), (9_999, 1_000), (300, 100), (0.9, 1)])
def test_a_slope_is_told_for_no_more_steps_than_there_are(last, steps):
    assert slope_steps(last) == steps


@pytest.mark.parametrize("name", PARTS)
def test_the_forecast_of_the_end_and_of_the_steps_asked_for(consoles, name):
    lines, section, _ = consoles.going_on.part(name)
    forecast = section["forecast"]
    weights = consoles.going_on.line("@weights", among=lines)
    for curve, model in forecast["models"].items():
        assert is_said(numbers_in(weights.partition(f"{consoles.going_on.named(curve)} ")[2])[0], 100 * model["weight"])
    told = [
        (forecast["end"], "@end", "4,000"),
        (forecast["at"][0], "  3,000 ", "80 %"),
        (forecast["at"][1], "@longer", " 8,000 "),
        (forecast["choices"]["decay_now"], "@decay", " 3,000"),
        (forecast["choices"]["go_on"], "@go on", " 4,000"),
    ]
    for entry, *marks in told:
        expected = times(100, (entry["accuracy"], *entry["interval"]))
        line = consoles.going_on.line(*marks, among=lines)
        assert says(line, entry["step"], expected[0], 80, *expected[1:], entry["tokens"])
        assert duration(entry["seconds"], consoles.language) in line
    assert says(consoles.going_on.line("@not supported", " 60,000 ", among=lines), 60_000, forecast["range"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_that_cannot_tell_its_end_yet_says_so(language):
    history = make_history(60, finished=False)
    history.run["config"]["steps"] = 40_000
    found = analyse(history, None, "now")
    lines = Report(language).lines(Path("history.json"), found)
    word = {"en": "not supported yet", "zh": "还不足以"}[language]
    told = [line for line in lines if word in line]
    parts = (found.training, found.held_out)
    assert len(told) == len(parts)
    assert all(says(line, part.forecast.range) for line, part in zip(told, parts, strict=True))


def test_a_target_is_told_by_its_verdict(consoles):
    seen = set()
    for name in PARTS:
        lines, section, _ = consoles.going_on.part(name)
        reach = section["forecast"]["range"]
        for entry in section["forecast"]["targets"]:
            line = consoles.going_on.line(f"    {100 * entry['target']:.1f} % ", among=lines)
            seen.add(entry["verdict"])
            if entry["verdict"] == "reached":
                assert says(line, 100 * entry["target"], entry["steps"])
            elif entry["verdict"] == "reachable":
                low, high = (reach if step is None else step for step in entry["interval"])
                assert says(line, 100 * entry["target"], entry["steps"], 80, low, high)
                assert (consoles.words["later"] in line) == (None in entry["interval"])
            elif entry["verdict"] == "models_disagree":
                steps = [step for step in entry["by_model"].values() if step is not None]
                assert says(line, 100 * entry["target"], *steps, reach, 100 * entry["probability"])
                assert consoles.words["never"] in line
            else:
                assert says(line, 100 * entry["target"], 100 * entry["probability"], reach)
                assert (consoles.words["not supported"] in line) == (entry["verdict"] == "not_supported")
    assert seen == {"reached", "reachable", "models_disagree", "beyond_every_model", "not_supported"}


def test_the_end_of_the_curve_rises_falls_or_is_a_plateau(consoles):
    states = []
    for console in (consoles.going_on, consoles.ill, consoles.seeds):
        for name in PARTS:
            lines, section, _ = console.part(name)
            found = section["plateau"]
            since = [] if found["since_step"] is None else [found["since_step"]]
            gains = times(100, (found["gain_per_tenth"], *found["interval"]))
            line = next(line for line in lines if says(line, *since, gains[0], 95, *gains[1:]))
            assert consoles.words[found["state"]] in line
            assert ("records_needed" in found) == (found["state"] == "undecided")
            assert "records_needed" not in found or is_said(numbers_in(line)[0], found["records_needed"])
            states.append(found["state"])
    assert set(states) >= {"rising", "falling", "undecided"}


def test_nsp_against_chance(consoles):
    states = set()
    for console in (consoles.going_on, consoles.ill, consoles.seeds):
        for name in PARTS:
            found = console.found["nsp"][name]
            if found is None:
                continue
            states.add((name, found["at_chance"]))
            line = console.line("NSP", f"@{name}")
            share = [100 * found["accuracy"], found["pairs"]]
            ends = times(100, found["interval"])
            assert says(line, *share) or says(line, *reversed(share))
            assert says(line, 95, *ends)
            assert is_said(numbers_in(line.partition(" p ")[2])[0], found["p"])
            assert consoles.words["at chance" if found["at_chance"] else "above chance"] in line
            since = found["first_step_above"]
            assert since is None or is_said(numbers_in(line)[-1], since)
    assert states == {(name, at_chance) for name in PARTS for at_chance in (True, False)}


def test_overfitting_since_when_and_by_what(consoles):
    assert consoles.words["none"] in consoles.going_on.line("@overfit")
    found = consoles.ill.found["overfit"]
    lines = [line for line in consoles.ill.lines if line.startswith(consoles.words["overfit"])]
    for line, which in zip(lines, ("accuracy", "loss"), strict=True):
        assert consoles.words[which] in line
        assert is_said(numbers_in(line)[0], found[which]["since_step"])
    assert found["accuracy"]["since_step"] != found["loss"]["since_step"]


def test_anomalies_with_their_steps(consoles):
    found = consoles.ill.found["anomalies"]
    assert {entry["kind"] for entry in found} >= {"nan", "spike"}
    for entry in found:
        line = consoles.ill.line(consoles.ill.named(entry["kind"]), entry["key"], consoles.ill.named(entry["note"]))
        assert says(line, entry["count"], entry["first_step"], entry["last_step"])
    healthy = consoles.going_on
    assert healthy.found["anomalies"] == []
    rate = 100 * healthy.found["anomaly_rule"]["false_alarms_per_run"]
    place = -1 if consoles.language == "zh" else 0  # "in N of 100" and "of 100 about N"
    told = [line for line in healthy.lines if consoles.words["none"] in line and numbers_in(line)]
    assert any(is_said(numbers_in(line)[place], rate) for line in told)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_short_log_states_no_rate_for_a_search_that_did_not_take_place(language):
    """An external log of 40 records was told a false-alarm rate of 0 of 100 runs."""
    word = {"en": "anomalies", "zh": "异常"}[language]
    for records, told in ((FEWEST_RECORDS - 1, FEWEST_RECORDS), (FEWEST_RECORDS, None)):
        found = analyse(make_history(records), None, "now")
        assert not found.anomalies
        [line] = [line for line in Report(language).lines(Path("history.json"), found) if word in line]
        assert (str(told) in numbers_in(line)) == (told is not None)
        assert bool(found.anomaly_rule.keys_tested) == (told is None)


def test_what_a_point_cost_in_all_and_in_the_last_quarter(consoles):
    kinds = [f"{kind}_per_point" for kind in ("seconds", "tokens", "flops")]
    for name in PARTS:
        found = consoles.going_on.found["cost"][name]
        whole, quarter = ([part[kind] for kind in kinds] for part in (found, found["quarters"][-1]))
        assert says(consoles.going_on.line("@cost", f"@{name}"), *whole, *quarter)
    assert consoles.ill.found["cost"]["held_out"]["quarters"][-1]["seconds_per_point"] is None
    assert consoles.words["nothing"] in consoles.ill.line("@cost", "@held_out")


def test_where_early_stopping_would_have_ended_the_run_and_by_which_rule(consoles):
    found = consoles.ill.found["early_stop"]
    line = consoles.ill.line("@early")
    assert says(line, found["stop_step"], 100 * found["saved_share"], 100 * found["lost"])
    assert consoles.going_on.found["early_stop"]["stop_step"] is None
    assert consoles.going_on.found["early_stop"]["verdict"] == "too_few_records"
    assert consoles.words["too few"] in consoles.going_on.line("@early")
    assert "sure_up_to" not in found  # a window of 12
    assert says(consoles.ill.line("@independent alone"), 100 * found["rule"]["confidence"])
    assert says(consoles.going_on.line("@sure"), 90, consoles.going_on.found["early_stop"]["sure_up_to"])
    rule = consoles.ill.line("@rule", found["key"])
    numbers = numbers_in(rule)
    for value in (100 * found["rule"]["worth"], found["rule"]["window"], 100 * found["rule"]["confidence"]):
        assert any(is_said(number, value) for number in numbers)
    assert is_said(numbers[-1], found["rule"]["patience"])


def test_the_baseline_before_and_this_run_now(consoles):
    found = consoles.going_on.found["comparison_with_50k"]
    assert says(consoles.going_on.line("@baseline"), found["50k_pearson_r"], found["100k_pearson_r"])
    place = consoles.going_on.lines.index(consoles.going_on.line("@baseline"))
    for line, common in zip(consoles.going_on.lines[place + 1 : place + 3],
                            (found["common_horizon"], found["held_out"]["common_horizon"]), strict=True):  # fmt: skip
        r, accuracy = ([common[f"{name}_difference"], 95, *common[f"{name}_difference_interval"]]
                       for name in ("r", "accuracy"))  # fmt: skip
        points = [100 * accuracy[0], 95, *times(100, accuracy[2:])]
        assert says(line, common["baseline"]["r"], common["this_run"]["r"], *r, *points)
    assert is_said(numbers_in(consoles.going_on.lines[place + 1])[0], found["common_horizon"]["until"])
    assert "--baseline" in consoles.ill.line("@baseline")


def test_runs_side_by_side(consoles):
    for console in (consoles.seeds, consoles.experiments):
        several = console.found["several"]
        for run in several["histories"]:
            line = console.line(f"  {run['label']:<24} r ")
            ends = times(100, (run["end_accuracy"], run["best_accuracy"]))
            assert says(line.partition(" r ")[2], run["r"], *ends, run["best_step"])
    assert says(consoles.seeds.line("@seeds"), 2)
    mean = consoles.seeds.found["several"]["r"]
    assert any(says(line, mean["mean"], mean["sd"], 95, *mean["interval"]) for line in consoles.seeds.lines)
    assert name_in(consoles.language, "lr") in consoles.experiments.line("@settings")
    differences = consoles.experiments.found["several"]["differences"]
    assert {entry["metric"] for entry in differences} == {"r", "end_accuracy", "mean_accuracy"}
    for entry in differences:
        form, factor = ("+.4f", 1) if entry["metric"] == "r" else ("+.2f", 100)
        value, low, high = (f"{factor * number:{form}}" for number in (entry["difference"], *entry["interval"]))
        line = consoles.experiments.line(
            f"{consoles.experiments.named(entry['metric'])} {value}", entry["first"], entry["second"]
        )
        assert numbers_in(line) == [value, "95", low, high]
        assert line.index(entry["second"]) < line.index(entry["first"])
        assert consoles.words[f"covers {entry['covers']}"] in line


def test_branches_and_what_they_share(consoles):
    console = consoles.branches
    assert console.found["branch"] == {"history": "runs/trunk/history.json", "step": 1200, "sha256": "0" * 64}
    lines = [line for line in console.lines if console.words["branch"] in line and "runs/trunk/history.json" in line]
    assert [numbers_in(line) for line in lines] == [["1200"]] * 3
    assert lines[0] == console.lines[1]
    assert {entry["shared_until"] for entry in console.found["several"]["differences"]} == {1200}
    shared = [line for line in console.lines if console.words["shared"] in line]
    assert [numbers_in(line) for line in shared] == [["1200"]] * 3
    others = "\n".join(consoles.experiments.lines)
    assert console.words["branch"] not in others
    assert console.words["shared"] not in others


def test_checkpoints_before_and_after(consoles):
    found = consoles.going_on.found["checkpoints"]
    line = consoles.going_on.line("@checkpoints", consoles.going_on.named(found["split"]))
    assert says(line, len(found["steps"]), found["sequences"], found["steps"][0], found["steps"][-1])
    for kind, groups in found["groups"].items():
        for name, group in groups.items():
            label = f"  {consoles.going_on.named(kind)} {consoles.going_on.named(name)} "
            line = consoles.going_on.line(label, "->")
            half = [] if group["half_way_step"] is None else [group["half_way_step"]]
            assert says(line.partition(label)[2], 100 * group["first"], 100 * group["last"], *half)
            assert bool(half) != any(text in line for text in ("no gain", "没有提升"))


def test_the_list_of_sources_says_how_many_it_leaves_out(consoles, tmp_path):
    sources = {f"source {number:02}": (0.2, 100) for number in range(13)}
    scored = [
        checkpoint_score(step, mlm_score(accuracy, sources=sources), None)
        for step, accuracy in ((400, 0.2), (800, 0.3), (1200, 0.31), (1600, 0.32))
    ]
    write_scores(tmp_path / "s.json", validation_scores(scored, {}))
    console = consoles.analysed({"h": make_history(20)}, "--scores", tmp_path / "s.json")
    assert sum("source " in line and "->" in line for line in console.lines) == 10
    line = console.line({"en": "not shown here", "zh": "此处未列"}[console.language])
    assert numbers_in(line) == ["3"]


def test_what_cannot_be_known_is_said_and_not_made_up(consoles):
    console = consoles.constant
    lines, _, found = console.part("training")
    assert console.named(found["note"]) in console.line("@undefined", among=lines)
    nsp = console.line("NSP", "@training")
    assert consoles.words["no pairs"] in nsp
    assert numbers_in(nsp) == [f"{100 * console.found['nsp']['training']['accuracy']:.2f}"]
