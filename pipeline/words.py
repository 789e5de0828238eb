"""What the figures and the report say, in English and in Chinese. The English text is the key."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Formatter

from pipeline.formatting import bytes_text, columns_of, duration, step_text

CHINESE = {
    "optimizer step": "优化步数",
    "optimizer step (logarithmic)": "优化步数（对数）",
    "steps of the whole run (logarithmic)": "整个运行的步数（对数）",
    "T (optimizer steps)": "T（优化步数）",
    "T (epochs)": "T（轮次）",
    "epoch": "轮次",
    "epoch (logarithmic)": "轮次（对数）",
    "training": "训练",
    "held-out": "留出",
    "held-out, Han": "留出，汉字",
    "left neighbour": "根据左邻字猜测",
    "both neighbours": "根据左右邻字猜测",
    "by counting": "频次基线",
    "chance": "机会水平",
    "MLM accuracy": "MLM 准确率",
    "masked characters guessed right": "猜对的被掩码的字",
    "held-out characters guessed right": "猜对的留出字符",
    "dotted: guesses by counting, on all targets": "点线：频次基线，全部目标",
    "Loss": "损失",
    "MLM + NSP cross-entropy (nats)": "MLM + NSP 交叉熵（奈特）",
    "dots: records, line: their running mean": "点：各条记录；线：滑动平均",
    "NSP accuracy": "NSP 准确率",
    "sentence pairs judged right": "判对的句对",
    "Learning rate": "学习率",
    "learning rate": "学习率",
    "Pearson r is not defined": "Pearson r 无定义",
    "Pearson r = {r:.3f}": "Pearson r = {r:.3f}",
    "Pearson r": "Pearson r",
    "r over the first T steps": "前 T 步的 r",
    "r is not defined": "r 无定义",
    "after {step} alone": "只看 {step} 步后",
    "training MLM accuracy": "训练 MLM 准确率",
    "training accuracy": "训练准确率",
    "held-out accuracy": "留出准确率",
    "training loss ({unit})": "训练损失（{unit}）",
    "held-out loss ({unit})": "留出损失（{unit}）",
    "loss ({unit})": "损失（{unit}）",
    "nats": "奈特",
    "bits": "比特",
    "accuracy": "准确率",
    "Accuracy": "准确率",
    "share of right answers": "答对的比例",
    "no accuracy in this log": "日志里没有准确率",
    "no loss in this log": "日志里没有损失",
    "no learning rate in this log": "日志里没有学习率",
    "no accuracy beside the loss in this log": "日志里没有与损失同时记录的准确率",
    "held-out MLM accuracy": "留出 MLM 准确率",
    "1 record": "1 条记录",
    "{number:,} records": "{number:,} 条记录",
    "every {number:,}th record drawn": "每 {number:,} 条记录画一条",
    "95 % interval of r, with autocorrelation: {low:.3f} to {high:.3f}": (
        "r 的 95 % 区间（计入自相关）：{low:.3f} 至 {high:.3f}"
    ),
    "band: 95 % of the records around the best curve": "色带：最佳曲线周围 95 % 的记录",
    "linear": "直线",
    "log": "对数",
    "exponential": "指数饱和",
    "power": "平移幂律",
    "first half": "前半程",
    "whole run": "全程",
    "First half against the whole run (no baseline run given)": "前半程与全程（未给出基线运行）",
    "baseline, {steps} steps": "基线，{steps} 步",
    "this run, {steps} steps": "本次运行，{steps} 步",
    "{name}, r = {r:.3f}": "{name}，r = {r:.3f}",
    "Baseline run against this run": "基线运行与本次运行",
    "r depends on how long a run is;\nit does not rank runs of different lengths": (
        "r 随运行的长短而变；\n不能用 r 给长短不同的运行排名次"
    ),
    "Mean accuracy in each tenth of the steps": "每十分之一步数的平均准确率",
    "Mean loss in each tenth of the steps": "每十分之一步数的平均损失",
    "Loss against step": "损失与步数",
    ": {first:.3f} to {last:.3f}": "：{first:.3f} 至 {last:.3f}",
    "Accuracy against loss": "准确率与损失",
    "The runs along their steps": "各次运行的过程",
    "lines: running means": "线：滑动平均",
    "Where each run ends": "各次运行的终点",
    "on the whole validation split": "在整个验证集上",
    "mean of the last twentieth of the records": "最后二十分之一记录的平均",
    "in brackets: how many runs the number is the mean of": "括号内：几次运行的平均",
    "hollow: not finished yet, the mean of its last records": "空心：尚未结束，取最后几条记录的平均",
    "What stands in the blank": "空里填了什么",
    "step {step}": "第 {step} 步",
    "Answers that counting gives too": "频次基线也会给出的回答",
    "share of the held-out targets": "占留出目标的比例",
    "commonest character": "最常见的字",
    "right answers": "答对",
    "How far its probabilities are from those of counting": "与频次基线的概率相差多少",
    "KL(counting || model), nats": "KL（频次基线 ‖ 模型），奈特",
    "Han accuracy by decile of frequency": "按字频分十组的汉字准确率",
    "1 (rarest)": "1（最罕见）",
    "10 (commonest)": "10（最常见）",
    "At step {step}, and by counting": "第 {step} 步，与频次基线",
    "tenth of the running text, rarest characters first": "文本的十分之一，罕见字在前",
    "Accuracy by class of token": "按字符类别的准确率",
    "Han": "汉字",
    "punctuation": "标点",
    "digits": "数字",
    "Latin": "拉丁字母",
    "other": "其他",
}


LANGUAGES = ("en", "zh")


class _Texts(Formatter):
    """As ``str.format``; but steps, which are what ``,`` is asked for, may be fractions, and ``duration`` of seconds
    and ``bytes`` of a size are asked for too."""

    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, float) and format_spec.endswith(","):
            return format(step_text(value), format_spec[:-1])
        if isinstance(value, (int, float)) and format_spec == "duration":
            return duration(value, self._language)
        if isinstance(value, int) and format_spec == "bytes":
            return bytes_text(value)
        if isinstance(value, str) and format_spec[:1] == "<":  # a Chinese character takes two columns
            return value + " " * (int(format_spec[1:]) - columns_of(value))
        return str(super().format_field(value, format_spec))


class Words:
    """``say(text, **values)`` gives ``text`` in one language, with the values put in."""

    def __init__(self, language: str, chinese: dict[str, str]) -> None:
        """``language`` is one of LANGUAGES; ``chinese`` holds the Chinese for every text that will be asked for."""
        self.language = language
        self._chinese = chinese

    def __call__(self, text: str, **values: object) -> str:
        return _Texts(self.language).format(self._chinese[text] if self.language == "zh" else text, **values)


@dataclass(frozen=True)
class Sentence:
    """A text with its values, to be said in either language; a value may be a sentence too."""

    text: str
    values: dict[str, object] = field(default_factory=dict)

    def say(self, words: Words) -> str:
        """The sentence in the language of ``words``, which must know its text."""
        said = {name: value.say(words) if isinstance(value, Sentence) else value for name, value in self.values.items()}
        return words(self.text, **said)


def figure_words(language: str) -> Words:
    """The words of the figures."""
    return Words(language, CHINESE)
