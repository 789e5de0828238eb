"""Console reports of analyze_100k.py about four runs, in both languages, each with the analysis that it is about."""

import contextlib
import functools
import io
import json
import random
import sys
from math import exp

import pytest

import analyze_100k
from pipeline.files.scores import write_scores
from pipeline.report.console.names import name_in
from tests.helpers.scores import RISING
from tests.helpers.synthetic import make_history

# The word, in English and in Chinese, that a line is found by where it holds no name or number of the analysis.
TOLD_BY = (
    ("training", "training", "训练"), ("held_out", "held-out", "留出"), ("accuracy", "accuracy", "准确率"),
    ("loss", "loss", "损失"), ("iid", "independent", "独立"), ("sizes", "effective", "有效"),
    ("autocorrelation", "with the autocorrelation", "计入噪声的自相关"), ("slope", "slope of a line", "直线的斜率"),
    ("bound", "AT BOUND", "边界"), ("passed", "beyond its asymptote", "渐近线"), ("weights", "weights", "权重"),
    ("never", "never", "达不到"), ("later", "later than", "以后"), ("plateau", "plateau", "平台"),
    ("falling", "falling", "下降"), ("undecided", "undecided, needs about", "不能判定，约需"),
    ("rising", "rising", "上升"),
    ("at chance", "never left chance", "从未离开机会水平"), ("above chance", "above chance", "高于机会水平"),
    ("no pairs", "not known", "不知道"), ("overfit", "overfitting", "过拟合"), ("none", "none", "没有"),
    ("cost", "cost", "代价"), ("nothing", "gained nothing", "没有提升"), ("early", "early stopping", "提前停止"),
    ("rule", "rule:", "规则："), ("too few", "too few records", "记录太少"), ("sure", "sure holds", "把握适用于"),
    ("independent alone", "independent noise alone", "只适用于独立的噪声"), ("baseline", "baseline", "基线"),
    ("seeds", "of one setting", "同一设置"), ("settings", "of different settings", "不同设置"),
    ("checkpoints", "checkpoints", "检查点"), ("covers seeds", "over seeds", "含种子"),
    ("covers records", "record noise", "记录噪声"), ("branch", "branch", "分支"), ("shared", "count once", "只算一次"),
    ("undefined", "not defined", "没有定义"),
    ("not supported", "not supported", "不足以"), ("end", "planned end", "计划的终点"), ("longer", "a run of", "另跑"),
    ("decay", "decay it now", "现在就退火"), ("go on", "go on  ", "继续  "), ("tokens", "tokens", "词元"),
)  # fmt: skip
WORDS = {"en": {key: word for key, word, _ in TOLD_BY}, "zh": {key: word for key, _, word in TOLD_BY}}


class Console:
    """What analyze_100k.py printed about one run, line by line, and the analysis that it wrote."""

    def __init__(self, printed, history, found, language):
        self.lines = printed.splitlines()
        self.history, self.found = history, found
        self.words = WORDS[language]
        self.language = language

    def named(self, text):
        """A curve, kind, group or note of the analysis as the report calls it."""
        return name_in(self.language, text)

    def part(self, name):
        """Lines about training or held-out accuracy, the section of the analysis that they are of, and its r."""
        heads = [place for place, line in enumerate(self.lines) if place > 2 and not line.startswith(" ")]
        which = ("training", "held_out").index(name)
        assert self.words[name] in self.lines[heads[which]]
        section = self.found if name == "training" else self.found["held_out"]
        pearson = self.found["pearson"] if name == "training" else section
        return self.lines[heads[which] + 1 : heads[which + 1]], section, pearson

    def line(self, *marks, among=None):
        """The one line with all these marks; "@key" stands for the word of that key in the language of the report."""
        words = [self.words[mark[1:]] if mark.startswith("@") else mark for mark in marks]
        found = [line for line in (self.lines if among is None else among) if all(word in line for word in words)]
        assert len(found) == 1, (words, found)
        return found[0]


class Consoles:
    """The reports of one language, made when they are asked for."""

    def __init__(self, folder, language):
        self.folder, self.language, self.words = folder, language, WORDS[language]

    def analysed(self, histories, *options):
        """Run analyze_100k.py in this process; the report is about the first of the histories, which come by name."""
        output, printed = self.folder / "a.json", io.StringIO()
        paths = [self.folder / f"{name}.json" for name in histories]
        for path, history in zip(paths, histories.values(), strict=True):
            history.write(path)
        arguments = ["analyze_100k.py", "--history", *paths, "--output", output, "--lang", self.language, *options]
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
            patch.setattr(sys, "argv", [str(argument) for argument in arguments])
            assert analyze_100k.main() == 0
        found = json.loads(output.read_text(encoding="utf-8"))
        return Console(printed.getvalue(), next(iter(histories.values())), found, self.language)

    @functools.cached_property
    def going_on(self):
        """A run that has still to go on, beside a baseline, with scored checkpoints and targets of every verdict."""
        make_history(40, noise=3, total=1600).write(self.folder / "b.json")
        write_scores(self.folder / "s.json", RISING)
        options = ("--baseline", self.folder / "b.json", "--scores", self.folder / "s.json", "--at", 3000, 8000, 60_000)
        history = make_history(60, finished=False)
        return self.analysed({"h": history}, *options, "--target", 0.2, 0.28, 0.4, 0.45, 0.9)

    @functools.cached_property
    def ill(self):
        """A run that overfits, with NSP at chance and two odd losses, which early stopping would have ended."""
        history, dice = make_history(), random.Random(2)
        lists = history.records
        for number in range(100):
            share = number / 100
            falling = 0.08 * max(0.0, share - 0.5)
            lists["mlm_acc"][number] += 0.05 * share
            lists["eval_mlm_acc"][number] = 0.25 - 0.2 * exp(-8 * share) - falling + dice.gauss(0, 0.003)
            lists["eval_loss"][number] += 2 * max(0.0, share - 0.6)
            lists["nsp_acc"][number] = 0.5 + dice.gauss(0, 0.012)
        lists["loss"][30] = float("nan")
        lists["loss"][50] += 3
        history.run["validation"]["nsp_acc"] = 0.512
        rule = ("--stop-window", 12, "--stop-worth", 0.003, "--stop-patience", 4, "--stop-confidence", 0.85)
        return self.analysed({"h": history}, *rule)

    @functools.cached_property
    def constant(self):
        """Constant accuracy, so that r is not defined, and NSP accuracies that no number of pairs explains."""
        history, dice = make_history(20), random.Random(1)
        history.records["mlm_acc"] = [0.25] * 20
        history.records["nsp_acc"] = [dice.random() for _ in range(20)]
        del history.records["nsp_pairs"]
        return self.analysed({"h": history})

    @functools.cached_property
    def seeds(self):
        other = make_history(60, noise=9)
        other.run["seed"] = other.run["config"]["seed"] = 9
        return self.analysed({"flat": flat_history(), "other": other})

    @functools.cached_property
    def experiments(self):
        other = make_history(60, noise=9)
        other.run["config"]["lr"] = 1e-3
        other.records["eval_mlm_acc"] = [value - 0.02 for value in other.records["eval_mlm_acc"]]
        return self.analysed({"flat": flat_history(), "other": other})

    @functools.cached_property
    def branches(self):
        """Two branches of one trunk, equal to step 1,200."""
        runs = {"short": make_history(60), "long": make_history(60, noise=9)}
        for number, history in enumerate(runs.values()):
            history.run["branch"] = {"history": "runs/trunk/history.json", "step": 1200, "sha256": "0" * 64}
            history.run["config"]["schedule"] = f"wsd:0.{number + 1}"
        for key, values in runs["long"].records.items():
            values[:30] = runs["short"].records[key][:30]
        return self.analysed(runs)


def flat_history():
    """A run whose training accuracy has come to a plateau."""
    history, dice = make_history(60), random.Random(3)
    history.records["mlm_acc"] = [0.3 - 0.24 * exp(-s / 150) + dice.gauss(0, 0.001) for s in history.records["steps"]]
    return history


@pytest.fixture(scope="session", params=tuple(WORDS))
def consoles(request, tmp_path_factory):
    return Consoles(tmp_path_factory.mktemp("consoles"), request.param)
