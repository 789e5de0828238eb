"""The findings in words, in Chinese and English, with the numbers of the files in results/.

``study/pages.py`` writes them into the README of the project and into results/README.md. A sentence states numbers and
leaves the rest to the reader, or chooses its words by the numbers, so that it stays true when the runs are made anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.analyse.schema.analysis import Analysis, read_analysis
from pipeline.files.json_object import read_json_object
from pipeline.files.typed_json import from_json
from pipeline.formatting import percent, step_text
from pipeline.stage import InputError
from study import findings
from study.runs import HEADLINE, RESULTS, history_path

BACK_TEST = RESULTS / "benchmarks" / "forecast_own.json"
COUNTING = ("频次基线（左右邻字）", "counting (both neighbours)")


@dataclass(frozen=True)
class Finding:
    """A title, a paragraph and, where there is one, a picture in results/, its name without a suffix."""

    title: tuple[str, str]  # Chinese, English
    text: tuple[str, str]
    picture: str | None = None
    shows: tuple[str, str] = ("", "")  # what the picture shows, for who does not see it


@dataclass(frozen=True)
class BackTestGroup:
    """Forecasts of the end of runs from a first part of their records; errors in points."""

    cluster: str
    task: str
    fraction: float
    runs: int
    error: float  # median
    coverage: float  # of the 80 % intervals


@dataclass(frozen=True)
class BackTest:
    """The file of benchmarks/forecast.py, as far as it is needed here."""

    groups: list[BackTestGroup]


def headline() -> tuple[str, str]:
    """What the headline run is, how long it took, and where it ended."""
    run = findings.history(HEADLINE)
    told, end = run.facts, findings.finished(run)
    minutes, pairs = round(run.series("seconds")[-1] / 60), end.config.effective_batch
    layers, hidden = told.count("config", "layers"), told.count("config", "hidden")
    preset, threads, sentences = told.text("preset"), told.count("threads"), told.count("dataset", "sentences")
    size, steps = f"{end.parameters / 1e6:.2f}M", step_text(end.config.steps)
    mlm, han, nsp = map(share, end.test.overall())
    counted = share(end.test.guesses["both"].all)
    threads_text = "1 thread" if threads == 1 else f"{threads} threads"
    return (
        f"主要结果来自 CPU 上的小模型，谁都可以重做：`{preset}`（参数 {size}，{layers} 层，宽 {hidden}，每步 {pairs} "
        f"个句对）"
        f"在 {sentences:,} 句上训练 {steps} 步，{threads} 个线程，{minutes} 分钟。测试文章上 MLM {mlm}（只算汉字 "
        f"{han}），"
        f"{COUNTING[0]}{counted}，NSP {nsp}。",
        f"The headline is a small model on a CPU, which anyone can repeat: `{preset}` ({size} parameters, {layers} "
        f"layers, "
        f"width {hidden}, {pairs} pairs a step) trained for {steps} steps on {sentences:,} sentences, {threads_text}, "
        f"{minutes} minutes. On test articles MLM {mlm} (Han alone {han}), {COUNTING[1]} {counted}, NSP {nsp}.",
    )


def main_findings() -> list[Finding]:
    """The three that the README of the project shows, each with its picture."""
    return [straightness(), budgets(), rare_characters()]


def further_findings() -> list[Finding]:
    return [forecasts(), data_or_steps(), overfitting(), pairs_of_sentences(), seeds(), published_rule()]


def straightness() -> Finding:
    found = analysis()
    curve, held_out = found.training, findings.history(HEADLINE).series("eval_mlm_acc")
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
            f"步数与准确率的 Pearson r 在整个运行上是 {r}（95 % 区间 {low:.3f} 到 {high:.3f}，只含记录的噪声），只看前 "
            f"{step_text(early.until)} 步是 {early.r:.3f}，只看后一半是 {late.r:.3f}；直线的 R² 是 {line:.3f}，对数曲"
            f"线是 {log:.3f}。"
            f"学到了多少要看准确率本身：留出准确率从 {first} 到 {last}。",
            f"Pearson's r of steps and accuracy is {r} over the whole run (95 % interval {low:.3f} to {high:.3f}, of "
            f"the "
            f"records' noise alone), {early.r:.3f} over the first {step_text(early.until)} steps and {late.r:.3f} "
            f"over the "
            f"second half; R² is {line:.3f} for a straight line and {log:.3f} for a logarithm. How much was learned "
            f"is in the "
            f"accuracy itself: held out from {first} to {last}.",
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
            f"为 {listed(steps)} 步安排的运行，结束时在整个验证集上是 {listed(ends)}；{longest[0]} 步的运行走到那些步"
            f"数时是 "
            f"{listed(halfway)}，终点是 {longest[1][0]}。半途时学习率还高；给每个预算一份自己的学习率计划，才知道它能"
            f"换来什么。",
            f"Runs planned for {listed(steps, 1)} steps end at {listed(ends, 1)} of the whole validation split; the "
            f"run of "
            f"{longest[0]} steps has {listed(halfway, 1)} when it passes there, and ends at {longest[1][0]}. Half-way "
            f"its "
            f"learning rate is still high: what a budget buys is known from a run with a schedule of its own.",
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
    rarest, commonest, (first, last) = rows[0], rows[-1], (step_text(findings.STEPS[place]) for place in (0, -1))
    return Finding(
        ("生僻字最后学会", "Rare characters come last"),
        (
            f"验证文本按字频分成十组。最生僻的一组，准确率从第 {first} 步的 {rarest[1]} 到第 {last} 步的 {rarest[-2]}，"
            f"{COUNTING[0]}是 {rarest[-1]}；最常见的一组是 {commonest[1]} 到 {commonest[-2]}，频次基线 "
            f"{commonest[-1]}。"
            f"训练结束时，{len(rows)} 组里有 {behind} 组低于频次基线。",
            f"The validation text in ten groups by the frequency of its characters. On the rarest, accuracy goes from "
            f"{rarest[1]} at step {first} to {rarest[-2]} at step {last}, where {COUNTING[1]} has {rarest[-1]}; on the "
            f"commonest from {commonest[1]} to {commonest[-2]}, counting {commonest[-1]}. At the end {behind} of "
            f"{len(rows)} "
            f"groups are behind counting.",
        ),
        "deciles",
        (
            "十组字频各自的准确率：沿步数的曲线，以及结束时与频次基线的对照",
            "Accuracy of ten groups by frequency: along the steps, and at the end beside counting",
        ),
    )


def forecasts() -> Finding:
    test = from_json(
        BackTest, read_json_object(BACK_TEST, "the back-test", "benchmarks/forecast.py writes it"), BACK_TEST
    )
    kinds = {}
    for task in ("masked language model", "masked language model, held out"):
        groups = [group for group in test.groups if (group.cluster, group.task) == ("ours, large dataset", task)]
        held = sum(round(group.coverage * group.runs) for group in groups)
        kinds[task] = ([f"{group.error:.1f}" for group in groups], held, sum(group.runs for group in groups))
    (training, held, of), (held_out, held_too, of_too) = kinds.values()
    parts = [f"{100 * group.fraction:.0f} %" for group in test.groups[:3]]
    return Finding(
        ("预测", "Forecasts"),
        (
            f"知道学习率计划的预测，从大数据集各次运行的前 {listed(parts)} 的记录看终点：训练准确率的误差中位数是 "
            f"{listed(training)} "
            f"个百分点，{of} 个 80 % 区间里 {held} 个包含终点；留出准确率是 {listed(held_out)} 个百分点，{of_too} 个里"
            f" {held_too} 个。",
            f"Forecasts that know the schedule of the learning rate, from the first {listed(parts, 1)} of the records "
            f"of the "
            f"runs on the large dataset: for training accuracy the median error at the end is {listed(training, 1)} "
            f"points, and "
            f"{held} of {of} intervals of 80 % hold the end; for held-out accuracy {listed(held_out, 1)} points, and "
            f"{held_too} of "
            f"{of_too}.",
        ),
    )


def data_or_steps() -> Finding:
    table = dict(findings.data_and_steps())
    seen = table["每个样本看几遍 · times an example was seen"]
    wikipedia, books = (table[f"验证，{name}"] for name in ("维基 · validation, Wikipedia", "古籍 · validation, books"))
    return Finding(
        ("数据还是步数", "Data or steps"),
        (
            f"同样 50,000 步，小数据集（只有维基，每个样本看 {seen[0]} 遍）在维基的验证文章上是 {wikipedia[0]}，大数据"
            f"集（一半以上是"
            f"古籍，{seen[1]} 遍）是 {wikipedia[1]}；在古籍上是 {books[0]} 与 {books[1]}。大数据集上步数加倍，维基 "
            f"{wikipedia[2]}，古籍 "
            f"{books[2]}。",
            f"After the same 50,000 steps the small dataset (Wikipedia alone, each example seen {seen[0]} times) gives "
            f"{wikipedia[0]} on Wikipedia's validation articles and the large one (more than half of it books, "
            f"{seen[1]} "
            f"times) {wikipedia[1]}; on books {books[0]} and {books[1]}. Twice the steps on the large one: Wikipedia "
            f"{wikipedia[2]}, books {books[2]}.",
        ),
    )


def overfitting() -> Finding:
    found, comparison = analysis(), analysis().comparison_with_50k.whole
    held_out = analysis("50k").held_out
    if found.overfit is None or comparison is None or held_out is None:
        raise InputError(f"{history_path(HEADLINE)}: was not compared with the run of 50,000 steps on held-out text")
    since = step_text(found.overfit.since_step or 0)
    training, last = share(comparison.baseline.end_accuracy), share(findings.history("50k").series("eval_mlm_acc")[-1])
    seen = dict(findings.data_and_steps())["每个样本看几遍 · times an example was seen"]
    verdict = (f"从第 {since} 步起过拟合", f"overfits from step {since} on") if found.overfit.found else (
        "没有发现过拟合", "no overfitting was found"
    )  # fmt: skip
    return Finding(
        ("过拟合", "Overfitting"),
        (
            f"主要运行：{verdict[0]}，每个样本看了 {seen[2]} 遍。小数据集上每个样本看了 {seen[0]} 遍，最后训练准确率 "
            f"{training}，"
            f"留出 {last}。",
            f"The headline: {verdict[1]}; each example was seen {seen[2]} times. On the small dataset each was seen "
            f"{seen[0]} "
            f"times, and at the end training accuracy is {training}, held out {last}.",
        ),
    )


def pairs_of_sentences() -> Finding:
    training = analysis().nsp.training
    nsp = findings.scores(HEADLINE).checkpoints[-1].nsp
    if training is None or training.first_step_above is None or nsp is None:
        raise InputError(f"{history_path(HEADLINE)}: NSP is at chance, or was not scored")
    since = step_text(training.first_step_above)
    same, strange = share(nsp.same_source.accuracy), share(nsp.any_source.accuracy)
    return Finding(
        ("NSP", "NSP"),
        (
            f"训练中到第 {since} 步高于机会水平；最后在验证集上，同一来源的负例 {same}，任何来源的负例 {strange}，差的"
            f"那部分是文体和主题。",
            f"Above chance in training by step {since}; at the end {same} of validation against strangers of the same "
            f"source and "
            f"{strange} against strangers of any: the difference is register and topic.",
        ),
    )


def seeds() -> Finding:
    *runs, (_, spread) = findings.seeds()
    mlm, han = (sorted((cells[place] for _, cells in runs), key=number) for place in (0, 1))
    return Finding(
        ("种子", "Seeds"),
        (
            f"20,000 步的 {len(runs)} 个种子：测试 MLM 从 {mlm[0]} 到 {mlm[-1]}（标准差 {spread[0]} 个百分点），汉字从"
            f" {han[0]} 到 {han[-1]}"
            f"（{spread[1]}），r 的标准差 {spread[3]}。",
            f"{len(runs)} seeds of 20,000 steps: test MLM from {mlm[0]} to {mlm[-1]} (standard deviation {spread[0]} "
            f"points), Han from "
            f"{han[0]} to {han[-1]} ({spread[1]}), standard deviation of r {spread[3]}.",
        ),
    )


def published_rule() -> Finding:
    mean, highest, nsp = dict(findings.published())[HEADLINE.upper()]
    return Finding(
        ("与发表的版本", "Beside the published version"),
        (
            f"发表的版本平均 50.53 %，最高 66.35 %，NSP 50 %。按它的计分法（非汉字算一类，32 个训练序列），主要运行平"
            f"均 {mean}，最高 {highest}，"
            f"NSP {nsp}。只能近似地比：发表的模型大得多，见过的文字也多得多。",
            f"The published version has a mean of 50.53 %, a maximum of 66.35 % and NSP 50 %. By its rule (all that "
            f"is not Han is one "
            f"class, 32 training sequences) the headline has a mean of {mean}, a maximum of {highest} and NSP {nsp}. "
            f"The comparison is "
            f"approximate: the published model is far larger and saw far more text.",
        ),
    )


# --- what several sentences need


def analysis(name: str = HEADLINE) -> Analysis:
    path = RESULTS / ("analysis_100k_result.json" if name == HEADLINE else f"{name}/analysis.json")
    return read_analysis(path, findings.history(name))


def share(value: float | None) -> str:
    return percent(value, 1)


def number(cell: str) -> float:
    """The number of a cell such as ``12.3 %``."""
    return float(cell.removesuffix(" %"))


def listed(items: list[str] | tuple[str, ...], language: int = 0) -> str:
    """The items in a row: 一、二、三 or one, two and three."""
    return "、".join(items) if language == 0 else f"{', '.join(items[:-1])} and {items[-1]}"
