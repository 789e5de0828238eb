"""The main findings in words, in Chinese and English: what the README of the project shows, with pictures."""

from __future__ import annotations

from pipeline.formatting import step_text
from pipeline.stage import InputError
from study import findings
from study.runs import HEADLINE, history_path
from study.tables.committed import finished, history
from study.words.finding import COUNTING, Finding, analysis, listed, number, share


def headline() -> tuple[str, str]:
    """What the headline run is, how long it took, and where it ended."""
    run = history(HEADLINE)
    told, end = run.facts, finished(run)
    minutes, pairs = round(run.series("seconds")[-1] / 60), end.config.effective_batch
    layers, hidden = told.count("config", "layers"), told.count("config", "hidden")
    preset, threads, sentences = told.text("preset"), told.count("threads"), told.count("dataset", "sentences")
    size, steps = f"{end.parameters / 1e6:.2f}M", step_text(end.config.steps)
    mlm, han, nsp = map(share, end.test.overall())
    counted = share(end.test.guesses["both"].all)
    threads_text = "1 thread" if threads == 1 else f"{threads} threads"
    return (
        f"主要结果来自 CPU 上的小模型，谁都可以重做：`{preset}`（参数 {size}，{layers} 层，宽 {hidden}，每步 "
        f"{pairs} 个句对）在 {sentences:,} 句上训练 {steps} 步，{threads} 个线程，{minutes} 分钟。测试文章上 MLM "
        f"{mlm}（只算汉字 {han}），{COUNTING[0]}{counted}，NSP {nsp}。",
        f"The headline is a small model on a CPU, which anyone can repeat: `{preset}` ({size} parameters, {layers} "
        f"layers, width {hidden}, {pairs} pairs a step) trained for {steps} steps on {sentences:,} sentences, "
        f"{threads_text}, {minutes} minutes. On test articles MLM {mlm} (Han alone {han}), {COUNTING[1]} {counted}, "
        f"NSP {nsp}.",
    )


def main_findings() -> list[Finding]:
    """The three that the README of the project shows, each with its picture."""
    return [straightness(), budgets(), rare_characters()]


def straightness() -> Finding:
    found = analysis()
    curve, (_, held_out) = found.training, history(HEADLINE).points("eval_mlm_acc")
    interval = curve.pearson.interval_autocorrelation
    early, late = next(part for part in curve.horizon.first if part.until == 20_000), curve.horizon.second_half
    if interval is None or late is None:
        raise InputError(f"{history_path(HEADLINE)}: is too short for an interval of r and for r of its second half")
    low, high = interval
    line, log = curve.fits["linear"].r_squared, curve.fits["log"].r_squared
    first, last = (share(held_out[place]) for place in (0, -1))
    r = f"{curve.pearson.r:.3f}"
    return Finding(
        ("r 说的是曲线有多直，不是学到了多少", "r tells how straight a curve is, not how much was learned"),
        (
            f"步数与准确率的 Pearson r 在整个运行上是 {r}（95 % 区间 {low:.3f} 到 {high:.3f}，只含记录的噪声），只看"
            f"前 {step_text(early.until)} 步是 {early.r:.3f}，只看后一半是 {late.r:.3f}；直线的 R² 是 {line:.3f}，对"
            f"数曲线是 {log:.3f}。学到了多少要看准确率本身：留出准确率从 {first} 到 {last}。",
            f"Pearson's r of steps and accuracy is {r} over the whole run (95 % interval {low:.3f} to {high:.3f}, "
            f"of the records' noise alone), {early.r:.3f} over the first {step_text(early.until)} steps and "
            f"{late.r:.3f} over the second half; R² is {line:.3f} for a straight line and {log:.3f} for a "
            f"logarithm. How much was learned is in the accuracy itself: held out from {first} to {last}.",
        ),
        "correlation_analysis",
        (
            "左：训练准确率对步数的散点和拟合的四条曲线；右：前 T 步的 r",
            "Left: training accuracy against steps with four fitted curves; right: r of the first T steps",
        ),
    )


def budgets() -> Finding:
    *shorter, longest, _ = findings.budgets()
    steps, ends, halfway = zip(*((label, cells[0], cells[3]) for label, cells in shorter), strict=True)
    return Finding(
        ("半途的准确率不是终点", "Accuracy half-way is not an end"),
        (
            f"`small` 为 {listed(steps)} 步安排的运行，结束时在整个验证集上是 {listed(ends)}；{longest[0]} 步的运行"
            f"走到那些步数时是 {listed(halfway)}，终点是 {longest[1][0]}。半途时学习率还高；给每个预算一份自己的学习"
            "率计划，才知道它能换来什么。",
            f"Runs of `small` planned for {listed(steps, 1)} steps end at {listed(ends, 1)} of the whole validation "
            f"split; the run of {longest[0]} steps has {listed(halfway, 1)} when it passes there, and ends at "
            f"{longest[1][0]}. Half-way its learning rate is still high: what a budget buys is known from a run "
            "with a schedule of its own.",
        ),
        "ladder",
        (
            "不同步数预算的运行，各自的准确率曲线和终点",
            "Runs of several budgets of steps: the curve of each and where it ends",
        ),
    )


def rare_characters() -> Finding:
    rows = [cells for label, cells in findings.groups() if "tenth" in label]
    behind = sum(number(cells[-2]) < number(cells[-1]) for cells in rows)
    worse = (
        (f"{len(rows)} 组里有 {behind} 组低于频次基线", f"{behind} of {len(rows)} groups are behind counting")
        if behind
        else ("没有一组低于频次基线", "no group is behind counting")
    )
    rarest, commonest = rows[0], rows[-1]
    first, last = (step_text(findings.steps_along()[place]) for place in (0, -1))
    return Finding(
        ("生僻字最后学会", "Rare characters come last"),
        (
            f"验证文本按字频分成十组。最生僻的一组，准确率从第 {first} 步的 {rarest[1]} 到第 {last} 步的 "
            f"{rarest[-2]}，{COUNTING[0]}是 {rarest[-1]}；最常见的一组是 {commonest[1]} 到 {commonest[-2]}，频次基"
            f"线 {commonest[-1]}。训练结束时，{worse[0]}。",
            "The validation text in ten groups by the frequency of its characters. On the rarest, accuracy goes "
            f"from {rarest[1]} at step {first} to {rarest[-2]} at step {last}, where {COUNTING[1]} has "
            f"{rarest[-1]}; on the commonest from {commonest[1]} to {commonest[-2]}, counting {commonest[-1]}. At "
            f"the end {worse[1]}.",
        ),
        "deciles",
        (
            "十组字频各自的准确率：沿步数的曲线，以及结束时与频次基线的对照",
            "Accuracy of ten groups by frequency: along the steps, and at the end beside counting",
        ),
    )
