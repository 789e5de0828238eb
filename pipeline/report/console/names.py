"""What the analysis names in English, in Chinese: curves, kinds, groups, notes. Names of lists and sources stay."""

from __future__ import annotations

import re

_CHINESE = {
    # curves, and parameters of forecasts
    "log": "对数",
    "exponential": "指数饱和",
    "power": "平移幂律",
    "linear": "直线",
    "a": "a",
    "b": "b",
    "shift": "平移",
    "exponent": "指数",
    "tau": "τ",
    "a + b step": "a + b 步数",
    "a + b log(step)": "a + b log(步数)",
    "a - b (1 + step / shift)^-exponent": "a - b（1 + 步数 / 平移）^-指数",
    "a - b exp(-step / tau)": "a - b exp(-步数 / τ)",
    # kinds of run
    "masked language model": "掩码语言模型",
    "masked language model, loss": "掩码语言模型的损失",
    "language-model loss": "语言模型的损失",
    "image classification": "图像分类",
    "detection": "检测",
    "segmentation": "分割",
    # settings of a run
    "layers": "层数",
    "hidden": "宽度",
    "heads": "注意力头数",
    "ffn": "前馈层宽度",
    "max_positions": "位置数",
    "dropout": "dropout",
    "attention_dropout": "注意力权重的 dropout",
    "init_std": "初始标准差",
    "head": "输出头",
    "level": "预测单位",
    "length": "最大长度",
    "held_out": "留出比例",
    "mask_rate": "掩码比例",
    "steps": "步数",
    "batch_size": "批大小",
    "accumulation": "梯度累积次数",
    "optimizer": "优化器",
    "lr": "学习率峰值",
    "schedule": "学习率计划",
    "warmup": "预热步数",
    "beta1": "beta1",
    "beta2": "beta2",
    "weight_decay": "权重衰减",
    "clip": "梯度裁剪",
    "seed": "种子",
    "data_seed": "数据种子",
    "log_interval": "记录间隔",
    "eval_every": "留出打分间隔",
    "eval_targets": "留出目标数",
    "save_interval": "检查点间隔",
    "early_checkpoints": "早期检查点",
    "early_stop": "提前停止",
    # splits and groups of checkpoint scores
    "validation": "验证",
    "test": "测试",
    "class": "类别",
    "source": "来源",
    "text_decile": "字频组（按文本）",
    "character_decile": "字频组（按字种）",
    "script": "字形",
    "han": "汉字",
    "punctuation": "标点",
    "digits": "数字",
    "latin": "拉丁字母",
    "other": "其他",
    "simplified only": "只用于简体",
    "traditional only": "只用于繁体",
    "shared": "简繁同形",
    "unseen in training": "训练中未见",
    # what runs are compared by
    "r": "r",
    "end_accuracy": "结尾准确率",
    "mean_accuracy": "平均准确率",
    # kinds of anomaly
    "nan": "NaN",
    "inf": "正无穷",
    "-inf": "负无穷",
    "negative": "负值",
    "spike": "突升",
    "drop": "突降",
    "constant": "从不改变",
    "stall": "停滞",
    "lr_break": "学习率跳变",
    "divergence": "发散",
    "deviation": "偏离参照",
    # notes
    "not a number; left out of the fits": "不是数，拟合时略去",
    "below 0, where no accuracy can be": "低于 0，准确率不可能如此",
    "far from the records around it": "远离前后的记录",
    "the same value in all records": "所有记录都是同一个值",
    "the schedule jumps here": "学习率计划在此跳变",
    "The accuracy is the same in every record, so r is not defined.": "每条记录的准确率都相同，所以 r 没有定义。",
    "the noise of the records alone; other seeds may differ by more": "记录的噪声；不同种子之间的差异可能更大",
}
_WITH_NUMBERS = {
    r"the same value (\d+) times or more": "同一个值重复 {0} 次以上",
    r"a pause of more than (\d+) times the usual before it": "此前的停顿超过平常的 {0} 倍",
    r"loss (\S+) over the last (\d+) records, (\S+) around step (\S+)": (
        "最近 {1} 条记录的平均损失 {0}，第 {3} 步前后曾是 {2}"
    ),
    r"(\S+) points from the reference around step (\S+), measured by (.+)": (
        "第 {1} 步前后与参照相差 {0} 个百分点，衡量的尺度是{2}"
    ),
    r"the scatter of (\d+) reference runs": "{0} 次参照运行之间的差异",
    r"r needs three records and there are (\d+)\.": "r 至少要三条记录，这里只有 {0} 条。",
}


def name_in(language: str, text: str) -> str:
    """``text`` of the analysis in ``language``; names that are proper ones stay as they are."""
    if language != "zh" or text in _CHINESE:
        return text if language != "zh" else _CHINESE[text]
    for pattern, chinese in _WITH_NUMBERS.items():
        if found := re.fullmatch(pattern, text):
            return chinese.format(*(name_in(language, part) for part in found.groups()))
    return text
