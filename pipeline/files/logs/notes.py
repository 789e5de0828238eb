"""What is said about how a log was read, in English and in Chinese."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.words import Words

CHINESE = {
    "read as {format}: {roles}": "按 {format} 读入：{roles}",
    "not in this log: {names}; what needs them is left out": "日志里没有：{names}；需要它们的分析从略",
    "{names}: in percent, divided by 100": "{names}：是百分数，已除以 100",
    "{name}: often in percent, but never above 1 here, so taken as shares; --percent {name} divides": (
        "{name}：通常是百分数，但这里从不大于 1，所以当作比例；要除以 100 请用 --percent {name}"
    ),
    "{name}: a perplexity; its logarithm is the loss": "{name}：是困惑度；取对数作为损失",
    "{name}: in bits, as the perplexity beside it tells": "{name}：以比特为单位（由旁边的困惑度可知）",
    "steps are epochs": "步数是轮次（epoch）",
    "steps are epochs, counted from 1 where the log counts from 0": "步数是轮次（epoch）；日志从 0 数起，这里从 1 数起",
    "no column counts steps: records are numbered from 1": "没有计步的列：记录从 1 起编号",
    "{count:,} records were written before a restart at an earlier step, or twice at one step: the last ones count": (
        "有 {count:,} 条记录写在从更早一步重新开始之前，或同一步写了两次：以最后写的为准"
    ),
    "the rows are not in the order of their steps: sorted": "各行不按步数排列：已排序",
    "{count:,} rows have no step: left out": "有 {count:,} 行没有步数：未计入",
    "the last line is cut off: left out": "最后一行不完整：未计入",
    "also found, not used: {names}; --columns takes another": "另有未用的列：{names}；可用 --columns 改选",
    "training accuracy": "训练准确率",
    "held-out accuracy": "留出准确率",
    "training loss": "训练损失",
    "held-out loss": "留出损失",
    "learning rate": "学习率",
    "time": "时间",
    "sentence pairs (NSP)": "句对（NSP）",
    "step": "步数",
}


@dataclass(frozen=True)
class Note:
    """``text`` is a key of CHINESE; strings in tuples among ``values`` are keys of it too."""

    text: str
    values: dict[str, object] = field(default_factory=dict)

    def say(self, language: str = "en") -> str:
        """The sentence."""
        say = Words(language, CHINESE)
        joint = "、" if language == "zh" else ", "
        told = {
            name: joint.join(say(each) for each in value) if isinstance(value, tuple) else value
            for name, value in self.values.items()
        }
        return say(self.text, **told)
