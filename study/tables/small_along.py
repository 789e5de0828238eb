"""What to expect of the preset ``small``, for docs/TRAINING.md: scores and minutes along the longest of its runs."""

from __future__ import annotations

from pipeline.formatting import percent
from study import plan
from study.tables.committed import history, overall, scores

STEPS = (2_000, 10_000, 20_000, 40_000, 60_000, 80_000, 100_000)
INTRODUCTION = (
    "`small`（种子 {seed}，大数据集的整个验证集，{targets:,} 个目标；单线程，另一个核上有别的运行）：",
    "`small` (seed {seed}, the whole validation split of the large dataset, {targets:,} targets; one thread, "
    "another run on the other core):",
)
HEADS = (["步", "MLM", "Han", "NSP", "分钟"], ["step", "MLM", "Han", "NSP", "minutes"])


def small_along(language: int) -> list[str]:
    """The lines of the table, 0 for Chinese and 1 for English."""
    name = f"study/{plan.LADDER[max(STEPS)].name}"
    run, checkpoints = history(name), {entry.step: entry for entry in scores(name).checkpoints}
    seconds = dict(zip(*run.points("seconds"), strict=True))
    cells = [HEADS[language], ["---:"] * len(HEADS[language])]
    for step in STEPS:
        shares = [percent(share, 1) for share in overall(checkpoints[step])]
        cells.append([f"{step:,}", *shares, f"{seconds[step] / 60:.0f}"])
    told = INTRODUCTION[language].format(seed=run.facts.count("seed"), targets=checkpoints[max(STEPS)].mlm.targets)
    return [told, "", *(f"| {' | '.join(row)} |" for row in cells)]
