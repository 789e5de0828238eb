"""The tables of the results, computed from the files in results/.

    python study/findings.py

results/README.md holds what this prints, and the README of the project rows of it;
tests/study/test_committed_results.py looks them up.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from pipeline.files.history import History, read_history
from pipeline.files.scores import read_scores
from pipeline.formatting import percent
from study.datasets import BOOK

RESULTS = Path(__file__).resolve().parent.parent / "results"
MICRO_BATCH = 32  # training sequences that a record of the published run was measured on
Row = tuple[str, list[str]]


def main() -> None:
    print("\n".join(page()))


def page() -> list[str]:
    """The lines of all tables, as Markdown."""
    lines = []
    for title, heads, rows in tables():
        lines += [f"**{title}**", ""]
        for label, cells in [("", heads), ("---", ["---:"] * len(heads)), *rows]:
            lines.append("| " + " | ".join([label, *cells]) + " |")
        lines.append("")
    return lines[:-1]


def tables() -> list[tuple[str, list[str], list[Row]]]:
    """(title, heads of the columns, rows); a row is a label and its cells."""
    held_out = [f"{name} 留出 · held out" for name in ("MLM", "Han")]
    here, there = ["MLM", "Han", "NSP"], [f"{name}, 100K" for name in ("MLM", "Han", "NSP")]
    along = [f"{step // 1000}K" for step in STEPS]
    return [
        ("沿着 100,000 步 · Along the 100,000 steps", ["MLM", *held_out, "NSP", "损失 · loss"], along_the_run()),
        ("数据与步数 · Data and steps", ["50K, 小 · small", "50K, 大 · large", "100K, 大 · large"], data_and_steps()),
        ("预算阶梯 · The ladder", [*here, *there], budgets()),
        ("种子 · Seeds", [*here, "r"], seeds()),
        ("字频与文体 · Frequency and register", ["目标 · targets", *along, "数数 · counting"], groups()),
        ("按发表的计分法 · By the published rule", ["平均 · mean", "最高 · maximum", "NSP"], published()),
        ("离线样本 · The offline sample", here, sample()),
    ]


STEPS = (10_000, 30_000, 50_000, 70_000, 100_000)


def history(name: str) -> History:
    return read_history(RESULTS / f"training_history_{name}.json")


def along_the_run() -> list[Row]:
    records = history("100k").records
    keys = ("mlm_acc", "eval_mlm_acc", "eval_mlm_acc_han", "nsp_acc")
    places = [0, *(records["steps"].index(step) for step in (25_000, 50_000, 75_000, 100_000))]
    return [
        (f"{records['steps'][n]:,}", [*(percent(records[key][n], 1) for key in keys), f"{records['loss'][n]:.3f}"])
        for n in places
    ]


def data_and_steps() -> list[Row]:
    """The published comparison, with the run between its two: the steps of the one on the text of the other."""
    columns: list[dict[str, str]] = []
    for name, text in (("50k", "small"), ("ladder_50000", "large"), ("100k", "large")):
        run = history(name)
        facts, records = run.run, run.records
        counted = json.loads((RESULTS / f"verification_{text}.json").read_text("utf-8"))["statistics"]
        r = float(np.corrcoef(records["steps"], records["mlm_acc"])[0, 1])
        last = scores(name)["checkpoints"][-1]["mlm"]
        seen = facts["config"]["steps"] * facts["config"]["batch_size"] * facts["config"]["accumulation"]
        columns.append(
            {
                "r": f"{r:.3f}",
                "R²": f"{r * r:.3f}",
                "平均 · mean": percent(float(np.mean(records["mlm_acc"])), 1),
                "最高 · maximum": percent(max(records["mlm_acc"]), 1),
                "损失下降 · loss drop": f"{records['loss'][0] - records['loss'][-1]:.3f}",
                "句子 · sentences": f"{counted['sentences']:,}",
                "不同的汉字 · distinct Han": f"{counted['distinct_han']:,}",
                "小时 · hours": f"{records['seconds'][-1] / 3600:.2f}",
                "参数 · parameters": f"{facts['parameters'] / 1e6:.2f}M",
                "每个样本看几遍 · times an example was seen": f"{seen / facts['train_examples']:.1f}",
                "测试 · test MLM": percent(facts["test"]["mlm_acc"], 1),
                "测试 · test Han": percent(facts["test"]["mlm_acc_han"], 1),
                "测试 · test NSP": percent(facts["test"]["nsp_acc"], 1),
                "验证，维基 · validation, Wikipedia": percent(of_register(last, books=False)[1], 1),
                "验证，古籍 · validation, books": percent(of_register(last, books=True)[1], 1),
                "数数 · counting, MLM": percent(facts["test"]["guesses"]["both"]["all"], 1),
                "数数 · counting, Han": percent(facts["test"]["guesses"]["both"]["han"], 1),
            }
        )
    return [(name, [column[name] for column in columns]) for name in columns[0]]


def budgets() -> list[Row]:
    """Whole validation at the end of each run, and of the 100K run's checkpoint nearest to that step.

    The last row is where a + b log(steps), through the three shorter runs, would have the longest one.
    """
    checkpoints = {entry["step"]: entry for entry in scores("100k")["checkpoints"]}
    rows, ends = [], {}
    for name in ("ladder_12500", "ladder_25000", "ladder_50000", "100k"):
        facts = history(name).run
        end, steps = facts["validation"], facts["config"]["steps"]
        there = checkpoints[min(checkpoints, key=lambda step: (abs(step - steps), step))]
        ends[steps] = (end["mlm_acc"], end["mlm_acc_han"], end["nsp_acc"])
        rows.append((f"{steps:,}", [percent(share, 1) for share in (*ends[steps], *overall(there))]))
    *shorter, longest = ends
    slopes, starts = np.polyfit(np.log(shorter), [ends[steps] for steps in shorter], 1)
    expected = starts + slopes * np.log(longest)
    rows.append(("外推 · extrapolated", [*(percent(share, 1) for share in expected), "-", "-", "-"]))
    return rows


def overall(entry: dict[str, Any]) -> tuple[float, float, float]:
    mlm = entry["mlm"]
    return mlm["accuracy"], mlm["by_class"]["han"]["accuracy"], entry["nsp"]["same_source"]["accuracy"]


def seeds() -> list[Row]:
    rows, columns = [], []
    for seed in (42, 43, 44):
        run = history(f"seed_{seed}")
        test = run.run["test"]
        r = float(np.corrcoef(run.records["steps"], run.records["mlm_acc"])[0, 1])
        columns.append((test["mlm_acc"], test["mlm_acc_han"], test["nsp_acc"], r))
        rows.append((f"种子 · seed {seed}", [*(percent(share, 1) for share in columns[-1][:3]), f"{r:.3f}"]))
    spread = np.std(columns, axis=0, ddof=1)
    rows.append(("标准差 · standard deviation", [*(f"{100 * value:.2f}" for value in spread[:3]), f"{spread[3]:.3f}"]))
    return rows


def groups() -> list[Row]:
    """Accuracy of the tenths of the running Han text, rarest characters first, and of the two registers."""
    section = scores("100k")
    checkpoints = {entry["step"]: entry["mlm"] for entry in section["checkpoints"]}
    columns = [*(checkpoints[step] for step in STEPS), section["guesses"]["both"]]
    rows = []
    for tenth in map(str, range(1, 11)):
        found = [column["by_text_decile"][tenth] for column in columns]
        targets = f"{found[0]['targets']:,}"
        rows.append((f"第 {tenth} 组 · tenth {tenth}", [targets, *(percent(each["accuracy"], 1) for each in found)]))
    for name, books in (("维基 · Wikipedia", False), ("古籍 · books", True)):
        pooled = [of_register(column, books) for column in columns]
        rows.append((name, [f"{pooled[0][0]:,}", *(percent(share, 1) for _, share in pooled)]))
    return rows


def of_register(mlm: dict[str, Any], books: bool) -> tuple[int, float]:
    """Targets and accuracy over all sources that are books, or all that are not."""
    chosen = [each for source, each in mlm["by_source"].items() if source.startswith(BOOK) == books and each["targets"]]
    targets = sum(each["targets"] for each in chosen)
    return targets, sum(each["targets"] * each["accuracy"] for each in chosen) / targets


def published() -> list[Row]:
    """As the published run logged: one training micro-batch at a record, what is not Han one class.

    A record of these runs has one step's sequences; as many in a row as make a micro-batch are taken together.
    """
    rows = []
    for name in ("50k", "100k"):
        run = history(name)
        together = MICRO_BATCH // (run.run["config"]["batch_size"] * run.run["config"]["accumulation"])
        values = [np.array(run.records[key], float) for key in ("sample_mlm_acc_published", "sample_nsp_acc")]
        mlm, nsp = (value[: len(value) // together * together].reshape(-1, together) for value in values)
        rows.append(
            (name.upper(), [percent(mlm.mean(), 1), percent(mlm.mean(1).max(), 1), percent(np.nanmean(nsp), 1)])
        )
    return rows


def sample() -> list[Row]:
    """The long run on the offline sample on its test chapters, beside the guess from both neighbours there."""
    run = history("long").run
    test, guess = run["test"], run["test"]["guesses"]["both"]
    model = [percent(test[key], 1) for key in ("mlm_acc", "mlm_acc_han", "nsp_acc")]
    return [
        (f"{run['config']['steps']:,} 步 · steps", model),
        ("数数 · counting", [percent(guess["all"], 1), percent(guess["han"], 1), "-"]),
    ]


def scores(name: str) -> dict[str, Any]:
    section: dict[str, Any] = read_scores(RESULTS / f"checkpoint_evaluation_{name}.json")["validation"]
    return section


if __name__ == "__main__":
    main()
