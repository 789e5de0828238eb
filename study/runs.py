"""Where the committed runs lie, and how those outside study/plan.py were made.

    python study/runs.py        # rewrite results/<run>/README.md of the latter

A run is called by its folder in results/: ``study/<name>`` are those of study/plan.py, ``first_edition/<name>`` those
of the study before it, with the same settings on an earlier splitting of the same text. The headline alone has its
history and scores in results/ itself, under the published names.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.files import atomic
from pipeline.files.history import History, read_history
from pipeline.files.run_record import CAUSAL_LM, objective_of
from pipeline.formatting import duration, percent, step_text
from pipeline.stage import run_stage

RESULTS = Path(__file__).resolve().parent.parent / "results"
HEADLINE = "study/medium"
BASELINE = "50k"  # what the headline is compared with
CAUSAL = "causal"
FIRST_EDITION = "first_edition"
EPYC = "AMD EPYC (AVX2), one thread beside a second run"
XEON = "Intel Xeon (AVX-512), one thread"
BUSY_XEON = "Intel Xeon (AVX-512), two threads beside much other work"
SMALL_DATASET = "--dataset data/small_wikipedia_dataset.json"


@dataclass(frozen=True)
class Made:
    """Where a run came from: the commit whose trainer made it, the options of the trainer, the machine."""

    commit: str
    options: str
    machine: str
    target: str | None = None  # the make target that repeats it
    script: str = "train_large_100k.py"


RUNS = {
    f"{FIRST_EDITION}/100k": Made("b61b3be", "--preset small --steps 100000", EPYC),
    BASELINE: Made("193ce39", f"--preset small --steps 50000 {SMALL_DATASET}", EPYC),
    f"{FIRST_EDITION}/ladder_12500": Made("4d75d5d", "--preset small --steps 12500", EPYC),
    f"{FIRST_EDITION}/ladder_25000": Made("fd36bc9", "--preset small --steps 25000", EPYC),
    f"{FIRST_EDITION}/ladder_50000": Made("fb3b637", "--preset small --steps 50000", EPYC),
    f"{FIRST_EDITION}/seed_42": Made("fd36bc9", "--preset small --steps 20000 --seed 42", EPYC),
    f"{FIRST_EDITION}/seed_43": Made("42477d4", "--preset small --steps 20000 --seed 43", EPYC),
    f"{FIRST_EDITION}/seed_44": Made("42477d4", "--preset small --steps 20000 --seed 44", EPYC),
    "quickstart": Made("f4e6016", "--preset quickstart --steps 4000", BUSY_XEON, "study"),
    CAUSAL: Made("7f56676", "--preset small --steps 100000", XEON, script="train_causal_lm.py"),
    "long": Made("554bc52", "--preset quickstart --steps 10000", XEON, "study-long"),
}


def main() -> int:
    for name in RUNS:
        atomic.write_text(history_path(name).with_name("README.md"), readme(name))
    return 0


def history_path(name: str) -> Path:
    """The history of the run ``name``."""
    return file_of(name, "training_history")


def scores_path(name: str) -> Path:
    """The scores of the checkpoints of the run ``name``."""
    return file_of(name, "checkpoint_evaluation")


def file_of(name: str, kind: str) -> Path:
    """The file ``kind`` of the run ``name``, in its folder, or of the headline under the published name."""
    return RESULTS / (f"{kind}_100k.json" if name == HEADLINE else f"{name}/{kind}.json")


def readme(name: str) -> str:
    """The README.md of the folder of the run ``name``."""
    made, history = RUNS[name], read_history(history_path(name))
    variable = f"OMP_NUM_THREADS={history.facts.count('threads')}"
    lines = [
        f"# {Path(name).name}",
        "",
        f"    {variable} python {made.script} {made.options} --history H --checkpoint-dir C --final F",
        "",
        *([f"`make {made.target}` 重复它 · repeats it.", ""] if made.target else []),
        "| | |",
        "| --- | --- |",
        *(f"| {label} | {value} |" for label, value in facts(made, history)),
    ]
    return "\n".join(lines) + "\n"


def facts(made: Made, history: History) -> list[tuple[str, str]]:
    """(label, value) of what is known of a run and of how it ended."""
    told = history.facts
    seconds = history.last("seconds")
    return [
        ("提交 · commit", made.commit),
        ("机器 · machine", made.machine),
        ("PyTorch", told.text("versions", "torch") or ""),
        ("数据集 · dataset (SHA-256)", f"`{told.text('dataset', 'fingerprint')}`"),
        ("步数 · steps", step_text(history.last_step)),
        ("种子 · seed", str(told.count("seed"))),
        ("用时 · training time", "" if seconds is None else duration(seconds)),
        *scores(history),
    ]


def scores(history: History) -> list[tuple[str, str]]:
    """(label, value) of what the finished run scored on its test split, and counting beside it."""
    told = history.facts
    if objective_of(history.run) == CAUSAL_LM:
        bits = told.number("test", "bits_per_character")
        return [
            ("测试，下一个字 · test, next character", percent(told.number("test", "next_acc"))),
            ("每字比特 · bits per character", "" if bits is None else f"{bits:.3f}"),
            ("频次基线（左邻字） · counting (left neighbour)", percent(told.number("test", "guesses", "left", "all"))),
        ]
    return [
        *(
            (f"测试 · test {label}", percent(told.number("test", key)))
            for label, key in (("MLM", "mlm_acc"), ("Han", "mlm_acc_han"), ("NSP", "nsp_acc"))
        ),
        ("频次基线（左右邻字） · counting (both neighbours)", percent(told.number("test", "guesses", "both", "all"))),
    ]


if __name__ == "__main__":
    run_stage(main)
