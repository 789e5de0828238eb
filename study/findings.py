"""The tables of the results, computed from the files in results/; study/pages.py writes them into results/README.md.

Accuracies are shares of one until they are printed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.files.history import History, read_history
from pipeline.files.json_object import read_json_object
from pipeline.files.scores import CheckpointScore, MlmScore, SplitScores, read_scores
from pipeline.files.typed_json import from_json
from pipeline.formatting import percent
from pipeline.stage import InputError
from study import objectives
from study.datasets import BOOK
from study.forecasts import FORECASTS
from study.publish import STUDY
from study.runs import CAUSAL, history_path, scores_path, verification_path
from study.tables import Row, Table, second_edition

STEPS = (10_000, 30_000, 50_000, 70_000, 100_000)
MICRO_BATCH = 32  # training sequences that a record of the published run was measured on


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
    along = [f"{step // 1000}K" for step in STEPS]
    two_questions = ["被掩码的字 · masked", "下一个字 · next"]
    return [
        ("沿着 100,000 步 · Along the 100,000 steps", ["MLM", *held_out, "NSP", "损失 · loss"], along_the_run()),
        ("数据与步数 · Data and steps", ["50K, 小 · small", "50K, 大 · large", "100K, 大 · large"], data_and_steps()),
        ("预算阶梯 · The ladder", [*here, *there], budgets()),
        ("种子 · Seeds", [*here, "r"], seeds()),
        ("字频与文体 · Frequency and register", ["目标 · targets", *along, "频次基线 · counting"], groups()),
        ("按发表的计分法 · By the published rule", ["平均 · mean", "最高 · maximum", "NSP"], published()),
        ("掩码与因果 · Masked and causal", two_questions, objectives.rows(*both_objectives())),
        ("离线样本 · The offline sample", here, sample()),
        *second_edition.tables(second_edition.read_runs(STUDY), FORECASTS),
    ]


# --- what lies in results/


@dataclass(frozen=True)
class Guess:
    """Accuracy of a counting guess on all targets and on those that are Han."""

    all: float
    han: float


@dataclass(frozen=True)
class EndScores:
    """The finished model on one whole split."""

    mlm_acc: float
    mlm_acc_han: float
    nsp_acc: float
    guesses: dict[str, Guess]

    def overall(self) -> tuple[float, float, float]:
        """MLM, MLM on Han, NSP."""
        return self.mlm_acc, self.mlm_acc_han, self.nsp_acc


@dataclass(frozen=True)
class Config:
    """The settings that the tables need."""

    steps: int
    batch_size: int
    accumulation: int

    @property
    def effective_batch(self) -> int:
        """Sequences to one optimizer step."""
        return self.batch_size * self.accumulation


@dataclass(frozen=True)
class FinishedRun:
    """What the ``run`` object of a finished run says, as far as the tables need it."""

    parameters: int
    train_examples: int
    config: Config
    validation: EndScores
    test: EndScores


@dataclass(frozen=True)
class Statistics:
    """Counts of a dataset."""

    sentences: int
    distinct_han: int


@dataclass(frozen=True)
class Verification:
    """A report of verify_dataset.py, as far as the tables need it."""

    statistics: Statistics


def history(name: str) -> History:
    return read_history(history_path(name))


def both_objectives() -> tuple[History, History]:
    """The masked and the causal run of one size class."""
    found = history("100k"), history(CAUSAL)
    objectives.refuse_unlike(*found)
    return found


def finished(run: History) -> FinishedRun:
    return from_json(FinishedRun, run.run, run.path, advice="commit the history of a finished run")


def scores(name: str) -> SplitScores:
    """The checkpoints of a run on the whole validation set."""
    path = scores_path(name)
    scored = read_scores(path).validation
    if scored is None:
        raise InputError(f"{path}: was not scored on the validation set; run evaluate_checkpoints.py")
    return scored


def dataset(name: str) -> Statistics:
    path = verification_path(name)
    value = read_json_object(path, "the verification", "verify_dataset.py writes it")
    return from_json(Verification, value, path, advice="write it again with verify_dataset.py").statistics


# --- the tables


def along_the_run() -> list[Row]:
    run = history("100k")
    accuracies = [run.series(key) for key in ("mlm_acc", "eval_mlm_acc", "eval_mlm_acc_han", "nsp_acc")]
    loss = run.series("loss")
    places = [0, *(run.steps.index(step) for step in (25_000, 50_000, 75_000, 100_000))]
    return [
        (f"{run.steps[n]:,}", [*(percent(series[n], 1) for series in accuracies), f"{loss[n]:.3f}"]) for n in places
    ]


def data_and_steps() -> list[Row]:
    """The published comparison, with the run between its two: the steps of the one on the text of the other."""
    columns: list[dict[str, str]] = []
    for name, text in (("50k", "small"), ("ladder_50000", "large"), ("100k", "large")):
        run, counted = history(name), dataset(text)
        end = finished(run)
        accuracy, loss, r = run.series(run.accuracy), run.series("loss"), correlation(run)
        counting, last = end.test.guesses["both"], scores(name).checkpoints[-1].mlm
        seen = end.config.steps * end.config.effective_batch / end.train_examples
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
                "每个样本看几遍 · times an example was seen": f"{seen:.1f}",
                "测试 · test MLM": percent(end.test.mlm_acc, 1),
                "测试 · test Han": percent(end.test.mlm_acc_han, 1),
                "测试 · test NSP": percent(end.test.nsp_acc, 1),
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
    checkpoints = scores("100k").checkpoints
    rows, ends = [], {}
    for name in ("ladder_12500", "ladder_25000", "ladder_50000", "100k"):
        run = history(name)
        steps = finished(run).config.steps
        ends[steps] = finished(run).validation.overall()
        nearest = min(checkpoints, key=lambda entry: (abs(entry.step - steps), entry.step))
        rows.append((f"{steps:,}", [percent(share, 1) for share in (*ends[steps], *overall(nearest))]))
    *shorter, longest = ends
    slopes, starts = np.polyfit(np.log(shorter), [ends[steps] for steps in shorter], 1)
    expected = starts + slopes * np.log(longest)
    rows.append(("外推 · extrapolated", [*(percent(share, 1) for share in expected), "-", "-", "-"]))
    return rows


def seeds() -> list[Row]:
    rows, columns = [], []
    for seed in (42, 43, 44):
        run = history(f"seed_{seed}")
        shares, r = finished(run).test.overall(), correlation(run)
        columns.append((*shares, r))
        rows.append((f"种子 · seed {seed}", [*(percent(share, 1) for share in shares), f"{r:.3f}"]))
    spread = np.std(columns, axis=0, ddof=1)
    rows.append(("标准差 · standard deviation", [*(f"{100 * value:.2f}" for value in spread[:3]), f"{spread[3]:.3f}"]))
    return rows


def groups() -> list[Row]:
    """Accuracy of the tenths of the running Han text, rarest characters first, and of the two registers."""
    scored = scores("100k")
    checkpoints = {entry.step: entry.mlm for entry in scored.checkpoints}
    columns = [*(checkpoints[step] for step in STEPS), scored.guesses["both"]]
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
    """As the published run logged: one training micro-batch at a record, what is not Han one class.

    A record of these runs has one step's sequences; as many in a row as make a micro-batch are taken together.
    """
    rows = []
    for name in ("50k", "100k"):
        run = history(name)
        together = MICRO_BATCH // finished(run).config.effective_batch
        whole = len(run) // together * together
        mlm, nsp = (
            run.series(key)[:whole].reshape(-1, together) for key in ("sample_mlm_acc_published", "sample_nsp_acc")
        )
        rows.append(
            (name.upper(), [percent(mlm.mean(), 1), percent(mlm.mean(1).max(), 1), percent(np.nanmean(nsp), 1)])
        )
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


# --- numbers that several tables need


def correlation(run: History) -> float:
    """Pearson's r of step and training accuracy."""
    return float(np.corrcoef(run.series("steps"), run.series(run.accuracy))[0, 1])


def overall(entry: CheckpointScore) -> tuple[float | None, float | None, float | None]:
    """MLM, MLM on Han, NSP of a checkpoint."""
    nsp = entry.nsp.same_source.accuracy if entry.nsp else None
    return entry.mlm.accuracy, entry.mlm.by_class["han"].accuracy, nsp


def of_register(mlm: MlmScore, books: bool) -> tuple[int, float]:
    """Targets and accuracy over all sources that are books, or all that are not."""
    chosen = [
        (group.targets, group.accuracy)
        for source, group in mlm.by_source.items()
        if source.startswith(BOOK) == books and group.accuracy is not None
    ]
    targets = sum(count for count, _ in chosen)
    return targets, sum(count * accuracy for count, accuracy in chosen) / targets
