"""The report page and the table on the console: every number is that of the history or of the analysis file.

Rows are found by a word of either language; what they hold is compared with the files.
"""

import base64
import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.analyse.schema.analysis import Analysis
from pipeline.files.typed_json import from_json
from pipeline.formatting import NOTHING
from pipeline.report.captions import captions_of, caveats_of
from pipeline.report.console.names import name_in
from pipeline.report.console.summary import GUESSES, summary_words
from pipeline.report.tables import report_tables
from pipeline.report.words import report_words
from tests.helpers.drawn import draw, write_inputs
from tests.helpers.pages import Page, seconds_of
from tests.helpers.said import is_said, numbers_in, says
from tests.helpers.synthetic import make_history

TOLD_BY = (
    ("mlm", "MLM accuracy", "MLM 准确率"), ("masked", "masked", "被掩"), ("commonest", "commonest", "最常见"),
    ("left", "left", "左邻"), ("both", "both", "左右邻"), ("test", "test", "测试"), ("held out", "held-out", "留出"),
    ("last training", "training, last", "训练，最后"), ("time", "time", "训练时间"), ("steps", "steps", "步数"),
    ("auto", "with autocorrelation", "计入自相关"), ("iid", "independent", "独立"), ("sizes", "effective", "有效"),
    ("log", "log(step)", "log(步数)"), ("noise", "sampling noise", "抽样噪声"), ("first", "first", "前 "),
    ("after", "after", "之后"), ("training", "training", "训练"), ("overfit", "overfitting", "过拟合"),
    ("quarter", "quarter", "四分之一"), ("early", "early", "提前"), ("anomaly", "anomaly", "异常"),
    ("point", "point", "百分点"), ("chance", "at chance", "处于机会水平"),
    ("above", "above chance", "高于机会水平"), ("falling", "falling", "下降"), ("rising", "rising", "上升"),
    ("plateau", "plateau", "平台"), ("disagree", "disagree", "不一"), ("out of reach", "out of reach", "范围之外"),
    ("not supported", "not supported", "不足以"),
    ("reached", "reached", "达到"), ("about", "about", "约"), ("layers", "layers", "层数"),
    ("parameters", "parameters", "参数"), ("batch", "sequences", "每步"), ("rate", "peak", "峰值"),
    ("seed", "seed", "种子"), ("dataset", "dataset", "数据集"), ("sentences", "sentences", "句子"),
    ("vocabulary", "vocabulary", "词表"), ("none", "not found", "未发现"), ("tokens", "tokens", "词元"),
    ("flops", "FLOPs", "浮点"), ("undecided", "undecided, needs about", "不能断定，约需"),
)  # fmt: skip
PARAMETERS = {"a": "a", "b": "b", "shift": "平移", "exponent": "指数", "tau": "τ"}
WORDS = {"en": {key: word for key, word, _ in TOLD_BY}, "zh": {key: word for key, _, word in TOLD_BY}}


class Shown:
    """A run as visualize_results.py shows it: its page, what was printed, and the files behind them."""

    def __init__(self, console, folder, language, history=None):
        options = write_inputs(folder, history or console.history, analysis=console.found)
        self.drawn = draw(folder / "out", *options, "--lang", language)
        [page] = self.drawn.pages.values()
        self.page, self.found, self.history = Page(page), console.found, history or console.history
        self.words, self.language = WORDS[language], language
        self.comma = "，" if language == "zh" else ", "

    def table(self, *words):
        return self.page.table(*(self.words.get(word, word) for word in words))

    def row(self, *words, of):
        return self.table(*of).row(*(self.words.get(word, word) for word in words))

    def printed(self, word, after=""):
        """The first line of the printed table that begins with the word, after one that begins with another."""
        lines = [line.strip() for line in self.drawn.printed.splitlines()]
        start = next((place for place, line in enumerate(lines) if line.startswith(after)), 0)
        return next(line.removeprefix(word) for line in lines[start:] if line.startswith(word))


@pytest.fixture(scope="module")
def shown(consoles, tmp_path_factory):
    """The runs of the console reports, by name."""
    names = ("going_on", "ill", "seeds")
    return {name: Shown(getattr(consoles, name), tmp_path_factory.mktemp(name), consoles.language) for name in names}


def percent(share):
    return f"{100 * share:.2f} %"


def interval(ends):
    return " … ".join(f"{end:.3f}" for end in ends)


def test_the_numbers_at_the_top(shown):
    ill, going_on = shown["ill"], shown["going_on"]
    for each, steps in ((ill, ["4000"]), (going_on, ["2400", "4000"])):
        words, page = each.words, each.page
        assert numbers_in(page.facts[0][1]) == steps
        assert page.fact("Pearson") == f"{each.found['pearson']['r']:.3f}"
        assert seconds_of(page.fact(words["time"])) == each.history.records["seconds"][-1]
        assert len(page.facts) == 4
    assert ill.page.fact(ill.words["test"]) == percent(ill.history.run["test"]["mlm_acc"])
    assert going_on.page.fact(going_on.words["held out"]) == percent(going_on.history.records["eval_mlm_acc"][-1])


def test_without_held_out_values_the_last_training_accuracy_stands_at_the_top(consoles, tmp_path):
    console = consoles.going_on
    history = console.history.__class__(dict(console.history.records), {**console.history.run})
    for key in [key for key in history.records if key.startswith("eval")]:
        del history.records[key]
    page = Shown(console, tmp_path, consoles.language, history).page
    value = page.fact(WORDS[consoles.language]["last training"])
    assert value == percent(history.records["mlm_acc"][-1])


@pytest.mark.parametrize("part", ["test", "validation"])
def test_scores_beside_the_guesses_by_counting(shown, consoles, tmp_path, part):
    each = shown["ill"]
    if part == "validation":  # what a run has before the test is scored
        history = each.history.__class__(each.history.records, {**each.history.run, "test": None})
        each = Shown(consoles.ill, tmp_path, consoles.language, history)
    scores = each.history.run[part]
    of = ("masked", "left")
    assert each.row("masked", of=of) == [f"{scores['mlm_targets']:,}", f"{scores['mlm_targets_han']:,}"]
    assert each.row("mlm", of=of) == [percent(scores["mlm_acc"]), percent(scores["mlm_acc_han"])]
    for guess, shares in scores["guesses"].items():
        assert each.row(guess, of=of) == [percent(shares["all"]), percent(shares["han"])]
    [nsp] = [row for row in each.table(*of).rows if "NSP" in row[0]]
    assert says(nsp[0], scores["nsp_pairs"], 50)
    assert nsp[1] == percent(scores["nsp_acc"])


@pytest.mark.parametrize("name", ["going_on", "ill"])
def test_r_of_training_and_of_what_was_held_out(shown, name):
    each, of = shown[name], ("auto", "iid")
    trends = (each.found["pearson"], each.found["held_out"])
    assert each.table(*of).columns[1:] == [each.words["training"], each.words["held out"]]
    assert each.row("Pearson r", of=of) == [f"{trend['r']:.3f}" for trend in trends]
    rows = [row for row in each.table(*of).rows if "95 %" in row[0]]
    assert len(rows) == 2
    for key, word in (("interval_autocorrelation", "auto"), ("interval_iid", "iid")):
        assert each.row("95 %", word, of=of) == [interval(trend[key]) for trend in trends]
    assert each.row("sizes", of=of) == [f"{trend['effective_sample_size']:,.0f}" for trend in trends]
    [p] = [row[1:] for row in each.table(*of).rows if row[0].startswith("p")]
    assert all(is_said(said, trend["p_autocorrelation"]) for said, trend in zip(p, trends, strict=True))
    assert each.row("Spearman", of=of) == [f"{trend['spearman']['rho']:.3f}" for trend in trends]
    assert each.row("log", of=of) == [f"{trend['log_step']['r']:.3f}" for trend in trends]
    assert each.row("noise", of=of)[0] == f"{trends[0]['disattenuated']['r']:.3f}"


def test_r_over_parts_of_the_run(shown):
    each = shown["ill"]
    table = each.table("first", "after")
    parts = each.found["horizon"]["first"][3::4]
    later = each.found["horizon"]["second_half"]
    wanted = [[part["until"], part["r"]] for part in parts] + [[later["after"], later["r"]]]
    assert len(wanted) == len(table.rows) == 6
    for (name, r), (steps, value) in zip(table.rows, wanted, strict=True):
        assert is_said(numbers_in(name)[0], steps)
        assert r == f"{value:.3f}"


@pytest.mark.parametrize("name", ["going_on", "ill"])
def test_the_curves_with_their_parameters(shown, name):
    each = shown[name]
    [table] = [table for table in each.page.tables if "R²" in table.columns]
    for (_, formula, parameters, r_squared, asymptote, bounds), (_, fit) in zip(
        table.rows, each.found["fits"].items(), strict=True
    ):
        named = {key: PARAMETERS[key] if each.language == "zh" else key for key in fit["parameters"]}
        assert parameters == each.comma.join(f"{named[key]} = {value:.4g}" for key, value in fit["parameters"].items())
        assert all(name in formula for name in named.values())
        assert formula == fit["formula"] or (each.language == "zh" and "步数" in formula)
        assert r_squared == f"{fit['r_squared']:.3f}"
        assert asymptote == (percent(fit["asymptote"]["value"]) if fit["asymptote"] else NOTHING)
        assert bounds == (each.comma.join(named[key] for key in fit["at_bound"]) or NOTHING)


def test_the_forecast_is_that_of_held_out_accuracy(shown):
    each = shown["going_on"]
    forecast = each.found["held_out"]["forecast"]
    [table] = [table for table in each.page.tables if "80 %" in " ".join(table.columns)]
    ends = [forecast["end"], *forecast["at"], *forecast["choices"].values()]
    assert len(table.rows) == len(ends) + len(forecast["targets"])
    for (name, accuracy, ends_of), entry in zip(table.rows, ends, strict=False):
        assert is_said(numbers_in(name)[0], entry["step"])
        assert (accuracy, ends_of) == (percent(entry["accuracy"]), " … ".join(map(percent, entry["interval"])))
    said = {
        "reached": "reached", "reachable": "about", "models_disagree": "disagree", "beyond_every_model": "out of reach",
        "not_supported": "not supported",
    }  # fmt: skip
    for (name, verdict, ends_of), entry in zip(table.rows[len(ends) :], forecast["targets"], strict=True):
        assert percent(entry["target"]) in name
        assert each.words[said[entry["verdict"]]] in verdict
        assert numbers_in(verdict) == (
            [f"{entry['steps']:.0f}"] if entry["verdict"] in ("reached", "reachable") else []
        )
        if entry["interval"] and None not in entry["interval"]:
            assert numbers_in(ends_of) == [f"{end:.0f}" for end in entry["interval"]]


@pytest.mark.parametrize("name", ["going_on", "ill", "seeds"])
def test_the_findings(shown, name):
    each, of = shown[name], ("overfit", "quarter", "early")
    found = each.found
    nsp = [row for row in each.table(*of).rows if "NSP" in row[0]]
    parts = [(part, found["nsp"][part]) for part in ("training", "held_out") if found["nsp"][part]]
    for (title, text), (part, judged) in zip(nsp, parts, strict=True):
        assert each.words["training" if part == "training" else "held out"] in title
        assert text.startswith(percent(judged["accuracy"]))
        assert each.words["chance" if judged["at_chance"] else "above"] in text
        if judged["p"] > 1e-300:
            assert is_said(numbers_in(text)[-1], judged["p"])
    [quarter], [stop] = (each.row(word, of=of) for word in of[1:])
    overfit = [text for title, text in each.table(*of).rows if each.words["overfit"] in title]
    for text, metric in zip(overfit, ("accuracy", "loss"), strict=True):
        since = found["overfit"][metric]["since_step"]
        assert numbers_in(text) == ([] if since is None else [str(since)])
        assert (each.words["none"] in text) == (since is None)
    plateau = found["plateau"]
    assert each.words[plateau["state"]] in quarter
    assert numbers_in(quarter) == ([str(plateau["records_needed"])] if plateau["state"] == "undecided" else [])
    early = found["early_stop"]
    wanted = [] if early["stop_step"] is None else [early["stop_step"], 100 * early["saved_share"], 100 * early["lost"]]
    assert len(numbers_in(stop)) == len(wanted)
    assert says(stop, *wanted)
    odd = [text for title, text in each.table(*of).rows if each.words["anomaly"] in title]
    for text, entry in zip(odd, found["anomalies"], strict=True):
        assert numbers_in(text) == [str(entry[key]) for key in ("count", "first_step", "last_step")]
        assert each.comma.join((name_in(each.language, entry["kind"]), entry["key"], "")) in text


def test_what_it_cost(shown):
    each, of = shown["going_on"], ("tokens", "flops")
    cost = each.found["cost"]
    assert seconds_of(each.row("time", of=of)[0]) == cost["seconds"] == each.history.records["seconds"][-1]
    assert each.row("tokens", of=of)[0] == f"{cost['tokens']:,.0f}"
    digits, power = each.row("flops", of=of)[0].split(" × 10")
    assert is_said(f"{digits}e{power.translate(str.maketrans('⁰¹²³⁴⁵⁶⁷⁸⁹', '0123456789'))}", cost["flops"])
    assert seconds_of(each.row("point", of=of)[0]) == round(cost["held_out"]["seconds_per_point"])
    assert round(cost["held_out"]["seconds_per_point"]) != round(cost["training"]["seconds_per_point"])


def test_runs_side_by_side(shown):
    each = shown["seeds"]
    histories = each.found["several"]["histories"]
    table = each.table(*(run["label"] for run in histories))
    for row, run in zip(table.rows, histories, strict=True):
        ends = " … ".join(map(percent, run["end_interval"]))
        assert row == [run["label"], f"{run['total_steps']:,}", percent(run["end_accuracy"]), ends,
                       percent(run["test_accuracy"]), f"{run['r']:.3f}"]  # fmt: skip


def test_the_facts_of_the_run(shown):
    each, of = shown["ill"], ("parameters", "rate")
    run, config = each.history.run, each.history.run["config"]
    assert numbers_in(each.row("layers", of=of)[0]) == [str(config[key]) for key in ("layers", "hidden", "heads")]
    dataset, batch = run["dataset"], config["batch_size"] * config["accumulation"]
    wanted = {"parameters": run["parameters"], "steps": config["steps"], "batch": batch, "rate": config["lr"],
              "seed": run["seed"], "sentences": dataset["sentences"], "vocabulary": dataset["vocab"]}  # fmt: skip
    assert {word: float(numbers_in(each.row(word, of=of)[0])[0]) for word in wanted} == wanted
    assert run["dataset"]["fingerprint"].startswith(each.row("dataset", of=of)[0])
    values = [cell for _, cell in each.table(*of).rows]
    assert [values.count(run[key]) for key in ("preset", "device")] == [1] * 2
    assert run["versions"]["torch"] in values
    started, finished = (f"{run[key][:10]} {run[key][11:16]} UTC" for key in ("started", "finished"))
    assert values.index(started) < values.index(finished)


def test_each_figure_stands_under_its_own_name(shown):
    """What is saved here in place of a picture is the number of its figure, see draw."""
    drawn, page = shown["ill"].drawn, shown["ill"].page
    assert list(page.figures) == ["training_curves", "correlation_analysis", "comparison_50k_100k", "loss_analysis"]
    saved = {name.split(".")[0]: figure for name, figure in drawn.saved_svg.items()}
    assert {name: base64.b64decode(data).decode() for name, data in page.figures.items()} == saved


def test_the_printed_table_of_a_finished_run(shown):
    each = shown["ill"]
    said = summary_words(each.language)
    scores = each.history.run["test"]
    assert numbers_in(each.printed(said("steps"))) == ["4000"]
    masked = each.printed(said("masked characters"))
    assert numbers_in(masked) == [str(scores["mlm_targets"]), str(scores["mlm_targets_han"])]
    assert says(each.printed(said("MLM accuracy")), 100 * scores["mlm_acc"], 100 * scores["mlm_acc_han"])
    for guess, shares in scores["guesses"].items():
        assert numbers_in(each.printed(said(GUESSES[guess]))) == [f"{100 * shares[key]:.2f}" for key in ("all", "han")]
    assert says(each.printed(said("NSP accuracy")), 100 * scores["nsp_acc"], scores["nsp_pairs"], 50)
    for name, trend in (("training", each.found["pearson"]), ("held-out", each.found["held_out"])):
        line = each.printed(said("Pearson r, {name}", name=said(f"{name} accuracy")))
        assert numbers_in(line) == [f"{value:.3f}" if value < 1 else "95" for value in
                                    (trend["r"], 95, *trend["interval_autocorrelation"])]  # fmt: skip
    assert seconds_of(each.printed(said("training time")).strip()) == each.history.records["seconds"][-1]


def test_the_printed_table_of_a_run_that_goes_on(shown):
    each = shown["going_on"]
    said = summary_words(each.language)
    last = {key: values[-1] for key, values in each.history.records.items()}
    assert numbers_in(each.printed(said("steps"))) == ["2400", "4000"]
    assert says(each.printed(said("MLM accuracy")), 100 * last["eval_mlm_acc"], 100 * last["eval_mlm_acc_han"])
    for guess, shares in each.history.run["guesses"].items():
        assert numbers_in(each.printed(said(GUESSES[guess]))) == [f"{100 * shares[key]:.2f}" for key in ("all", "han")]
    assert says(each.printed(said("NSP accuracy")), 100 * last["eval_nsp_acc"], 50)


def test_the_trunk_of_a_branch_is_in_the_table_of_the_run(consoles):
    analysis = from_json(Analysis, consoles.branches.found, Path("a.json"), advice="")
    history = consoles.branches.history
    for run, expected in ((history, 1), (replace(history, run={**history.run, "branch": None}), 0)):
        cells = [
            row[1] for table in report_tables(run, analysis, report_words(consoles.language)) for row in table.rows
        ]
        named = [cell for cell in cells if "runs/trunk/history.json" in cell]
        assert [numbers_in(cell) for cell in named] == [["1200"]] * expected


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_explains_its_words_and_tells_its_figures_to_those_who_do_not_see_them(tmp_path, language):
    options = write_inputs(tmp_path, make_history())
    [page] = draw(tmp_path / "out", *options, "--lang", language).pages.values()
    history = make_history()
    seen = html.unescape(re.search(r'id="training_curves".*?alt="([^"]*)"', page, re.DOTALL).group(1))
    for key in ("mlm_acc", "eval_mlm_acc"):
        assert f"{100 * history.records[key][0]:.2f} %" in seen
        assert f"{100 * history.records[key][-1]:.2f} %" in seen
    assert f"{history.records['loss'][-1]:.3f}" in seen
    assert "4,000" in seen
    for term in ("MLM", "NSP", "Pearson r", {"en": "Han", "zh": "汉字"}[language]):
        assert f"<li><b>{term}</b>{'：' if language == 'zh' else ': '}" in page
    assert "prefers-color-scheme: dark" in page
    assert "<a href" not in page  # it lies outside the project, where the guides are not at hand


@pytest.mark.parametrize(("dropout", "said"), [(0.0, "without dropout"), (0.1, "with dropout on")])
def test_the_caption_is_true_of_the_dropout(tmp_path, dropout, said):
    history = make_history()
    history.run["config"] |= {"dropout": dropout, "attention_dropout": 0.0}
    [page] = draw(tmp_path / "out", *write_inputs(tmp_path, history)).pages.values()
    assert re.findall(r"with(?:out)? dropout(?: on)?", page) == [said]


@pytest.mark.parametrize("language", WORDS)
def test_the_page_of_the_seed_predictor_speaks_of_no_masks_and_of_nothing_held_out(language):
    history, say = make_history(), report_words(language)
    history.run["objective"] = "seed"
    captions = captions_of(history)
    said = [say(captions[name][1]) for name in ("training_curves", "loss_analysis")] + [*map(say, caveats_of(history))]
    untrue = ("masked", "articles", "NSP", "dropout") if language == "en" else ("掩", "文章", "NSP", "dropout")
    assert not [word for word in untrue if word in " ".join(said)]
    assert {"en": "before it is seen", "zh": "先预测"}[language] in said[0]
