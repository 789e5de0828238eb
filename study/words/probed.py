"""What ``probe_model.py`` measured on the headline's model, in two sentences.

    python probe_model.py --checkpoint-dir runs/study/medium/checkpoints --every 5 \\
        --dataset data/large_wikipedia_dataset.json --output results/probe/probe.json
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.files.json_object import read_json_object
from pipeline.files.typed_json import from_json
from pipeline.formatting import percent, step_text
from pipeline.probe.measures import Probe
from pipeline.stage import InputError
from study.runs import RESULTS
from study.words.finding import share

PROBED = RESULTS / "probe" / "probe.json"
ADVICE = "write it again with probe_model.py and --dataset"


@dataclass(frozen=True)
class Probes:
    """The file of probe_model.py: one probe a checkpoint, by step."""

    probes: list[Probe]


def probed() -> tuple[str, str]:
    """Chinese and English."""
    found = from_json(Probes, read_json_object(PROBED, "the probe", ADVICE), PROBED, advice=ADVICE).probes
    last = found[-1]
    vectors, rows, halves, entropy = last.vectors, last.embeddings, last.half_precision, last.attention_entropy
    if vectors is None or rows is None or halves is None or entropy is None or rows.rank_correlation is None:
        raise InputError(f"{PROBED}: was measured without text; {ADVICE}")
    step, tokens, never = step_text(last.step or 0), last.predictability.tokens, last.predictability.never
    reached = (
        (f"{tokens:,} 个词元个个都可能被预测", f"each of {tokens:,} tokens can be predicted")
        if never == 0
        else (f"{tokens:,} 个词元里有 {never} 个永远不会被预测", f"of {tokens:,} tokens {never} can never be predicted")
    )
    cosine, rank, width = f"{vectors.mean_cosine:.2f}", f"{vectors.effective_rank:.0f}", vectors.width
    plain, white = share(vectors.at(0.0, 0.0)), share(vectors.at(1.0, 1.0))
    rarest, commonest = (f"{rows.tenths[place].cosine:.2f}" for place in (0, -1))
    unscaled = halves[0]
    scaled = min(halves, key=lambda each: (each.lost + each.coarse + each.overflowed, each.scale))
    harmed, kept = (percent(each.lost + each.coarse + each.overflowed, 2) for each in (unscaled, scaled))
    first, final = f"{entropy[0]:.2f}", f"{entropy[-1]:.2f}"
    return (
        f"笔记里的预言在主要结果的模型上量过（`probe_model.py`，第 {step} 步）：{reached[0]}，句向量两两的平均余弦"
        f"是 {cosine}，有效秩 {rank}（共 {width} 维），在 {vectors.candidates} 句里找到下一句的比例是 {plain}，白化"
        f"以后 {white}。Embedding 与平均行的余弦，最生僻的十分之一是 {rarest}，最常见的是 {commonest}；梯度直接转成 "
        f"float16，有 {harmed} 丢失或不足 11 位，放大 {scaled.scale:,.0f} 倍以后是 {kept}；注意力的熵与均匀注意力相"
        f"比，第一层 {first}，最后一层 {final}。",
        f"What the notes predict was measured on the headline's model (`probe_model.py`, step {step}): "
        f"{reached[1]}, the mean cosine of two sentence vectors is {cosine}, their effective rank {rank} of "
        f"{width}, and among {vectors.candidates} sentences the next one is found {plain} of the time, {white} "
        f"after whitening. The cosine of an embedding with the mean row is {rarest} for the rarest tenth of the "
        f"tokens and {commonest} for the commonest; cast to float16 as it is, {harmed} of the gradient is lost or "
        f"has fewer than 11 bits, multiplied by {scaled.scale:,.0f} first, {kept}; the entropy of attention over "
        f"that of even attention is {first} in the first layer and {final} in the last.",
    )
