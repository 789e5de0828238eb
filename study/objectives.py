"""Two objectives side by side: the masked and the causal model of one size class on one dataset.

The committed causal run beside the masked headline, both on one thread (an hour and a half of a core each):

    OMP_NUM_THREADS=1 python train_causal_lm.py --preset small --checkpoint-dir runs/causal/small/checkpoints \\
        --history runs/causal/small/training_history.json --final runs/causal/small/final.pth \\
        --best runs/causal/small/best.pth
    python study/objectives.py results/training_history_100k.json results/causal/training_history.json \\
        --output-dir results/objectives

It prints a table and draws objectives.png and objectives.zh.png: held-out accuracy against steps, tokens and FLOPs.
The accuracies answer different questions: a masked character is guessed from both sides, the next one from one side.
Runs whose steps or tokens differ by more than 2 % are refused.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from matplotlib.figure import Figure

from pipeline.command_line import StageParser
from pipeline.figures import style
from pipeline.figures.fonts import ADVICE, chinese_font
from pipeline.files import atomic
from pipeline.files.history import History, read_history
from pipeline.files.run_record import CAUSAL_LM, MASKED_LM, objective_of, refuse_other_objective
from pipeline.formatting import NOTHING, count, duration, percent
from pipeline.stage import InputError, run_stage
from pipeline.statistics.smoothing import running_mean
from pipeline.words import LANGUAGES, Words
from study.tables import Row

ALIKE = 0.02  # largest relative difference of steps and of tokens
SMOOTHING = 20  # a running mean spans this part of the records
CHINESE = {
    "held-out accuracy": "留出准确率",
    "masked character, from both sides": "被掩码的字，看得到两边",
    "next character, from those before": "下一个字，只看前文",
    "optimizer steps": "优化步数",
    "tokens read (millions)": "读过的词元（百万）",
    "FLOPs of training (trillions)": "训练的 FLOPs（万亿）",
    "Against steps": "对步数",
    "Against tokens": "对词元",
    "Against FLOPs": "对 FLOPs",
    "two different questions:\ncompare how the curves go, not their heights": (
        "问的是两个不同的问题：比较走势，不比高低"
    ),
}


def main() -> int:
    arguments = parse_arguments()
    masked, causal = (read_history(path) for path in (arguments.masked, arguments.causal))
    refuse_unlike(masked, causal)
    font = chinese_font()
    for language in LANGUAGES:
        if language == "zh" and not font:
            print(ADVICE)
            continue
        with style.lettering(font if language == "zh" else None):
            picture = style.pictures(side_by_side(masked, causal, Words(language, CHINESE)))["png"]
        atomic.write_bytes(arguments.output_dir / f"objectives{'.zh' if language == 'zh' else ''}.png", picture)
    print("\n".join(table(masked, causal)))
    return 0


def refuse_unlike(masked: History, causal: History) -> None:
    """Raise an InputError where the runs are not one of each objective, or not equally long in steps and tokens."""
    for history, wanted in ((masked, MASKED_LM), (causal, CAUSAL_LM)):
        refuse_other_objective(history.path, objective_of(history.run), wanted)
    for name, values in (
        ("steps", [float(history.last_step) for history in (masked, causal)]),
        ("tokens", [history.last("tokens") or 0.0 for history in (masked, causal)]),
    ):
        if abs(values[1] - values[0]) > ALIKE * values[0]:
            raise InputError(
                f"{causal.path}: has {values[1]:,.0f} {name}, {masked.path} {values[0]:,.0f}; give runs equally long"
            )


def side_by_side(masked: History, causal: History, say: Words) -> Figure:
    """Held-out accuracy of both runs against steps, tokens and FLOPs."""
    figure, panels = style.new_figure(1, 3, 15, 4.6)
    runs = (
        (masked, style.TRAINING, say("masked character, from both sides")),
        (causal, style.HELD_OUT, say("next character, from those before")),
    )
    axes_of = (
        ("Against steps", "optimizer steps", lambda history: history.series("steps")),
        ("Against tokens", "tokens read (millions)", lambda history: history.series("tokens") / 1e6),
        ("Against FLOPs", "FLOPs of training (trillions)", lambda history: flops(history) / 1e12),
    )
    for axes, (title, label, place) in zip(panels, axes_of, strict=True):
        axes.set_title(say(title))
        style.percent_axis(axes, say("held-out accuracy"))
        for history, colour, name in runs:
            values = history.series(history.held_out)
            known = np.isfinite(values)
            smooth = running_mean(values[known], int(known.sum()) // SMOOTHING)
            axes.plot(place(history)[known], smooth, color=colour, label=name)
        axes.set_ylim(bottom=0)
        last = max(float(np.nanmax(place(history))) for history, _, _ in runs)
        style.step_axis(axes, last, say(label))
    style.key(panels[0], rising=True)
    style.remark(panels[1], say("two different questions:\ncompare how the curves go, not their heights"))
    return figure


def flops(history: History) -> np.ndarray:
    """FLOPs of training up to each record."""
    per_step = history.facts.number("flops_per_step")
    return history.series("steps") * (np.nan if per_step is None else per_step)


def table(masked: History, causal: History) -> list[str]:
    """What both runs were and came to, as Markdown."""
    head = ["| | masked | next |", "| --- | ---: | ---: |"]
    return head + [f"| {name} | {' | '.join(values)} |" for name, values in rows(masked, causal)]


def rows(masked: History, causal: History) -> list[Row]:
    """A label and the two values of each row."""
    both = masked, causal
    found: list[Row] = [
        ("步数 · steps", [count(int(history.last_step)) for history in both]),
        ("词元 · tokens", [f"{history.last('tokens') or 0:,.0f}" for history in both]),
        ("FLOPs", [f"{flops(history)[-1]:.3g}" for history in both]),
        ("参数 · parameters", [count(history.facts.count("parameters")) for history in both]),
        ("用时 · training time", [duration(history.last("seconds") or 0) for history in both]),
    ]
    facts = masked.facts, causal.facts
    for name, ending in (("测试准确率 · test accuracy", ""), ("只算汉字 · Han alone", "_han")):
        shares = (facts[0].number("test", f"mlm_acc{ending}"), facts[1].number("test", f"next_acc{ending}"))
        found.append((name, [percent(share) for share in shares]))
    for name, keys in (
        ("每字比特 · bits per character", ("bits_per_character",)),
        ("Kneser-Ney，比特 · bits", ("baselines", "kneser_ney")),
        ("PPMd，比特 · bits", ("baselines", "ppmd")),
    ):
        bits = facts[1].number("test", *keys)
        found.append((name, [NOTHING, NOTHING if bits is None else f"{bits:.3f}"]))
    return found


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    parser.add_argument("masked", type=Path, metavar="MASKED", help="history of train_large_100k.py")
    parser.add_argument("causal", type=Path, metavar="CAUSAL", help="history of train_causal_lm.py")
    parser.add_argument(
        "--output-dir",
        type=Path,
        default=Path("runs/objectives"),
        metavar="DIR",
        help="where to draw (default: %(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_stage(main)
