"""What the report and the figure of the probe say, in English and in Chinese. The English text is the key."""

from __future__ import annotations

from pipeline.words import Words

CHINESE = {
    "{model}: masked language model, {parameters:,d} parameters": "{model}：掩码语言模型，{parameters:,d} 个参数",
    "{model}: causal language model, {parameters:,d} parameters": "{model}：因果语言模型，{parameters:,d} 个参数",
    ", step {step:,d}": "，第 {step:,d} 步",
    "tokens that can never be predicted: {never:,d} of {tokens:,d}": "无法预测的词元：{never:,d} / {tokens:,d}",
    " ({undecided:,d} undecided; a linear programme was asked about {asked:,d})": (
        "（未定 {undecided:,d}；用线性规划判定了 {asked:,d} 个）"
    ),
    "  such as {examples}": "  例如 {examples}",
    "sentence vectors ({sentences:,d}): mean cosine {cosine:.3f}, effective rank {rank:.1f} of {width:d}": (
        "句向量（{sentences:,d} 句）：平均余弦 {cosine:.3f}，有效秩 {rank:.1f} / {width:d}"
    ),
    "next sentence found among {candidates:,d} (chance {chance:.2f} %), by beta and gamma:": (
        "在 {candidates:,d} 句中找到下一句（机会水平 {chance:.2f} %），按 beta 与 gamma："
    ),
    "  beta {beta:<4g} {shares}": "  beta {beta:<4g} {shares}",
    "gamma {gamma:g}: {share:.1f} %": "gamma {gamma:g}：{share:.1f} %",
    "embedding rows: mean length {norm:.3f}, mean cosine {cosine:.3f}, Spearman of length and frequency {rank}": (
        "嵌入各行：平均长度 {norm:.3f}，平均余弦 {cosine:.3f}，长度与词频的 Spearman 相关 {rank}"
    ),
    "not defined": "无定义",
    "layer    stream  attention  feed-forward  gradient  weights' gradient  attention entropy": (
        "层         主干       注意力          前馈      梯度        权重的梯度         注意力熵"
    ),
    "gradient in float16, shares of the nonzero entries by loss scale:": (
        "float16 下的梯度，按损失缩放，占非零分量的比例："
    ),
    "  {scale:>12,.0f}  lost {lost:7.3f} %  subnormal {coarse:7.3f} %  overflowed {overflowed:7.3f} %": (
        "  {scale:>12,.0f}  变成零 {lost:7.3f} %  非正规 {coarse:7.3f} %  上溢 {overflowed:7.3f} %"
    ),
    "forward and backward: {flops:.3g} operations for {tokens:,d} tokens in {seconds:.3f} s, {rate:.1f} GFLOP/s": (
        "前向与反向：{tokens:,d} 个词元 {flops:.3g} 次运算，{seconds:.3f} 秒，{rate:.1f} GFLOP/s"
    ),
    "without text ({what}); give --dataset": "没有文本（{what}）；请给出 --dataset",
    "vectors, gradients, attention and time were not measured": "未测句向量、梯度、注意力与时间",
    "Branches beside the stream": "支路与主干之比",
    "root mean square over the stream's": "与主干均方根之比",
    "attention": "注意力",
    "feed-forward": "前馈",
    "layer": "层",
    "Gradient and attention entropy": "梯度与注意力熵",
    "over that of the last layer; entropy over even attention": "与末层之比；熵与均匀注意力之比",
    "gradient of the stream": "主干的梯度",
    "attention entropy": "注意力熵",
    "Gradient in float16": "float16 下的梯度",
    "loss scale": "损失缩放",
    "share of the nonzero entries": "占非零分量的比例",
    "lost": "变成零",
    "subnormal": "非正规",
    "overflowed": "上溢",
    "Embedding rows by frequency": "嵌入各行与词频",
    "tenth of the tokens, rarest first": "词元的十分之一，罕见在前",
    "length of a row": "行的长度",
    "cosine with the mean row": "与平均行的余弦",
    "Next sentence found": "找到下一句",
    "gamma": "gamma",
    "beta {beta:g}": "beta {beta:g}",
    "chance": "机会水平",
    "share of sentences": "句子的比例",
    "optimizer step": "优化步数",
    "Tokens out of reach": "无法预测的词元",
    "tokens": "词元",
    "never predicted": "无法预测",
    "undecided": "未定",
    "Isotropy of sentence vectors": "句向量的各向同性",
    "mean cosine": "平均余弦",
    "effective rank over width": "有效秩与维数之比",
    "as they are": "原样",
    "whitened": "白化",
    "Attention entropy": "注意力熵",
    "over even attention": "与均匀注意力之比",
    "layer {number:d}": "第 {number:d} 层",
    "Gradient lost in float16 without a loss scale": "不缩放损失时 float16 丢失的梯度",
    "lost or subnormal": "变成零或非正规",
    "Length of embedding rows": "嵌入各行的长度",
    "rarest tenth": "最罕见的十分之一",
    "commonest tenth": "最常见的十分之一",
    "never seen": "从未出现",
}


def probe_words(language: str) -> Words:
    """The words of the probe."""
    return Words(language, CHINESE)
