"""The tables of the results, computed from the files in results/; study/pages.py writes them into results/README.md.

Accuracies are shares of one until they are printed.
"""

from __future__ import annotations

import numpy as np

from pipeline.files.history import History
from pipeline.formatting import percent
from study import objectives, plan
from study.forecasts import FORECASTS
from study.runs import BASELINE, CAUSAL, HEADLINE
from study.tables import Row, Table, second_edition, trials
from study.tables.committed import correlation, dataset_of, finished, history, of_register, overall, scores

PARTS = 5  # of the headline, at whose ends it is shown
LADDER = {steps: f"study/{planned.name}" for steps, planned in plan.LADDER.items()}


def page() -> list[str]:
    """The lines of all tables, as Markdown."""
    lines = []
    for title, heads, rows in tables():
        lines += [f"**{title}**", ""]
        for label, cells in [("", heads), ("---", ["---:"] * len(heads)), *rows]:
            lines.append("| " + " | ".join([label, *cells]) + " |")
        lines.append("")
    return lines[:-1]


def tables() -> list[Table]:
    """(title, heads of the columns, rows); a row is a label and its cells."""
    held_out = [f"{name} 留出 · held out" for name in ("MLM", "Han")]
    here, there = ["MLM", "Han", "NSP"], [f"{name}, 100K" for name in ("MLM", "Han", "NSP")]
    along = [f"{step // 1000}K" for step in steps_along()]
    datasets = ["50K, 小（第一版） · small (first edition)", "50K, 大 · large", "100K, 大 · large"]
    two_questions = ["被掩码的字 · masked", "下一个字 · next"]
    return [
        ("沿着主要运行 · Along the headline", ["MLM", *held_out, "NSP", "损失 · loss"], along_the_run()),
        ("数据与步数 · Data and steps", datasets, data_and_steps()),
        ("预算阶梯 · The ladder", [*here, *there], budgets()),
        ("字频与文体 · Frequency and register", ["目标 · targets", *along, "频次基线 · counting"], groups()),
        ("按发表的计分法 · By the published rule", ["平均 · mean", "最高 · maximum", "NSP"], published()),
        ("掩码与因果 · Masked and causal", two_questions, objectives.rows(*both_objectives())),
        ("离线样本 · The offline sample", here, sample()),
        *second_edition.tables(second_edition.read_runs(), FORECASTS),
        *trials.tables(),
    ]


def both_objectives() -> tuple[History, History]:
    """The masked and the causal run of one size class."""
    found = history(LADDER[100_000]), history(CAUSAL)
    objectives.refuse_unlike(*found)
    return found


def steps_along() -> list[int]:
    """The steps at which the headline is shown: the ends of its ``PARTS``, where records and checkpoints lie."""
    last = int(history(HEADLINE).last_step)
    return [last * part // PARTS for part in range(1, PARTS + 1)]


def times_seen(run: History) -> float:
    """How many times a run saw each of its training examples, on average."""
    end = finished(run)
    return end.config.steps * end.config.effective_batch / end.train_examples


def along_the_run() -> list[Row]:
    run = history(HEADLINE)
    accuracies = [run.series(key) for key in ("mlm_acc", "eval_mlm_acc", "eval_mlm_acc_han", "nsp_acc")]
    loss = run.series("loss")
    places = [0, *(run.steps.index(step) for step in steps_along())]
    return [
        (f"{run.steps[n]:,}", [*(percent(series[n], 1) for series in accuracies), f"{loss[n]:.3f}"]) for n in places
    ]


def data_and_steps() -> list[Row]:
    """The published comparison, with the run between its two: the steps of the one on the text of the other.

    Without NSP: the first edition's false pairs were easier ones, so its figures stand beside no others.
    """
    columns: list[dict[str, str]] = []
    for name in (BASELINE, LADDER[50_000], LADDER[100_000]):
        run = history(name)
        counted = dataset_of(run)
        end = finished(run)
        accuracy, loss, r = run.series(run.accuracy), run.series("loss"), correlation(run)
        counting, last = end.test.guesses["both"], scores(name).checkpoints[-1].mlm
        columns.append(
            {
                "r": f"{r:.3f}",
                "R²": f"{r * r:.3f}",
                "平均 · mean": percent(accuracy.mean(), 1),
                "最高 · maximum": percent(accuracy.max(), 1),
                "损失下降 · loss drop": f"{loss[0] - loss[-1]:.3f}",
                "句子 · sentences": f"{counted.sentences:,}",
                "不同的汉字 · distinct Han": f"{counted.distinct_han:,}",
                "小时 · hours": f"{run.series('seconds')[-1] / 3600:.2f}",
                "参数 · parameters": f"{end.parameters / 1e6:.2f}M",
                "每个样本看几遍 · times an example was seen": f"{times_seen(run):.1f}",
                "测试 · test MLM": percent(end.test.mlm_acc, 1),
                "测试 · test Han": percent(end.test.mlm_acc_han, 1),
                "验证，维基 · validation, Wikipedia": percent(of_register(last, books=False)[1], 1),
                "验证，古籍 · validation, books": percent(of_register(last, books=True)[1], 1),
                "频次基线 · counting, MLM": percent(counting.all, 1),
                "频次基线 · counting, Han": percent(counting.han, 1),
            }
        )
    return [(name, [column[name] for column in columns]) for name in columns[0]]


def budgets() -> list[Row]:
    """Whole validation at the end of each run, and of the 100K run's checkpoint nearest to that step.

    The last row is where a + b log(steps), through the three shorter runs, would have the longest one.
    """
    checkpoints = scores(LADDER[100_000]).checkpoints
    rows, ends = [], {}
    for steps, name in LADDER.items():
        ends[steps] = finished(history(name)).validation.overall()
        nearest = min(checkpoints, key=lambda entry: (abs(entry.step - steps), entry.step))
        rows.append((f"{steps:,}", [percent(share, 1) for share in (*ends[steps], *overall(nearest))]))
    *shorter, longest = ends
    slopes, starts = np.polyfit(np.log(shorter), [ends[steps] for steps in shorter], 1)
    expected = starts + slopes * np.log(longest)
    rows.append(("外推 · extrapolated", [*(percent(share, 1) for share in expected), "-", "-", "-"]))
    return rows


def groups() -> list[Row]:
    """Accuracy of the tenths of the running Han text, rarest characters first, and of the two registers."""
    scored = scores(HEADLINE)
    checkpoints = {entry.step: entry.mlm for entry in scored.checkpoints}
    columns = [*(checkpoints[step] for step in steps_along()), scored.guesses["both"]]
    rows = []
    for tenth in map(str, range(1, 11)):
        found = [column.by_text_decile[tenth] for column in columns]
        cells = [f"{found[0].targets:,}", *(percent(group.accuracy, 1) for group in found)]
        rows.append((f"第 {tenth} 组 · tenth {tenth}", cells))
    for name, books in (("维基 · Wikipedia", False), ("古籍 · books", True)):
        pooled = [of_register(column, books) for column in columns]
        rows.append((name, [f"{pooled[0][0]:,}", *(percent(share, 1) for _, share in pooled)]))
    return rows


def published() -> list[Row]:
    """As the published run logged: 32 training sequences at a record, what is not Han one class."""
    rows = []
    for name, label in ((LADDER[50_000], "`small`, 50,000"), (HEADLINE, "主要结果 · headline")):
        run = history(name)
        mlm, nsp = (run.series(key) for key in ("sample_mlm_acc_published", "sample_nsp_acc"))
        rows.append((label, [percent(mlm.mean(), 1), percent(mlm.max(), 1), percent(np.nanmean(nsp), 1)]))
    return rows


def sample() -> list[Row]:
    """The long run on the offline sample on its test chapters, beside the guess from both neighbours there."""
    run = history("long")
    end = finished(run)
    test = end.test
    counting = test.guesses["both"]
    return [
        (f"{end.config.steps:,} 步 · steps", [percent(share, 1) for share in test.overall()]),
        ("频次基线 · counting", [percent(counting.all, 1), percent(counting.han, 1), "-"]),
    ]
