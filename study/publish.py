"""Put finished runs of the study where they are committed: results/study/<name>/.

    python study/publish.py                # every finished run of runs/study/
    python study/publish.py medium         # this one

Copied are the history, the scores of the checkpoints and the final scoring, of the headline under the published names
into results/ itself; a README.md says how the run was made. Of
``MODELS`` the final model goes along in half precision, with its vocab.txt, so that a clone can export, probe and try
it at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.command_line import StageParser
from pipeline.files import atomic, checkpoint
from pipeline.files.history import History, read_history
from pipeline.files.json_object import read_json_object
from pipeline.formatting import duration, percent, step_text
from pipeline.stage import InputError, run_stage
from study.plan import PLAN, Planned, named
from study.runs import HEADLINE, RESULTS

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "study"
STUDY = RESULTS / "study"
COPIED = ("training_history", "checkpoint_evaluation", "final_scoring")
MODELS = ("medium", "cosine_100000_seed_42")
LARGEST = 16_000_000  # bytes of a committed model


def main() -> int:
    parser = StageParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="RUN", help="runs of study/plan.py (default: all finished ones)")
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="DIR", help="where they lie (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=STUDY, metavar="DIR", help="default: %(default)s")
    arguments = parser.parse_args()
    known = {planned.name for planned in PLAN}
    for name in arguments.names:
        if name not in known:
            parser.error(f"{name} is not planned; choose from {', '.join(sorted(known))}")
    finished = [planned for planned in PLAN if is_finished(arguments.runs / planned.name)]
    chosen = [named(name) for name in arguments.names] or finished
    for planned in chosen:
        if planned not in finished:
            raise InputError(f"{arguments.runs / planned.name}: is not finished; train it with study/train.py")
        publish(planned, arguments.runs / planned.name, arguments.output)
        print(f"{planned.name}: {arguments.output / planned.name}")
    return 0


def is_finished(folder: Path) -> bool:
    path = folder / "training_history.json"
    return path.exists() and bool(read_history(path).facts.text("finished"))


def publish(planned: Planned, source: Path, study: Path) -> None:
    """Copy what is kept of the run in ``source`` to its folder in ``study``, and beside that what is the headline's."""
    output = study / planned.name
    is_headline = f"study/{planned.name}" == HEADLINE
    for name in COPIED:
        if (source / f"{name}.json").exists():
            path = study.parent / f"{name}_100k.json" if is_headline else output / f"{name}.json"
            atomic.write_text(path, without_machine((source / f"{name}.json").read_text(encoding="utf-8")))
    atomic.write_text(
        output / "README.md", readme(planned, read_history(source / f"{COPIED[0]}.json"), commits(source))
    )
    if planned.name in MODELS:
        model = output / "model.safetensors"
        checkpoint.save_half(model, checkpoint.load(source / "final.pth"))
        if model.stat().st_size > LARGEST:
            checkpoint.remove(model)
            raise InputError(f"{model}: would be larger than {LARGEST:,} bytes; take {planned.name} out of MODELS")
        atomic.write_bytes(output / "vocab.txt", (source / "vocab.txt").read_bytes())


def without_machine(text: str) -> str:
    """``text`` with paths as they are seen from the project, wherever that lay on the machine of the run."""
    return text.replace(f"{ROOT}/", "")


def commits(source: Path) -> list[str]:
    """The commits that the run was trained with, in order, as study/train.py noted them."""
    path = source / "made.json"
    if not path.exists():
        return []
    return [str(commit)[:7] for commit in read_json_object(path, "the note of commits", "train again")["commits"]]


def readme(planned: Planned, history: History, trained_with: list[str]) -> str:
    """The README.md of a run's folder."""
    told = history.facts
    seconds = history.last("seconds")
    branch = f" --branch-from {planned.trunk}/state_{planned.branch_at}.pth" if planned.trunk else ""
    dataset = f"data/{planned.dataset}_wikipedia_dataset.json"
    facts = [
        ("提交 · commits", ", ".join(trained_with)),
        ("机器 · machine", told.text("processor") or ""),
        ("线程 · threads", str(told.count("threads") or "")),
        ("PyTorch", told.text("versions", "torch") or ""),
        ("数据集 · dataset (SHA-256)", f"`{told.text('dataset', 'fingerprint')}`"),
        ("步数 · steps", step_text(history.last_step)),
        ("种子 · seed", str(told.count("seed"))),
        ("用时（机器还做别的事） · training time, beside other work", "" if seconds is None else duration(seconds)),
        *(
            (f"测试 · test {label}", percent(told.number("test", key)))
            for label, key in (("MLM", "mlm_acc"), ("Han", "mlm_acc_han"), ("NSP", "nsp_acc"))
        ),
        ("频次基线（左右邻字） · counting (both neighbours)", percent(told.number("test", "guesses", "both", "all"))),
    ]
    command = (
        f"OMP_NUM_THREADS={planned.threads} python train_large_100k.py {planned.options}{branch} --dataset {dataset}"
    )
    lines = [f"# {planned.name}", "", f"    {command}", "", f"`python study/train.py {planned.name}`", "", "| | |"]
    return "\n".join([*lines, "| --- | --- |", *(f"| {label} | {value} |" for label, value in facts)]) + "\n"


if __name__ == "__main__":
    run_stage(main)
